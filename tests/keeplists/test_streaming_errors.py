"""What cannot be selected from is refused in one line that says what to do, and nothing is left half-written."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import perceptron_theory as pt
from perceptron_theory.keeplists.streaming import surveys
from perceptron_theory.keeplists.streaming.readings import Table
from perceptron_theory.keeplists.streaming.selection import select_stream
from perceptron_theory.keeplists.streaming.tables import RawScores, open_table

N = 300


def table(**changes: Any) -> pa.Table:
    columns = {"score": np.linspace(0.0, 1.0, N), "id": np.arange(N), "label": np.arange(N) % 3} | changes
    return pa.table(columns)


def with_value(value: float, *places: int) -> np.ndarray:
    values = np.linspace(0.0, 1.0, N)
    values[list(places)] = value
    return values


def call(source: Any, out: Path, **options: Any) -> None:
    given: dict[str, Any] = {"f": 0.3, "higher_is": "harder", "ids": "id", "labels": "label", "out": out} | options
    select_stream(source, **given)


def refused(error: type[Exception], parts: list[str], source: Any, out: Path, **options: Any) -> None:
    """In one line, and `out` holds what it held."""
    before = {path: path.read_bytes() for path in out.rglob("*")} if out.is_dir() else {}
    with pytest.raises(error) as caught:
        call(source, out, **options)
    message = str(caught.value)
    assert "\n" not in message
    for part in parts:
        assert part in message
    if out.is_dir():
        assert {path: path.read_bytes() for path in out.rglob("*")} == before


BAD_TABLES: list[tuple[dict[str, Any], list[str]]] = [
    ({"score": with_value(np.nan, 250, 7, 299)}, ["got nan in row 7 (3 of 300 are not)", "impute"]),
    ({"score": with_value(-np.inf, 299)}, ["got -inf in row 299 (1 of 300", "finite"]),
    ({"score": pa.array([None, *range(1, N)])}, ["got nan in row 0 (1 of 300"]),
    ({"score": np.full(N, 2.5)}, ["all 300 scores equal 2.5", "tell examples apart"]),
    ({"score": np.arange(N) + 2**53}, ["2^53", "column 'score'", "rescale"]),
    ({"score": np.arange(N).astype(str)}, ["real numbers, got string in column 'score'", "another column"]),
    ({"id": np.arange(N) / 2.0}, ["all integers or all strings, got double in column 'id'"]),
    ({"id": pa.array([None, *range(1, N)])}, ["column 'id'", "without a value", "fill them in"]),
    ({"id": np.arange(N).astype(np.uint64) + np.uint64(2**63)}, ["below 2^63", "column 'id'", "as strings"]),
    ({"label": np.arange(N) % 2 == 0}, ["got bool in column 'label'"]),
    ({"label": pa.array(["a", None] * (N // 2))}, ["column 'label'", "without a value"]),
]


@pytest.mark.parametrize(("changes", "parts"), BAD_TABLES)
def test_unusable_columns(changes: dict[str, Any], parts: list[str], tmp_path: Path) -> None:
    pq.write_table(table(**changes), tmp_path / "table.parquet", row_group_size=100)
    (tmp_path / "out").mkdir()
    refused(pt.ScoreError, parts, tmp_path / "table.parquet", tmp_path / "out", batch_rows=64)


def test_wrong_rows_are_counted_over_all_files(tmp_path: Path) -> None:
    for file in range(3):
        pq.write_table(table(score=with_value(np.nan, 5)), tmp_path / f"{file}.parquet")
    refused(pt.ScoreError, ["in row 5 (3 of 900 are not)"], tmp_path, tmp_path / "out")


BAD_CALLS: list[tuple[type[Exception], dict[str, Any], list[str]]] = [
    (pt.ScoreError, {"score": "el2n"}, ["unknown column 'el2n'", "score, id, label"]),
    (pt.ScoreError, {"ids": "uid"}, ["unknown column 'uid'", "score, id, label"]),
    (pt.ScoreError, {"labels": "class"}, ["unknown column 'class'"]),
    (pt.ScoreError, {"higher_is": "hard"}, ["higher_is must be one of", "'hard'", "never guessed"]),
    (pt.InvalidInputError, {"f": 1.5}, ["f must lie in (0, 1], got 1.5"]),
    (pt.InvalidInputError, {"f": 0}, ["f must lie in (0, 1], got 0"]),
    (pt.InvalidInputError, {"mode": "hardest"}, ["unknown mode 'hardest'", "'hard'"]),
    (pt.InvalidInputError, {"mode": pt.Band(0.8)}, ["f must be at most 0.2", "lower"]),
    (pt.InvalidInputError, {"class_floor": -0.1}, ["class_floor must lie in [0, 1], got -0.1"]),
    (pt.InvalidInputError, {"class_floor": 0.5, "labels": None}, ["class_floor=0.5 needs the class", "leave it out"]),
    (pt.InvalidInputError, {"class_floor": 0.5, "mode": pt.Band(0.1)}, ["a band", "in memory", "select"]),
    (pt.InvalidInputError, {"class_floor": 0.5, "random_share": 0.1}, ["a random share", "in memory", "select"]),
    (pt.InvalidInputError, {"random_share": 1.1}, ["random_share must lie in [0, 1], got 1.1"]),
    (pt.InvalidInputError, {"seed": -1}, ["seed must be a whole number", "-1"]),
    (pt.InvalidInputError, {"batch_rows": 0}, ["batch_rows must be a whole number of at least 1, got 0"]),
    (pt.InvalidInputError, {"executor": "dask"}, ["concurrent.futures.Executor, got str", "client.get_executor()"]),
    (pt.InvalidInputError, {"theory": {"theta": np.nan}}, ["theory['theta']", "finite"]),
]


@pytest.mark.parametrize(("error", "options", "parts"), BAD_CALLS)
def test_bad_calls(error: type[Exception], options: dict[str, Any], parts: list[str], tmp_path: Path) -> None:
    pq.write_table(table(), tmp_path / "table.parquet")
    refused(error, parts, tmp_path / "table.parquet", tmp_path / "out", **options)


def test_policies_need_the_whole_table(tmp_path: Path) -> None:
    pq.write_table(table(), tmp_path / "table.parquet")
    policy = pt.optimal_policy(alpha_tot=8.0, f=0.3, theta=0.2)
    refused(pt.InvalidInputError, ["policy", "select"], tmp_path / "table.parquet", tmp_path / "out", mode=policy)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-500])


def no_table(path: Path) -> None:
    path.write_bytes(b"scores")


def scrambled(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[200:1200] = os.urandom(1000)
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [cut_short, no_table, scrambled])
def test_damaged_files(damage: Callable[[Path], None], tmp_path: Path) -> None:
    """Also where only a checksum of the pages tells."""
    pq.write_table(table(), tmp_path / "table.parquet", compression="none", write_page_checksum=True)
    damage(tmp_path / "table.parquet")
    parts = ["table.parquet is not a readable parquet file", "write it again"]
    refused(pt.ScoreError, parts, tmp_path / "table.parquet", tmp_path / "out")


def grown(path: Path) -> None:
    pq.write_table(pa.concat_tables([table(), table()]), path)


def touched(path: Path) -> None:
    os.utime(path, ns=(1, 1))


@pytest.mark.parametrize("change", [Path.unlink, grown, touched])
@pytest.mark.parametrize("reading", ["counting", "searching, reading 1", "writing"])
def test_files_must_stay_as_they_are(
    change: Callable[[Path], None], reading: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between and during readings; files of an earlier selection stay too."""
    pq.write_table(table(), tmp_path / "table.parquet")
    call(tmp_path / "table.parquet", tmp_path / "out")
    each = Table.each

    def changed(self: Table, function: Any, jobs: Any, what: str) -> Any:
        if what == reading:
            change(tmp_path / "table.parquet")
        return each(self, function, jobs, what)

    monkeypatch.setattr(Table, "each", changed)
    refused(pt.ScoreError, ["table.parquet was", "select again"], tmp_path / "table.parquet", tmp_path / "out", f=0.1)


