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

from perceptron_theory.gaussian import (
    INV_SQRT_2PI,
    NODES,
    WEIGHTS,
    FloatArray,
    inner_kernel,
    panel_order,
    pdf_cdf,
)
from perceptron_theory.margins.kept import KeptMeasure
from perceptron_theory.margins.nodes import keep_probability

#: Panels span this many widths of what is sharpest in them.
_PANEL = 6.0
_MOST_PANELS = 512
#: Gaussians are followed this far: kept data in a tail weigh 1 / f more than their density says.
_REACH = 10.5
#: Predicted fields that vary less than this are one point.
_NO_WIDTH = 1e-9
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
def _cut(lo: float, hi: float, smooth: float, zones: FloatArray, out: FloatArray) -> int:
    """Panels (start, end, width of what is sharpest) of [lo, hi]; their number.

    Things vary over the width `smooth`, and in each zone (centre, reach, width) over that of the zone.
    """
    count = 0
    at = lo
    while at < hi and count < out.shape[0]:
        end, width = hi, smooth
        for i in range(zones.shape[0]):
            start, stop = zones[i, 0] - zones[i, 1], zones[i, 0] + zones[i, 1]
            if start <= at < stop:
                end, width = min(end, stop), min(width, zones[i, 2])
            elif at < start:
                end = min(end, start)
        end = min(end, at + _PANEL * width)
        out[count, 0], out[count, 1], out[count, 2] = at, end, width
        at = end
        count += 1
    return count


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
        for panel in range(_cut(lo, hi, width, zone, panels)):
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


@inner_kernel
def update(measure: KeptMeasure, x: Overlap, alpha: float, theta: float, level: float) -> Updated:
    """Right-hand side of (B1) at Qhat = `x`."""
    cos, sin = math.cos(theta), math.sin(theta)
    C = error_matrix(x)
    # Q = Qhat C
    Qmm = x.mm * C.mm + x.mg * C.mg
    Qmg = x.mm * C.mg + x.mg * C.gg
    Qgg = x.mg * C.mg + x.gg * C.gg
    slope = Qmg / Qmm if Qmm > 0.0 else 0.0
    rest = math.sqrt(max(Qgg - Qmg * slope, 0.0))
    width, spread = math.sqrt(C.mm), math.sqrt(Qmm)
    teacher = math.sqrt(cos * cos * C.mm + 2.0 * cos * sin * C.mg + sin * sin * C.gg)
    det = C.mm * C.gg - C.mg * C.mg
    outer = np.empty((_MOST_PANELS, 3))
    inner = np.empty((_MOST_PANELS, 3))
    along = np.empty((_MOST_PANELS, 3))
    crossing = np.empty((1, 3))
    tilt = cos + sin * slope
    boundary = math.sqrt(teacher * teacher + (sin * rest) ** 2) / max(abs(tilt), 1e-9)
    zones = _zones(measure, width, boundary)
    zone = np.empty((measure.intervals.shape[0], 3))
    sharp = min(teacher / sin, math.sqrt(det / C.mm)) if sin > 0.0 else 1.0
    mm = mg = gg = one = log = 0.0
    n = _cut(-_REACH * spread, _REACH * spread, spread, zones, outer)
    for a in range(max(n, 1)):
        order = panel_order((outer[a, 1] - outer[a, 0]) / outer[a, 2], level) if n > 0 else 1
        for i in range(order):
            wm, weight_m = 0.0, 1.0
            if n > 0:
                half = 0.5 * (outer[a, 1] - outer[a, 0])
                wm = outer[a, 0] + half * (1.0 + NODES[order, i])
                weight_m = half * WEIGHTS[order, i] * INV_SQRT_2PI * math.exp(-0.5 * (wm / spread) ** 2) / spread
            mean = slope * wm
            k = 0
            if sin > 0.0 and rest > _NO_WIDTH:
                for j in range(zone.shape[0]):
                    # The likeliest margin within the interval, and where the cut at A = 0 is for it.
                    m = min(max(wm, measure.intervals[j, 0]), measure.intervals[j, 1])
                    zone[j, 0] = -m * cos / sin - C.mg / C.mm * (m - wm)
                    zone[j, 1] = _REACH * (teacher + width * cos) / sin
                    zone[j, 2] = sharp
                k = _cut(mean - _REACH * rest, mean + _REACH * rest, rest, zone, inner)
            for b in range(max(k, 1)):
                order_g = panel_order((inner[b, 1] - inner[b, 0]) / inner[b, 2], level) if k > 0 else 1
                for j in range(order_g):
                    wg, weight = mean, weight_m
                    if k > 0:
                        half = 0.5 * (inner[b, 1] - inner[b, 0])
                        wg = inner[b, 0] + half * (1.0 + NODES[order_g, j])
                        y = (wg - mean) / rest
                        weight *= half * WEIGHTS[order_g, j] * INV_SQRT_2PI * math.exp(-0.5 * y * y) / rest
                    Z, Zm, Zg = _evidence(measure, wm, wg, C, cos, sin, level, crossing, along)
                    if not Z > _NO_EVIDENCE:
                        continue
                    # grad ln Z = C^-1 (posterior mean - w)
                    dm, dg = Zm / C.mm, 0.0
                    if sin > 0.0:
                        dm = (C.gg * Zm - C.mg * Zg) / det
                        dg = (C.mm * Zg - C.mg * Zm) / det
                    mm += weight * dm * dm / Z
                    mg += weight * dm * dg / Z
                    gg += weight * dg * dg / Z
                    one += weight * Z
                    log += weight * Z * math.log(Z)
    return Updated(alpha * mm, alpha * mg, alpha * gg, one, log)


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
