"""Test error of a given student: the probability that it gets an unpruned example wrong.

In the plane of probe and teacher the student has components rho along the probe and c orthogonal to it; s is
the length of the rest of it. It gets (m, g) wrong where rho m + c g + s h < 0 with h ~ N(0, 1).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri, owens_t

from perceptron_theory.margins.distributions import Margins, MeasuredMargins

FloatArray = npt.NDArray[np.float64]

#: Measured margins that the model allows with a probability below this are averaged over g in its quantiles: the
#: closed form is a difference, and would keep less than six digits of the rest.
_RARE: Final = 1e-10
_QUANTILES: Final = (np.arange(256) + 0.5) / 256


def overlaps(w: FloatArray, theta: float) -> tuple[float, float]:
    """(R, rho): cosines of the unit vector w with teacher and probe."""
    return float(w[0] * math.cos(theta) + w[1] * math.sin(theta)), float(w[0])


def test_error(w: FloatArray, theta: float, margins: Margins) -> float:
    """Probability of a wrong label on unpruned data for the unit vector w, shape (N,)."""
    R, rho = overlaps(w, theta)
    c = float(w[1])
    s = float(np.linalg.norm(w[2:]))
    if not isinstance(margins, MeasuredMargins):
        across = c * math.cos(theta) - rho * math.sin(theta)
        return math.atan2(math.hypot(across, s), R) / math.pi
    m, weight = margins.signed_values(theta)
    spread = math.hypot(c, s)
    if spread == 0.0:
        return float(weight[rho * m < 0.0].sum())
    if theta == 0.0:
        return float(weight @ ndtr(-rho * m / spread))
    cut = m / math.tan(theta)
    allowed = ndtr(cut)
    wrong = _both_below(-rho * m / spread, cut, -c / spread)
    if not margins.signed:
        # Magnitudes carry the weight of both signs of the field: given m the label agrees with probability `allowed`.
        return float(2.0 * weight @ wrong)
    rare = allowed < _RARE
    share = np.divide(wrong, allowed, out=np.zeros_like(wrong), where=~rare)
    for i in np.flatnonzero(rare):
        g = -ndtri(_QUANTILES * allowed[i]) if allowed[i] > 0.0 else np.full(1, -cut[i])
        share[i] = ndtr(-(rho * m[i] + c * g) / s).mean() if s > 0.0 else np.mean(rho * m[i] + c * g < 0.0)
    return float(weight @ share)


def _both_below(a: FloatArray, b: FloatArray, r: float) -> FloatArray:
    """P(X < a, Y < b) for standard normal X and Y of correlation r, by Owen's T function.

    Owen, Ann. Math. Statist. 27, 1075 (1956), equation (2.1).
    """
    if abs(r) >= 1.0:
        return np.asarray(ndtr(np.minimum(a, b)) if r > 0.0 else np.maximum(ndtr(a) - ndtr(-b), 0.0))
    root = math.sqrt((1.0 - r) * (1.0 + r))
    # Owen's form divides by a and b: a value this small changes the result by less than rounding.
    a = np.where(a == 0.0, 1e-300, a)
    b = np.where(b == 0.0, 1e-300, b)
    with np.errstate(over="ignore"):
        opposite = np.where(np.sign(a) * np.sign(b) < 0.0, 0.5, 0.0)
        total = 0.5 * (ndtr(a) + ndtr(b)) - owens_t(a, (b / a - r) / root) - owens_t(b, (a / b - r) / root) - opposite
    return np.asarray(np.clip(total, 0.0, None))
