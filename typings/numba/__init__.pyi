# What this project uses of numba, which ships no types.
from collections.abc import Callable
from typing import Any

def njit(
    *,
    cache: bool = ...,
    nogil: bool = ...,
    error_model: str = ...,
    fastmath: set[str] = ...,
    no_cpython_wrapper: bool = ...,
    no_cfunc_wrapper: bool = ...,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]: ...
