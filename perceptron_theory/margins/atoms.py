"""Measured examples as quadrature nodes: few by themselves, many through nested cells."""

import math

import numpy as np

from perceptron_theory.compiling import inner_kernel, kernel
from perceptron_theory.gaussian import BARYCENTRIC, MAX_ORDER, NODES, FloatArray
from perceptron_theory.margins.kept import KeptMeasure

#: Atoms are halved down to cells of at most this many; larger cells carry CELL_ORDER nodes.
LEAF = 32
CELL_ORDER = 16
#: A panel is covered by a few cells on each of at most 40 levels.
COLLECT_CAPACITY = 16384


@inner_kernel
def _spread(atoms: FloatArray, start: int, stop: int, lo: float, half: float, order: int, w: FloatArray) -> None:
    """Add to `w` the interpolatory rule of atoms[:, start:stop] on the Legendre points of [lo, lo + 2 half].

    The rule integrates every polynomial of degree < order against the atoms exactly: for a smooth
    integrand it is as accurate as the panel's own order.
    """
    terms = np.empty(order)
    for j in range(start, stop):
        y = (atoms[0, j] - lo) / half - 1.0
        total = 0.0
        hit = -1
        for i in range(order):
            gap = y - NODES[order, i]
            if gap == 0.0:
                hit = i
                gap = 1.0
            terms[i] = BARYCENTRIC[order, i] / gap
            total += terms[i]
        if hit >= 0:
            w[hit] += atoms[1, j]
        else:
            factor = atoms[1, j] / total
            for i in range(order):
                w[i] += factor * terms[i]


@inner_kernel
def _cell_range(cell: int, n: int) -> tuple[int, int]:
    """First and last-plus-one atom of a cell: the bits of cell + 1 below the first say which half."""
    start = 0
    stop = n
    bit = 1
    while 2 * bit <= cell + 1:
        bit *= 2
    bit //= 2
    while bit > 0:
        middle = (start + stop) // 2
        if (cell + 1) & bit:
            start = middle
        else:
            stop = middle
        bit //= 2
    return start, stop


@kernel
def atom_cells(atoms: FloatArray) -> FloatArray:
    """Weights on the Legendre points of nested halves of the atoms: halves of cell c are 2c+1, 2c+2.

    With them a panel that holds a million atoms costs as little as one that holds a hundred.
    (A loop from the leaves up: numba cannot reload recursive functions from its cache.)
    """
    n = atoms.shape[1]
    size = n
    cell_count = 1
    while size > LEAF:
        size = (size + 1) // 2
        cell_count *= 2
    cells = np.zeros((cell_count - 1, CELL_ORDER))
    nodes = np.empty((2, CELL_ORDER))
    for cell in range(cell_count - 2, -1, -1):
        start, stop = _cell_range(cell, n)
        if stop - start <= LEAF:
            continue
        lo = atoms[0, start]
        half = 0.5 * (atoms[0, stop - 1] - lo)
        for child in (2 * cell + 1, 2 * cell + 2):
            i0, i1 = _cell_range(child, n)
            if i1 - i0 <= LEAF:
                _spread(atoms, i0, i1, lo, half, CELL_ORDER, cells[cell])
                continue
            for i in range(CELL_ORDER):
                width = atoms[0, i1 - 1] - atoms[0, i0]
                nodes[0, i] = atoms[0, i0] + 0.5 * width * (1.0 + NODES[CELL_ORDER, i])
                nodes[1, i] = cells[child, i]
            _spread(nodes, 0, CELL_ORDER, lo, half, CELL_ORDER, cells[cell])
    return cells


@inner_kernel
def _collect_atoms(measure: KeptMeasure, left: float, right: float, found: FloatArray) -> int:
    """Atoms in [left, right), those far from its ends as cells no wider than a quarter of it."""
    atoms = measure.atoms
    count = 0
    stack = np.empty((64, 3), dtype=np.int64)
    stack[0, 0] = 0
    stack[0, 1] = 0
    stack[0, 2] = atoms.shape[1]
    top = 1
    while top > 0:
        top -= 1
        cell = stack[top, 0]
        start = stack[top, 1]
        stop = stack[top, 2]
        first = atoms[0, start]
        last = atoms[0, stop - 1]
        if last < left or first >= right:
            continue
        if stop - start <= LEAF:
            for i in range(start, stop):
                if left <= atoms[0, i] < right:
                    found[0, count] = atoms[0, i]
                    found[1, count] = atoms[1, i] * measure.scale
                    count += 1
        elif first >= left and last < right and last - first <= 0.25 * (right - left):
            for i in range(CELL_ORDER):
                found[0, count] = first + 0.5 * (last - first) * (1.0 + NODES[CELL_ORDER, i])
                found[1, count] = measure.cells[cell, i] * measure.scale
                count += 1
        else:
            middle = (start + stop) // 2
            for half in range(2):
                stack[top, 0] = 2 * cell + 1 + half
                stack[top, 1] = start if half == 0 else middle
                stack[top, 2] = middle if half == 0 else stop
                top += 1
        if count + LEAF > found.shape[1]:
            # Never met: the caller sees NaN rather than a measure that lost examples.
            found[1, 0] = math.nan
            break
    return count


@inner_kernel
def atom_panel(
    measure: KeptMeasure, interval: int, left: float, right: float, order: int, m: FloatArray, w: FloatArray, n: int
) -> int:
    """Append to m[:n], w[:n] at most MAX_ORDER nodes for the atoms of an interval in [left, right); the new length."""
    atoms = np.empty((2, COLLECT_CAPACITY))
    found = _collect_atoms(measure, left, right, atoms)
    if measure.keep.shape[0] > 0:
        for i in range(found):
            atoms[1, i] *= measure.keep[interval, 0]
    # Without a weight such as exp(-m^2/2) in the integrand its ends count in full: a higher order.
    order = min(order + 8, MAX_ORDER)
    if found <= order:
        for i in range(found):
            m[n + i] = atoms[0, i]
            w[n + i] = atoms[1, i]
        return n + found
    half = 0.5 * (right - left)
    for i in range(order):
        m[n + i] = left + half * (1.0 + NODES[order, i])
        w[n + i] = 0.0
    _spread(atoms, 0, found, left, half, order, w[n:])
    return n + order
