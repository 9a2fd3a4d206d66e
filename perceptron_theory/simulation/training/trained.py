"""What training a student returns, and the error when nothing proves that it is done."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from perceptron_theory.errors import InvalidInputError, PerceptronTheoryError
from perceptron_theory.validation import check_plain, number_array

FloatArray = npt.NDArray[np.float64]

#: Below this length, relative to the sum of the lengths it is a sum of, a vector has no direction but rounding.
_NO_DIRECTION: Final = 1e-13


class UncertifiedError(PerceptronTheoryError, ArithmeticError):
    """A student was trained, but its certificate of optimality (or of convergence) was not reached.

    Parameters
    ----------
    message : str
        What was not reached, by how much, and what to do.
    gap : float
        The certificate as reached, in the units of `Trained.gap`.
    """

    def __init__(self, message: str, gap: float = math.nan) -> None:
        super().__init__(message)
        self.gap = gap


class Trained(NamedTuple):
    """A trained student.

    Attributes
    ----------
    w : ndarray of float64, shape (N,)
        Weights, of unit length: only their direction classifies.
    gap : float
        Certificate, computed from scratch after training; 0 is perfect. What it measures is said by
        each student.
    n_support : int
        Number of examples with a nonzero dual variable: those the student leans on.
    norm : float
        Length of the weights before they were made a unit vector; infinite if they are a limit that has none, NaN if
        only their direction means anything.
    loss : float
        Mean loss of the examples, each of weight 1, at that length; NaN for students without a loss.
    """

    w: FloatArray
    gap: float
    n_support: int
    norm: float = math.nan
    loss: float = math.nan


def matrix_of_examples(Z: FloatArray) -> FloatArray:
    """`Z` as C-contiguous float64 of shape (P, N), P >= 1 and N >= 2.

    Raises
    ------
    InvalidInputError
        For any other shape, and for what are not real numbers.
    """
    if not (isinstance(Z, np.ndarray) and Z.dtype == np.float64):
        Z = number_array("Z", Z, "it holds one row of coordinates for each kept example")
    check_plain("Z", Z)
    Z = np.ascontiguousarray(Z)
    if Z.ndim != 2 or Z.shape[0] < 1 or Z.shape[1] < 2:
        raise InvalidInputError(
            f"Z must have shape (P, N) with P >= 1 and N >= 2, got {Z.shape}: one row for each kept example."
        )
    return Z


def check_finite(Z: FloatArray) -> None:
    """Refuse NaN and infinite entries.

    Raises
    ------
    InvalidInputError
        If there are any.
    """
    if not np.isfinite(Z).all():
        raise InvalidInputError("Z must be finite, got NaN or infinite entries: they are coordinates of examples.")


def checked_examples(Z: FloatArray) -> FloatArray:
    """`Z` as finite C-contiguous float64 of shape (P, N), P >= 1 and N >= 2.

    Raises
    ------
    InvalidInputError
        For any other shape, and for NaN or infinite entries.
    """
    Z = matrix_of_examples(Z)
    check_finite(Z)
    return Z


def mean_direction(Z: FloatArray, v: FloatArray) -> FloatArray:
    """Sum of the examples with weights v, shape (N,): the first direction in which every convex loss falls.

    Raises
    ------
    InvalidInputError
        If the examples cancel: then w = 0 is optimal and there is no direction to return.
    """
    total = v @ Z
    lengths = float(v @ np.sqrt((Z * Z).sum(axis=1)))
    if not float(np.linalg.norm(total)) > _NO_DIRECTION * lengths:
        raise InvalidInputError(
            f"the {Z.shape[0]} examples of Z cancel (their sum is zero): the best weights are zero "
            "and have no direction; use more examples."
        )
    return np.asarray(total)


def certified(student: str, w: FloatArray, gap: float, tolerance: float, n_support: int, advice: str) -> Trained:
    """`Trained` with unit `w`, if `gap` is within `tolerance`.

    Raises
    ------
    UncertifiedError
        If not; `advice` ends the message.
    """
    if not gap <= tolerance:
        raise UncertifiedError(
            f"{student} student: certificate is {gap:.3g}, must be at most {tolerance:g}: {advice}.", gap
        )
    return Trained(w / float(np.linalg.norm(w)), gap, n_support)
