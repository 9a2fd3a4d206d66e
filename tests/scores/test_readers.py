"""What is refused, and with which words: damaged files, wrong parts, options of another format."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import perceptron_theory as pt

VALUES = np.array([0.3, 0.1, 0.2, 0.2, 0.9])


def npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


def write(folder: Path, name: str, content: Any) -> Path:
    """Bytes and text as they are, a dict as .npz, a list of tables as a folder of parquet files, all else as .npy."""
    path = folder / name
    if isinstance(content, str | bytes):
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    elif isinstance(content, dict):
        np.savez(path, **content)
    elif isinstance(content, list):
        path.mkdir()
        for part, columns in enumerate(content):
            pq.write_table(pa.table(columns), path / f"{part}.parquet")
    else:
        path.write_bytes(npy(content))
    return path


def refusal(path: Path, extra: dict[str, Any]) -> str:
    with pytest.raises(pt.ScoreError) as error:
        pt.read_scores(path, higher_is="harder", **extra)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("name", "content", "extra", "part"),
    [
        ("s.npy", b"", {}, "empty file"),
        ("s.npy", np.empty(0), {}, "no scores"),
        ("s.npy", np.array([1.0, np.nan]), {}, "nan at index 1"),
        ("s.npy", np.array([np.inf, 1.0]), {}, "inf at index 0"),
        ("s.npy", np.ones(4), {}, "all 4 scores equal 1"),
        ("s.npy", np.ones((4, 2)), {}, "(4, 2)"),
        ("s.npy", np.ones((1, 4)), {}, "(1, 4)"),
        ("s.npy", np.array(["a", "b"]), {}, "<U1"),
        ("s.npy", np.array([1j, 2j]), {}, "complex"),
        ("s.npy", np.array([2**60, 2**60 + 1, 5]), {}, "2^53"),
        ("s.npy", np.array([{}, None], dtype=object), {}, "pickled objects: pickles can run code"),
        ("s.npy", pickle.dumps([1, 2]), {}, "looks like a pickle: pickles can run code"),
        ("s.npy", b"\x93NUMPY\x01\x00garbage", {}, "not a readable numpy file"),
        ("s.npy", npy(VALUES)[:-3], {}, "cut short or damaged"),
        ("s.npy", npy(VALUES) + npy(VALUES), {}, "goes on behind its array"),
        (
            "s.npy",
            b"\x93NUMPY\x01\x00\x46\x00{'descr': import os, 'fortran_order': False, 'shape': (3,), }          \n",
            {},
            "not a readable",
        ),
        ("s.npz", {"a": VALUES, "b": VALUES}, {}, "a, b"),
        ("s.npz", {"a": VALUES}, {"key": "c"}, "'c'"),
        ("s.npz", {"a": np.array([{}], dtype=object)}, {}, "pickle"),
        ("s.npz", npy(VALUES), {}, "suffix .npy"),
        ("s.npz", b"PK\x03\x04 and so on", {}, "not a readable numpy file"),
        ("s.npz", pickle.dumps([1, 2]), {}, "pickle"),
        ("s.npz", {"a": VALUES, "y": np.arange(4)}, {"key": "a", "labels": "y"}, "labels must be a vector of length 5"),
        ("s.npz", {"a": VALUES, "i": np.arange(5) // 2}, {"ids": "i"}, "got 0 twice (2 repeat an earlier one)"),
        ("s.npz", {"a": VALUES, "i": VALUES}, {"ids": "i", "key": "a"}, "all integers or all strings, got float"),
        ("s.npz", {"a": VALUES}, {"labels": "y"}, "unknown key 'y'"),
        ("s.txt", "0.1\n", {}, "'.txt'"),
    ],
)
def test_numpy(tmp_path: Path, name: str, content: Any, extra: dict[str, str], part: str) -> None:
    assert part in refusal(write(tmp_path, name, content), extra)


def test_archive_under_another_name(tmp_path: Path) -> None:
    path = write(tmp_path, "s.npz", {"a": VALUES}).rename(tmp_path / "s.npy")
    assert "suffix .npz" in refusal(path, {})


def test_corrupt_archive(tmp_path: Path) -> None:
    path = write(tmp_path, "s.npz", {"a": VALUES})
    content = bytearray(path.read_bytes())
    content[content.index(VALUES.tobytes()[:8])] ^= 0xFF
    path.write_bytes(bytes(content))
    assert "not a readable numpy file" in refusal(path, {})


@pytest.mark.parametrize(
    ("name", "content", "dtype", "part"),
    [
        ("s.npy", VALUES.astype("f4").tobytes(), None, "20 bytes would be 5 of dtype='float32'"),
        ("s.bin", VALUES.tobytes(), None, "such as dtype='float32'"),
        ("s.bin", VALUES.tobytes()[:-1], "float32", "39 bytes, not a whole number of float32"),
        ("s.npy", npy(VALUES), "float32", "leave out dtype"),
        ("s.bin", VALUES.tobytes(), "float31", "'float31'"),
        ("s.bin", VALUES.tobytes(), "U2", "'U2'"),
        ("s.csv", "a\n1\n2\n", "float32", "use column, ids, labels"),
    ],
)
def test_bare_numbers(tmp_path: Path, name: str, content: Any, dtype: str | None, part: str) -> None:
    assert part in refusal(write(tmp_path, name, content), {"dtype": dtype})


@pytest.mark.parametrize(
    ("content", "extra", "part"),
    [
        ("id,el2n\n1,0.3\n2,0.5\n", {}, "id, el2n"),
        ("id,el2n\n1,0.3\n2,0.5\n", {"column": "loss"}, "'loss'"),
        ("el2n\n", {}, "no scores"),
        ("el2n", {}, "no scores"),
        ("\n0.1\n0.2\n", {}, "no header row"),
        ('"el\n2n"\n0.1\n0.2\n', {}, "several lines"),
        ("el2n\n0.1\nx\n", {}, "line 3 of"),
        ("el2n\n0.1\nx\n", {}, "'x' in column 'el2n', but scores must be real numbers"),
        ("el2n\n0.1\n1_0\n", {}, "'1_0'"),
        ("el2n\n0.1\n-inf\n", {}, "'-inf'"),
        ("el2n\n0.1\nNA\n", {}, "'NA'"),
        ("el2n\nTrue\nFalse\n", {}, "'True'"),
        ("el2n\n2020-01-01\n2020-01-02\n", {}, "'2020-01-01'"),
        ("el2n\n0.1\n\n0.3\n", {"key": "el2n"}, "use column"),
        ("el2n\n0.1\n\n0.3\n", {}, "line 3"),
        ("el2n\n0.1\n0.3\n\n", {}, "line 4"),
        ("a,el2n\nx,0.1\ny\n", {"ids": "a"}, "line 3 of"),
        ('a,el2n\n"x\ny",0.1\nz,w\n', {"ids": "a"}, "line 4 of"),
        ("0.3\n0.1\n0.2\n", {}, "no header row"),
        ("el2n\n0,3\n0,1\n", {}, "more fields than its header"),
        ("el2n,el2n\n0.3,1\n0.1,2\n", {"column": "el2n"}, "2 columns"),
        ("id;el2n\n1;0.3\n2;0.1\n", {"column": "el2n"}, "id;el2n"),
        ("id;el2n\n1;0.3\n2;0.1\n", {}, "'1;0.3'"),
        ("id,el2n\na,0.3\na,0.5\n", {"ids": "id"}, "got 'a' twice"),
        ("id,el2n\na,0.3\n,0.5\n", {"ids": "id"}, "row 1 (from 0)"),
        ("id,el2n\na,0.3\nb,0.5\n", {"labels": "class", "column": "el2n"}, "unknown column 'class'"),
        (b"id,el2n\n\xff,0.3\nb,0.5\n", {"ids": "id"}, "UTF-8"),
        ("id,el2n\na,0.3\nb,0.5\n".encode("utf-16"), {"ids": "id"}, "UTF-8"),
    ],
)
def test_csv(tmp_path: Path, content: str | bytes, extra: dict[str, str], part: str) -> None:
    assert part in refusal(write(tmp_path, "s.csv", content), extra)


GOOD = {"uid": ["a", "b"], "el2n": [0.1, 0.2]}
ASKED = {"column": "el2n", "ids": "uid"}


@pytest.mark.parametrize(
    ("tables", "extra", "part"),
    [
        ([], {}, "no .parquet file in"),
        ([GOOD], {}, "uid, el2n"),
        ([GOOD], {"column": "el2n", "labels": "class"}, "unknown column 'class'"),
        ([GOOD, {"el2n": [0.3]}], ASKED, "unknown column 'uid'"),
        ([GOOD, {"uid": ["c"], "loss": [0.3]}], ASKED, "1.parquet: it has uid, loss"),
        ([GOOD, {"uid": [3], "el2n": [0.3]}], ASKED, "all integers or all strings, got int and str"),
        ([GOOD, {"uid": ["c"], "el2n": ["0.3"]}], ASKED, "1.parquet holds string"),
        ([GOOD, GOOD], ASKED, "got 'a' twice (2 repeat"),
        ([GOOD, {"uid": ["c", None], "el2n": [0.3, 0.4]}], ASKED, "row 1 (from 0)"),
        ([GOOD, {"uid": ["c", "d"], "el2n": [0.3, None]}], ASKED, "nan at index 3"),
        ([{"uid": [b"a", b"b"], "el2n": [0.1, 0.2]}], ASKED, "got bytes"),
        ([{"uid": [1, 2], "el2n": [[0.1], [0.2]]}], ASKED, "holds list<element: double>, but"),
        ([GOOD], {"key": "el2n"}, "use column"),
    ],
)
def test_parquet(tmp_path: Path, tables: list[Any], extra: dict[str, str], part: str) -> None:
    assert part in refusal(write(tmp_path, "folder", tables), extra)


def test_parquet_paths(tmp_path: Path) -> None:
    assert "no .parquet file in" in refusal(tmp_path / "*.parquet", {})
    assert "only .parquet files can be many" in refusal(tmp_path / "*.csv", {})
    assert "no such file" in refusal(tmp_path / "s.parquet", {})
    folder = write(tmp_path, "folder", [GOOD])
    (folder / "0.parquet").write_bytes((folder / "0.parquet").read_bytes()[:-9])
    assert "0.parquet is not a readable parquet file" in refusal(folder, {"column": "el2n"})


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("[0.1, 0.2]", "one object {id: score}, got an array"),
        ('{"a": 0.1, "b": {"c": 0.2}}', "score of 'b' in"),
        ('{"a": 0.1, "b": true}', "got true or false"),
        ('{"a": 0.1, "b": "0.2"}', "got a string"),
        ('{"a": 0.1, "b": null}', "got null"),
        ('{"a": 0.1, "b": 0.2, "a": 0.3}', "got 'a' twice"),
        ('{"a": 0.1, "b": NaN}', "nan at index 1"),
        ('{"a": 0.1, "b": 1e999}', "inf at index 1"),
        ('{"a": 0.1, "b": 1' + "0" * 400 + "}", "beyond 2^53 would be rounded into ties, got one with more digits"),
        ("{}", "no scores"),
        ('{"a": 0.1, ', "not a readable json file"),
        ("[" * 100_000, "not a readable json file"),
        (b'{"\xff": 0.1}', "not a readable json file"),
    ],
)
def test_json(tmp_path: Path, content: str | bytes, part: str) -> None:
    path = write(tmp_path, "s.json", content)
    assert part in refusal(path, {})
    assert "ids='id' is for .npz, .csv, .parquet, .pt, .pth files" in refusal(path, {"ids": "id"})


def test_torch(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    path = tmp_path / "s.pt"
    for content, extra, part in (
        (torch.tensor(VALUES), {"key": "el2n"}, "holds no dict"),
        (torch.ones(3, 2), {}, "(3, 2)"),
        (torch.tensor([1.0, float("nan")]), {}, "nan at index 1"),
        (torch.eye(3).to_sparse(), {}, "not a readable PyTorch file"),
        ({"a": torch.tensor(VALUES), "b": 1}, {}, "no key given"),
        ({"a": torch.tensor(VALUES), "b": 1}, {"key": "b"}, "holds a int where"),
        ({"a": torch.tensor(VALUES), "i": ["x"]}, {"ids": "i"}, "vector of length 5"),
        ({"a": torch.tensor(VALUES), "i": [["x"], []]}, {"ids": "i"}, "not a readable PyTorch file"),
        ({"a": [0.1, "b"]}, {}, "real numbers"),
        ({"a": Path("x")}, {}, "pickles can run code and are refused"),
        (torch.tensor(VALUES), {"dtype": "float32"}, "use key, ids, labels"),
    ):
        torch.save(content, path)
        assert part in refusal(path, extra)
    torch.save(torch.tensor(VALUES), path)
    path.write_bytes(path.read_bytes()[:-100])
    assert "cut short or damaged" in refusal(path, {})
    assert "or is damaged" in refusal(write(tmp_path, "s.pth", b"0.1 0.2"), {})


def test_paths_no_system_can_open() -> None:
    for path in ("x" * 5000 + ".npy", "nul\0.npy", "nul\0*.parquet"):
        with pytest.raises(pt.ScoreError, match="check the path"):
            pt.read_scores(path, higher_is="harder")
    with pytest.raises(pt.ScoreError, match="check the path"):
        pt.read_scores(3, higher_is="harder")  # type: ignore[arg-type]


def test_missing_file_and_direction(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "nowhere.npy", {})
    with pytest.raises(pt.ScoreError, match="'harder', 'easier', 'keep'"):
        pt.read_scores(tmp_path / "nowhere.npy", higher_is="better")  # type: ignore[arg-type]
    with pytest.raises(pt.ScoreError, match="never guessed"):
        pt.read_scores(tmp_path / "nowhere.npy")
