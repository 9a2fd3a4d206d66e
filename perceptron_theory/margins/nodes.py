"""Quadrature nodes for the kept data: where analytic and measured distributions become two arrays.

An example is a pair (m, g): its signed margin along the probe and its coordinate orthogonal to the
probe in the teacher-probe plane, N(0, 1) truncated to g > a = -m cot(theta) once inputs are flipped
by their labels. Integrands are Gaussian-smooth away from a few known places: the edges of the kept
bands, the teacher's boundary A = m cos(theta) + g sin(theta) = 0, and the strip where the field of
the student meets its margin. Panels end at those places and each gets the Gauss-Legendre order its
length asks for, so one layout serves alpha_prune from 1e-3 to 1e5.
"""

import math

import numpy as np

from perceptron_theory.compiling import inner_kernel
from perceptron_theory.gaussian import (
    INV_SQRT_2PI,
    MAX_ORDER,
    NODES,
    TAIL,
    WEIGHTS,
    FloatArray,
    inverse_survival_weight,
    panel_order,
)
from perceptron_theory.margins.atoms import atom_panel
from perceptron_theory.margins.frame import Frame
from perceptron_theory.margins.kept import KeptMeasure

#: A panel spans at most this many Gaussian widths; MAX_ORDER resolves it to rounding.
_MAX_LENGTH = 20.0
_MAX_PANELS = 64

#: Capacity of the buffers that `orthogonal_nodes` fills: two stretches of at most two panels each.
ORTHOGONAL_CAPACITY = 4 * MAX_ORDER


@inner_kernel
def orthogonal_nodes(
    a: float, ua: float, c: float, conditional: bool, level: float, t: FloatArray, w: FloatArray
) -> int:
    """Nodes t and weights for the integral over g = a + t > a of phi(g) F(ua - c t).

    F is smooth on the scale 1, polynomial where its argument exceeds TAIL and negligible below
    -TAIL. Returns the number of nodes written.
    """
    if a > 0.0:
        end = TAIL * TAIL / (math.sqrt(a * a + TAIL * TAIL) + a)
        start = 0.0
    else:
        end = TAIL - a
        start = max(0.0, -a - TAIL)
    width = math.sqrt(1.0 + c * c)
    split = end
    sharp_first = c < 0.0
    if c > 0.0:
        reach = (ua + TAIL) / c
        if ua < 0.0:
            reach = TAIL * TAIL / (math.sqrt(ua * ua + TAIL * TAIL) - ua) / c
        end = min(end, reach)
        split = min(max((ua - TAIL) / c, start), end)
    elif c < 0.0:
        start = max(start, (-TAIL - ua) / -c)
        split = min(max((TAIL - ua) / -c, start), end)
    normalise = 1.0
    if conditional:
        normalise = inverse_survival_weight(a)
    count = 0
    for part in range(2):
        lo = start if part == 0 else split
        hi = split if part == 0 else end
        if not hi > lo:
            continue
        sharpness = width if (part == 0) == sharp_first else 1.0
        length = (hi - lo) * sharpness
        # A decaying exponential has no width of its own: count the e-folds it goes through.
        folds = 0.0
        if a + lo > 0.0:
            folds += (hi - lo) * (a + 0.5 * (lo + hi))
        if c > 0.0 and ua - c * lo < 0.0:
            folds += (hi - lo) * c * (0.5 * c * (lo + hi) - ua)
        length = max(length, 0.75 * math.sqrt(2.0 * folds))
        panels = min(1 + int(length / _MAX_LENGTH), 2)
        order = panel_order(length / panels, level)
        half = 0.5 * (hi - lo) / panels
        for j in range(panels):
            for i in range(order):
                node = lo + half * (2 * j + 1 + NODES[order, i])
                if conditional:
                    density = normalise * math.exp(-node * (a + 0.5 * node))
                else:
                    density = INV_SQRT_2PI * math.exp(-0.5 * (a + node) * (a + node))
                t[count] = node
                w[count] = half * WEIGHTS[order, i] * density
                count += 1
    return count


