"""The student that knows the pruning rule: Bayes-optimal inference of teacher and probe (replica symmetric, exact).

It sees the kept examples, flipped by their labels, and knows f, theta and the keep probability k, but neither teacher
T nor probe u. An example x then has the likelihood l(m, g) = (2 / f) k(m) [m cos(theta) + g sin(theta) > 0] in its
fields m = u.x and g = v.x, v the direction orthogonal to the probe in the plane: what is kept tells of the probe, and
the probe of the teacher. The posterior is over frames (u, v); the overlap matrix Q of two of them is also that
with the truth (Nishimori), and extremises

    [ln det(1 - Q) + tr Q] / 2 + alpha E[Z ln Z],     Z(w) = int l(m, g) N((m, g); w, C) dm dg,   C = 1 - Q,

with w ~ N(0, Q) the field that the posterior mean predicts. Its stationarity is

    (B1)  Q (1 - Q)^-1 = alpha E[Z grad ln Z grad ln Z^T] =: Qhat,

so that C = (1 + Qhat)^-1. For a new input the posterior of T.x is Gaussian with variance t.C t, t the teacher in
the frame, and its sign is wrong with probability atan2(sqrt(t.C t), sqrt(t.Q t)) / pi: no learner that sees the kept
data alone does better. (State evolution of matrix-valued inference: Aubin et al., NeurIPS 2018, arXiv:1806.05451;
its application to pruned data is this package's own.)
"""

import math
from typing import NamedTuple

import numpy as np

from perceptron_theory.compiling import inner_kernel
from perceptron_theory.gaussian import (
    BARYCENTRIC,
    COARSE,
    FINE,
    INV_SQRT_2PI,
    MAX_ORDER,
    NODES,
    WEIGHTS,
    FloatArray,
    cut_panels,
    panel_order,
    pdf_cdf,
)
from perceptron_theory.margins.kept import KeptMeasure
from perceptron_theory.margins.nodes import keep_probability

_MOST_PANELS = 512
#: Gaussians are followed this far: kept data in a tail weigh 1 / f more than their density says.
_REACH = 10.5
#: Predicted fields that vary less than this are one point.
_NO_WIDTH = 1e-9
#: A panel is halved, at most so often, until its Legendre series has fallen to this part of the whole. The error of
#: Gauss-Legendre quadrature is about its square.
_TAIL = 1e-8
_MOST_CUTS = 12.0
#: Less evidence than this is rounding, and so unlikely that it does not matter.
_NO_EVIDENCE = 1e-280


class Overlap(NamedTuple):
    """A symmetric 2 x 2 matrix in the frame (probe, orthogonal)."""

    mm: float
    mg: float
    gg: float


class Updated(NamedTuple):
    """Right-hand side of (B1), E[Z] (1 by normalisation) and E[Z ln Z]."""

    mm: float
    mg: float
    gg: float
    one: float
    log: float


@inner_kernel
def error_matrix(x: Overlap) -> Overlap:
    """C = (1 + Qhat)^-1."""
    a, b, c = 1.0 + x.mm, x.mg, 1.0 + x.gg
    det = a * c - b * b
    return Overlap(c / det, -b / det, a / det)


