"""Columns of Arrow tables as arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from perceptron_theory.errors import ScoreError
from perceptron_theory.scores.readers.request import AnyArray
from perceptron_theory.scores.rounding import check_whole


def values_of(column: pa.ChunkedArray, name: str, path: Path) -> AnyArray:
    """Numbers of a column; a missing one is NaN, which `Scores` refuses by its place."""
    column = _plain(column)
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_boolean(column.type)):
        raise ScoreError(
            f"column {name!r} of {path} holds {column.type}, but scores must be real numbers: choose another column."
        )
    check_column(column, f"column {name!r} of {path}")
    return np.asarray(column.to_numpy())


def check_column(column: pa.Array | pa.ChunkedArray, where: str) -> None:
    """Refuse a column of scores with a whole number beyond 2^53, which float64 would round.

    Raises
    ------
    ScoreError
        If it has one.
    """
    if pa.types.is_integer(column.type):
        ends = pc.min_max(column).as_py()  # of the integers: floats would be rounded before they are compared
        check_whole([end for end in ends.values() if end is not None], where)


def names_of(column: pa.ChunkedArray, what: str, path: Path) -> AnyArray:
    """Ids or labels of a column, none of them missing."""
    if column.null_count:
        at = int(np.argmax(column.is_null().to_numpy()))
        raise ScoreError(
            f"row {at} (from 0) of {path} has no value in its column of {what}: fill it in, or drop the row."
        )
    return np.asarray(_plain(column).to_numpy())


def whole_numbers(column: pa.ChunkedArray) -> Any:
    """Text that is whole numbers throughout, written plainly (7, not 007), as int64; other text as it is."""
    try:
        numbers = column.cast(pa.int64())
    except pa.ArrowInvalid:
        return column
    return numbers if numbers.cast(pa.string()).equals(column) else column


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Categories, as pandas and Arrow store repeated names, written out."""
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
