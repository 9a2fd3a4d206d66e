"""Whole numbers that float64 cannot tell apart are refused, wherever they come from: rounded, they would be tied."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import perceptron_theory as pt

#: float64 holds the first, and rounds the second to it.
HELD, ROUNDED = 2**53, 2**53 + 1


def test_float64_ties_them() -> None:
    assert float(HELD) == float(ROUNDED)


Write = Callable[[list[Any], Path], None]


def numbers(values: list[Any], path: Path) -> None:
    np.save(path, np.array(values))


def lines(values: list[Any], path: Path) -> None:
    path.write_text("el2n\n" + "".join(f"{value}\n" for value in values))


def one_object(values: list[Any], path: Path) -> None:
    path.write_text(json.dumps({str(at): value for at, value in enumerate(values)}))


def table(values: list[Any], path: Path) -> None:
    pq.write_table(pa.table({"el2n": values}), path)


def two_tables(values: list[Any], path: Path) -> None:
    """The second in floats, so that both together would be floats."""
    path.mkdir()
    table(values, path / "a.parquet")
    table([0.5, 0.25], path / "b.parquet")


def saved_list(values: list[Any], path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.save({"el2n": values}, path)


def saved_tensor(values: list[Any], path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.save(torch.tensor(values), path)


WHOLE = [5, HELD, 7]
MIXED = [0.5, HELD, 7]
FILES: list[tuple[str, Write, list[Any]]] = [
    ("s.npy", numbers, WHOLE),
    ("s.csv", lines, WHOLE),
    ("s.csv", lines, MIXED),
    ("s.json", one_object, WHOLE),
    ("s.json", one_object, MIXED),
    ("s.parquet", table, WHOLE),
    ("folder", two_tables, WHOLE),
    ("s.pt", saved_list, WHOLE),
    ("s.pt", saved_list, MIXED),
    ("s.pt", saved_tensor, WHOLE),
]
STREAMED = [case for case in FILES if case[0] in ("s.npy", "s.csv", "s.parquet", "folder")]


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("name", "write", "values"), FILES)
def test_read(tmp_path: Path, name: str, write: Write, values: list[Any], sign: int) -> None:
    write([sign * value for value in values], tmp_path / name)
    assert sign * HELD in pt.read_scores(tmp_path / name, higher_is="harder").values
    damaged = tmp_path / f"rounded-{name}"
    write([sign * value for value in [*values, ROUNDED]], damaged)
    with pytest.raises(pt.ScoreError, match=rf"beyond 2\^53 would be rounded .* got {sign * ROUNDED} in .*rescale"):
        pt.read_scores(damaged, higher_is="harder")


@pytest.mark.parametrize(("name", "write", "values"), STREAMED)
def test_streamed(tmp_path: Path, name: str, write: Write, values: list[Any]) -> None:
    def selected(path: Path) -> int:
        return pt.select_stream(path, 0.5, higher_is="harder", score="el2n", out=tmp_path / "out").n

    write(values, tmp_path / name)
    assert selected(tmp_path / name) >= len(values)
    write([*values, ROUNDED], tmp_path / f"rounded-{name}")
    with pytest.raises(pt.ScoreError, match=rf"beyond 2\^53 would be rounded .* got {ROUNDED} in .*rescale"):
        selected(tmp_path / f"rounded-{name}")


@pytest.mark.parametrize(
    "values", [[HELD, ROUNDED], (0.5, ROUNDED), [np.int64(ROUNDED), 0.5], np.array([1, -ROUNDED]), [2**64, 1, -1]]
)
def test_lists_and_arrays(values: Any) -> None:
    with pytest.raises(pt.ScoreError, match=r"beyond 2\^53 would be rounded"):
        pt.Scores(values, "harder")


def test_large_floats_are_scores(tmp_path: Path) -> None:
    """A number with a point or an exponent is given to as many digits as it has; so large a one is no mistake."""
    lines(["1e20", "3.5e300", "0.5", "9007199254740993.5"], tmp_path / "s.csv")
    assert pt.read_scores(tmp_path / "s.csv", higher_is="harder").values.max() == 3.5e300
    found = pt.select_stream(tmp_path / "s.csv", 0.5, higher_is="harder", score="el2n", out=tmp_path / "out")
    assert found.n == 4


def test_ids_may_be_larger(tmp_path: Path) -> None:
    """Names are compared as whole numbers."""
    scores = pt.Scores(np.array([0.1, 0.2]), "harder", ids=np.array([ROUNDED, HELD]))
    assert scores.ids is not None
    assert scores.ids.tolist() == [ROUNDED, HELD]
