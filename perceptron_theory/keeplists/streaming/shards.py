"""Pieces of tables that are read several times, a batch of rows at a time, and must not change in between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from perceptron_theory.errors import PerceptronTheoryError, ScoreError
from perceptron_theory.keeplists.streaming.batches import Batch, name_column, score_column
from perceptron_theory.scores.readers.csv_files import first_rows
from perceptron_theory.scores.readers.request import Parts

Stamp = tuple[int, int]

_SHOWN = 200


@dataclass(frozen=True)
class Shard:
    """A piece of a file.

    Attributes
    ----------
    path : Path
        The file.
    stamp : tuple of int
        Its size, and when it was last changed.
    columns : Parts
        Names of the columns of scores, ids and labels.
    """

    path: Path
    stamp: Stamp
    columns: Parts
    kind: ClassVar[str]

    def batches(self, rows: int, start: int = 0) -> Iterator[Batch]:
        """The rows in their order, at most `rows` at a time, never none; the first has the number `start`.

        Raises
        ------
        ScoreError
            If the file cannot be read, has changed, or holds something else than real scores and names.
        """
        try:
            self._check_unchanged()
            for batch in self._read(rows):
                if batch.num_rows:
                    yield self._batch(batch, start)
                    start += batch.num_rows
            self._check_unchanged()
        except PerceptronTheoryError:
            raise
        except Exception as error:  # a damaged file may raise anything
            reason = " ".join(str(error).split())[:_SHOWN] or type(error).__name__
            raise ScoreError(
                f"{self.path} is not a readable {self.kind} ({reason}): it is cut short or damaged; write it again."
            ) from None

    def _read(self, rows: int) -> Iterator[pa.RecordBatch]:
        raise NotImplementedError

    def _check_unchanged(self) -> None:
        if not self.path.exists():
            raise ScoreError(
                f"{self.path} was there and is gone: select again when nothing is moved, from where every worker sees "
                "it under this name."
            )
        if stamp_of(self.path) != self.stamp:
            raise ScoreError(
                f"{self.path} was changed while it was being read: select again when nothing writes to it."
            )

    def _batch(self, batch: pa.RecordBatch, start: int) -> Batch:
        columns, numbers = self.columns, np.arange(start, start + batch.num_rows)
        ids, labels = (
            None if name is None else name_column(batch.column(name), self._where(name))
            for name in (columns.ids, columns.labels)
        )
        return Batch(score_column(batch.column(columns.scores), self._where(columns.scores)), numbers, ids, labels)

    def _where(self, name: str) -> str:
        return f"column {name!r} of {self.path}"


@dataclass(frozen=True)
class ParquetShard(Shard):
    """Some row groups of a Parquet file.

    Attributes
    ----------
    groups : tuple of int
        Which.
    kinds : tuple of str
        Types of ids and labels, if they are asked for.
    """

    groups: tuple[int, ...]
    kinds: tuple[str, ...]
    kind: ClassVar[str] = "parquet file"

    def _read(self, rows: int) -> Iterator[pa.RecordBatch]:
        names = [self.columns.scores, *filter(None, (self.columns.ids, self.columns.labels))]
        with self.path.open("rb") as file, pq.ParquetFile(file, page_checksum_verification=True) as table:
            # One thread: shards, not columns, are what is worked on at the same time.
            yield from table.iter_batches(rows, row_groups=self.groups, columns=names, use_threads=False)


@dataclass(frozen=True)
class CsvShard(Shard):
    """A CSV file. Ids and labels are text, but for columns of whole numbers.

    Attributes
    ----------
    whole : tuple of str
        Columns of names that hold whole numbers throughout, in all files of the table.
    """

    whole: tuple[str, ...] = ()
    kind: ClassVar[str] = "csv file"

    def _read(self, rows: int) -> Iterator[pa.RecordBatch]:
        columns = self.columns
        header, below = first_rows(self.path, 1)
        if not below:
            return
        # Columns are called by their positions: names may repeat among the others.
        types = {columns.scores: pa.float64()}
        types |= {name: pa.string() for name in (columns.ids, columns.labels) if name is not None}
        at = {name: str(header.index(name)) for name in types}
        with pa.OSFile(str(self.path)) as file:
            reader = _open_csv(file, len(header), {at[name]: type_ for name, type_ in types.items()})
            for block in reader:
                named = {
                    name: block.column(at[name]).cast(pa.int64() if name in self.whole else type_)
                    for name, type_ in types.items()
                }
                table = pa.RecordBatch.from_pydict(named)
                yield from (table.slice(first, rows) for first in range(0, table.num_rows, rows))


def _open_csv(file: pa.NativeFile, columns: int, types: dict[str, pa.DataType]) -> arrow_csv.CSVStreamingReader:
    """Reader of the rows below the header, a block at a time."""
    return arrow_csv.open_csv(
        file,
        arrow_csv.ReadOptions(use_threads=False, skip_rows=1, column_names=[str(at) for at in range(columns)]),
        arrow_csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        arrow_csv.ConvertOptions(include_columns=list(types), column_types=types),
    )


@dataclass(frozen=True)
class RawShard(Shard):
    """Bare numbers, without header, ids or labels.

    Attributes
    ----------
    dtype : str
        Type of the numbers.
    offset, count : int
        Bytes before the first number, and how many there are.
    """

    dtype: str
    offset: int
    count: int
    kind: ClassVar[str] = "file of bare numbers"

    def _read(self, rows: int) -> Iterator[pa.RecordBatch]:
        dtype = np.dtype(self.dtype)
        with self.path.open("rb") as file:
            file.seek(self.offset)
            for first in range(0, self.count, rows):
                values = np.fromfile(file, dtype, min(rows, self.count - first)).astype(dtype.newbyteorder("="))
                yield pa.RecordBatch.from_pydict({self.columns.scores: values})


def stamp_of(path: Path) -> Stamp:
    """Size of a file, and when it was last changed."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns
