"""What minimising a loss returns, its certificate, and the linear system of Newton's method."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg import LinAlgError, cho_factor, cho_solve

FloatArray = npt.NDArray[np.float64]


class Minimum(NamedTuple):
    """Weights (N,), the certificate computed for them, and the number of examples that hold them."""

    w: FloatArray
    gap: float
    n_support: int


class Value(NamedTuple):
    """What there is to minimise, at the weights found and at w = 0."""

    here: float
    at_zero: float


def relative_gap(value: Value, w: FloatArray, off: FloatArray, c: float, rest: float = 0.0) -> float:
    """How much smaller the minimum may be, relative to its value and to what was gained over w = 0.

    The smaller of the two counts: with a large penalty the loss hardly moves from its value at w = 0, and
    relative to the value alone any w would pass.

    Parameters
    ----------
    value : Value
        Of sum_mu v_mu l(t_mu) + c/2 |w|^2.
    w : ndarray, shape (N,)
        Weights.
    off : ndarray, shape (N,)
        c w - Z^T a for dual variables a.
    c : float
        Penalty. With c > 0 the gap is primal minus dual value, ``rest + |off|^2 / (2 c)``. With c = 0 it is what any
        weights no farther from w than |w| can gain, ``rest + |off| |w|``: the loss lies above its tangents.
    rest : float
        Sum over examples of v l(t) + v l*(-a / v) + a t, which is never negative; 0 at a = -v l'(t).
    """
    gap = rest + (float(off @ off) / (2.0 * c) if c > 0.0 else float(np.linalg.norm(off) * np.linalg.norm(w)))
    scale = min(value.here, value.at_zero - value.here)
    return gap / scale if scale > 0.0 else math.inf


def solve_positive(matrix: FloatArray, right: FloatArray) -> FloatArray:
    """Solution for a positive definite matrix; NaN if rounding made it anything else, for the certificate to see."""
    try:
        return np.asarray(cho_solve(cho_factor(matrix), right))
    except (LinAlgError, ValueError):  # not positive definite, or not finite
        return np.full(right.size, np.nan)


def in_few_coordinates(Z: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Orthonormal columns B that span the examples, and X with Z = X B^T: the minimiser lies in that span."""
    if Z.shape[0] >= Z.shape[1]:
        return np.eye(Z.shape[1]), Z
    basis, triangle = np.linalg.qr(Z.T)
    return basis, np.ascontiguousarray(triangle.T)
