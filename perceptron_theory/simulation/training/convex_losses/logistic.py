"""Logistic loss l(t) = ln(1 + exp(-t)): Newton's method."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from perceptron_theory.simulation.training.convex_losses.minimum import (
    Minimum,
    Value,
    in_few_coordinates,
    relative_gap,
    solve_positive,
)

FloatArray = npt.NDArray[np.float64]

_MAX_STEPS: Final = 200
_MAX_HALVINGS: Final = 40
#: Newton's method squares its error: a step that promises so little, relative to the value, leaves less than rounding.
_LAST: Final = 1e-20


def loss(t: FloatArray) -> FloatArray:
    """l(t)."""
    return np.asarray(np.logaddexp(0.0, -t))


def minimise(Z: FloatArray, v: FloatArray, c: float) -> Minimum:
    """The minimiser, with its gap at the dual point a = -v l'(t); without penalty where data cannot be separated."""
    basis, X = in_few_coordinates(Z)
    w = basis @ _newton(X, v, c)
    t = Z @ w
    value = Value(float(v @ loss(t) + 0.5 * c * (w @ w)), float(v.sum() * np.log(2.0)))
    off = c * w - Z.T @ (v * expit(-t))
    gap = relative_gap(value, w, off, c) if c > 0.0 else _gap_without_penalty(X, v, basis.T @ w, value)
    return Minimum(w, gap, v.size)


def _gap_without_penalty(X: FloatArray, v: FloatArray, w: FloatArray, value: Value) -> float:
    """Relative gap of a feasible dual point beside a = v p, p = -l'(t); infinite if there is none, nor a minimum.

    With Newton's step s the point a (1 - (1 - p) X s) has X^T a = 0. If no entry of X s is near 1 it is positive: no
    weights separate any of the examples (Stiemke's theorem), so that there is a minimum. The gap is the sum of v times
    the Kullback-Leibler divergences from p, at most their chi-squared divergences v p (1 - p) (X s)^2.
    """
    p = expit(-(X @ w))
    k = v * p * (1.0 - p)
    change = X @ solve_positive((X.T * k) @ X, (v * p) @ X)
    if not np.abs(change).max() <= 0.5:
        return math.inf
    return float(k @ change**2) / min(value.here, value.at_zero - value.here)


def _newton(X: FloatArray, v: FloatArray, c: float) -> FloatArray:
    """Newton's method until rounding stops it.

    Each step is halved until the gradient shrinks. The length of the gradient is the merit, not the loss: it is also
    the certificate, and does not drown in the rounding of a sum. It falls along every Newton step.
    """
    w, t = np.zeros(X.shape[1]), np.zeros(X.shape[0])
    gradient = -0.5 * (v @ X)
    scale = np.inf
    for _ in range(_MAX_STEPS):
        wrong = expit(-t)
        curvature = (X.T * (v * wrong * (1.0 - wrong))) @ X + c * np.eye(w.size)
        step = -solve_positive(curvature, gradient)
        promised = -float(gradient @ step)
        # The first step promises what is gained over w = 0, or more.
        scale = min(scale, promised, float(v @ loss(t) + 0.5 * c * (w @ w)))
        if promised <= _LAST * scale:
            return np.asarray(w + step)
        size = 1.0
        for _ in range(_MAX_HALVINGS):
            new = w + size * step
            new_t = X @ new
            new_gradient = c * new - X.T @ (v * expit(-new_t))
            if np.linalg.norm(new_gradient) <= (1.0 - 0.25 * size) * np.linalg.norm(gradient):
                break
            size *= 0.5
        else:
            return w
        w, t, gradient = new, new_t, new_gradient
    return w
