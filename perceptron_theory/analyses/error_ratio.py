"""Which of two test errors is smaller, and whether their certificates can tell."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from perceptron_theory.solving.solution import Solution

FloatArray = npt.NDArray[np.float64]

#: Rounding of a solve, relative: seen are 5e-14 ...
_ROUNDING = 5e-13
#: ... and 3e-17 / f from rounding of the quantiles that bound a narrow window.
_ROUNDING_OF_F = 2.0 * float(np.finfo(np.float64).eps)
#: Stands for a test error of exactly 0, which measured data allow.
_LEAST = 1e-300


def resolution(quadrature_error: FloatArray, f: FloatArray) -> FloatArray:
    """How far a certified test error may be off, relatively: quadrature and rounding."""
    return np.asarray(quadrature_error + _ROUNDING + _ROUNDING_OF_F / f)


def log_ratio(one: Solution, other: Solution) -> tuple[FloatArray, FloatArray]:
    """ln(one.test_error / other.test_error), and the size below which it means nothing.

    The value is NaN where either point failed, and 0 where both errors are exactly 0.
    """
    value = np.log(np.maximum(one.test_error, _LEAST) / np.maximum(other.test_error, _LEAST))
    noise = resolution(one.quadrature_error, one.f) + resolution(other.quadrature_error, other.f)
    return np.asarray(value), noise