def test_a_change_in_the_middle_of_a_reading_is_seen(tmp_path: Path) -> None:
    pq.write_table(table(), tmp_path / "table.parquet")
    (shard,) = open_table(tmp_path / "table.parquet", "score")
    batches = shard.batches(100)
    next(batches)
    touched(tmp_path / "table.parquet")
    with pytest.raises(pt.ScoreError, match="was changed while it was being read"):
        list(batches)


@pytest.mark.parametrize(
    ("before", "after", "parts"),
    [
        ("1\n2\n3\n4\n", "0\n0\n0\n0\n", ["was changed", "0 rows to keep instead of 1"]),
        ("1\n2\n3\n4\n", "1.5\n3\n4\n", ["gave 4 rows at first and 3 now"]),
    ],
)
def test_a_change_that_leaves_no_trace_shows_in_the_count(
    before: str, after: str, parts: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("score\n" + before)
    status, each = path.stat(), Table.each

    def changed(self: Table, function: Any, jobs: Any, what: str) -> Any:
        if what == "writing":
            path.write_text("score\n" + after)
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        return each(self, function, jobs, what)

    monkeypatch.setattr(Table, "each", changed)
    refused(pt.ScoreError, parts, path, tmp_path / "out", ids=None, labels=None)


def test_one_kind_of_names_in_all_files(tmp_path: Path) -> None:
    pq.write_table(table(), tmp_path / "a.parquet")
    pq.write_table(table(id=np.arange(N).astype(str)), tmp_path / "b.parquet")
    refused(pt.ScoreError, ["one type in all files", "int64, int64 in", "string, int64 in"], tmp_path, tmp_path / "out")


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "mixed").mkdir()
    (tmp_path / "scores.pkl").write_bytes(b"x")
    pq.write_table(table(), tmp_path / "mixed" / "a.parquet")
    (tmp_path / "mixed" / "b.csv").write_text("score,id,label\n1,2,3\n")
    pq.write_table(table().slice(0, 0), tmp_path / "rows.parquet")
    (tmp_path / "rows.csv").write_text("score,id,label\n")
    (tmp_path / "nothing.csv").write_text("")
    for source, parts in (
        (tmp_path / "absent.parquet", ["no such file", "absent.parquet"]),
        (tmp_path / "empty", ["no such file", ".parquet, .csv, .npy", "empty"]),
        (tmp_path / "*.json", ["no such file"]),
        (tmp_path / "scores.pkl", ["unknown format '.pkl'", "RawScores"]),
        (tmp_path / "mixed", [".csv and .parquet", "glob"]),
        (tmp_path / "rows.parquet", ["no scores in", "rows.parquet"]),
        (tmp_path / "rows.csv", ["no scores in"]),
        (tmp_path / "nothing.csv", ["nothing.csv", "header row"]),
        ([], ["no files"]),
    ):
        refused(pt.ScoreError, parts, source, tmp_path / "out")


