"""The maximum-margin student: exact (replica symmetric).

Equations (M1)-(M3) in the teacher basis. A student w = R t + d t_perp + s v of unit norm has
r = R/s, delta = d/s, k = kappa/s; an example (A, B) of the kept data is one of its support vectors
with gap x = (k - r A - delta B - h)_+ over the noise h ~ N(0, 1) of all other directions:

    (M1)  alpha_prune E[x^2] = 1
    (M2)  E[A x] / E[x] = k r / (1 + r^2 + delta^2)
    (M3)  E[B x] / E[x] = k delta / (1 + r^2 + delta^2)

They state that kappa = k / sqrt(1 + r^2 + delta^2) is maximal subject to (M1). The paper writes the
same conditions as averages over z (Sorscher et al. 2022, appendix A).
"""

import math
from typing import NamedTuple

import numpy as np

from perceptron_theory.compiling import inner_kernel, kernel
from perceptron_theory.gaussian import FINE, FloatArray, pdf_cdf
from perceptron_theory.margins.frame import Frame, boundary_gap, field_gap, frame_at
from perceptron_theory.margins.kept import KeptMeasure
from perceptron_theory.margins.nodes import ORTHOGONAL_CAPACITY, margin_nodes, orthogonal_nodes


class Moments(NamedTuple):
    """Averages over kept data and noise; `one` stands for the indicator that x > 0, u for the gap without h."""

    x2: float
    x: float
    Ax: float
    Bx: float
    one: float
    A: float
    B: float
    AA: float
    AB: float
    BB: float
    uA: float
    uB: float
    uu: float


@inner_kernel
def _bound_moments(measure: KeptMeasure, x: Frame, q: FloatArray, w: FloatArray, n: int, level: float) -> Moments:
    """Sum over examples with g > a: gap u = ua - c t at A = t sin(theta), B = m / sin(theta) - t cos(theta)."""
    x2 = x1 = Ax = Bx = one = A1 = B1 = AA = AB = BB = uA = uB = uu = 0.0
    t = np.empty(ORTHOGONAL_CAPACITY)
    v = np.empty(ORTHOGONAL_CAPACITY)
    for i in range(n):
        m = x.m0 + q[i]
        ua = boundary_gap(x, q[i])
        B0 = m / x.sin
        count = orthogonal_nodes(-m * x.cos / x.sin, ua, x.c, measure.conditional, level, t, v)
        for j in range(count):
            u = ua - x.c * t[j]
            A = t[j] * x.sin
            B = B0 - t[j] * x.cos
            density, below = pdf_cdf(u)
            weight = w[i] * v[j]
            first = u * below + density
            x2 += weight * (u * first + below)
            first *= weight
            below *= weight
            x1 += first
            Ax += A * first
            Bx += B * first
            one += below
            A1 += A * below
            B1 += B * below
            AA += A * A * below
            AB += A * B * below
            BB += B * B * below
            below *= u
            uA += A * below
            uB += B * below
            uu += u * below
    return Moments(x2, x1, Ax, Bx, one, A1, B1, AA, AB, BB, uA, uB, uu)


@inner_kernel
def _free_moments(x: Frame, q: FloatArray, w: FloatArray, start: int, stop: int) -> Moments:
    """Sum over examples whose g ~ N(0, 1) is free: c g + h is one Gaussian of variance 1 + c^2."""
    x2 = x1 = gx = mx = one = g1 = m1 = mm = mg = gg = um = ug = uu = 0.0
    variance = 1.0 + x.c * x.c
    sigma = math.sqrt(variance)
    for i in range(start, stop):
        m = x.m0 + q[i]
        u = field_gap(x, q[i])
        v = u / sigma
        density, below = pdf_cdf(v)
        first = v * below + density
        second = w[i] * variance * (v * first + below)
        density *= w[i] / sigma
        first *= w[i] * sigma
        below *= w[i]
        slope = u / variance * density
        x2 += second
        x1 += first
        mx += m * first
        gx -= x.c * below
        one += below
        m1 += m * below
        g1 -= x.c * density
        mm += m * m * below
        mg -= m * x.c * density
        gg += below - x.c * x.c * slope
        um += m * (first - density)
        ug -= x.c * (below + slope)
        uu += second - below - slope
    cos = x.cos
    sin = x.sin
    return Moments(
        x2,
        x1,
        cos * mx + sin * gx,
        sin * mx - cos * gx,
        one,
        cos * m1 + sin * g1,
        sin * m1 - cos * g1,
        cos * cos * mm + 2.0 * cos * sin * mg + sin * sin * gg,
        cos * sin * (mm - gg) + (sin * sin - cos * cos) * mg,
        sin * sin * mm - 2.0 * cos * sin * mg + cos * cos * gg,
        cos * um + sin * ug,
        sin * um - cos * ug,
        uu,
    )


