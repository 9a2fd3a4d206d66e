"""`check_keep_list`: a list as it was written passes, and nothing else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import perceptron_theory as pt
from perceptron_theory.cli.app import main
from perceptron_theory.keeplists.manifest import file_sha256, with_own_digest


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One of each kind."""
    folder = tmp_path_factory.mktemp("lists")
    scores = pt.Scores(np.arange(40.0), "harder", ids=np.array([f"i{i}" for i in range(40)]))
    pt.select(scores, 0.25).write(folder / "write")
    pq.write_table(pa.table({"score": np.arange(40.0), "id": np.arange(40)}), folder / "table.parquet")
    pt.select_stream(folder / "table.parquet", 0.25, higher_is="harder", ids="id", out=folder / "stream", mask=True)
    return {kind: folder / kind for kind in ("write", "stream")}


@pytest.fixture(params=["write", "stream"])
def written(request: pytest.FixtureRequest, lists: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of one."""
    return Path(shutil.copytree(lists[request.param], tmp_path / "out"))


def test_what_was_written_passes(written: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in [written, *written.iterdir()]}
    made = pt.check_keep_list(str(written))
    assert (made["n"], made["count"]) == (40, 10)
    assert {*made["files"], "selection.json"} == {path.name for path in written.iterdir()}
    assert {path: path.stat().st_mtime_ns for path in [written, *written.iterdir()]} == before


def test_every_changed_bit_is_found(written: Path) -> None:
    """Sixty at random in each file, the manifest among them."""
    rng = np.random.default_rng(0)
    flips = 0
    for path in sorted(written.iterdir()):
        content = path.read_bytes()
        for bit in rng.choice(8 * len(content), 60, replace=False):
            changed = bytearray(content)
            changed[bit // 8] ^= 1 << (bit % 8)
            path.write_bytes(changed)
            with pytest.raises(pt.KeepListError, match=rf"{path.name} was changed after it was written"):
                pt.check_keep_list(written)
            flips += 1
        path.write_bytes(content)
    pt.check_keep_list(written)
    print(f"{flips} flipped bits found")


def test_what_is_missing_or_too_much_is_named(written: Path) -> None:
    for path in sorted(written.iterdir()):
        content = path.read_bytes()
        path.unlink()
        with pytest.raises(pt.KeepListError, match=rf"{path.name}.*select again"):
            pt.check_keep_list(written)
        path.write_bytes(content)
    (written / "datacomp_subset.npy").write_bytes(b"")
    with pytest.raises(pt.KeepListError, match=r"holds datacomp_subset\.npy of another keep-list"):
        pt.check_keep_list(written)


@pytest.mark.parametrize("text", ["", "[]", "{}", "3", '{"sha256": "0"}', "[[1, 2]]", '{"a": NaN}', "[" * 100_000])
def test_other_manifests(written: Path, text: str) -> None:
    (written / "selection.json").write_text(text)
    with pytest.raises(pt.KeepListError, match=r"selection\.json was changed .*, or is of an earlier version"):
        pt.check_keep_list(written)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("mask.npy", lambda mask: mask[:-1]),
        ("mask.npy", np.zeros_like),
        ("mask.npy", np.flip),
        ("kept_indices.npy", lambda indices: indices[1:]),
        ("kept_indices.npy", np.flip),
        ("kept_indices.npy", lambda indices: indices - indices[0] - 1),
        ("kept_indices.npy", lambda indices: indices + 40),
    ],
)
def test_files_that_do_not_fit_together(written: Path, name: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
    """Though every digest is right: what a mistake in writing them would give."""
    np.save(written / name, change(np.load(written / name)))
    made = json.loads((written / "selection.json").read_text())
    made["files"][name] = file_sha256(written / name)
    del made["sha256"]
    (written / "selection.json").write_bytes(with_own_digest(made))
    with pytest.raises(pt.KeepListError, match=r"does not hold the 10 of 40 examples that selection\.json counts"):
        pt.check_keep_list(written)


def test_places_without_a_list(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(pt.KeepListError, match=r"holds no selection\.json: .*select again"):
        pt.check_keep_list(tmp_path)
    for place in ("file", "absent"):
        with pytest.raises(pt.KeepListError, match=rf"cannot read .*{place}.*check the path"):
            pt.check_keep_list(tmp_path / place)


def test_the_command(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(written)]) == 0
    printed = capsys.readouterr()
    assert "10 of 40 examples, f = 0.25" in printed.out
    assert "kept_indices.npy" in printed.out
    (written / "mask.npy").unlink()
    assert main(["check", str(written)]) == 1
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert "mask.npy is missing" in printed.err
