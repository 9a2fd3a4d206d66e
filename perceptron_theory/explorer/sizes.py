"""How large a file becomes when it is read, told before anything of it is decoded.

A file can be a thousand times smaller than what it holds: equal numbers take no room in an archive or a table, and a
tensor may repeat one number as often as it says. Every format declares its sizes; they are added up here, first of the
whole file (`check_file`), then of the scores in it (`check_scores`) or of the table of runs (`check_runs`).
"""

from __future__ import annotations

import io
import json
import math
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from perceptron_theory.errors import ScoreError
from perceptron_theory.explorer.saved import SavedTensor, saved
from perceptron_theory.scores.readers.numpy_files import MAGIC
from perceptron_theory.scores.readers.translation import translated

#: Scores of a file: ImageNet-1K has 1.28 million. The page needs about 150 bytes for each.
MOST_ROWS: Final = 2_000_000
#: Rows of a run table: a calibration of more would not end.
MOST_RUNS: Final = 20_000
#: Cells of a run table, all of which are read.
MOST_CELLS: Final = 2_000_000
#: Columns or keys among which one can still choose.
MOST_PARTS: Final = 1_000
#: Bytes of an archive, an array, a column or a table once unpacked.
MOST_UNPACKED: Final = 2**27
#: Bytes of a piece of a table, as far as it is decoded at once.
_PIECE: Final = 2**24
#: Bytes that describe the columns of a .parquet file; read, they take twenty times as much.
_MOST_FOOTER: Final = 2**22
#: Bytes within which the header of an array ends: numpy takes no longer ones.
_HEADER: Final = 2**14
#: Texts, in which nothing counts (the last may have no end), and what makes up an object.
_TOKEN: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{,]', re.DOTALL)


def check_file(name: str, suffix: str, content: bytes) -> None:
    r"""Refuse a file whose parts are too many, or too large together.

    Parameters
    ----------
    name : str
        What its sender calls it.
    suffix : str
        Its format.
    content : bytes
        The file.

    Raises
    ------
    ScoreError
        If it is so, or the file is damaged.

    Examples
    --------
    >>> check_file("el2n.csv", ".csv", b"el2n\r" + b"0.5\r" * 3_000_000)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    perceptron_theory.errors.ScoreError: el2n.csv has 3,000,000 rows, more than the 2,000,000 that this page takes: ...
    """
    with translated(Path(name), f"{suffix[1:]} file", "it is cut short or damaged; write it again"):
        _FILES[suffix](name, content)


def check_scores(name: str, suffix: str, content: bytes, part: str | None) -> None:
    """Refuse scores that are too many, in a file that passed `check_file`.

    Parameters
    ----------
    name, suffix, content
        As of `check_file`.
    part : str or None
        Column or key of the scores; None where there is one.

    Raises
    ------
    ScoreError
        If it is so, or a column is text.
    """
    if suffix in _SCORES:
        with translated(Path(name), f"{suffix[1:]} file", "it is cut short or damaged; write it again"):
            _SCORES[suffix](name, content, part)


def check_runs(name: str, suffix: str, content: bytes) -> None:
    """Refuse a table that is too large for one of runs, in a file that passed `check_file`.

    Parameters
    ----------
    name, suffix, content
        As of `check_file`.

    Raises
    ------
    ScoreError
        If it is so, or the file is damaged.
    """
    with translated(Path(name), f"{suffix[1:]} file", "it is cut short or damaged; write it again"):
        if suffix == ".csv":
            rows = _lines(content) - 1
            cells = content.count(b",") + rows
        else:
            metadata = _metadata(name, content)
            rows, cells = _rows(metadata), _rows(metadata) * metadata.num_columns
        _at_most(MOST_RUNS, rows, "rows", name)
        _at_most(MOST_CELLS, cells, "cells", name)
        if suffix == ".parquet":
            _check_text(name, content)


def _at_most(most: int, found: int, what: str, name: str) -> None:
    if found > most:
        raise ScoreError(
            f"{name} has {found:,} {what}, more than the {most:,} that this page takes: use the command line, or a "
            "sample."
        )


def _unpacked(size: int, name: str) -> None:
    if size > MOST_UNPACKED:
        raise ScoreError(
            f"{name} holds {size:,} bytes once unpacked, more than the {MOST_UNPACKED:,} that this page takes: use the "
            "command line, or a sample."
        )


def _lines(content: bytes) -> int:
    """Lines, whichever way they end."""
    ends = content.count(b"\n") + content.count(b"\r") - content.count(b"\r\n")
    return ends + (not content.endswith((b"\n", b"\r")))


def _check_csv(name: str, content: bytes) -> None:
    _at_most(MOST_ROWS, _lines(content) - 1, "rows", name)
    with io.TextIOWrapper(io.BytesIO(content), "latin-1") as file:
        for line in file:
            _at_most(MOST_PARTS, line.count(",") + 1, "columns", name)


