"""Newton's method for the logistic loss with a ridge, and the linear system that it and the square loss solve."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.special import expit

FloatArray = npt.NDArray[np.float64]

_MAX_STEPS: Final = 200
_MAX_HALVINGS: Final = 40


def solve_positive(matrix: FloatArray, right: FloatArray) -> FloatArray:
    """Solution for a positive definite matrix; NaN if rounding made it anything else, for the certificate to see."""
    try:
        return np.asarray(cho_solve(cho_factor(matrix), right))
    except LinAlgError:
        return np.full(right.size, np.nan)


def newton_logistic(X: FloatArray, c: float) -> FloatArray:
    """Minimiser of sum_mu ln(1 + exp(-t_mu)) + c/2 |w|^2, t = X w: Newton's method until rounding stops it.

    Each step is halved until the gradient shrinks. The length of the gradient is the merit, not the loss: it is also
    the certificate, and does not drown in the rounding of a sum. It falls along every Newton step, because the
    curvature is at least c.
    """
    w = np.zeros(X.shape[1])
    gradient = -0.5 * X.sum(axis=0)
    for _ in range(_MAX_STEPS):
        wrong = expit(-(X @ w))
        curvature = (X.T * (wrong * (1.0 - wrong))) @ X + c * np.eye(w.size)
        step = -solve_positive(curvature, gradient)
        size = 1.0
        for _ in range(_MAX_HALVINGS):
            new = w + size * step
            new_gradient = c * new - X.T @ expit(-(X @ new))
            if np.linalg.norm(new_gradient) <= (1.0 - 0.25 * size) * np.linalg.norm(gradient):
                break
            size *= 0.5
        else:
            return w
        w, gradient = new, new_gradient
    return w