@inner_kernel
def keep_probability(keep: FloatArray, interval: int, lo: float, hi: float, m: float) -> float:
    """Clenshaw sum of the Chebyshev series of k(m) on [lo, hi]."""
    if keep.shape[0] == 0:
        return 1.0
    y = (2.0 * m - lo - hi) / (hi - lo)
    b1 = 0.0
    b2 = 0.0
    for j in range(keep.shape[1] - 1, 0, -1):
        b1, b2 = keep[interval, j] + 2.0 * y * b1 - b2, b1
    return float(keep[interval, 0] + y * b1 - b2)


@inner_kernel
def boundary_reach(x: Frame, alpha: float) -> float:
    """Margin |m| beyond which cutting g at A = 0 no longer matters: 0 at theta = 0, infinite at a right angle.

    An example on the wrong side of the cut enters with weight alpha u^2, which at large alpha needs
    more than the usual 8.7 deviations of g to vanish.
    """
    if x.sin == 0.0:
        return 0.0
    if x.cos <= 0.0:
        return math.inf
    amplification = 1.0 + alpha * (1.0 + x.c * x.c + x.k * x.k + x.d * x.d)
    return math.sqrt(TAIL * TAIL + 2.0 * math.log(amplification)) * x.sin / x.cos


@inner_kernel
def _clip_and_sort(ends: FloatArray, start: float, end: float) -> None:
    """Six break points, clipped to [start, end] and in order."""
    for i in range(6):
        ends[i] = min(max(ends[i], start), end)
        for later in range(i, 0, -1):
            if ends[later] < ends[later - 1]:
                ends[later], ends[later - 1] = ends[later - 1], ends[later]


@inner_kernel
def _interval_pieces(measure: KeptMeasure, j: int, x: Frame, reach: float, ends: FloatArray, pieces: FloatArray) -> int:
    """Cut interval `j` where integrands change scale; rows (lo, hi, length, free). `ends` is scratch."""
    lo = measure.intervals[j, 0]
    hi = measure.intervals[j, 1]
    sigma = math.sqrt(1.0 + x.c * x.c)
    cot2 = 0.0
    if x.sin > 0.0:
        cot2 = (x.cos / x.sin) ** 2
    analytic = measure.atoms.shape[1] == 0
    if not measure.conditional:
        lo = max(lo, -reach)
    # The strip: where noise and g can bring the field to the margin. The wedge: where noise alone can,
    # for an example on the teacher's boundary. Outside them integrands are polynomial or negligible.
    strip_lo = wedge_lo = -math.inf
    strip_hi = wedge_hi = math.inf
    if x.p != 0.0:
        centre = x.m0 + x.k0 / x.p
        width = (TAIL + 0.3) * sigma / abs(x.p)
        strip_lo = centre - width
        strip_hi = centre + width
    if x.d != 0.0:
        centre = x.k * x.sin / x.d
        width = (TAIL + 0.3) * x.sin / abs(x.d)
        wedge_lo = centre - width
        wedge_hi = centre + width
    count = 0
    for free in range(2):
        start = max(lo, reach) if free == 1 else lo
        end = hi if free == 1 else min(hi, reach)
        if not end > start:
            continue
        ends[0] = start
        ends[1] = strip_lo
        ends[2] = strip_hi
        ends[3] = wedge_lo
        ends[4] = wedge_hi
        ends[5] = end
        _clip_and_sort(ends, start, end)
        for i in range(5):
            a = ends[i]
            b = ends[i + 1]
            middle = 0.5 * (a + b)
            if not (b > a) or (x.p > 0.0 and middle > strip_hi) or (x.p < 0.0 and middle < strip_lo):
                continue
            sharpness = 1.0
            if strip_lo < middle < strip_hi:
                sharpness = math.sqrt(1.0 + (x.p / sigma) ** 2)
            if free == 0:
                slope = x.d if wedge_lo < middle < wedge_hi else 0.0
                sharpness = max(sharpness, math.sqrt(1.0 + slope * slope) / x.sin)
            length = (b - a) * sharpness
            if analytic:
                folds = 0.0
                if a >= 0.0:
                    folds = 0.5 * (b * b - a * a)
                elif b <= 0.0:
                    folds = 0.5 * (a * a - b * b) * (1.0 + cot2)
                length = max(length, 0.75 * math.sqrt(2.0 * min(folds, 60.0)))
            pieces[count, 0] = a
            pieces[count, 1] = b
            # A student off the scale of doubles must not ask for endless (or NaN) panels.
            pieces[count, 2] = length if length < _MAX_PANELS * _MAX_LENGTH else _MAX_PANELS * _MAX_LENGTH
            pieces[count, 3] = free
            count += 1
    return count


