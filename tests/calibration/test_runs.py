"""Tables of runs: read as they are, or refused with the row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import perceptron_theory as pt
from perceptron_theory.calibration.runs import Runs, read_runs

GOOD: dict[str, list[Any]] = {
    "n_total": [1000, 1000, 4000],
    "n_kept": [1000, 300, 400],
    "selection": ["random", "hard", "band:0.05"],
    "test_error": [0.1, 0.12, 0.2],
    "seed": [0, 0, 1],
}


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"runs{suffix}"
    table = pd.DataFrame(GOOD | {"metric": ["el2n"] * 3, "n_test": [10_000] * 3, "comment": ["x"] * 3})
    table.to_csv(path, index=False) if suffix == ".csv" else table.to_parquet(path)
    runs = read_runs(path)
    np.testing.assert_array_equal(runs.f, [1.0, 0.3, 0.1])
    np.testing.assert_array_equal(runs.test_error, GOOD["test_error"])
    assert runs.rules == [pt.Random(), pt.Hard(), pt.Band(0.05)]
    assert list(runs.table.columns) == [*GOOD, "n_test", "metric"]


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"test_error": [10.0, 12.0, 20.0]}, r"test_error must lie in \[0, 1\], got 10 in row 0 \(from 0; 3 of 3\)"),
        ({"test_error": [0.1, 12.0, 0.2]}, "got 12 in row 1 .*divide per cent by 100"),
        ({"test_error": [0.1, 1e-300, 0.0]}, "test_error must be 0 or at least 1e-15, got 1e-300 in row 1"),
        ({"test_error": [0.1, None, 0.2]}, "test_error must be a finite number, got .* in row 1"),
        ({"test_error": [0.1, "many", 0.2]}, "got 'many' in row 1"),
        ({"n_kept": [1000, 0.3, 400]}, "n_kept must be a whole number of at least 1, got 0.3 in row 1"),
        ({"n_total": [2.5, 1000, 4000]}, "n_total must be a whole number .* got 2.5 in row 0"),
        ({"n_kept": [1000, 1300, 400]}, "n_kept must be at most n_total, got 1300 of 1000 in row 1"),
        ({"selection": ["random", "hardest", "hard"]}, "unknown selection 'hardest' of a run: use hard, easy, random"),
        ({"selection": ["random", "band:x", "hard"]}, "unknown selection 'band:x'"),
        (
            {"n_total": [1000] * 3, "n_kept": [300] * 3, "selection": ["hard"] * 3, "seed": [0, 1, 1]},
            "got row 2 .from 0. twice",
        ),
    ],
)
def test_refused(change: dict[str, list[Any]], part: str) -> None:
    with pytest.raises(pt.InvalidInputError, match=part):
        Runs(pd.DataFrame(GOOD | change))


def test_missing_columns_and_rows() -> None:
    with pytest.raises(pt.InvalidInputError, match="test_error, seed missing, got n_total, n_kept, selection"):
        Runs(pd.DataFrame({name: GOOD[name] for name in list(GOOD)[:3]}))
    with pytest.raises(pt.InvalidInputError, match="runs must not be empty"):
        Runs(pd.DataFrame(GOOD).iloc[:0])


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(pt.InvalidInputError, match=r"read from \.csv and \.parquet"):
        read_runs(tmp_path / "runs.xlsx")
    with pytest.raises(pt.InvalidInputError, match="no such file"):
        read_runs(tmp_path / "runs.csv")
    (tmp_path / "runs.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(pt.InvalidInputError, match="not a readable parquet file"):
        read_runs(tmp_path / "runs.parquet")


def test_a_folder_that_looks_like_a_column_adds_none(tmp_path: Path) -> None:
    folder = tmp_path / "n_test=7"
    folder.mkdir()
    table = pd.DataFrame({"n_total": [100], "n_kept": [50], "selection": ["hard"], "test_error": [0.1], "seed": [0]})
    table.to_parquet(folder / "runs.parquet")
    assert list(read_runs(folder / "runs.parquet").table) == list(Runs(table).table)
