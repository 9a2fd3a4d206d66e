"""Square loss l(t) = (1 - t)^2 / 2: a linear system."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.linalg import lstsq

from perceptron_theory.simulation.training.convex_losses.minimum import Minimum, solve_positive

FloatArray = npt.NDArray[np.float64]


def loss(t: FloatArray) -> FloatArray:
    """l(t)."""
    return np.asarray(0.5 * (1.0 - t) ** 2)


def minimise(Z: FloatArray, v: FloatArray, c: float) -> Minimum:
    """The minimiser. Certificate: length of the gradient relative to its length at w = 0.

    Without penalty it is the least-squares solution of smallest norm, which is the limit of c going to 0; it
    interpolates where P <= N.
    """
    w, _ = ridge(Z, v, c) if c > 0.0 else least_squares(Z, v)
    gradient = c * w - Z.T @ (v * (1.0 - Z @ w))
    return Minimum(w, float(np.linalg.norm(gradient) / np.linalg.norm(v @ Z)), v.size)


def ridge(Z: FloatArray, v: FloatArray, c: float) -> tuple[FloatArray, FloatArray]:
    """The minimiser for c > 0 and its 1 - t, from the smaller of two linear systems.

    The one for few examples, (Z Z^T + c / v) b = 1, w = Z^T b, keeps the digits of 1 - t = c b / v however small.
    """
    P, N = Z.shape
    if P <= N:
        b = solve_positive(Z @ Z.T + np.diag(c / v), np.ones(P))
        return np.asarray(b @ Z), c * b / v
    w = solve_positive((Z.T * v) @ Z + c * np.eye(N), v @ Z)
    return w, 1.0 - Z @ w


def least_squares(Z: FloatArray, v: FloatArray) -> tuple[FloatArray, int]:
    """The minimiser of smallest norm for c = 0, and the rank of Z: the minimum is unique where that is N."""
    root = np.sqrt(v)
    w, _, rank, _ = lstsq(Z * root[:, None], root)
    return np.asarray(w), int(rank)