def _check_json(name: str, content: bytes) -> None:
    """One object without others in it, as scores are written: nested ones take thirty times their bytes."""
    opened = entries = 0
    for token in _TOKEN.finditer(content):
        first = content[token.start()]
        opened += first in b"[{"
        entries += first in b","
        if opened > 1:
            raise ScoreError(f"{name} must hold one object {{id: score}} and no other in it: write it as one.")
        _at_most(MOST_ROWS, entries + 1, "scores", name)
    if not json.detect_encoding(content).startswith("utf-8"):
        raise ScoreError(f"{name} is not in UTF-8: write it again with json.dump.")


def _check_archive(name: str, content: bytes) -> None:
    _at_most(MOST_PARTS, content.count(b"PK\x01\x02"), "members", name)  # each entry of its list starts like this
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        _unpacked(sum(member.file_size for member in archive.infolist()), name)


def _check_npy(name: str, content: bytes) -> None:
    if content.startswith(MAGIC):
        _check_array(name, io.BytesIO(content))


def _check_member(name: str, content: bytes, part: str | None) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in archive.namelist():
            if part in (None, member, member.removesuffix(".npy")):
                with archive.open(member) as file:
                    start = io.BytesIO(file.read(_HEADER))
                if start.getvalue().startswith(MAGIC):
                    _check_array(name, start)


def _check_array(name: str, file: BinaryIO) -> None:
    """The header of an array: its shape, and the bytes of one element."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    _at_most(MOST_ROWS, math.prod(shape), "numbers", name)
    _unpacked(math.prod(shape) * dtype.itemsize, name)


def _metadata(name: str, content: bytes) -> Any:
    """What the end of a .parquet file says of its columns."""
    declared = int.from_bytes(content[-8:-4], "little")
    _at_most(_MOST_FOOTER, min(declared, len(content)), "bytes of metadata", name)
    return pq.read_metadata(pa.BufferReader(content))


def _groups(metadata: Any) -> list[Any]:
    return [metadata.row_group(i) for i in range(metadata.num_row_groups)]


def _rows(metadata: Any) -> int:
    return sum(group.num_rows for group in _groups(metadata))


def _check_parquet(name: str, content: bytes) -> None:
    metadata = _metadata(name, content)
    _at_most(MOST_PARTS, metadata.num_columns, "columns", name)
    _at_most(MOST_ROWS, _rows(metadata), "rows", name)


def _check_column(name: str, content: bytes, part: str | None) -> None:
    """Numbers have a width. A text may be repeated in each row, so it is not read to be refused."""
    metadata = _metadata(name, content)
    for field in metadata.schema.to_arrow_schema():
        if part in (None, field.name):
            kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
            if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
                raise ScoreError(
                    f"column {field.name!r} of {name} holds no numbers, but scores must be real numbers: choose "
                    "another column."
                )
    columns = [group.column(i) for group in _groups(metadata) for i in range(metadata.num_columns)]
    _unpacked(sum(one.total_uncompressed_size for one in columns if part in (None, one.path_in_schema)), name)


def _check_text(name: str, content: bytes) -> None:
    """Decode a table of runs in small pieces, none of which is kept: what its texts take together shows only then."""
    with pq.ParquetFile(pa.BufferReader(content)) as table:
        metadata = table.metadata
        if any(table.schema.column(i).max_repetition_level > 0 for i in range(metadata.num_columns)):
            raise ScoreError(f"{name} has cells that are lists, and a table of runs has none: drop these columns.")
        declared = sum(group.total_byte_size for group in _groups(metadata))
        _unpacked(declared, name)
        taken = 0
        # A row takes at most what all texts of the table take once.
        for batch in table.iter_batches(max(1, _PIECE // max(declared, 1)), use_threads=False):
            taken += batch.nbytes
            _unpacked(taken, name)


def _check_saved(name: str, content: bytes) -> None:
    _check_archive(name, content)
    saved(name, content)


def _check_tensor(name: str, content: bytes, part: str | None) -> None:
    """A tensor, or a list without others in it."""
    held = saved(name, content)
    values = list(held.values()) if isinstance(held, dict) and part is None else [held]
    if isinstance(held, dict) and part is not None:
        values = [held.get(part)]
    for value in values:
        if isinstance(value, SavedTensor):
            _at_most(MOST_ROWS, math.prod(value.shape), "numbers", name)
        elif isinstance(value, list | tuple):
            _at_most(MOST_ROWS, len(value), "numbers", name)
            if any(isinstance(one, list | tuple | dict | str | SavedTensor) for one in value):
                raise ScoreError(f"{name} holds a list of more than numbers: save a tensor of scores.")


_FILES: Final[dict[str, Callable[[str, bytes], None]]] = {
    ".npy": _check_npy,
    ".npz": _check_archive,
    ".csv": _check_csv,
    ".json": _check_json,
    ".parquet": _check_parquet,
    ".pt": _check_saved,
    ".pth": _check_saved,
}
_SCORES: Final[dict[str, Callable[[str, bytes, str | None], None]]] = {
    ".npz": _check_member,
    ".parquet": _check_column,
    ".pt": _check_tensor,
    ".pth": _check_tensor,
}
