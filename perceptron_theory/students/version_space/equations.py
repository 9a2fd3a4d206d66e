"""The version space: saddle-point equations of its entropy (replica symmetric, exact: the space is convex).

Students of unit norm that classify every kept example with a margin of at least kappa. With their mutual
overlap q and, in the teacher basis, their mean projection (R, d) on the plane of teacher and probe, the
entropy per parameter is

    S = extr { ln(1 - q) / 2 + (q - R^2 - d^2) / (2 (1 - q))
               + alpha E ln Phi((R A + d B + sqrt(q - R^2 - d^2) h - kappa) / sqrt(1 - q)) }

(Gardner and Derrida, J. Phys. A 21, 271 (1988), for teacher-generated labels: Gyorgyi and Tishby 1990;
theory of pruned data: Sorscher et al. 2022.) In units of sqrt(1 - q), with r = R / sqrt(1 - q), delta, k alike,
t^2 = (q - R^2 - d^2) / (1 - q) and D = 1 / (1 - q) = 1 + t^2 + r^2 + delta^2,

    S = -ln(D) / 2 + t^2 / 2 + alpha E ln Phi(x),     x = r A + delta B + t h - k,     k = kappa sqrt(D),

and with G = phi / Phi its stationarity in t, r and delta reads

    (V1)  alpha E[G(x)^2] = t^2
    (V2)  alpha E[A G(x)] = r (1 + k alpha E[G(x)]) / D
    (V3)  alpha E[B G(x)] = delta (1 + k alpha E[G(x)]) / D

(V1 is the combination of the derivative along (t, r, delta) and that in t alone, where h was integrated by
parts.) As q -> 1, G(x) -> (-x)_+ and (V1)-(V3) become (M1)-(M3) of the maximum-margin student.
"""

import math
from typing import NamedTuple

import numpy as np

from perceptron_theory.compiling import inner_kernel
from perceptron_theory.gaussian import INV_SQRT_2PI, TAIL, inverse_survival_weight, pdf_cdf
from perceptron_theory.margins.frame import frame_at
from perceptron_theory.margins.kept import KeptMeasure
from perceptron_theory.margins.nodes import margin_nodes
from perceptron_theory.students.version_space.noise import NOISE_CAPACITY, noise_nodes


class Volume(NamedTuple):
    """A version space in units of sqrt(1 - q)."""

    r: float
    d: float
    t: float
    kappa: float


class Averages(NamedTuple):
    """Averages over kept data and noise; G = phi / Phi at x."""

    GG: float
    G: float
    AG: float
    BG: float
    absBG: float
    log: float
    one: float


@inner_kernel
def inverse_gap(v: Volume) -> float:
    """D = 1 / (1 - q)."""
    return 1.0 + v.t * v.t + v.r * v.r + v.d * v.d


@inner_kernel
def averages(measure: KeptMeasure, v: Volume, alpha: float, theta: float, m0: float, level: float) -> Averages:
    """Averages that enter (V1)-(V3) and the entropy."""
    k = v.kappa * math.sqrt(inverse_gap(v))
    # G is as smooth as the average of (-x)_+ over a unit noise: nodes along the probe are those of a
    # maximum-margin student with that much more noise.
    spread = math.sqrt(1.0 + v.t * v.t)
    frame = frame_at(k / spread, v.r / spread, v.d / spread, m0, theta)
    q, w, bound, count = margin_nodes(measure, frame, alpha, level)
    p = frame.p * spread
    c = frame.c * spread
    k0 = k - p * m0
    reach = math.sqrt(TAIL * TAIL + 2.0 * math.log(1.0 + alpha * (1.0 + c * c + v.t * v.t + k * k)))
    x = np.empty(NOISE_CAPACITY)
    weights = np.empty(NOISE_CAPACITY)
    weights_g = np.empty(NOISE_CAPACITY)
    GG = G1 = mG = gG = absG = log = one = 0.0
    for i in range(count):
        m = m0 + q[i]
        a = -m * frame.cos / frame.sin if frame.sin > 0.0 else -math.inf
        n = noise_nodes(p * q[i] - k0, a, c, v.t, i < bound, measure.conditional, reach, level, x, weights, weights_g)
        if n < 0:
            return Averages(math.nan, math.nan, math.nan, math.nan, math.nan, math.nan, math.nan)
        for j in range(n):
            G = inverse_survival_weight(-x[j])
            weight = w[i] * weights[j]
            first = weight * G
            firstg = w[i] * weights_g[j] * G
            GG += first * G
            G1 += first
            mG += m * first
            gG += firstg
            absG += abs(m * frame.sin * first - firstg * frame.cos)
            if x[j] < 0.0:
                log += weight * (math.log(INV_SQRT_2PI / G) - 0.5 * x[j] * x[j])
            else:
                log += weight * math.log1p(-pdf_cdf(-x[j])[1])
            one += weight
    return Averages(GG, G1, frame.cos * mG + frame.sin * gG, frame.sin * mG - frame.cos * gG, absG, log, one)


@inner_kernel
def residuals(s: Averages, v: Volume, alpha: float, theta: float) -> tuple[float, float, float]:
    """Residuals of (V1)-(V3), each relative to the scale of its terms."""
    D = inverse_gap(v)
    factor = (1.0 + v.kappa * math.sqrt(D) * alpha * s.G) / D
    first = alpha * s.GG / (v.t * v.t) - 1.0
    second = alpha * s.AG / (factor * v.r) - 1.0
    third = 0.0
    if theta > 0.0:
        third = (alpha * s.BG - factor * v.d) / (alpha * s.absBG)
    return first, second, third


@inner_kernel
def entropy(s: Averages, v: Volume, alpha: float) -> float:
    """S per parameter: 0 for no data, falling with every example."""
    return -0.5 * math.log(inverse_gap(v)) + 0.5 * v.t * v.t + alpha * s.log
