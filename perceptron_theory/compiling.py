"""The one way in which the library compiles its loops, with numba."""

import functools
import warnings
from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

_Function = TypeVar("_Function", bound=Callable[..., Any])


def kernel(function: _Function) -> _Function:
    """Compile a numerical kernel: cached on disk, free of the GIL, IEEE division, no fast-math."""
    return _compiled(function, error_model="numpy")


def inner_kernel(function: _Function) -> _Function:
    """A kernel that only other kernels may call: without a wrapper for Python it compiles faster."""
    return _compiled(function, error_model="numpy", no_cpython_wrapper=True)


def summing_kernel(function: _Function) -> _Function:
    """Compile a sum that may be taken in any order, as vector instructions need it; only other kernels may call it.

    NaN and infinities keep their meaning, unlike under full fast-math.
    """
    return _compiled(function, fastmath={"reassoc", "contract"}, no_cpython_wrapper=True)


def _compiled(function: _Function, **options: Any) -> _Function:
    """Cached where there is a place for it: a container may have none, and computes all the same."""
    options |= {"nogil": True, "no_cfunc_wrapper": True}
    try:
        return cast(_Function, njit(cache=True, **options)(function))
    except RuntimeError as error:
        if "no locator available" not in str(error):
            raise
    _warn_uncached()
    return cast(_Function, njit(**options)(function))


@functools.cache  # one warning, not one per kernel
def _warn_uncached() -> None:
    warnings.warn(
        "compiled code cannot be kept: neither the folder of perceptron_theory nor the user's cache can be written to, "
        "so each process compiles anew, for up to a minute. Set NUMBA_CACHE_DIR to a folder that can be written to.",
        stacklevel=2,
    )
