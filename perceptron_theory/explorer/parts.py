"""Which columns or keys a score file offers, read without reading the scores."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow.parquet as pq

from perceptron_theory.errors import ScoreError
from perceptron_theory.scores.readers.csv_files import first_rows
from perceptron_theory.scores.readers.translation import translated

#: A file may not grow beyond these when it is unpacked: an archive of zeros is tiny.
MOST_UNPACKED: Final = 2**30
MOST_ROWS: Final = 10_000_000


def offered(path: Path) -> list[str]:
    """Names among which scores have to be chosen, in the order of the file; none where there is one set of scores.

    Parameters
    ----------
    path : Path
        A file with a suffix that `read_scores` knows.

    Raises
    ------
    ScoreError
        If it is damaged, or too large once unpacked.
    """
    suffix = path.suffix.lower()
    if suffix == ".npz":
        return _keys(path)
    if suffix == ".csv":
        with translated(path, "csv file", "it needs a header row, commas between columns, and UTF-8"):
            return first_rows(path, 0)[0]
    if suffix == ".parquet":
        check_rows(path, MOST_ROWS)
        return _columns(path)
    if suffix in (".pt", ".pth"):
        return _saved(path)
    return []


def _keys(path: Path) -> list[str]:
    with translated(path, "numpy file", "write it again with numpy.savez"), path.open("rb") as file:
        check_unpacked(path)
        with np.load(file, allow_pickle=False) as archive:
            return [str(name) for name in archive.files]


def _columns(path: Path) -> list[str]:
    with (
        translated(path, "parquet file", "it is cut short or damaged; write it again"),
        path.open("rb") as file,
        pq.ParquetFile(file) as table,
    ):
        return list(table.schema_arrow.names)


def check_rows(path: Path, most: int) -> None:
    """Refuse a table with more rows than can be used: a column of equal cells is tiny until it is read.

    Raises
    ------
    ScoreError
        If a table has more, or is damaged.
    """
    with translated(path, f"{path.suffix[1:]} file", "it is cut short or damaged; write it again"):
        if path.suffix.lower() == ".parquet":
            rows = int(pq.read_metadata(path).num_rows)
        else:
            rows = path.read_bytes().count(b"\n")
    if rows > most:
        raise ScoreError(
            f"{path} has {rows:,} rows, more than the {most:,} that this page takes: use the command line, or a sample."
        )


def _saved(path: Path) -> list[str]:
    """Keys of a saved dict; none where the file cannot be loaded, since `read_scores` says why."""
    if zipfile.is_zipfile(path):
        check_unpacked(path)
    try:
        import torch

        with warnings.catch_warnings(), path.open("rb") as file:
            warnings.simplefilter("ignore")
            saved = torch.load(file, map_location="cpu", weights_only=True)
    except Exception:  # torch raises what unpickling a damaged file meets; no torch ends here too
        return []
    return [name for name in saved if isinstance(name, str)] if isinstance(saved, dict) else []


def check_unpacked(path: Path) -> None:
    """Refuse an archive that is small only while it is packed.

    Raises
    ------
    ScoreError
        If its members are too large together.
    """
    with translated(path, "archive", "write it again"), zipfile.ZipFile(path) as archive:
        size = sum(member.file_size for member in archive.infolist())
    if size > MOST_UNPACKED:
        raise ScoreError(
            f"{path} holds {size:,} bytes once unpacked, more than the {MOST_UNPACKED:,} that this page takes: use the "
            "command line, or a sample."
        )
