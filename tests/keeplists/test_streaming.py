"""Selection from tables that need not fit into memory: the same examples as by definition, however the rows lie."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import perceptron_theory as pt
from perceptron_theory.keeplists.hashing import hash_ids
from perceptron_theory.keeplists.keep_list import KeepList
from perceptron_theory.keeplists.preference import with_random_share
from perceptron_theory.keeplists.quotas import class_floors, kept_count
from perceptron_theory.keeplists.selecting import select
from perceptron_theory.keeplists.streaming import searches, tables
from perceptron_theory.keeplists.streaming.places import from_sortable, sortable
from perceptron_theory.keeplists.streaming.results import StreamSelection
from perceptron_theory.keeplists.streaming.selection import select_stream
from perceptron_theory.keeplists.streaming.tables import RawScores

AnyArray = npt.NDArray[Any]


@dataclass(frozen=True)
class Rows:
    """A table in memory."""

    score: AnyArray
    id: AnyArray | None
    label: AnyArray | None

    def write(self, folder: Path, cuts: Sequence[int] = (), row_group: int = 10**6) -> Path:
        """As Parquet files, cut at some rows."""
        folder.mkdir()
        for file, (first, last) in enumerate(zip([0, *cuts], [*cuts, self.score.size], strict=True)):
            columns = {"score": self.score, "id": self.id, "label": self.label}
            table = pa.table({name: column[first:last] for name, column in columns.items() if column is not None})
            pq.write_table(table, folder / f"part-{file:03d}.parquet", row_group_size=row_group)
        return folder

    def select(self, source: object, out: Path, f: float, **options: Any) -> StreamSelection:
        names = {"ids": None if self.id is None else "id", "labels": None if self.label is None else "label"}
        call: dict[str, Any] = {"higher_is": "harder", "mask": True} | names | options
        return select_stream(source, f, out=out, **call)  # type: ignore[arg-type]


def made(n: int = 1000, seed: int = 0) -> Rows:
    """Half of all scores tied at 0, others rounded; classes of unequal size and difficulty, the smallest of one row."""
    rng = np.random.default_rng(seed)
    label = (12 * rng.random(n) ** 2).astype(np.int16)
    label[n // 2] = 99
    score = np.round(rng.normal(loc=label / 6.0, size=n), 2)
    score[rng.random(n) < 0.5] = 0.0
    return Rows(score.astype(np.float32), rng.permutation(10 * n)[:n], label)


def by_definition(rows: Rows, f: float, mode: str, share: float | None, seed: int, higher_is: str) -> AnyArray:
    """Row numbers: each class its floor, then all classes together, both in the order of the rule."""
    n = rows.score.size
    names = np.arange(n) if rows.id is None else rows.id
    difficulty = rows.score.astype(float) * (-1.0 if higher_is == "easier" else 1.0)
    keys = {
        "hard": (np.arange(n), hash_ids(names), -difficulty),
        "easy": (np.arange(n), hash_ids(names), difficulty),
        "random": (np.arange(n), hash_ids(names, seed)),
    }
    order, count = np.lexsort(keys[mode]), max(1, round(f * n))
    if share is None:
        return np.sort(order[:count])
    assert rows.label is not None
    labels, sizes = np.unique(rows.label, return_counts=True)
    kept = np.zeros(n, dtype=bool)
    for label, floor in zip(labels, class_floors(sizes, count, share), strict=True):
        kept[order[rows.label[order] == label][:floor]] = True
    kept[order[~kept[order]][: count - kept.sum()]] = True
    return np.flatnonzero(kept)


def classes(keep: StreamSelection | KeepList) -> pd.DataFrame:
    assert keep.classes is not None
    return keep.classes


def indices(out: Path) -> AnyArray:
    return np.asarray(np.load(out / "kept_indices.npy"))


@pytest.fixture
def small_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that brackets close in several readings, as for large tables."""
    monkeypatch.setattr(searches, "SAMPLE", 200)


@pytest.mark.parametrize("higher_is", ["keep", "easier"])
@pytest.mark.parametrize("mode", ["hard", "easy", "random"])
@pytest.mark.parametrize("share", [None, 0.0, 0.5, 1.0])
@pytest.mark.usefixtures("small_samples")
def test_the_examples_of_the_definition_are_kept(
    mode: str, share: float | None, higher_is: str, tmp_path: Path
) -> None:
    rows = made()
    source = rows.write(tmp_path / "table", cuts=[0, 1, 400], row_group=350)
    for f in (0.0001, 0.3, 1.0):
        options = {"mode": mode, "class_floor": share, "seed": 3, "higher_is": higher_is, "batch_rows": 300}
        rows.select(source, tmp_path / "out", f, **options)
        expected = by_definition(rows, f, mode, share, 3, higher_is)
        np.testing.assert_array_equal(indices(tmp_path / "out"), expected)


