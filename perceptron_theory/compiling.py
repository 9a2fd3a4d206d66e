"""The one way in which the library compiles its loops, with numba."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

_Function = TypeVar("_Function", bound=Callable[..., Any])


def kernel(function: _Function) -> _Function:
    """Compile a numerical kernel: cached on disk, free of the GIL, IEEE division, no fast-math."""
    return cast(_Function, njit(cache=True, nogil=True, error_model="numpy", no_cfunc_wrapper=True)(function))


def inner_kernel(function: _Function) -> _Function:
    """A kernel that only other kernels may call: without a wrapper for Python it compiles faster."""
    compiled = njit(cache=True, nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
    return cast(_Function, compiled(function))
