"""Gaussian functions and quadrature rules, to full double precision.

The numba functions here sit in the innermost loops of the library: one exponential and one
polynomial give both the density and the distribution function of a standard normal variable,
accurate *relative* to their size far into the tail.
"""

import math
from typing import Final

import numpy as np
import numpy.typing as npt
from numpy.polynomial import chebyshev, legendre
from scipy.special import erfcx

from perceptron_theory.compiling import inner_kernel, kernel

FloatArray = npt.NDArray[np.float64]

INV_SQRT_2PI: Final = 1.0 / math.sqrt(2.0 * math.pi)
SQRT_HALF_PI: Final = math.sqrt(math.pi / 2.0)

#: exp(-TAIL**2 / 2) = 3e-17: a Gaussian weight beyond this many standard deviations is below rounding.
TAIL: Final = 8.72

MAX_ORDER: Final = 64

# Levels of accuracy of the quadrature. Floats, because numba would compile every kernel anew for each
# integer constant it is called with.
COARSE: Final = 0.0
FINE: Final = 1.0
VERIFY: Final = 2.0


_INTERVALS: Final = 64
_DEGREE: Final = 8


def _mills_table() -> FloatArray:
    """Piecewise polynomials of erfcx(x / sqrt 2) in t = 4 / (4 + x / sqrt 2), for x in [0, inf)."""
    table = np.empty((_INTERVALS, _DEGREE + 1))
    y = np.cos(np.pi * (np.arange(_DEGREE + 1) + 0.5) / (_DEGREE + 1))
    for i in range(_INTERVALS):
        t = (i + 0.5 * (y + 1.0)) / _INTERVALS
        table[i] = chebyshev.cheb2poly(chebyshev.chebfit(y, erfcx(4.0 / t - 4.0), _DEGREE))
    return table


def _legendre_rules() -> tuple[FloatArray, FloatArray, FloatArray]:
    """Gauss-Legendre nodes, weights and barycentric weights on [-1, 1], row n for order n."""
    nodes = np.zeros((MAX_ORDER + 1, MAX_ORDER))
    weights = np.zeros((MAX_ORDER + 1, MAX_ORDER))
    barycentric = np.zeros((MAX_ORDER + 1, MAX_ORDER))
    for n in range(1, MAX_ORDER + 1):
        x, w = legendre.leggauss(n)
        nodes[n, :n] = x
        weights[n, :n] = w
        barycentric[n, :n] = (-1.0) ** np.arange(n) * np.sqrt((1.0 - x**2) * w)
    return nodes, weights, barycentric


MILLS_TABLE: Final = _mills_table()
NODES, WEIGHTS, BARYCENTRIC = _legendre_rules()


@inner_kernel
def _scaled_tail(x: float) -> float:
    """erfcx(x / sqrt 2) for x >= 0."""
    t = 4.0 / (4.0 + x * 0.7071067811865476) * _INTERVALS
    i = min(int(t), _INTERVALS - 1)
    y = 2.0 * (t - i) - 1.0
    c: FloatArray = MILLS_TABLE[i]
    even = c[0] + (y * y) * (c[2] + (y * y) * (c[4] + (y * y) * (c[6] + (y * y) * c[8])))
    odd = c[1] + (y * y) * (c[3] + (y * y) * (c[5] + (y * y) * c[7]))
    return float(even + y * odd)


@kernel
def pdf_cdf(u: float) -> tuple[float, float]:
    """Density and distribution function of N(0, 1) at `u`, both to relative rounding accuracy."""
    if abs(u) > 37.0:  # below the smallest normal double: zero, without the slow underflow path
        return 0.0, (1.0 if u > 0.0 else 0.0)
    exponential = math.exp(-0.5 * u * u)
    tail = 0.5 * exponential * _scaled_tail(abs(u))
    return INV_SQRT_2PI * exponential, (1.0 - tail if u > 0.0 else tail)


@kernel
def inverse_survival_weight(a: float) -> float:
    """phi(a) / Phi(-a): normalises a Gaussian truncated to g > a when phi(a) is divided out first."""
    if a >= 0.0:
        return 1.0 / (SQRT_HALF_PI * _scaled_tail(a))
    density, below = pdf_cdf(a)
    return density / (1.0 - below)


@kernel
def panel_order(length: float, level: float) -> int:
    """Gauss-Legendre order for a panel that spans `length` widths of the sharpest Gaussian in it.

    Gauss-Legendre of order n integrates a Gaussian over L standard deviations with an error of
    about (L^2/32)^n / n!; the fine level is that error at 1e-13, the coarse one at 1e-5, and the
    verifying level lies beyond rounding.
    """
    if level == COARSE:
        order = 4.0 + 1.3 * length
    elif level == FINE:
        order = 6.0 + 2.3 * length
    else:
        order = 9.0 + 2.8 * length
    return min(int(order), MAX_ORDER)


#: A panel spans at most this many widths of what is sharpest in it.
_PANEL: Final = 6.0


@inner_kernel
def cut_panels(lo: float, hi: float, smooth: float, zones: FloatArray, out: FloatArray) -> int:
    """Panels (start, end, width of what is sharpest) of [lo, hi]; their number.

    Integrands vary over the width `smooth`, and in each zone (centre, reach, width) over that of the zone. A zone of
    reach 0 is a kink: panels end there.
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