@inner_kernel
def moments(measure: KeptMeasure, x: Frame, alpha: float, level: float) -> Moments:
    """Averages that enter (M1)-(M3) and their derivatives, for a student at `x`."""
    q, w, bound, count = margin_nodes(measure, x, alpha, level)
    if bound == 0:
        return _free_moments(x, q, w, 0, count)
    a = _bound_moments(measure, x, q, w, bound, level)
    if bound == count:
        return a
    b = _free_moments(x, q, w, bound, count)
    return Moments(
        a.x2 + b.x2,
        a.x + b.x,
        a.Ax + b.Ax,
        a.Bx + b.Bx,
        a.one + b.one,
        a.A + b.A,
        a.B + b.B,
        a.AA + b.AA,
        a.AB + b.AB,
        a.BB + b.BB,
        a.uA + b.uA,
        a.uB + b.uB,
        a.uu + b.uu,
    )


@inner_kernel
def residual(s: Moments, x: Frame, alpha: float) -> float:
    """Largest undamped residual of (M1)-(M3), each relative to the scale of its terms.

    (M1) is relative to 1, (M2) to its right-hand side, (M3) to the spread of B over the support. When
    the student comes close to the probe (s -> 0) those two hold to rounding for any s; their
    combination k - r (M2) - delta (M3), E[u x] / E[x] = k / (1 + r^2 + delta^2), does not and is
    checked as well, relative to the mean gap.
    """
    norm2 = 1.0 + x.r * x.r + x.d * x.d
    first = abs(alpha * s.x2 - 1.0)
    second = abs(s.Ax / s.x * norm2 / (x.k * x.r) - 1.0)
    third = 0.0
    if x.sin > 0.0:
        third = abs(s.Bx / s.x - x.k * x.d / norm2) / math.sqrt(s.BB / s.one)
    fourth = abs(s.x2 - s.one - s.x * x.k / norm2) / s.x2
    largest = max(max(first, second), max(third, fourth))
    # max() may drop a NaN: ask for each.
    finite = math.isfinite(first + second + third + fourth)
    return largest if finite else math.inf


@inner_kernel
def overlaps(x: Frame) -> tuple[float, float, float, float]:
    """(test error on Gaussian inputs, R, rho, kappa); the error never as arccos of a number near 1."""
    norm = math.sqrt(1.0 + x.r * x.r + x.d * x.d)
    error = math.atan2(math.sqrt(1.0 + x.d * x.d), x.r) / math.pi
    # A cosine may exceed 1 by its rounding when the student is the probe or the teacher but for 1e-16.
    return error, min(x.r / norm, 1.0), min(x.p / norm, 1.0), x.k / norm


@inner_kernel
def measured_error(unpruned: KeptMeasure, x: Frame, alpha: float, level: float) -> float:
    """Mass of the unpruned measure that the student gets wrong, E[Phi(-(r A + delta B))].

    On non-Gaussian data this, not arccos(R)/pi, is the test error. It is the average of the
    indicator that x > 0 for a student asked for no margin.
    """
    asked = Frame(0.0, x.r, x.d, x.p, x.c, -x.p * x.m0, x.m0, x.cos, x.sin)
    return moments(unpruned, asked, alpha, level).one


@kernel
def kept_mass(measure: KeptMeasure, theta: float) -> tuple[float, float, float]:
    """(mass, E[A], E[B]) of the kept data. The mass is 1 when the measure is normalised.

    As alpha -> 0, kappa = alpha^-1/2 and (R, d) = sqrt(alpha) (E[A], E[B]).
    """
    # A student at rest with a large margin has every example as a support vector.
    s = moments(measure, frame_at(1e3, 0.0, 0.0, 0.0, theta), 1e-6, FINE)
    return s.one, s.A / s.one, s.B / s.one
