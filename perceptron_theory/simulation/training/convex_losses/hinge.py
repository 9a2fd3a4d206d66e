"""Hinge loss l(t) = (1 - t)_+: interior point, then the exact solution of its active set.

    minimise over w:        sum_mu v_mu max(0, 1 - t_mu) + c/2 |w|^2,   t = Z w
    maximise over a:        sum_mu a_mu - |Z^T a|^2 / (2c),             0 <= a_mu <= v_mu,  w = Z^T a / c

With slacks s, x >= 0 and t - 1 = s - x, a pair (w, a) is optimal where a s = 0, (v - a) x = 0 and c w = Z^T a. Without
penalty the first is a linear programme and the constraint of its dual Z^T a = 0; a small enough penalty has the same
solution (Mangasarian 1979, SIAM J. Control Optim. 17, 745).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from perceptron_theory.simulation.training.convex_losses import minimum
from perceptron_theory.simulation.training.convex_losses.minimum import Minimum, Value, in_few_coordinates

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
#: Penalty, relative to that of lam = 1 on examples of this size, that stands for none.
_TINY: Final = 1e-10


class Pair(NamedTuple):
    """Weights (N,) and dual variables (P,) in [0, v]."""

    w: FloatArray
    a: FloatArray


def loss(t: FloatArray) -> FloatArray:
    """l(t)."""
    return np.asarray(np.maximum(0.0, 1.0 - t))


def minimise(Z: FloatArray, v: FloatArray, c: float) -> Minimum:
    """The minimiser; without penalty where data cannot be separated, if it is unique.

    It is held by the examples with t < 1, and by those on t = 1 whose dual variable is not zero.
    """
    basis, X = in_few_coordinates(Z)
    inside, a = solve(X, v, c) if c > 0.0 else _solve_without_penalty(X, v)
    pair = Pair(basis @ inside, a)
    return Minimum(pair.w, relative_gap(Z, v, c, pair), int(np.count_nonzero(a)))


def relative_gap(Z: FloatArray, v: FloatArray, c: float, pair: Pair) -> float:
    """Gap of any w and any a in [0, v]. A sum of non-negative terms: nothing cancels."""
    w, a = pair
    t = Z @ w
    rest = float(np.sum(np.where(t < 1.0, (v - a) * (1.0 - t), a * (t - 1.0))))
    value = Value(float(v @ loss(t) + 0.5 * c * (w @ w)), float(v.sum()))
    return minimum.relative_gap(value, w, c * w - Z.T @ a, c, rest)


def solve(Z: FloatArray, v: FloatArray, c: float) -> Pair:
    """The minimiser: to rounding if its active set is found, else what the interior point reached."""
    near = _interior_point(Z, v, c)
    zero, full = _active_sets(near, v)
    w, a = _solve_active(Z, v, c, zero, full)
    # Margins one rounding short of 1 cost their full shortfall, which with a tiny penalty is all the loss.
    longest = float(np.sqrt((Z * Z).sum(axis=1).max()))
    short = 1.0 - float((Z @ w)[~full].min(initial=1.0)) + _EPSILON * longest * float(np.linalg.norm(w))
    exact = Pair(w * (1.0 + short) if short < _SHORT else w, np.clip(a, 0.0, v))
    if relative_gap(Z, v, c, exact) <= _EXACT:
        return exact
    return Pair(near.w, np.clip(near.a, 0.0, v))


def _solve_without_penalty(Z: FloatArray, v: FloatArray) -> Pair:
    """The minimiser of the loss itself from the active sets at a tiny penalty; NaN if they leave w a choice."""
    near = _interior_point(Z, v, _TINY * float(v @ (Z * Z).sum(axis=1)) / v.size)
    w, a = _solve_active(Z, v, 0.0, *_active_sets(near, v))
    return Pair(w, np.clip(a, 0.0, v))


class _Point(NamedTuple):
    """Interior point: weights, dual variables a, their distance b = v - a from v, slacks of t above and below 1."""

    w: FloatArray
    a: FloatArray
    b: FloatArray
    s: FloatArray
    x: FloatArray

    def complementarity(self) -> float:
        """Mean of a s and b x."""
        return float(self.a @ self.s + self.b @ self.x) / (2 * self.a.size)

    def moved(self, size: float, step: _Point) -> _Point:
        """Along `step`."""
        return _Point(*(value + size * change for value, change in zip(self, step, strict=True)))

    def longest(self, step: _Point) -> float:
        """Largest step, at most 1, that keeps a in [0, v] and both slacks non-negative."""
        ratios = (-change / value for value, change in zip(self[1:], step[1:], strict=True))
        return 1.0 / max(1.0, *(float(ratio.max()) for ratio in ratios))


class _Newton:
    """Newton steps on the optimality conditions at one point, for any right-hand side of the complementarity."""

    def __init__(self, Z: FloatArray, c: float, at: _Point) -> None:
        self.Z, self.at = Z, at
        self.weights = 1.0 / (at.x / at.b + at.s / at.a)
        self.factor = cho_factor(c * np.eye(Z.shape[1]) + (Z.T * self.weights) @ Z)
        # Zero but for rounding: every iterate is feasible.
        self.off_dual = Z.T @ at.a - c * at.w
        self.off_primal = Z @ at.w - 1.0 + at.x - at.s

    def step(self, for_s: FloatArray, for_x: FloatArray) -> _Point:
        """Solves s da + a ds = for_s and b dx - x da = for_x with the linear conditions."""
        _, a, b, s, x = self.at
        h = for_s / a - for_x / b - self.off_primal
        dw = cho_solve(self.factor, self.off_dual + self.Z.T @ (self.weights * h))
        da = self.weights * (h - self.Z @ dw)
        return _Point(dw, da, -da, (for_s - s * da) / a, (for_x + x * da) / b)


def _interior_point(Z: FloatArray, v: FloatArray, c: float) -> _Point:
    """Predictor-corrector steps (Mehrotra 1992) from a feasible point."""
    total = v @ Z
    a = v * min(0.5, c * float(v.sum()) / float(total @ total))  # the mean of v t is that of v where the box allows
    w = Z.T @ a / c
    s = 1.0 + np.maximum(Z @ w - 1.0, 0.0)
    at = _Point(w, a, v - a, s, s + 1.0 - Z @ w)
    for _ in range(_MAX_STEPS):
        mu = at.complementarity()
        if mu <= _APART * float(at.a.mean()) * float((at.s + at.x).mean()):
            break
        try:
            newton = _Newton(Z, c, at)
        except LinAlgError:  # weights of many sizes: as near as Newton's method comes
            break
        pure = newton.step(-at.a * at.s, -at.b * at.x)
        after = at.moved(at.longest(pure), pure).complementarity()
        target = mu * (after / mu) ** 3
        step = newton.step(target - at.a * at.s - pure.a * pure.s, target - at.b * at.x + pure.a * pure.x)
        at = at.moved(_TO_BOUNDARY * at.longest(step), step)
    return at


def _active_sets(at: _Point, v: FloatArray) -> tuple[BoolArray, BoolArray]:
    """Examples with a = 0, and with a = v: where the slack is larger than the distance of a from that bound."""
    share = at.a / v
    zero = at.s > share / share.max()
    return zero, (at.x > at.b / v) & ~zero


def _solve_active(
    Z: FloatArray, v: FloatArray, c: float, zero: BoolArray, full: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Weights and dual variables if the free examples lie exactly on t = 1; the bounds of a are not looked at.

    With u the sum of the examples with a = v: c w = u + Z_F^T a_F and Z_F w = 1. By singular values, because
    duplicated examples make Z_F singular, and with the complement spelt out, because u / c may be large. For c = 0
    the complement must be empty, else w is NaN.
    """
    free = ~(zero | full)
    a = np.where(full, v, 0.0)
    u = a @ Z
    if not free.any():
        return u / c if c > 0.0 else np.full(u.size, np.nan), a
    left, values, right = np.linalg.svd(Z[free], full_matrices=True)
    rank = int(np.sum(values > 1e-12 * values[0]))
    left, values = left[:, :rank], values[:rank]
    inside, outside = right[:rank], right[rank:]
    along = left.sum(axis=0) / values
    a[free] = left @ ((c * along - inside @ u) / values)
    if c == 0.0:
        return inside.T @ along if rank == u.size else np.full(u.size, np.nan), a
    return inside.T @ along + outside.T @ (outside @ u) / c, a