@inner_kernel
def margin_nodes(measure: KeptMeasure, x: Frame, alpha: float, level: float) -> tuple[FloatArray, FloatArray, int, int]:
    """Nodes along the probe for a student at `x`.

    Returns (q, w, n_bound, n): nodes as offsets q = m - m0, which a thin band far from 0 needs to its
    own precision, and weights, which exclude the weight of g. The first `n_bound` nodes need the
    integral over g > a, for the others g is free.
    """
    pieces = np.empty((measure.intervals.shape[0] * 10, 5))
    ends = np.empty(6)
    reach = boundary_reach(x, alpha)
    total = 0
    size = 0
    for j in range(measure.intervals.shape[0]):
        count = _interval_pieces(measure, j, x, reach, ends, pieces[total:])
        for i in range(total, total + count):
            pieces[i, 4] = j
            panels = min(1 + int(pieces[i, 2] / _MAX_LENGTH), _MAX_PANELS)
            size += panels * (MAX_ORDER if measure.atoms.shape[1] > 0 else panel_order(pieces[i, 2] / panels, level))
        total += count
    edges = measure.edges.shape[1]
    q = np.empty(size + edges)
    w = np.empty(size + edges)
    count = 0
    bound = 0
    for free in range(2):
        for i in range(total):
            if pieces[i, 3] != free:
                continue
            lo = pieces[i, 0]
            hi = pieces[i, 1]
            j = int(pieces[i, 4])
            panels = min(1 + int(pieces[i, 2] / _MAX_LENGTH), _MAX_PANELS)
            order = panel_order(pieces[i, 2] / panels, level)
            half = 0.5 * (hi - lo) / panels
            for panel in range(panels):
                left = lo + 2.0 * half * panel
                if measure.atoms.shape[1] > 0:
                    right = left + 2.0 * half
                    if panel + 1 == panels:
                        # The last atom of an interval belongs to it.
                        right = hi if hi < measure.intervals[j, 1] else hi + 1e-15 * abs(hi)
                    first = count
                    count = atom_panel(measure, j, left, right, order, q, w, count)
                    for n in range(first, count):
                        q[n] -= x.m0
                    continue
                for n in range(order):
                    q[count] = (lo - x.m0) + half * (2 * panel + 1.0 + NODES[order, n])
                    node = x.m0 + q[count]
                    density = 2.0 * INV_SQRT_2PI * math.exp(-0.5 * node * node) * measure.scale
                    w[count] = (
                        half
                        * WEIGHTS[order, n]
                        * density
                        * keep_probability(measure.keep, j, measure.intervals[j, 0], measure.intervals[j, 1], node)
                    )
                    count += 1
        for i in range(edges):
            if (measure.edges[0, i] >= reach) == (free == 1):
                q[count] = measure.edges[0, i] - x.m0
                w[count] = measure.edges[1, i] * measure.scale
                count += 1
        if free == 0:
            bound = count
    return q, w, bound, count
