"""Every format in: values, order, ids and labels as they were written."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import perceptron_theory as pt

VALUES = np.array([0.25, 0.1, 0.2, 0.2, 0.9])
NAMES = ["e", "d", "c", "b", "é,a"]
LABELS = [0, 1, 1, 0, 2]


def check(path: Path, values: npt.ArrayLike = VALUES, *, named: bool = False, **extra: Any) -> pt.Scores:
    """Read once; exact values, and ids and labels if the file names them."""
    scores = pt.read_scores(path, higher_is="harder", **extra)
    np.testing.assert_array_equal(scores.values, values)
    if named:
        assert scores.ids is not None
        assert scores.labels is not None
        assert scores.ids.tolist() == NAMES
        assert scores.labels.tolist() == LABELS
    return scores


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", ">f8", "int16", "uint8", "bool"])
def test_npy(tmp_path: Path, dtype: str) -> None:
    values = np.array([0, 1, 1, 0, 1]).astype(dtype)
    np.save(tmp_path / "s.npy", values)
    assert check(tmp_path / "s.npy", values, metric="EL2N").metric == "EL2N"


def test_one_column_is_a_vector(tmp_path: Path) -> None:
    np.save(tmp_path / "s.npy", VALUES[:, None])
    check(tmp_path / "s.npy")


def test_npz(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "s.npz", el2n=VALUES, label=np.array(LABELS, np.uint8), id=np.array(NAMES))
    scores = check(tmp_path / "s.npz", named=True, ids="id", labels="label")  # one array is left for the scores
    assert scores.source.endswith("s.npz:el2n")
    assert check(tmp_path / "s.npz", key="el2n").ids is None


@pytest.mark.parametrize(("suffix", "dtype"), [(".npy", "float32"), (".bin", "<f8"), (".raw", "int16")])
def test_numbers_without_header(tmp_path: Path, suffix: str, dtype: str) -> None:
    path = tmp_path / f"s{suffix}"
    values = np.arange(7).astype(dtype)
    written = np.memmap(path, dtype, "w+", shape=values.shape)
    written[:] = values
    written.flush()
    check(path, values, dtype=dtype)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_csv(tmp_path: Path, newline: str, mark: str) -> None:
    rows = [f'"{name}",{label},{value!r}' for name, label, value in zip(NAMES, LABELS, VALUES.tolist(), strict=True)]
    (tmp_path / "s.CSV").write_bytes((mark + newline.join(["name,class,el2n", *rows])).encode())
    check(tmp_path / "s.CSV", named=True, ids="name", labels="class")
    check(tmp_path / "s.CSV", column="el2n")


@pytest.mark.parametrize(
    ("cells", "ids"),
    [
        (["7", "-3", "12"], [7, -3, 12]),
        (["007", "3", "12"], ["007", "3", "12"]),
        (["NA", "null", "1e5"], ["NA", "null", "1e5"]),
        (["00000000000000000000000000000012", "2", "3"], ["00000000000000000000000000000012", "2", "3"]),
        (['"two\nlines"', "b", "c"], ["two\nlines", "b", "c"]),
    ],
)
def test_csv_ids_keep_their_spelling(tmp_path: Path, cells: list[str], ids: list[Any]) -> None:
    path = tmp_path / "s.csv"
    path.write_text("id,s\n" + "\n".join(f"{cell},{k}" for k, cell in enumerate(cells)), encoding="utf-8")
    scores = check(path, [0, 1, 2], ids="id")
    assert scores.ids is not None
    assert scores.ids.tolist() == ids


def test_csv_with_a_number_for_a_name(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(",0\n0,0.5\n1,0.25\n", encoding="utf-8")
    check(tmp_path / "s.csv", [0.5, 0.25], column="0")


def parquet(path: Path, rows: slice, **changed: Any) -> None:
    columns: dict[str, Any] = {"uid": NAMES[rows], "class": LABELS[rows], "el2n": VALUES[rows], **changed}
    path.parent.mkdir(exist_ok=True)
    pq.write_table(pa.table(columns), path)


def test_parquet_file(tmp_path: Path) -> None:
    parquet(tmp_path / "s.parquet", slice(None))
    check(tmp_path / "s.parquet", named=True, column="el2n", ids="uid", labels="class")


@pytest.mark.parametrize("asked", [".", "part-*.parquet", "**/*.parquet"])
def test_parquet_folder_and_glob(tmp_path: Path, asked: str) -> None:
    parquet(tmp_path / "part-1.parquet", slice(3, 5), **{"class": pa.array(LABELS[3:]).dictionary_encode()})
    parquet(tmp_path / "part-0.parquet", slice(0, 3), el2n=pa.array(VALUES[:3], pa.float64()))
    (tmp_path / "_SUCCESS.parquet").touch()
    if asked == "part-*.parquet":
        (tmp_path / "README.txt").touch()
    elif asked == "**/*.parquet":
        (tmp_path / "_SUCCESS.parquet").rename(tmp_path / ".hidden.parquet")
    check(tmp_path / asked, named=True, column="el2n", ids="uid", labels="class")


def test_parquet_files_in_sub_folders_come_in_the_order_of_their_paths(tmp_path: Path) -> None:
    parquet(tmp_path / "b" / "0.parquet", slice(2, 5))
    parquet(tmp_path / "a" / "9.parquet", slice(0, 2))
    check(tmp_path, named=True, column="el2n", ids="uid", labels="class")
    check(tmp_path / "?" / "0.parquet", VALUES[2:], column="el2n")


def test_curator_distances_come_with_their_ids(tmp_path: Path) -> None:
    parquet(tmp_path / "s.parquet", slice(None), id=[5, 6, 7, 8, 9], cosine_dist_to_cent=VALUES)
    scores = check(tmp_path / "s.parquet", column="cosine_dist_to_cent")
    assert scores.ids is not None
    assert scores.ids.tolist() == [5, 6, 7, 8, 9]
    assert check(tmp_path / "s.parquet", column="el2n").ids is None
    with pytest.raises(pt.ScoreError, match="never guessed"):
        pt.read_scores(tmp_path / "s.parquet", column="cosine_dist_to_cent")


def test_json(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text(json.dumps(dict(zip(NAMES, VALUES.tolist(), strict=True))), encoding="utf-8")
    ids = check(tmp_path / "s.json").ids
    assert ids is not None
    assert ids.tolist() == NAMES


def test_torch(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    path = tmp_path / "s.pt"
    torch.save(torch.tensor(VALUES, requires_grad=True), path)
    check(path)
    torch.save(torch.tensor([1.0, 2.0, 4.0], dtype=torch.bfloat16), path)
    check(path, [1, 2, 4])
    torch.save({"el2n": torch.tensor(VALUES)[:, None], "label": torch.tensor(LABELS), "id": NAMES, "epoch": 3}, path)
    check(path, named=True, key="el2n", ids="id", labels="label")


def test_torch_is_asked_for_by_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "s.pt").write_bytes(b"anything")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(pt.ScoreError, match=r'pip install "perceptron_theory\[torch\]"'):
        pt.read_scores(tmp_path / "s.pt", higher_is="harder")