MODES: list[dict[str, Any]] = [
    {},
    {"mode": pt.Band(0.1)},
    {"mode": pt.Band(0.0)},
    {"mode": pt.Band(0.7)},
    {"random_share": 0.4, "seed": 5},
    {"random_share": 1.0},
    {"mode": "random", "random_share": 0.4, "seed": 2},
    {"mode": pt.Band(0.2), "random_share": 0.3},
    {"class_floor": 0.5},
    {"mode": "easy", "class_floor": 0.9},
]


@pytest.mark.parametrize("options", MODES)
@pytest.mark.parametrize("f", [0.003, 0.3])
@pytest.mark.usefixtures("small_samples")
def test_it_says_what_the_selection_in_memory_says(f: float, options: dict[str, Any], tmp_path: Path) -> None:
    rows = made()
    assert rows.id is not None
    scores = pt.Scores(rows.score, higher_is="harder", ids=rows.id, labels=rows.label)
    here = select(scores, f, theory={"theta": 0.2}, **options)
    there = rows.select(rows.write(tmp_path / "table"), tmp_path / "out", f, theory={"theta": 0.2}, **options)
    np.testing.assert_array_equal(indices(tmp_path / "out"), here.indices)
    np.testing.assert_array_equal(np.load(tmp_path / "out" / "mask.npy"), here.mask)
    np.testing.assert_array_equal(pq.read_table(tmp_path / "out" / "kept_ids.parquet")["id"].to_numpy(), here.ids)
    said, wanted = (
        json.loads((tmp_path / "out" / "selection.json").read_text()),
        json.loads(json.dumps(here.manifest())),
    )
    assert said.pop("scores")["files"] == [
        {"file": str(path), "bytes": path.stat().st_size, "rows": 1000} for path in (tmp_path / "table").iterdir()
    ]
    del wanted["scores"], said["files"], said["sha256"]  # of the files, which differ
    if "class_floor" in options:
        # In memory the threshold is where the first example is dropped; here, where floors leave nothing more.
        del said["thresholds"], wanted["thresholds"]
    assert said == wanted
    assert there.f_realised == here.f_realised
    pd.testing.assert_frame_equal(classes(there), classes(here))


def test_with_floors_the_threshold_is_that_of_the_classes_above_theirs(tmp_path: Path) -> None:
    rows = Rows(np.array([5.0, 4.0, 3.0, 3.0, 1.0]), None, np.array(["a", "a", "a", "a", "b"]))
    source = rows.write(tmp_path / "table")
    threshold = rows.select(source, tmp_path / "out", 0.8, class_floor=0.5).thresholds
    assert threshold == ((3.0, 2, 1),)
    assert indices(tmp_path / "out").size == 4
    assert rows.select(source, tmp_path / "out", 0.4, class_floor=1.0).thresholds == ()


CUTS: list[tuple[Sequence[int], int, int]] = [
    ((), 10**6, 10**6),
    ((), 100, 70),
    ((1, 2, 2, 500), 150, 64),
    (tuple(range(200, 1000, 200)), 199, 201),
]


