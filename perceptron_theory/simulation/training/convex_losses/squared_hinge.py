"""Squared hinge loss l(t) = (1 - t)_+^2 / 2: the square loss on the examples with t < 1, found by Newton's method."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from perceptron_theory.simulation.training.convex_losses.minimum import Minimum, Value, relative_gap
from perceptron_theory.simulation.training.convex_losses.square import least_squares, ridge

FloatArray = npt.NDArray[np.float64]

_MAX_STEPS: Final = 100
#: Penalty, relative to the curvature of the loss, that stands for none while the active examples are looked for.
_TINY: Final = 1e-12


def loss(t: FloatArray) -> FloatArray:
    """l(t)."""
    return np.asarray(0.5 * np.maximum(0.0, 1.0 - t) ** 2)


def minimise(Z: FloatArray, v: FloatArray, c: float) -> Minimum:
    """The minimiser; without penalty where data cannot be separated, if it is unique. It is held by those of t < 1."""
    if c > 0.0:
        w, a = _newton(Z, v, c)
    else:
        # The examples that are active without penalty are so with next to none.
        _, a = _newton(Z, v, _TINY * float(v @ (Z * Z).sum(axis=1)) / Z.shape[1])
        active = a > 0.0
        w, rank = least_squares(Z[active], v[active]) if active.any() else (np.zeros(Z.shape[1]), 0)
        if rank < w.size:
            return Minimum(w, np.nan, 0)
        a = np.where(active, v * np.maximum(0.0, 1.0 - Z @ w), 0.0)
    t = Z @ w
    # What the pair lacks to a = -v l'(t): nothing but rounding.
    rest = np.where(t < 1.0, (v * (1.0 - t) - a) ** 2 / (2.0 * v), a * (t - 1.0 + a / (2.0 * v)))
    value = Value(float(v @ loss(t) + 0.5 * c * (w @ w)), 0.5 * float(v.sum()))
    return Minimum(w, relative_gap(value, w, c * w - Z.T @ a, c, float(rest.sum())), int(np.count_nonzero(a)))


def _newton(Z: FloatArray, v: FloatArray, c: float) -> tuple[FloatArray, FloatArray]:
    """Weights and dual variables, by Newton's method, each step as far as the objective falls.

    It ends on the right active set after finitely many.
    """
    w = np.zeros(Z.shape[1])
    active = np.ones(v.size, dtype=np.bool_)
    for _ in range(_MAX_STEPS):
        best, short = ridge(Z[active], v[active], c)
        still = Z @ best < 1.0
        still[active] = short > 0.0
        if np.array_equal(still, active) or not np.isfinite(best).all():
            break
        size = _lowest(Z, v, c, w, best - w)
        w = w + size * (best - w)
        active = Z @ w < 1.0
    a = np.zeros(v.size)
    a[active] = v[active] * np.maximum(0.0, short)
    return best, a


def _lowest(Z: FloatArray, v: FloatArray, c: float, w: FloatArray, step: FloatArray) -> float:
    """How far to go along a direction in which the objective falls."""
    t, change = Z @ w, Z @ step

    def slope(size: float) -> float:
        wrong = np.maximum(0.0, 1.0 - t - size * change)
        return float(c * (step @ w + size * (step @ step)) - (v * wrong) @ change)

    far = 1.0
    while slope(far) < 0.0 and far < 1e6:
        far *= 2.0
    return float(brentq(slope, 0.0, far)) if slope(0.0) < 0.0 < slope(far) else 1.0
