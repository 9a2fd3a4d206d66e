"""Bare numbers without a header, as numpy.memmap and SemDeDup write them."""

from __future__ import annotations

import numpy as np

from perceptron_theory.errors import ScoreError
from perceptron_theory.scores.readers.request import AnyArray, Contents, Request
from perceptron_theory.scores.readers.translation import translated


def read_raw(request: Request) -> Contents:
    """All numbers of a file without header, in its order."""
    path, dtype = request.path, _real_type(request)
    size = path.stat().st_size
    if size % dtype.itemsize:
        raise ScoreError(
            f"{path} has {size:,} bytes, not a whole number of {dtype.name} ({dtype.itemsize} bytes each): it is cut "
            "short, or dtype is another."
        )
    with translated(path, "file of bare numbers", "write it again with ndarray.tofile"):
        values: AnyArray = np.fromfile(path, dtype)
    return Contents(values)


def _real_type(request: Request) -> np.dtype[np.generic]:
    if request.dtype is None:
        raise ScoreError(
            f"{request.path} has no header that says what its numbers are: give dtype, such as dtype='float32'."
        )
    try:
        dtype = np.dtype(request.dtype)
    except Exception:  # numpy raises TypeError, ValueError or SyntaxError, by spelling
        dtype = np.dtype(object)
    if dtype.kind not in "fiu":
        raise ScoreError(f"dtype must be a type of real numbers, got {request.dtype!r}: give 'float32', for example.")
    return dtype
