"""Test error of a given student: the probability that it gets an unpruned example wrong.

In the plane of probe and teacher the student has components rho along the probe and c orthogonal to it; s is
the length of the rest of it. It gets (m, g) wrong where rho m + c g + s h < 0 with h ~ N(0, 1).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import erfcx, ndtr, owens_t

from perceptron_theory.margins.distributions import Margins, MeasuredMargins

FloatArray = npt.NDArray[np.float64]

#: Where g must exceed this the closed form, a difference divided by the probability of that, would lose digits.
_RARE: Final = 2.0

#: Gauss-Legendre on [0, 1]: ample for one bell times one decaying exponential.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)
_NODES, _WEIGHTS = 0.5 * (1.0 + _NODES), 0.5 * _WEIGHTS


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
    if theta == 0.0:
        return float(weight @ (ndtr(-rho * m / spread) if spread > 0.0 else rho * m < 0.0))
    cut = m / math.tan(theta)
    allowed = ndtr(cut)
    if spread == 0.0:
        against = rho * m < 0.0
        return float(weight @ against if margins.signed else 2.0 * weight @ (against * allowed))
    wrong = _both_below(-rho * m / spread, cut, -c / spread, s / spread)
    if not margins.signed:
        # Magnitudes carry the weight of both signs of the field: given m the label agrees with probability `allowed`.
        return float(2.0 * weight @ wrong)
    rare = cut < -_RARE
    share = np.divide(wrong, allowed, out=np.zeros_like(wrong), where=~rare)
    share[rare] = _wrong_beyond(-cut[rare], rho * m[rare], c, s)
    return float(weight @ share)


def _wrong_beyond(L: FloatArray, field: FloatArray, c: float, s: float) -> FloatArray:
    """P(field + c g + s h < 0 | g > L) for L > 0, by parts: at g = L, and the change from there on.

    With g = L + t and x = (field + c g) / s the change is that of ndtr(-x), weighted by the probability of more than t.
    """
    at = field + c * L
    if s == 0.0:
        above = _survival(L, np.maximum(-at / c, 0.0))
        return np.asarray(1.0 - above if c > 0.0 else above)
    # As far as the bell and the probability are above rounding. A tiny c moves x nowhere, and t is then anything.
    far = 40.0 / L
    x0, x1 = (np.clip((at + c * t) / s, -9.0, 9.0) for t in (0.0, far))
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        t0, t1 = (np.clip(np.nan_to_num((s * x - at) / c), 0.0, far) for x in (x0, x1))
    x = x0 + (x1 - x0) * _NODES[:, None]
    t = t0 + (t1 - t0) * _NODES[:, None]
    bell = np.exp(-0.5 * x**2) / math.sqrt(2.0 * math.pi)
    return np.asarray(ndtr(-at / s) - (x1 - x0) * (_WEIGHTS @ (bell * _survival(L, t))))


def _survival(L: FloatArray, t: FloatArray) -> FloatArray:
    """P(g > L + t | g > L)."""
    return np.asarray(erfcx((L + t) / math.sqrt(2.0)) / erfcx(L / math.sqrt(2.0)) * np.exp(-t * (L + 0.5 * t)))


def _both_below(a: FloatArray, b: FloatArray, r: float, root: float) -> FloatArray:
    """P(X < a, Y < b) for standard normal X and Y of correlation r, root = sqrt(1 - r^2), by Owen's T function.

    Owen, Ann. Math. Statist. 27, 1075 (1956), equation (2.1).
    """
    if root == 0.0:
        return np.asarray(ndtr(np.minimum(a, b)) if r > 0.0 else np.maximum(ndtr(a) - ndtr(-b), 0.0))
    # Owen's form divides by a and b: a value this small changes the result by less than rounding.
    a = np.where(a == 0.0, 1e-300, a)
    b = np.where(b == 0.0, 1e-300, b)
    with np.errstate(over="ignore"):
        opposite = np.where(np.sign(a) * np.sign(b) < 0.0, 0.5, 0.0)
        total = 0.5 * (ndtr(a) + ndtr(b)) - owens_t(a, (b / a - r) / root) - owens_t(b, (a / b - r) / root) - opposite
    return np.asarray(np.clip(total, 0.0, None))
