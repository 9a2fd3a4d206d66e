"""Tables larger than memory: the files that make one, as shards."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from perceptron_theory.errors import ScoreError
from perceptron_theory.keeplists.streaming.batches import name_column, score_column
from perceptron_theory.keeplists.streaming.shards import CsvShard, ParquetShard, RawShard, Shard, stamp_of
from perceptron_theory.scores.readers.csv_files import first_rows
from perceptron_theory.scores.readers.folders import files_below
from perceptron_theory.scores.readers.request import Parts, Request
from perceptron_theory.scores.readers.translation import translated

#: Rows in a shard, about.
SHARD_ROWS: Final = 2**22

_SUFFIXES: Final = (".parquet", ".csv", ".npy")
_DAMAGED: Final = "it is cut short or damaged; write it again"


@dataclass(frozen=True)
class RawScores:
    """A file of bare numbers, as numpy.memmap and SemDeDup write them.

    Parameters
    ----------
    path : path
        Where it lies.
    dtype : str
        Type of the numbers, such as "float32" or ">f8".
    offset : int
        Bytes before the first number, >= 0.

    Examples
    --------
    >>> RawScores("distances.bin", "float32").offset
    0
    """

    path: str | Path
    dtype: str
    offset: int = 0


Source = str | Path | Sequence[str | Path] | RawScores


def open_table(source: Source, score: str, ids: str | None = None, labels: str | None = None) -> tuple[Shard, ...]:
    """Shards of a table, in the order of its rows; no row is read yet.

    Parameters
    ----------
    source : path, sequence of paths, or RawScores
        Files in the order of their rows: .parquet, .csv with a header row, .npy; folders, searched to their depths,
        and globs stand for their files in the order of their paths; see `files_below`. All of one format.
    score, ids, labels : str
        Names of the columns. Numbers without a table have none: there `score` is not looked at.

    Returns
    -------
    tuple of Shard
        Perhaps none.

    Raises
    ------
    ScoreError
        If there is no such file, one cannot be read or lacks a column, or a column has the wrong type.

    Examples
    --------
    >>> import os, tempfile, numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "el2n.npy")
    ...     np.save(path, np.linspace(0.0, 1.0, 5))
    ...     [batch.scores.size for shard in open_table(path, "score") for batch in shard.batches(2)]
    [2, 2, 1]
    """
    if isinstance(source, RawScores):
        _refuse_names(Path(source.path), ids, labels)
        return tuple(_raw_shards(source, Parts(score, ids, labels)))
    files = _files([source] if isinstance(source, str | Path) else list(source))
    suffixes = sorted({file.suffix.lower() for file in files})
    if len(suffixes) > 1:
        raise ScoreError(f"{source} holds {' and '.join(suffixes)} files: name those of one format with a glob.")
    shards_of = {".parquet": _parquet_shards, ".csv": _csv_shards, ".npy": _npy_shards}[suffixes[0]]
    shards = tuple(shard for file in files for shard in shards_of(Request(file, score, ids, labels)))
    _check_same_kinds([shard for shard in shards if isinstance(shard, ParquetShard)])
    return shards


def _check_same_kinds(shards: Sequence[ParquetShard]) -> None:
    for shard in shards:
        if shard.kinds != shards[0].kinds:
            one, other = (f"{', '.join(each.kinds)} in {each.path}" for each in (shards[0], shard))
            raise ScoreError(f"ids and labels must be of one type in all files, got {one} and {other}: convert them.")


def _files(paths: Sequence[str | Path]) -> list[Path]:
    """What files, folders and globs stand for."""
    files = []
    for path in map(Path, paths):
        if os.path.isfile(path):  # unlike path.is_file() false, and no error, for a name too long
            if path.suffix.lower() not in _SUFFIXES:
                raise ScoreError(
                    f"unknown format {path.suffix!r} of {path}: use {', '.join(_SUFFIXES)}, or "
                    "RawScores(path, dtype) for bare numbers."
                )
            files.append(path)
            continue
        if not (parts := files_below(path, _SUFFIXES)):
            raise ScoreError(f"no such file, or no {', '.join(_SUFFIXES)} file in it: {path}: check the path.")
        files.extend(parts)
    if not files:
        raise ScoreError("no files: name one at least.")
    return files


def _parquet_shards(request: Request) -> Iterator[Shard]:
    """Row groups of a file, so many that shards are neither small nor larger than need be."""
    path = request.path
    with translated(path, "parquet file", _DAMAGED), path.open("rb") as file, pq.ParquetFile(file) as table:
        stamp, schema = stamp_of(path), table.schema_arrow
        columns = request.parts(list(schema.names), "column")
        rows = [table.metadata.row_group(group).num_rows for group in range(table.num_row_groups)]
    if not any(rows):
        return
    kinds = _kinds(path, columns, schema)
    first, gathered = 0, 0
    for group, count in enumerate(rows):
        gathered += count
        if gathered >= SHARD_ROWS or group == len(rows) - 1:
            yield ParquetShard(path, stamp, columns, tuple(range(first, group + 1)), kinds)
            first, gathered = group + 1, 0


def _kinds(path: Path, columns: Parts, schema: pa.Schema) -> tuple[str, ...]:
    """What ids and labels are; wrong types are refused before the work, not in its middle."""
    empty = {name: pa.nulls(0, schema.field(name).type) for name in schema.names}
    score_column(empty[columns.scores], f"column {columns.scores!r} of {path}")
    names = filter(None, (columns.ids, columns.labels))
    return tuple(str(name_column(empty[name], f"column {name!r} of {path}").type) for name in names)


def _csv_shards(request: Request) -> Iterator[Shard]:
    """A file as a whole: where its rows start is only known from reading it."""
    with translated(request.path, "csv file", "it needs a header row, commas between columns, and UTF-8"):
        columns = request.parts(first_rows(request.path, 0)[0], "column")
    yield CsvShard(request.path, stamp_of(request.path), columns)


def _npy_shards(request: Request) -> Iterator[Shard]:
    """A vector, read like bare numbers behind its header."""
    path = request.path
    _refuse_names(path, request.ids, request.labels)
    with translated(path, "numpy file", _DAMAGED), path.open("rb") as file:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
        offset = file.tell()
    if len(shape) != 1:
        raise ScoreError(f"scores must be a vector, one per example, got shape {shape} in {path}: select one column.")
    yield from _raw_shards(RawScores(path, dtype.str, offset), Parts(request.part or "score", None, None))


def _raw_shards(raw: RawScores, columns: Parts) -> Iterator[Shard]:
    path = Path(raw.path)
    with translated(path, "file of bare numbers", "check the path and the dtype"):
        dtype, stamp = np.dtype(raw.dtype), stamp_of(path)
    if dtype.kind not in "fiub":
        raise ScoreError(f"dtype must be a type of real numbers, got {raw.dtype!r}: give 'float32', for example.")
    if not (isinstance(raw.offset, int) and 0 <= raw.offset <= stamp[0]):
        raise ScoreError(f"offset must lie in [0, {stamp[0]}], the size of {path}, got {raw.offset!r}: count bytes.")
    count, rest = divmod(stamp[0] - raw.offset, dtype.itemsize)
    if rest:
        raise ScoreError(
            f"{path} has {stamp[0] - raw.offset:,} bytes of numbers, not a whole number of {dtype.name} "
            f"({dtype.itemsize} bytes each): it is cut short, or dtype or offset is another."
        )
    for first in range(0, count, SHARD_ROWS):
        at = raw.offset + first * dtype.itemsize
        yield RawShard(path, stamp, columns, dtype.str, at, min(SHARD_ROWS, count - first))


def _refuse_names(path: Path, ids: str | None, labels: str | None) -> None:
    for name, value in (("ids", ids), ("labels", labels)):
        if value is not None:
            raise ScoreError(f"{name}={value!r} is for tables, got {path} with bare numbers: leave it out.")
