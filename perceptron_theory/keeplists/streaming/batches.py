"""Some rows of a table: their scores, names, classes and row numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from perceptron_theory.errors import ScoreError
from perceptron_theory.scores.names import NameArray
from perceptron_theory.scores.readers.tables import check_column

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Batch:
    """Rows of a table.

    Attributes
    ----------
    scores : ndarray of float64, shape (n,)
        NaN where there is none.
    numbers : ndarray of int64, shape (n,)
        Row numbers in the table, from 0.
    ids, labels : pyarrow.Array of int64 or string, or None
        None of them missing.

    Examples
    --------
    >>> batch = Batch(np.array([0.5, 0.1]), np.array([7, 8]), None, None)
    >>> batch.take(np.array([1])).names().tolist()  # without ids, rows are called by their numbers
    [8]
    """

    scores: FloatArray
    numbers: IntArray
    ids: pa.Array | None
    labels: pa.Array | None

    @property
    def size(self) -> int:
        """Number of rows."""
        return int(self.scores.size)

    def names(self) -> NameArray:
        """Ids; row numbers where there are none."""
        return self.numbers if self.ids is None else np.asarray(self.ids.to_numpy(zero_copy_only=False))

    def take(self, chosen: IntArray) -> Batch:
        """Some of the rows."""
        ids, labels = (None if column is None else column.take(pa.array(chosen)) for column in (self.ids, self.labels))
        return Batch(self.scores[chosen], self.numbers[chosen], ids, labels)


def score_column(column: pa.Array, where: str) -> FloatArray:
    """Scores as float64, NaN where there is none.

    Raises
    ------
    ScoreError
        If they are not real numbers, or integers that float64 would round.

    Examples
    --------
    >>> score_column(pa.array([1, None]), "a list").tolist()
    [1.0, nan]
    """
    type_ = column.type
    if not (pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_boolean(type_)):
        raise ScoreError(f"scores must be real numbers, got {type_} in {where}: convert them, or name another column.")
    check_column(column, where)
    return np.asarray(column.to_numpy(zero_copy_only=False)).astype(np.float64)


def name_column(column: pa.Array, where: str) -> pa.Array:
    """Ids or labels as int64 or string.

    Raises
    ------
    ScoreError
        If they are something else, or some are missing.

    Examples
    --------
    >>> name_column(pa.array([3, 4], pa.uint8()), "a list").type
    DataType(int64)
    """
    if column.null_count:
        raise ScoreError(f"{where} has rows without a value: fill them in, or drop them.")
    type_ = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_integer(type_):
        try:
            return column.cast(type_).cast(pa.int64())
        except pa.ArrowInvalid:
            raise ScoreError(f"names must be below 2^63, and one is not in {where}: write them as strings.") from None
    if pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_string_view(type_):
        return column.cast(type_).cast(pa.string())
    raise ScoreError(f"names must be all integers or all strings, got {type_} in {where}: convert them to one.")
