"""Finish: the exact student from a nearly right supporting set.

On a supporting set S the dual max sum(a) - |Z^T a|^2 / 2 has its maximum at K_SS a = 1, K = Z Z^T. From a
feasible start the set loses examples whose a would turn negative and gains the most violated ones,
always with a larger dual value: a block form of the active-set method of Lawson and Hanson (Solving
Least Squares Problems, 1974, chapter 23), which ends at the solution after finitely many steps.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from perceptron_theory.compiling import inner_kernel, kernel
from perceptron_theory.simulation.training.hard_margin.sums import tail_dot
from perceptron_theory.simulation.training.hard_margin.triangle import (
    append,
    back_substitute,
    coefficients,
    factorise,
    remove,
    solve,
)

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Violations of z.w >= 1 below this are rounding; the certificate is three orders wider.
_FEASIBLE = 1e-12

_REFINEMENTS = 3


@inner_kernel
def _loss(R: FloatArray, n: int, x: FloatArray, best: FloatArray) -> float:
    """|R (x - best)|^2: twice what the dual value at x lacks to its maximum."""
    step = x[:n] - best
    total = 0.0
    for i in range(n):
        total += (R[i, i] * step[i] + tail_dot(R, i, step)) ** 2
    return total


@inner_kernel
def _towards(R: FloatArray, n: int, old: FloatArray, best: FloatArray) -> None:
    """Move `old` towards `best`, which has negative coordinates, until at least one coordinate is 0.

    Either to the first point on the way where a coordinate reaches 0, or to `best` with its negative
    coordinates cut off, whichever has the larger dual value.
    """
    t = 1.0
    for i in range(n):
        if best[i] <= 0.0:
            t = min(t, old[i] / (old[i] - best[i])) if old[i] > 0.0 else 0.0
    blocked = np.empty(n)
    cut = np.empty(n)
    for i in range(n):
        # The same quotient as above: rounding must not keep the first one from reaching 0.
        reaches_zero = best[i] <= 0.0 and (old[i] <= 0.0 or old[i] / (old[i] - best[i]) <= t)
        blocked[i] = 0.0 if reaches_zero else old[i] + t * (best[i] - old[i])
        cut[i] = max(0.0, best[i])
    several = (best <= 0.0).sum() > 1
    old[:n] = cut if several and _loss(R, n, cut, best) <= _loss(R, n, blocked, best) else blocked


@inner_kernel
def _add_rows(Z: FloatArray, rows: IntArray, x: FloatArray, w: FloatArray) -> None:
    """Add sum_i x_i z_rows[i] to w."""
    for i in range(x.size):
        row, coefficient = rows[i], x[i]
        for k in range(w.size):
            w[k] += coefficient * Z[row, k]


@inner_kernel
def _violated(margins: FloatArray, inside: npt.NDArray[np.bool_]) -> IntArray:
    """Rows outside the supporting set with z.w < 1, the most violated first."""
    rows = np.flatnonzero((margins < 1.0 - _FEASIBLE) & ~inside)
    return rows[np.argsort(margins[rows])]


@inner_kernel
def _exchange(
    Z: FloatArray,
    rows: IntArray,
    n: int,
    R: FloatArray,
    y: FloatArray,
    value: FloatArray,
    inside: npt.NDArray[np.bool_],
) -> int:
    """Let rows[n], which depends on the first n examples, replace one of them; returns the new n, or -1.

    With z_new = sum_i c_i z_i the student does not change along a_new = t, a_i - t c_i, and the dual value
    grows by t (1 - sum_i c_i) = t (1 - z_new.w) > 0, until the first a_i reaches 0. If none does it grows
    for ever: no w separates the data.
    """
    new = rows[n]
    c = coefficients(Z, rows, n, R)
    t = np.inf
    leaves = -1
    for i in range(n):
        if c[i] > 0.0 and value[i] < t * c[i]:
            t = value[i] / c[i]
            leaves = i
    if leaves < 0:
        return -1
    for i in range(n):
        value[i] = max(0.0, value[i] - t * c[i])
    inside[rows[leaves]] = False
    remove(rows, n, R, y, leaves)
    for i in range(leaves, n - 1):
        value[i] = value[i + 1]
    rows[n - 1] = new
    value[n - 1] = t
    if append(Z, rows, n - 1, R, y):
        return n
    inside[new] = False
    return n - 1


@inner_kernel
def _start(
    Z: FloatArray,
    a: FloatArray,
    rows: IntArray,
    R: FloatArray,
    y: FloatArray,
    value: FloatArray,
    inside: npt.NDArray[np.bool_],
) -> int:
    """Fill the state from the largest of the positive a; returns the size of the supporting set."""
    start = np.flatnonzero(a > 0.0)
    if start.size >= rows.size:
        start = start[np.argsort(-a[start])[: rows.size - 1]]
    n = start.size
    rows[:n] = start
    if n == 0 or not factorise(Z, rows, n, R, y):
        # One by one, leaving out what depends on the others.
        n = 0
        for candidate in start:
            rows[n] = candidate
            n += append(Z, rows, n, R, y)
    for i in range(n):
        value[i] = a[rows[i]]
        inside[rows[i]] = True
    return n


@inner_kernel
def _drop(
    rows: IntArray, n: int, R: FloatArray, y: FloatArray, value: FloatArray, inside: npt.NDArray[np.bool_]
) -> int:
    """Let the examples of value 0 leave; returns the new size."""
    for i in range(n - 1, -1, -1):
        if value[i] <= 0.0:
            inside[rows[i]] = False
            remove(rows, n, R, y, i)
            for j in range(i, n - 1):
                value[j] = value[j + 1]
            n -= 1
    return n


@inner_kernel
def _enter(
    Z: FloatArray,
    entering: IntArray,
    rows: IntArray,
    n: int,
    R: FloatArray,
    y: FloatArray,
    value: FloatArray,
    inside: npt.NDArray[np.bool_],
) -> int:
    """Let examples enter, up to the first that must take the place of another; returns the new size, or -1."""
    for i in entering:
        rows[n] = i
        value[n] = 0.0
        inside[i] = True
        if n + 1 == rows.size or not append(Z, rows, n, R, y):
            return _exchange(Z, rows, n, R, y, value, inside)
        n += 1
    return n


@inner_kernel
def _weights(
    Z: FloatArray, rows: IntArray, n: int, R: FloatArray, x: FloatArray, w: FloatArray, margins: FloatArray
) -> None:
    """Set w = Z^T x, refined until the supporting margins are 1, and margins = Z w."""
    w[:] = 0.0
    step = x.copy()
    for _ in range(1 + _REFINEMENTS):
        # Added to, not computed again: Z^T x would lose digits where large terms cancel.
        _add_rows(Z, rows, step, w)
        margins[:] = np.dot(Z, w)
        residual = 1.0 - margins[rows[:n]]
        if np.abs(residual).max() < _FEASIBLE:
            break
        step = solve(R, n, residual)
        x += step


@kernel
def finish(Z: FloatArray, a: FloatArray, w: FloatArray, max_rounds: float) -> bool:
    """Solve exactly, starting from the examples with a > 0.

    Parameters
    ----------
    Z : ndarray, shape (P, N)
        Examples, flipped by their labels.
    a, w : ndarray, shapes (P,) and (N,)
        In: a feasible start. Out: the solution.
    max_rounds : float
        Give up after this many solutions of a linear system.

    Returns
    -------
    bool
        Whether no example is violated any more. If not, `a` is still feasible.
    """
    P, N = Z.shape
    # The state: the first n of `rows` support, with dual variables `value` and the factor R, y; room for one more.
    room = min(P, N) + 1
    rows = np.empty(room, dtype=np.int64)
    R, y = np.empty((room, room)), np.empty(room)
    value = np.zeros(room)
    inside = np.zeros(P, dtype=np.bool_)
    n = _start(Z, a, rows, R, y, value, inside)
    margins = np.empty(P)
    fewest, limit = P + 1, P
    solved = False
    for _ in range(int(max_rounds)):
        if n == 0:
            break
        x = back_substitute(R, n, y)
        if x.min() <= 0.0:
            if fewest > P and 25 * (x <= 0.0).sum() < n:
                # Nothing has entered yet, so that the value need not grow: drop the few wrong ones at once.
                value[:n] = np.maximum(x, 0.0)
            else:
                _towards(R, n, value, x)
            n = _drop(rows, n, R, y, value, inside)
            continue
        _weights(Z, rows, n, R, x, w, margins)
        value[:n] = x
        violated = _violated(margins, inside)
        solved = violated.size == 0
        if solved:
            break
        # As many at a time as the number of violations falls.
        if violated.size >= fewest:
            limit = max(1, min(limit, violated.size) // 2)
        fewest = min(fewest, violated.size)
        entered = _enter(Z, violated[:limit], rows, n, R, y, value, inside)
        if entered < 0:
            break
        n = entered
    a[:] = 0.0
    for i in range(n):
        a[rows[i]] = value[i]
    return solved