@inner_kernel
def _evidence(
    measure: KeptMeasure,
    wm: float,
    wg: float,
    C: Overlap,
    cos: float,
    sin: float,
    level: float,
    zone: FloatArray,
    panels: FloatArray,
) -> tuple[float, float, float]:
    """Z and the first moments of (m - w_m, g - w_g) under l N(.; w, C). `zone` and `panels` are scratch."""
    width = math.sqrt(C.mm)
    slope = C.mg / C.mm
    s = math.sqrt(max(C.gg - C.mg * slope, 0.0))
    zone[0, 0], zone[0, 1], zone[0, 2] = 0.0, 0.0, width
    if sin > 0.0:
        # Along m the example crosses A = 0 here, and this sharply.
        steep = cos / sin + slope
        sharp = s / max(abs(steep), 1e-300)
        zone[0, 0] = -(wg - slope * wm) / steep if steep != 0.0 else math.inf
        zone[0, 1], zone[0, 2] = _REACH * sharp, sharp
    Z = Zm = Zg = 0.0
    for j in range(measure.intervals.shape[0]):
        lo = max(measure.intervals[j, 0], wm - _REACH * width)
        hi = min(measure.intervals[j, 1], wm + _REACH * width)
        if sin == 0.0:
            lo = max(lo, 0.0)
        for panel in range(cut_panels(lo, hi, width, zone, panels)):
            half = 0.5 * (panels[panel, 1] - panels[panel, 0])
            order = panel_order(2.0 * half / panels[panel, 2], level)
            for i in range(order):
                m = panels[panel, 0] + half * (1.0 + NODES[order, i])
                z = (m - wm) / width
                keep = keep_probability(measure.keep, j, measure.intervals[j, 0], measure.intervals[j, 1], m)
                density = INV_SQRT_2PI * math.exp(-0.5 * z * z) / width
                weight = half * WEIGHTS[order, i] * density * 2.0 * measure.scale * keep
                shift = slope * (m - wm)
                edge, below = 0.0, 1.0
                if sin > 0.0:
                    edge, below = pdf_cdf((wg + shift + m * cos / sin) / s)
                Z += weight * below
                Zm += weight * below * (m - wm)
                Zg += weight * (shift * below + s * edge)
    return Z, Zm, Zg


