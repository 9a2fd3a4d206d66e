"""Quadrature over what a student's field holds besides the margin along the probe.

At margin m the argument of the entropy's logarithm is x = p m - k + y, with y = c g + t h: g is the
coordinate of the example orthogonal to the probe, N(0, 1) truncated to g > a = -m cot(theta), and
h ~ N(0, 1) stands for all other directions. Both together are one integral over y,

    phi(y / tau) Phi(v) dy / tau,   tau^2 = c^2 + t^2,   v = (c y / tau - a tau) / t,

in which g has the mean (c y / tau^2) Phi(v) + (t / tau) phi(v).
"""

import math

from perceptron_theory.compiling import inner_kernel
from perceptron_theory.gaussian import (
    INV_SQRT_2PI,
    NODES,
    TAIL,
    WEIGHTS,
    FloatArray,
    inverse_survival_weight,
    panel_order,
    pdf_cdf,
)

#: Capacity of the buffers that `noise_nodes` fills.
NOISE_CAPACITY = 4096

#: Panels span at most this many widths of the sharpest Gaussian in them ...
_MAX_LENGTH = 5.0
#: ... and near x = 0 this much of x: the nearest zeros of Phi lie at 1.9 +- 2.8i.
_POLE_LENGTH = 3.0
#: Further left the zeros are as far away as x itself, and panels grow with |x|.
_POLE_GROWTH = 0.75


@inner_kernel
def _range(a: float, c: float, t: float, bound: bool, reach: float) -> tuple[float, float]:
    """Range of y outside which the weight is below exp(-reach^2 / 2)."""
    tau = math.sqrt(c * c + t * t)
    lo = -reach * tau
    hi = reach * tau
    if not bound:
        return lo, hi
    g_lo = max(a, -reach)
    g_hi = reach
    if a > 0.0:
        g_hi = a + reach * reach / (math.sqrt(a * a + reach * reach) + a)
    ends = (c * g_lo, c * g_hi)
    lo_bound = min(ends[0], ends[1]) - t * reach
    hi_bound = max(ends[0], ends[1]) + t * reach
    if a > reach:
        return lo_bound, hi_bound
    return max(lo, lo_bound), min(hi, hi_bound)


@inner_kernel
def noise_nodes(
    mu: float,
    a: float,
    c: float,
    t: float,
    bound: bool,
    conditional: bool,
    reach: float,
    level: float,
    x: FloatArray,
    w: FloatArray,
    wg: FloatArray,
) -> int:
    """Nodes x = mu + y, their weights, and weights times the mean of g; returns their number.

    Only x < TAIL: above, the logarithm of Phi and its derivatives vanish to rounding. The weights of a
    `bound` example sum to Phi(-a), or to 1 if `conditional`; else g is free and they sum to 1.
    """
    tau = math.sqrt(c * c + t * t)
    lo, hi = _range(a, c, t, bound, reach)
    hi = min(hi, TAIL - mu)
    # Where the cut at g = a goes through the noise; on its far side the weight is as sharp.
    cut_lo = math.inf
    cut_hi = -math.inf
    if bound and c > 0.0:
        cut_lo = -math.inf
        cut_hi = (a * tau + reach * t) * tau / c
    elif bound and c < 0.0:
        cut_lo = (a * tau + reach * t) * tau / c
        cut_hi = math.inf
    scale = 1.0
    if bound:
        scale = inverse_survival_weight(a) if conditional else INV_SQRT_2PI * math.exp(-0.5 * a * a)
    count = 0
    right = hi
    while right > lo:
        left = lo
        in_cut = cut_lo < right <= cut_hi
        if in_cut and cut_lo > left:
            left = cut_lo
        if not in_cut and cut_hi < right and cut_hi > left:
            left = cut_hi
        sharpness = 1.0 / t if in_cut else 1.0 / tau
        pole = _POLE_LENGTH + _POLE_GROWTH * max(0.0, -1.0 - (mu + right))
        widest = min(_MAX_LENGTH / sharpness, pole)
        # Equal panels, as long as the nearest limit allows.
        left = max(left, right - (right - left) / math.ceil((right - left) / widest)) if right - left > widest else left
        length = right - left
        order = panel_order(length * sharpness + _POLE_LENGTH * length / pole, level)
        if count + order > x.size:
            return -1
        half = 0.5 * length
        for i in range(order):
            y = left + half * (1.0 + NODES[order, i])
            weight = half * WEIGHTS[order, i]
            if bound:
                s = (y - c * a) / t
                # phi(y / tau) phi(v) = phi(a) phi(s): what is left of the weight at g = a.
                joint = scale * INV_SQRT_2PI * math.exp(-0.5 * min(s * s, 1444.0)) / tau
                v = (c * y / tau - a * tau) / t
                if v < 0.0:
                    density = joint / inverse_survival_weight(-v)
                else:
                    density = INV_SQRT_2PI * math.exp(-0.5 * (y / tau) ** 2) / tau * pdf_cdf(v)[1]
                    if conditional:
                        density /= pdf_cdf(-a)[1]
                w[count] = weight * density
                wg[count] = weight * (c * y / (tau * tau) * density + t / tau * joint)
            else:
                density = INV_SQRT_2PI * math.exp(-0.5 * (y / tau) ** 2) / tau
                w[count] = weight * density
                wg[count] = weight * c * y / (tau * tau) * density
            x[count] = mu + y
            count += 1
        right = left
    return count
