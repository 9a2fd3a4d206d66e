"""Score files in, or a clear refusal."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import perceptron_theory as pt

VALUES = np.array([0.3, 0.1, 0.2, 0.2, 0.9])


def write(folder: Path, name: str, content: Any) -> Path:
    path = folder / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, str):
        path.write_text(content, encoding="utf-8")
    elif isinstance(content, dict):
        np.savez(path, **content)
    else:
        np.save(path, content, allow_pickle=True)
    return path


@pytest.mark.parametrize(
    ("name", "content", "extra"),
    [
        ("s.npy", VALUES, {}),
        ("s.npy", VALUES.astype(np.float32), {}),
        ("s.npz", {"el2n": VALUES}, {}),
        ("s.npz", {"el2n": VALUES, "label": np.arange(5)}, {"key": "el2n"}),
        ("s.csv", "el2n\n0.3\n0.1\n0.2\n0.2\n0.9\n", {}),
        ("S.CSV", "id,el2n\na,0.3\nb,0.1\nc,0.2\nd,0.2\ne,0.9\n", {"column": "el2n"}),
    ],
)
def test_reads(tmp_path: Path, name: str, content: Any, extra: dict[str, str]) -> None:
    scores = pt.read_scores(write(tmp_path, name, content), higher_is="harder", **extra)
    np.testing.assert_allclose(scores.values, VALUES, rtol=1e-6)
    assert scores.higher_is == "harder"
    assert name in scores.source


@pytest.mark.parametrize(
    ("name", "content", "extra", "part"),
    [
        ("s.npy", b"", {}, "empty file"),
        ("s.npy", np.empty(0), {}, "no scores"),
        ("s.npy", np.array([1.0, np.nan]), {}, "nan at index 1"),
        ("s.npy", np.array([np.inf, 1.0]), {}, "inf at index 0"),
        ("s.npy", np.ones(4), {}, "all 4 scores equal 1"),
        ("s.npy", np.ones((4, 2)), {}, "(4, 2)"),
        ("s.npy", np.array(["a", "b"]), {}, "<U1"),
        ("s.npy", np.array([1j, 2j]), {}, "complex"),
        ("s.npy", np.array([{}, None], dtype=object), {}, "pickle"),
        ("s.npy", pickle.dumps([1, 2]), {}, "pickle"),
        ("s.npy", b"\x93NUMPY\x01\x00garbage", {}, "not a readable numpy file"),
        ("s.npz", {"a": VALUES, "b": VALUES}, {}, "a, b"),
        ("s.npz", {"a": VALUES}, {"key": "c"}, "'c'"),
        ("s.npz", {"a": np.array([{}], dtype=object)}, {}, "pickle"),
        ("s.npz", {"a": VALUES}, {"column": "a"}, "use key"),
        ("s.csv", "id,el2n\n1,0.3\n2,0.5\n", {}, "id, el2n"),
        ("s.csv", "id,el2n\n1,0.3\n2,0.5\n", {"column": "loss"}, "'loss'"),
        ("s.csv", "el2n\n", {}, "no scores"),
        ("s.csv", "el2n\n0.1\nx\n", {}, "real numbers"),
        ("s.csv", "el2n\n0.1\n\n0.3\n", {"key": "el2n"}, "use column"),
        ("s.csv", "el2n\n0.1\n\n0.3\n", {}, "nan at index 1"),
        ("s.csv", "0.3\n0.1\n0.2\n", {}, "no header row"),
        ("s.csv", "el2n\n0,3\n0,1\n", {}, "more fields than its header"),
        ("s.csv", "el2n,el2n\n0.3,1\n0.1,2\n", {"column": "el2n"}, "2 columns"),
        ("s.csv", "id;el2n\n1;0.3\n2;0.1\n", {"column": "el2n"}, "id;el2n"),
        (
            "s.npy",
            b"\x93NUMPY\x01\x00\x46\x00{'descr': import os, 'fortran_order': False, 'shape': (3,), }          \n",
            {},
            "not a readable",
        ),
        ("s.npy", np.array([2**60, 2**60 + 1, 5]), {}, "2^53"),
        ("s.txt", "0.1\n", {}, "'.txt'"),
    ],
)
def test_refuses(tmp_path: Path, name: str, content: Any, extra: dict[str, str], part: str) -> None:
    path = write(tmp_path, name, content)
    with pytest.raises(pt.ScoreError) as error:
        pt.read_scores(path, higher_is="harder", **extra)
    assert part in str(error.value)
    assert "\n" not in str(error.value)


def test_corrupt_archive(tmp_path: Path) -> None:
    path = write(tmp_path, "s.npz", {"a": VALUES})
    content = bytearray(path.read_bytes())
    at = content.index(VALUES.tobytes()[:8])
    content[at] ^= 0xFF
    path.write_bytes(bytes(content))
    with pytest.raises(pt.ScoreError, match="not a readable numpy file"):
        pt.read_scores(path, higher_is="harder")


def test_paths_no_system_can_open() -> None:
    for path in ("x" * 5000 + ".npy", "nul\0.npy"):
        with pytest.raises(pt.ScoreError, match="check the path"):
            pt.read_scores(path, higher_is="harder")


def test_byte_order_mark_is_not_part_of_a_name(tmp_path: Path) -> None:
    path = write(tmp_path, "s.csv", b"\xef\xbb\xbfel2n,id\n0.3,1\n0.1,2\n")
    assert pt.read_scores(path, higher_is="harder", column="el2n").n == 2


def test_missing_file_and_direction(tmp_path: Path) -> None:
    with pytest.raises(pt.ScoreError, match="no such file"):
        pt.read_scores(tmp_path / "nowhere.npy", higher_is="harder")
    with pytest.raises(pt.ScoreError, match="'harder', 'easier', 'keep'"):
        pt.read_scores(tmp_path / "nowhere.npy", higher_is="better")  # type: ignore[arg-type]