@inner_kernel
def _zones(measure: KeptMeasure, width: float, cut: float) -> FloatArray:
    """Where the evidence varies along w_m: at the edges of what is kept, and at the teacher's boundary."""
    edges = measure.intervals.size
    zones = np.empty((edges + 1, 3))
    for i in range(edges):
        zones[i, 0], zones[i, 1], zones[i, 2] = measure.intervals[i // 2, i % 2], _REACH * width, width
    zones[edges, 0], zones[edges, 1], zones[edges, 2] = 0.0, _REACH * cut, cut
    return zones


class _Plane(NamedTuple):
    """Posterior covariance C of an example's fields, and the spread of those predicted: w_g is slope w_m + rest y."""

    C: Overlap
    det: float
    spread: float
    slope: float
    rest: float
    teacher: float
    cos: float
    sin: float


class _Scratch(NamedTuple):
    """Buffers of one evaluation: zones, panels, what is still to be done, and integrands at the nodes of a panel."""

    along: FloatArray
    crossing: FloatArray
    zones: FloatArray
    panels: FloatArray
    stack: FloatArray
    values: FloatArray


@inner_kernel
def _plane(x: Overlap, theta: float) -> _Plane:
    """Geometry at Qhat = `x`, with Q = Qhat C."""
    cos, sin = math.cos(theta), math.sin(theta)
    C = error_matrix(x)
    Qmm = x.mm * C.mm + x.mg * C.mg
    Qmg = x.mm * C.mg + x.mg * C.gg
    Qgg = x.mg * C.mg + x.gg * C.gg
    slope = Qmg / Qmm if Qmm > 0.0 else 0.0
    rest = math.sqrt(max(Qgg - Qmg * slope, 0.0))
    teacher = math.sqrt(cos * cos * C.mm + 2.0 * cos * sin * C.mg + sin * sin * C.gg)
    return _Plane(C, C.mm * C.gg - C.mg * C.mg, math.sqrt(Qmm), slope, rest, teacher, cos, sin)


@inner_kernel
def _scratch(zones: int) -> _Scratch:
    return _Scratch(
        np.empty((_MOST_PANELS, 3)),
        np.empty((1, 3)),
        np.empty((zones, 3)),
        np.empty((_MOST_PANELS, 3)),
        np.empty((_MOST_PANELS, 4)),
        np.empty((5, MAX_ORDER)),
    )


@inner_kernel
def _unresolved(values: FloatArray, order: int, half: float, allowed: FloatArray) -> bool:
    """Whether the last two Legendre coefficients of an integrand, times the panel, are more than allowed.

    On the nodes of order n the polynomial of degree n - 1 is that of the barycentric weights.
    """
    for n in range(4):
        last = before = 0.0
        for i in range(order):
            weighted = BARYCENTRIC[order, i] * values[n, i]
            last += weighted
            before += NODES[order, i] * weighted
        if (abs(last) + 2.0 * abs(before)) * half > allowed[n]:
            return True
    return False


@inner_kernel
def _halve(stack: FloatArray, top: int) -> int:
    """Replace a panel (start, end, width of what is sharpest, number of cuts) by its halves; the new height."""
    lo, hi = stack[top, 0], stack[top, 1]
    middle = 0.5 * (lo + hi)
    stack[top + 1] = stack[top]
    stack[top, 1] = stack[top + 1, 0] = middle
    stack[top, 3] += 1.0
    stack[top + 1, 3] += 1.0
    return top + 2


@inner_kernel
def _at_field(measure: KeptMeasure, p: _Plane, wm: float, wg: float, level: float, s: _Scratch, at: int) -> None:
    """What is averaged, at one predicted field: products of grad Z over Z, Z and Z ln Z."""
    s.values[:, at] = 0.0
    Z, Zm, Zg = _evidence(measure, wm, wg, p.C, p.cos, p.sin, level, s.crossing, s.along)
    if not Z > _NO_EVIDENCE:
        return
    # grad ln Z = C^-1 (posterior mean - w)
    dm, dg = Zm / p.C.mm, 0.0
    if p.sin > 0.0:
        dm = (p.C.gg * Zm - p.C.mg * Zg) / p.det
        dg = (p.C.mm * Zg - p.C.mg * Zm) / p.det
    s.values[0, at] = dm * dm / Z
    s.values[1, at] = dm * dg / Z
    s.values[2, at] = dg * dg / Z
    s.values[3, at] = Z
    s.values[4, at] = Z * math.log(Z)


@inner_kernel
def _over_beside(
    measure: KeptMeasure, p: _Plane, wm: float, level: float, allowed: FloatArray, s: _Scratch, out: FloatArray
) -> None:
    """Averages over w_g at a given w_m."""
    mean = p.slope * wm
    if not (p.sin > 0.0 and p.rest > _NO_WIDTH):
        _at_field(measure, p, wm, mean, level, s, 0)
        out[:] = s.values[:, 0]
        return
    out[:] = 0.0
    for j in range(s.zones.shape[0]):
        # The likeliest margin within the interval, and where the cut at A = 0 is for it.
        m = min(max(wm, measure.intervals[j, 0]), measure.intervals[j, 1])
        s.zones[j, 0] = -m * p.cos / p.sin - p.C.mg / p.C.mm * (m - wm)
        s.zones[j, 1] = _REACH * (p.teacher + math.sqrt(p.C.mm) * p.cos) / p.sin
        s.zones[j, 2] = min(p.teacher / p.sin, math.sqrt(p.det / p.C.mm))
    for b in range(cut_panels(mean - _REACH * p.rest, mean + _REACH * p.rest, p.rest, s.zones, s.panels)):
        s.stack[0, :3] = s.panels[b]
        s.stack[0, 3] = 0.0
        order = panel_order((s.panels[b, 1] - s.panels[b, 0]) / s.panels[b, 2], level)
        top = 1
        while top > 0:
            top -= 1
            lo, half = s.stack[top, 0], 0.5 * (s.stack[top, 1] - s.stack[top, 0])
            for i in range(order):
                wg = lo + half * (1.0 + NODES[order, i])
                y = (wg - mean) / p.rest
                _at_field(measure, p, wm, wg, level, s, i)
                s.values[:, i] *= INV_SQRT_2PI * math.exp(-0.5 * y * y) / p.rest
            if level > COARSE and s.stack[top, 3] < _MOST_CUTS and _unresolved(s.values, order, half, allowed):
                top = _halve(s.stack, top)
                continue
            for i in range(order):
                out += half * WEIGHTS[order, i] * s.values[:, i]


@inner_kernel
def _over_fields(measure: KeptMeasure, x: Overlap, theta: float, level: float, whole: FloatArray) -> FloatArray:
    """Averages over predicted fields of the products of grad Z over Z (mm, mg, gg), of Z, and of Z ln Z.

    Where kept data lie on two sides of a gap, Z vanishes close to the real plane: panels are halved there, until
    what they leave out is small beside the `whole`. At the coarse level they are not.
    """
    p = _plane(x, theta)
    along, beside = _scratch(1), _scratch(measure.intervals.shape[0])
    allowed = (_TAIL if level == FINE else 0.2 * _TAIL) * whole
    out, total = np.empty(5), np.zeros(5)
    tilt = p.cos + p.sin * p.slope
    boundary = math.sqrt(p.teacher * p.teacher + (p.sin * p.rest) ** 2) / max(abs(tilt), 1e-9)
    zones = _zones(measure, math.sqrt(p.C.mm), boundary)
    count = cut_panels(-_REACH * p.spread, _REACH * p.spread, p.spread, zones, along.panels)
    if count == 0:
        _over_beside(measure, p, 0.0, level, allowed, beside, total)
    for a in range(count):
        along.stack[0, :3] = along.panels[a]
        along.stack[0, 3] = 0.0
        order = panel_order((along.panels[a, 1] - along.panels[a, 0]) / along.panels[a, 2], level)
        top = 1
        while top > 0:
            top -= 1
            lo, half = along.stack[top, 0], 0.5 * (along.stack[top, 1] - along.stack[top, 0])
            for i in range(order):
                wm = lo + half * (1.0 + NODES[order, i])
                density = INV_SQRT_2PI * math.exp(-0.5 * (wm / p.spread) ** 2) / p.spread
                _over_beside(measure, p, wm, level, allowed / max(density * p.spread, 1e-300), beside, out)
                along.values[:, i] = density * out
            if level > COARSE and along.stack[top, 3] < _MOST_CUTS and _unresolved(along.values, order, half, allowed):
                top = _halve(along.stack, top)
                continue
            for i in range(order):
                total += half * WEIGHTS[order, i] * along.values[:, i]
    return total


@inner_kernel
def update(measure: KeptMeasure, x: Overlap, alpha: float, theta: float, level: float) -> Updated:
    """Right-hand side of (B1) at Qhat = `x`."""
    s = _over_fields(measure, x, theta, COARSE, np.ones(5))
    if level > COARSE:
        # (B1) is a matrix: what is resolved is so beside its largest entries.
        s[:3] = s[0] + s[2]
        s = _over_fields(measure, x, theta, level, s)
    return Updated(alpha * s[0], alpha * s[1], alpha * s[2], s[3], s[4])


@inner_kernel
def entropy(x: Overlap, log: float, alpha: float) -> float:
    """[ln det(1 - Q) + tr Q] / 2 + alpha E[Z ln Z]."""
    C = error_matrix(x)
    det = C.mm * C.gg - C.mg * C.mg
    return 0.5 * (math.log(det) + 2.0 - C.mm - C.gg) + alpha * log


@inner_kernel
def student(x: Overlap, theta: float) -> tuple[float, float, float]:
    """(test error, R, rho) of the posterior mean of the teacher."""
    cos, sin = math.cos(theta), math.sin(theta)
    C = error_matrix(x)
    unknown = cos * cos * C.mm + 2.0 * cos * sin * C.mg + sin * sin * C.gg
    along = cos * (1.0 - C.mm) - sin * C.mg
    root = math.sqrt(max(1.0 - unknown, 0.0))
    return math.atan2(math.sqrt(unknown), root) / math.pi, root, along / root