def test_broken_csv_files(tmp_path: Path) -> None:
    for line, parts in (
        ("high,1,2", ["not a readable csv file", "'high'"]),
        ("1,2", ["not a readable csv file", "Expected 3 columns, got 2"]),
        (",1,2", ["got nan in row 1 (1 of 3"]),
    ):
        (tmp_path / "table.csv").write_text(f"score,id,label\n0.5,3,1\n{line}\n0.7,4,1\n")
        refused(pt.ScoreError, parts, tmp_path / "table.csv", tmp_path / "out")


def test_bare_numbers_that_do_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "scores.bin"
    path.write_bytes(bytes(4 * 10 + 1))
    np.save(tmp_path / "two.npy", np.zeros((3, 2)))
    np.save(tmp_path / "text.npy", np.array(["a", "b"]))
    none = {"ids": None, "labels": None}
    for source, options, parts in (
        (RawScores(path, "float32"), none, ["41 bytes", "whole number of float32"]),
        (RawScores(path, "float32", offset=50), none, ["offset must lie in [0, 41]", "50"]),
        (RawScores(path, "str"), none, ["real numbers, got 'str'"]),
        (RawScores(path, "float23"), none, ["scores.bin", "dtype"]),
        (RawScores(tmp_path / "absent", "float32"), none, ["absent", "check the path"]),
        (RawScores(path, "float32", offset=1), {"labels": None}, ["ids='id' is for tables"]),
        (tmp_path / "two.npy", none, ["must be a vector", "(3, 2)"]),
        (tmp_path / "text.npy", none, ["real numbers"]),
    ):
        refused(pt.ScoreError, parts, source, tmp_path / "out", **options)


def test_columns_of_ids_are_no_classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surveys, "MAX_CLASSES", 100)
    pq.write_table(table(), tmp_path / "table.parquet")
    refused(pt.ScoreError, ["at most 100 classes"], tmp_path / "table.parquet", tmp_path / "out", labels="id")


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    pq.write_table(table(), tmp_path / "table.parquet")
    (tmp_path / "file").write_text("")
    refused(pt.OutputError, ["file", "choose another folder"], tmp_path / "table.parquet", tmp_path / "file" / "out")
    call(tmp_path / "table.parquet", tmp_path / "out", mask=True)
    refused(pt.OutputError, ["mask.npy of another keep-list"], tmp_path / "table.parquet", tmp_path / "out")


@pytest.mark.parametrize("place", ["writing.part_path", "gathering.Parts._id_tables"])
def test_a_full_disk_leaves_the_files_of_before(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands in for it: an error of the system, in the parts of a piece or when they are put together."""

    def full(*_: Any) -> Any:
        raise OSError(28, "No space left on device")

    pq.write_table(table(), tmp_path / "table.parquet")
    call(tmp_path / "table.parquet", tmp_path / "out")
    monkeypatch.setattr(f"perceptron_theory.keeplists.streaming.{place}", full)
    refused(pt.OutputError, ["No space left", "make room"], tmp_path / "table.parquet", tmp_path / "out", f=0.1)
