"""Sums whose order the compiler may choose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from numba import njit

FloatArray = npt.NDArray[np.float64]


def _summing(function: Callable[..., Any]) -> Callable[..., float]:
    """Compile a sum that may be taken in any order, as vector instructions need it.

    NaN and infinities keep their meaning, unlike under full fast-math.
    """
    compiled = njit(
        fastmath={"reassoc", "contract"}, cache=True, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True
    )(function)
    return cast(Callable[..., float], compiled)


@_summing
def row_dot(Z: FloatArray, i: int, w: FloatArray) -> float:
    """Z[i] . w."""
    total = 0.0
    for k in range(w.size):
        total += Z[i, k] * w[k]
    return total


@_summing
def tail_dot(R: FloatArray, i: int, x: FloatArray) -> float:
    """R[i, i+1:n] . x[i+1:] with n = x.size."""
    total = 0.0
    for k in range(i + 1, x.size):
        total += R[i, k] * x[k]
    return total


@_summing
def add_row_then_dot(Z: FloatArray, i: int, step: float, w: FloatArray, j: int) -> float:
    """Add step * Z[i] to w, then Z[j] . w; in one pass."""
    total = 0.0
    for k in range(w.size):
        value = w[k] + step * Z[i, k]
        w[k] = value
        total += Z[j, k] * value
    return total
