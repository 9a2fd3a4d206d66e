"""Exact minimiser of the hinge loss with a ridge: interior point, then the exact solution of its active set.

    minimise over w:        sum_mu max(0, 1 - t_mu) + c/2 |w|^2,   t = Z w
    maximise over a:        sum_mu a_mu - |Z^T a|^2 / (2c),        0 <= a_mu <= 1,  w = Z^T a / c

With slacks s, x >= 0 and t - 1 = s - x, a pair (w, a) is optimal where a s = 0, (1 - a) x = 0 and c w = Z^T a.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg import LinAlgError, cho_factor, cho_solve

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_MAX_STEPS: Final = 100
#: Largest fraction of the way to the boundary (Mehrotra 1992).
_TO_BOUNDARY: Final = 0.995
#: Complementarity, relative to its largest possible value, at which active sets tell themselves apart.
_APART: Final = 1e-13
#: Relative gap of the right active set: rounding, at worst (huge w, tiny penalty) not far below this.
_EXACT: Final = 1e-10
#: A few roundings.
_EPSILON: Final = 1e-15
#: Longer than any rounding, shorter than a margin that is really violated.
_SHORT: Final = 1e-9


class Pair(NamedTuple):
    """Weights (N,) and dual variables (P,) in [0, 1]."""

    w: FloatArray
    a: FloatArray


def relative_gap(Z: FloatArray, c: float, pair: Pair) -> float:
    """Primal minus dual value, relative to the primal value and to what was gained over w = 0.

    The smaller of the two counts: with a large penalty the loss hardly moves from its value P at w = 0, and
    relative to the primal value alone any w would pass. The gap is a sum of non-negative terms: nothing cancels.
    """
    w, a = pair
    t = Z @ w
    off = c * w - Z.T @ a
    gap = float(np.sum(np.where(t < 1.0, (1.0 - a) * (1.0 - t), a * (t - 1.0))) + off @ off / (2.0 * c))
    primal = float(np.maximum(0.0, 1.0 - t).sum() + 0.5 * c * (w @ w))
    scale = min(primal, t.size - primal)
    return gap / scale if scale > 0.0 else math.inf


def solve(Z: FloatArray, c: float) -> Pair:
    """The minimiser: to rounding if its active set is found, else what the interior point reached."""
    near = _interior_point(Z, c)
    zero, one = _active_sets(near)
    w, a = _solve_active(Z, c, zero, one)
    # Margins one rounding short of 1 cost their full shortfall, which with a tiny penalty is all the loss.
    longest = float(np.sqrt((Z * Z).sum(axis=1).max()))
    short = 1.0 - float((Z @ w)[~one].min(initial=1.0)) + _EPSILON * longest * float(np.linalg.norm(w))
    exact = Pair(w * (1.0 + short) if short < _SHORT else w, np.clip(a, 0.0, 1.0))
    if relative_gap(Z, c, exact) <= _EXACT:
        return exact
    return Pair(near.w, np.clip(near.a, 0.0, 1.0))


class _Point(NamedTuple):
    """Interior point: weights, dual variables, and the slacks of t above and below 1."""

    w: FloatArray
    a: FloatArray
    s: FloatArray
    x: FloatArray

    def complementarity(self) -> float:
        """Mean of a s and (1 - a) x."""
        return float(self.a @ self.s + (1.0 - self.a) @ self.x) / (2 * self.a.size)

    def moved(self, size: float, step: _Point) -> _Point:
        """Along `step`."""
        return _Point(*(value + size * change for value, change in zip(self, step, strict=True)))

    def longest(self, step: _Point) -> float:
        """Largest step, at most 1, that keeps a in [0, 1] and both slacks non-negative."""
        ratios = (-step.a / self.a, step.a / (1.0 - self.a), -step.s / self.s, -step.x / self.x)
        return 1.0 / max(1.0, *(float(ratio.max()) for ratio in ratios))


class _Newton:
    """Newton steps on the optimality conditions at one point, for any right-hand side of the complementarity."""

    def __init__(self, Z: FloatArray, c: float, at: _Point) -> None:
        self.Z, self.at = Z, at
        self.weights = 1.0 / (at.x / (1.0 - at.a) + at.s / at.a)
        self.factor = cho_factor(c * np.eye(Z.shape[1]) + (Z.T * self.weights) @ Z)
        # Zero but for rounding: every iterate is feasible.
        self.off_dual = Z.T @ at.a - c * at.w
        self.off_primal = Z @ at.w - 1.0 + at.x - at.s

    def step(self, for_s: FloatArray, for_x: FloatArray) -> _Point:
        """Solves s da + a ds = for_s and (1 - a) dx - x da = for_x with the linear conditions."""
        _, a, s, x = self.at
        h = for_s / a - for_x / (1.0 - a) - self.off_primal
        dw = cho_solve(self.factor, self.off_dual + self.Z.T @ (self.weights * h))
        da = self.weights * (h - self.Z @ dw)
        return _Point(dw, da, (for_s - s * da) / a, (for_x + x * da) / (1.0 - a))


def _interior_point(Z: FloatArray, c: float) -> _Point:
    """Predictor-corrector steps (Mehrotra 1992) from a feasible point."""
    total = Z.sum(axis=0)
    a = np.full(Z.shape[0], min(0.5, c * Z.shape[0] / float(total @ total)))  # mean t is 1 where the box allows
    w = Z.T @ a / c
    s = 1.0 + np.maximum(Z @ w - 1.0, 0.0)
    at = _Point(w, a, s, s + 1.0 - Z @ w)
    for _ in range(_MAX_STEPS):
        mu = at.complementarity()
        if mu <= _APART * float(at.a.mean()) * float((at.s + at.x).mean()):
            break
        try:
            newton = _Newton(Z, c, at)
        except LinAlgError:  # weights of many sizes: as near as Newton's method comes
            break
        pure = newton.step(-at.a * at.s, -(1.0 - at.a) * at.x)
        after = at.moved(at.longest(pure), pure).complementarity()
        target = mu * (after / mu) ** 3
        step = newton.step(target - at.a * at.s - pure.a * pure.s, target - (1.0 - at.a) * at.x + pure.a * pure.x)
        at = at.moved(_TO_BOUNDARY * at.longest(step), step)
    return at


def _active_sets(at: _Point) -> tuple[BoolArray, BoolArray]:
    """Examples with a = 0, and with a = 1: where the slack is larger than the distance of a from that bound."""
    zero = at.s > at.a / at.a.max()
    return zero, (at.x > 1.0 - at.a) & ~zero


def _solve_active(Z: FloatArray, c: float, zero: BoolArray, one: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Weights and dual variables if the free examples lie exactly on t = 1; the bounds of a are not looked at.

    With u the sum of the examples with a = 1: c w = u + Z_F^T a_F and Z_F w = 1. By singular values, because
    duplicated examples make Z_F singular, and with the complement spelt out, because u / c may be large.
    """
    free = ~(zero | one)
    a = one.astype(np.float64)
    u = Z[one].sum(axis=0)
    if not free.any():
        return u / c, a
    left, values, right = np.linalg.svd(Z[free], full_matrices=True)
    rank = int(np.sum(values > 1e-12 * values[0]))
    left, values = left[:, :rank], values[:rank]
    inside, outside = right[:rank], right[rank:]
    along = left.sum(axis=0) / values
    a[free] = left @ ((c * along - inside @ u) / values)
    return inside.T @ along + outside.T @ (outside @ u) / c, a
