"""Damaged files of every format end as scores or as an error of this package, never as anything else."""

from __future__ import annotations

import io
import json
import os
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perceptron_theory as pt
from perceptron_theory.scores.inspection import inspect_scores

VALUES = np.array([0.25, 0.1, 0.2, 0.2, 0.9])
NAMES = ["e", "d", "c", "b", "a"]

INPUTS = 10_000
INPUTS_BY_DEFAULT = 320


def written(write: Callable[[io.BytesIO], Any]) -> bytes:
    file = io.BytesIO()
    write(file)
    return file.getvalue()


def table(**options: Any) -> bytes:
    columns = {"uid": NAMES, "el2n": VALUES, "class": pa.array(NAMES).dictionary_encode()}
    return written(lambda file: pq.write_table(pa.table(columns), file, **options))


@dataclass(frozen=True)
class Kind:
    """Name of a file, valid contents of it, how it is read, and text that may stand in it."""

    name: str
    valid: Callable[[], list[bytes]]
    asked: dict[str, Any] = field(default_factory=lambda: {"higher_is": "harder"})
    text: str = ""


def archives() -> list[bytes]:
    arrays: dict[str, Any] = {"el2n": VALUES, "uid": NAMES, "class": NAMES}
    return [written(lambda file: np.savez(file, **arrays)), written(lambda file: np.savez_compressed(file, **arrays))]


def torch_files() -> list[bytes]:
    torch = pytest.importorskip("torch")
    content = {"el2n": torch.tensor(VALUES), "id": NAMES, "class": torch.arange(5)}
    return [
        written(lambda file: torch.save(content, file)),
        written(lambda file: torch.save(content, file, _use_new_zipfile_serialization=False)),
    ]


HARD = {"higher_is": "harder"}
NAMED = {**HARD, "ids": "uid", "labels": "class"}
CSV = "uid,el2n,class\n" + "".join(f"{a},{b},{a}\n" for a, b in zip(NAMES, VALUES.tolist(), strict=True))
PUBLISHED = ",image,score\n" + "".join(f"{k},n{k}.JPEG,{b}\n" for k, b in enumerate(VALUES.tolist()))

KINDS = [
    Kind("s.npy", lambda: [written(lambda file: np.save(file, VALUES))]),
    Kind("s.npz", archives, NAMED),
    Kind("s.csv", lambda: [CSV.encode()], NAMED, 'ab019.,-e"\n\r\x00é_;'),
    Kind("ImageNet-1K_DDD.csv", lambda: [PUBLISHED.encode()], {}, 'ab019.,-e"\n\r\x00é_;'),
    Kind("s.parquet", lambda: [table(), table(compression="none", use_dictionary=False)], {**NAMED, "column": "el2n"}),
    Kind(
        "s.json",
        lambda: [json.dumps(dict(zip(NAMES, VALUES.tolist(), strict=True))).encode()],
        HARD,
        '{}[]":,abul019.-e \\NIEtrfsy\n',
    ),
    Kind("s.pt", torch_files, {**HARD, "key": "el2n", "ids": "id", "labels": "class"}),
    Kind("s.bin", lambda: [VALUES.tobytes()], {**HARD, "dtype": "float64"}),
]

#: Where (as a fraction of the file), how many bytes go, what comes in their place.
EDITS = st.lists(
    st.tuples(st.floats(0.0, 1.0), st.sampled_from([0, 1, 1, 1, 4, 30]), st.binary(max_size=4)), min_size=1, max_size=4
)


def damaged(content: bytes, edits: list[tuple[float, int, bytes]], kept: float) -> bytes:
    for where, removed, inserted in edits:
        at = int(where * len(content))
        content = content[:at] + inserted + content[at + removed :]
    return content[: int(kept * len(content))]


def contents(kind: Kind) -> st.SearchStrategy[bytes]:
    """Damaged files, cut files, and noise."""
    valid = st.sampled_from(kind.valid())
    edited = st.builds(damaged, valid, EDITS, st.just(1.0))
    cut = st.builds(damaged, valid, st.just([]), st.floats(0.0, 1.0))
    noise = st.text(kind.text).map(str.encode) if kind.text else st.binary(max_size=200)
    return st.one_of(edited, edited, edited, cut, noise)


def open_files() -> Iterator[str]:
    """What this process has open; the folder that lists it apart."""
    folder = Path("/proc/self/fd")
    if folder.is_dir():
        for link in folder.iterdir():
            try:
                yield os.readlink(link)
            except OSError:
                continue


def outcome(path: Path, asked: dict[str, Any]) -> str:
    """What is said about the scores, or a refusal of one line."""
    try:
        return str(inspect_scores(pt.read_scores(path, **asked)))
    except pt.PerceptronTheoryError as error:
        return str(error) if "\n" not in str(error) else ""


def attempt(path: Path, content: bytes, asked: dict[str, Any]) -> None:
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        said = outcome(path, asked)
    assert said
    assert len(said) < 2_000
    assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]
    assert str(path) not in open_files()


def fuzz(kind: Kind, folder: Path, inputs: int) -> None:
    @settings(max_examples=inputs, deadline=None, derandomize=True, database=None)
    @given(content=contents(kind))
    def run(content: bytes) -> None:
        attempt(folder / kind.name, content, kind.asked)

    run()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_valid_files_are_read(kind: Kind, tmp_path: Path) -> None:
    for content in kind.valid():
        (tmp_path / kind.name).write_bytes(content)
        np.testing.assert_array_equal(pt.read_scores(tmp_path / kind.name, **kind.asked).values, VALUES)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_damaged_files(kind: Kind, tmp_path: Path) -> None:
    fuzz(kind, tmp_path, INPUTS_BY_DEFAULT // len(KINDS))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_damaged_files_at_length(kind: Kind, tmp_path: Path) -> None:
    fuzz(kind, tmp_path, INPUTS // len(KINDS))
