"""The published ImageNet files: known by name, columns by what they hold."""

from __future__ import annotations

import csv
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from published_files import write_published

import perceptron_theory as pt
from perceptron_theory.scores.published import PUBLISHED_METRICS, sniff_columns


@pytest.mark.parametrize("header", [",image,score", "idx,0,1", "index,filename,DDD"])
def test_nothing_need_be_said(tmp_path: Path, header: str) -> None:
    scores = pt.read_scores(write_published(tmp_path, rows=2_000, header=header))
    assert (scores.higher_is, scores.metric, scores.n) == ("keep", "DDD", 2_000)
    assert scores.ids is not None
    assert scores.ids[1999].endswith("_1999.JPEG")
    assert "(2,000 rows, ImageNet-1K has 1,281,167)" in scores.source
    assert pt.read_scores(tmp_path / "ImageNet-1K_DDD.csv", higher_is="keep", metric="mine").metric == "mine"


def test_other_directions_and_other_metrics(tmp_path: Path) -> None:
    path = write_published(tmp_path, rows=10)
    wrong: Literal["easier", "harder"]
    for wrong in ("easier", "harder"):
        with pytest.raises(pt.ScoreError, match="a high score says keep"):
            pt.read_scores(path, higher_is=wrong)
    with pytest.raises(pt.ScoreError, match="never guessed"):
        pt.read_scores(path.rename(tmp_path / "ImageNet-1K_mine.csv"))
    assert len(PUBLISHED_METRICS) == 15


ROWS = [[str(k), f"n{k}.JPEG", score] for k, score in enumerate(["0.5", "-1e-3", "2", "0.25"])]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_columns_in_any_order(order: tuple[int, ...]) -> None:
    names = [["index", "name", "score"][at] for at in order]
    assert sniff_columns(Path("x"), names, [[row[at] for at in order] for row in ROWS]) == ("score", "name")


def test_columns_of_binary_scores_labels_and_a_broken_row() -> None:
    rows = [[str(k), f"n{k}.JPEG", str(k % 2), "cat"] for k in range(8)]
    assert sniff_columns(Path("x"), ["i", "name", "kept", "class"], [*rows, ["8", "n8.JPEG"]]) == ("kept", "name")
    labelled = [[*row, str(k % 2)] for k, row in enumerate(ROWS)]
    assert sniff_columns(Path("x"), ["i", "name", "score", "label"], labelled) == ("score", "name")


@pytest.mark.parametrize(
    ("rows", "part"),
    [
        ([[*row, row[2]] for row in ROWS], "'c', 'd' could be a score"),
        ([[row[0], row[0], row[2]] for row in ROWS], "no column could be a name"),
        ([[row[0], row[1], row[0]] for row in ROWS], "no column could be a score"),
        ([], "no column could be a name"),
    ],
)
def test_doubtful_columns_are_not_guessed(rows: list[list[str]], part: str) -> None:
    with pytest.raises(pt.ScoreError, match=part):
        sniff_columns(Path("x"), ["a", "b", "c", "d"][: len(rows[0]) if rows else 3], rows)


def test_columns_by_name(tmp_path: Path) -> None:
    path = tmp_path / "ImageNet-1K_forgetting.csv"
    path.write_text("i,name,a,b\n0,x,0.5,1.5\n1,y,0.25,2.5\n", encoding="utf-8")
    with pytest.raises(pt.ScoreError, match="'a', 'b' could be a score"):
        pt.read_scores(path)
    scores = pt.read_scores(path, column="b", ids="name")
    assert scores.values.tolist() == [1.5, 2.5]


@pytest.mark.parametrize("broken", ["3,n3.JPEG", "3,n3.JPEG,0,5", "3,n3.JPEG,0.5x", "3,n3.JPEG,", '3,"n3.JPEG,0.5', ""])
def test_broken_line_is_named(tmp_path: Path, broken: str) -> None:
    path = write_published(tmp_path, rows=2_000)
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[1_500] = broken
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(pt.ScoreError, match=r"line 1501 of .*ImageNet-1K_DDD\.csv"):
        pt.read_scores(path)


MEASURE = """
import resource, sys, perceptron_theory as pt
scores = pt.read_scores(sys.argv[1])
print(scores.n, len(scores.ids), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def split_into_fields(path: Path) -> int:
    """Rows of the file: the least that reading one can be."""
    with path.open(encoding="utf-8", newline="") as file:
        return sum(1 for _ in csv.reader(file))


def processor_seconds(call: Callable[[Path], object], path: Path) -> float:
    """Of this process, which other ones do not lengthen."""
    start = time.process_time()
    call(path)
    return time.process_time() - start


@pytest.mark.slow
def test_full_size(tmp_path: Path) -> None:
    path = write_published(tmp_path)
    out = subprocess.run([sys.executable, "-c", MEASURE, str(path)], check=True, capture_output=True, text=True).stdout
    n, n_ids, peak = map(int, out.split())
    assert n == n_ids == 1_281_167
    # Whole columns are parsed (measured: 1.3 to 2.2 times); Python's steps per row would cost as much again each.
    assert processor_seconds(pt.read_scores, path) < 4 * processor_seconds(split_into_fields, path)
    assert peak < 1.5 * 2**20  # KiB; measured: 0.6 GiB
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[1_000_000] = lines[1_000_000].replace(",", ";")
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(pt.ScoreError, match="line 1000001 of"):
        pt.read_scores(path)


def test_random_scores_keep_their_order(tmp_path: Path) -> None:
    path = write_published(tmp_path, "random-100", rows=500)
    written = [float(line.split(",")[2]) for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    np.testing.assert_array_equal(pt.read_scores(path).values, written)
