"""Which columns or keys a score file offers, read without reading the scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from perceptron_theory.explorer.saved import saved
from perceptron_theory.scores.readers.csv_files import first_rows
from perceptron_theory.scores.readers.translation import translated


def offered(path: Path) -> list[str]:
    """Names among which scores have to be chosen, in the order of the file; none where there is one set of scores.

    Parameters
    ----------
    path : Path
        A file with a suffix that `read_scores` knows, which passed `check_file`.

    Raises
    ------
    ScoreError
        If it is damaged.
    """
    suffix = path.suffix.lower()
    if suffix == ".npz":
        return _keys(path)
    if suffix == ".csv":
        with translated(path, "csv file", "it needs a header row, commas between columns, and UTF-8"):
            return first_rows(path, 0)[0]
    if suffix == ".parquet":
        return _columns(path)
    if suffix in (".pt", ".pth"):
        held = saved(str(path), path.read_bytes())
        return [name for name in held if isinstance(name, str)] if isinstance(held, dict) else []
    return []


def _keys(path: Path) -> list[str]:
    with (
        translated(path, "numpy file", "write it again with numpy.savez"),
        path.open("rb") as file,
        np.load(file, allow_pickle=False) as archive,
    ):
        return [str(name) for name in archive.files]


def _columns(path: Path) -> list[str]:
    with (
        translated(path, "parquet file", "it is cut short or damaged; write it again"),
        path.open("rb") as file,
        pq.ParquetFile(file) as table,
    ):
        return list(table.schema_arrow.names)
