"""Folders of score files hold more than data: what is hidden or put aside below them is no row of the table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import perceptron_theory as pt

IntArray = npt.NDArray[np.int64]


def write(path: Path, scores: npt.NDArray[np.float64]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"el2n": scores}), path)


def all_read(path: Path, out: Path) -> int:
    """Rows that `read_scores` finds."""
    return pt.read_scores(path, higher_is="harder", column="el2n").n


def all_streamed(path: Path, out: Path) -> int:
    """Rows that `select_stream` finds."""
    return pt.select_stream(path, 0.5, higher_is="harder", score="el2n", out=out).n


BOTH = pytest.mark.parametrize("rows", [all_read, all_streamed])
Rows = Callable[[Path, Path], int]


@BOTH
@pytest.mark.parametrize("pattern", ["", "*.parquet", "**/*.parquet"])
@pytest.mark.parametrize(
    "beside",
    [
        "_temporary/0/part-1.parquet",
        "_delta_log/00000000000000000010.checkpoint.parquet",
        ".ipynb_checkpoints/part-0-checkpoint.parquet",
        "train/_change_data/part-0.parquet",
        "_metadata.parquet",
    ],
)
def test_what_is_hidden_or_put_aside_is_no_data(tmp_path: Path, beside: str, pattern: str, rows: Rows) -> None:
    folder = tmp_path / "scores"
    write(folder / "part-0.parquet", np.linspace(0.0, 1.0, 100))
    write(folder / beside, np.linspace(0.0, 1.0, 50))
    assert rows(folder / pattern if pattern else folder, tmp_path / "out") == 100


@BOTH
@pytest.mark.parametrize("asked", ["_mine/.kept", "_mine/.kept/*.parquet", "_mine/.kept/_a.parquet"])
def test_what_was_asked_for_by_name_is_read(tmp_path: Path, asked: str, rows: Rows) -> None:
    """Only names below what was given say that something is no data."""
    write(tmp_path / "_mine/.kept" / ("_a.parquet" if asked.endswith("_a.parquet") else "a.parquet"), np.arange(6.0))
    assert rows(tmp_path / asked, tmp_path / "out") == 6


@BOTH
def test_partitions_are_data_whatever_the_column_is_called(tmp_path: Path, rows: Rows) -> None:
    write(tmp_path / "s/_class=0/part-0.parquet", np.arange(6.0))
    write(tmp_path / "s/_class=1/part-0.parquet", np.arange(5.0))
    assert rows(tmp_path / "s", tmp_path / "out") == 11


@BOTH
@pytest.mark.parametrize("pattern", ["", "*.parquet", "**/*.parquet"])
def test_a_folder_under_the_suffix_of_a_file(tmp_path: Path, pattern: str, rows: Rows) -> None:
    """Spark names its folders so; each of their files counts once."""
    folder = tmp_path / "scores"
    write(folder / "a.parquet", np.arange(6.0))
    write(folder / "b.parquet/part-0.parquet", np.arange(5.0))
    write(folder / "b.parquet/_temporary/part-1.parquet", np.arange(4.0))
    assert rows(folder / pattern if pattern else folder, tmp_path / "out") == 11