@pytest.mark.parametrize("options", [{}, {"class_floor": 0.5}, {"random_share": 0.3}])
@pytest.mark.usefixtures("small_samples")
def test_the_same_bytes_however_the_rows_lie(
    options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, files = made(), ("kept_indices.npy", "mask.npy")
    found = []
    for number, (cuts, row_group, batch_rows) in enumerate(CUTS):
        monkeypatch.setattr(tables, "SHARD_ROWS", [2**22, 1][number % 2])
        source = rows.write(tmp_path / f"table-{number}", cuts, row_group)
        out = tmp_path / f"out-{number}"
        rows.select(source, out, 0.4, batch_rows=batch_rows, **options)
        found.append([(out / name).read_bytes() for name in files])
    assert all(one == found[0] for one in found)
    np.save(tmp_path / "again.npy", indices(tmp_path / "out-0"))
    assert found[0][0] == (tmp_path / "again.npy").read_bytes()


@pytest.mark.parametrize("spread", [0.0, 0.5])
def test_brackets_that_miss_are_opened_again(spread: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With no room for chance most brackets miss; the answer stays."""
    monkeypatch.setattr(searches, "SAMPLE", 100)
    monkeypatch.setattr(searches, "_DEVIATIONS", spread)
    rows = made()
    source = rows.write(tmp_path / "table")
    for share in (None, 0.5, 0.9):
        for f in (0.01, 0.3, 0.99):
            rows.select(source, tmp_path / "out", f, class_floor=share)
            expected = by_definition(rows, f, "hard", share, 0, "harder")
            np.testing.assert_array_equal(indices(tmp_path / "out"), expected)


def constant_classes() -> Rows:
    label = np.arange(600) % 6
    return Rows(label.astype(float), np.arange(600), label)


def one_that_differs() -> Rows:
    return Rows(np.r_[np.zeros(500), 1.0], np.arange(501), np.zeros(501, dtype=int))


def both_zeros() -> Rows:
    return Rows(np.where(np.arange(400) % 2, 0.0, -0.0) - (np.arange(400) == 7), np.arange(400), np.arange(400) % 3)


def sorted_by_score_and_class() -> Rows:
    return Rows(np.linspace(-3.0, 3.0, 900), np.arange(900), np.arange(900) // 90)


def repeated_ids() -> Rows:
    return Rows(np.arange(400) % 5 - 2.0, np.arange(400) // 100, np.arange(400) % 2)


def extreme_numbers() -> Rows:
    values = np.array([1e-300, -1e-300, 5e-324, 1.7e308, -1.7e308, 0.0, 1.0])
    return Rows(np.tile(values, 40), np.arange(280), np.arange(280) % 4)


def words() -> Rows:
    base = made(800)
    assert base.id is not None
    assert base.label is not None
    return Rows(
        base.score,
        np.array([f"n{i:08d}/é_{i}.JPEG" for i in base.id], dtype=object),
        np.array([f"class {i}" for i in base.label], dtype=object),
    )


def without_ids() -> Rows:
    return replace(made(800), id=None)


TABLES: list[Callable[[], Rows]] = [
    constant_classes,
    one_that_differs,
    both_zeros,
    sorted_by_score_and_class,
    repeated_ids,
    extreme_numbers,
    words,
    without_ids,
]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.usefixtures("small_samples")
def test_tables_of_every_kind(table: Callable[[], Rows], tmp_path: Path) -> None:
    rows = table()
    source = rows.write(tmp_path / "table", cuts=[100], row_group=60)
    for mode, share in (("hard", None), ("easy", 0.7), ("random", 0.5)):
        rows.select(source, tmp_path / "out", 0.35, mode=mode, class_floor=share, batch_rows=50)
        expected = by_definition(rows, 0.35, mode, share, 0, "harder")
        np.testing.assert_array_equal(indices(tmp_path / "out"), expected)
        if rows.id is not None:
            ids = pq.read_table(tmp_path / "out" / "kept_ids.parquet")["id"].to_numpy()
            np.testing.assert_array_equal(ids, rows.id[expected])


@pytest.mark.parametrize("mode", ["hard", "random"])
def test_rows_that_share_an_id_are_told_apart_in_a_random_share_too(mode: str, tmp_path: Path) -> None:
    rows = repeated_ids()
    assert rows.id is not None
    order = (
        np.lexsort((hash_ids(rows.id), -rows.score))
        if mode == "hard"
        else np.argsort(hash_ids(rows.id, 6), kind="stable")
    )
    expected = np.sort(with_random_share(order, rows.id, 140, 0.4, 6)[:140])
    rows.select(rows.write(tmp_path / "table"), tmp_path / "out", 0.35, mode=mode, random_share=0.4, seed=6)
    np.testing.assert_array_equal(indices(tmp_path / "out"), expected)


@pytest.mark.parametrize("type_", [pa.float16(), pa.float64(), pa.int8(), pa.uint32(), pa.int64(), pa.bool_()])
def test_scores_of_any_real_type(type_: pa.DataType, tmp_path: Path) -> None:
    values = np.array([1, 0, 1, 1, 0, 1], dtype=np.float64)
    column = pa.array(values.astype(type_.to_pandas_dtype()), type_)
    pq.write_table(pa.table({"score": column}), tmp_path / "table.parquet")
    rows = Rows(values, None, None)
    rows.select(tmp_path / "table.parquet", tmp_path / "out", 0.5)
    np.testing.assert_array_equal(indices(tmp_path / "out"), by_definition(rows, 0.5, "hard", None, 0, "harder"))


def test_categories_are_names_too(tmp_path: Path) -> None:
    rows = words()
    assert rows.id is not None
    assert rows.label is not None
    columns = {"id": pa.array(rows.id).cast(pa.large_string()), "label": pa.array(rows.label).dictionary_encode()}
    pq.write_table(pa.table({"score": rows.score} | columns), tmp_path / "table.parquet")
    keep = rows.select(tmp_path / "table.parquet", tmp_path / "out", 0.3, class_floor=0.5)
    np.testing.assert_array_equal(indices(tmp_path / "out"), by_definition(rows, 0.3, "hard", 0.5, 0, "harder"))
    assert classes(keep)["label"].tolist() == sorted(set(rows.label))


def test_csv_files_are_read_as_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    lines = ["id,el2n,other,label"]
    lines += [f'"a,{i}\nb",{i % 7},x,{i % 3}' for i in range(50)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
    here = select(
        pt.read_scores(path, higher_is="easier", column="el2n", ids="id", labels="label"), 0.3, class_floor=0.8
    )
    call: dict[str, Any] = {"score": "el2n", "ids": "id", "labels": "label", "class_floor": 0.8, "batch_rows": 7}
    there = select_stream(path, 0.3, higher_is="easier", out=tmp_path / "out", **call)
    np.testing.assert_array_equal(indices(tmp_path / "out"), here.indices)
    assert pq.read_table(tmp_path / "out" / "kept_ids.parquet")["id"].to_pylist() == here.ids.tolist()
    pd.testing.assert_frame_equal(classes(there), classes(here))


@pytest.mark.parametrize("last", ["12", "012", "x"])
def test_names_in_csv_files_are_numbers_if_all_are(last: str, tmp_path: Path) -> None:
    """In all files, whichever says so first."""
    ids = [*map(str, range(100, 120)), last]
    for file, (first, end) in enumerate([(0, 10), (10, 10), (10, 21)]):
        lines = ["id,score", *(f"{ids[i]},{i % 4}" for i in range(first, end))]
        (tmp_path / f"{file}.csv").write_text("\n".join(lines))
    names = np.array(ids, dtype=object) if last != "12" else np.array(ids, dtype=int)
    rows = Rows(np.arange(21) % 4, names, None)
    rows.select(tmp_path / "*.csv", tmp_path / "out", 0.4)
    np.testing.assert_array_equal(indices(tmp_path / "out"), by_definition(rows, 0.4, "hard", None, 0, "harder"))
    assert (
        pq.read_table(tmp_path / "out" / "kept_ids.parquet")["id"].to_pylist()
        == names[indices(tmp_path / "out")].tolist()
    )


@pytest.mark.parametrize("dtype", ["<f4", ">f8", "f2", "i2"])
def test_bare_numbers(dtype: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "SHARD_ROWS", 300)
    values = np.random.default_rng(0).integers(-50, 50, 1000).astype(dtype)
    np.save(tmp_path / "scores.npy", values)
    (tmp_path / "scores.bin").write_bytes(b"header" + values.tobytes())
    rows = Rows(values.astype(float), None, None)
    expected = by_definition(rows, 0.25, "hard", None, 0, "harder")
    for source in (tmp_path / "scores.npy", RawScores(tmp_path / "scores.bin", dtype, offset=6)):
        rows.select(source, tmp_path / "out", 0.25, batch_rows=77)
        np.testing.assert_array_equal(indices(tmp_path / "out"), expected)


def test_files_are_read_in_the_order_given(tmp_path: Path) -> None:
    """A list as it is; a folder by its paths, without what Spark leaves between the parts."""
    for name, value in (("b", 1.0), ("a", 2.0), ("_c", 3.0)):
        pq.write_table(pa.table({"score": [value, 0.0]}), tmp_path / f"{name}.parquet")
    listed = [tmp_path / "b.parquet", tmp_path / "a.parquet"]
    for source, hardest in ((tmp_path, 0), (str(tmp_path / "[ab].parquet"), 0), (listed, 2)):
        keep = select_stream(source, 0.25, higher_is="harder", out=tmp_path / "out")
        assert keep.n == 4
        assert indices(tmp_path / "out").tolist() == [hardest]


finite = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(finite, min_size=2, max_size=20))
def test_keys_sort_like_numbers(values: list[float]) -> None:
    array = np.array(values)
    keys = sortable(array)
    np.testing.assert_array_equal(keys[:, None] < keys, array[:, None] < array)
    np.testing.assert_array_equal([from_sortable(key) for key in keys], array)


def test_the_count_is_that_of_the_selection_in_memory(tmp_path: Path) -> None:
    np.save(tmp_path / "scores.npy", np.arange(10.0))
    for f in (0.25, 0.35, 0.05, 0.01, 1):
        keep = select_stream(tmp_path / "scores.npy", f, higher_is="harder", out=tmp_path / "out")
        assert keep.count == indices(tmp_path / "out").size == kept_count(10, f)
