"""Sets of files, written by processes that are killed at every step, and by none that may."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

import pytest
from kill_points import contents, every_step, kill, visible

import perceptron_theory as pt
from perceptron_theory.output import check_writable, held, settle, write_all

Files = Mapping[str, Callable[[Path], object]]

#: What `frontier`, `figures` and `simulate` write.
SETS = (
    ("frontier.csv", "frontier.nc", "frontier.png"),
    ("fig_1a.nc", "fig_1a.png", "fig_1a.pdf"),
    ("trials.csv",),
)


def files(names: tuple[str, ...], text: str) -> Files:
    return {name: lambda path, name=name: path.write_text(f"{text} {name}") for name in names}  # type: ignore[misc]


@pytest.mark.parametrize("names", SETS)
@pytest.mark.parametrize("before", ["old", ""])
def test_every_step(names: tuple[str, ...], before: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of one set only, wherever it is killed; the next run, or settling, leaves one whole and nothing else."""
    monkeypatch.setattr(os, "fsync", lambda _: None)  # takes long, and changes nothing that others see
    out, after = tmp_path / "out", tmp_path / "after"
    old, new, last = ({name: f"{text} {name}".encode() for name in names} for text in ("old", "new", "last"))
    wholes = [new, old if before else {}]

    def prepare() -> None:
        for folder in (out, after):
            shutil.rmtree(folder, ignore_errors=True)
        out.mkdir()
        if before:
            write_all(out, files(names, "old"))

    steps = left = 0
    for step in every_step(lambda: write_all(out, files(names, "new")), out, prepare, kill):
        steps = step
        assert any(visible(out).items() <= whole.items() for whole in wholes), step
        shutil.copytree(out, after)
        write_all(after, files(names, "last"))
        assert contents(after) == last
        settle(out, names[-1])
        assert contents(out) in wholes
        left += contents(out) == wholes[1]
    assert 0 < left < steps
    print(f"{steps} steps, {left} left what was there before")


def test_sets_beside_one_another(tmp_path: Path) -> None:
    """Another process may write another set of the same folder; what it has unfinished stays."""
    others = [tmp_path / ".b.csv.unfinished-x", tmp_path / ".b.csv.finished-x"]
    for other in others:
        other.mkdir()
        (other / "000-b.csv").write_text("b")
    with held(tmp_path, "b.csv.lock"):
        write_all(tmp_path, files(("a.csv",), "new"))
    assert visible(tmp_path) == {"a.csv": b"new a.csv"}
    assert all(other.exists() for other in others)
    settle(tmp_path, "b.csv")
    assert contents(tmp_path) == {"a.csv": b"new a.csv", "b.csv": b"b"}


def fails(error: BaseException) -> Callable[[Path], NoReturn]:
    def write(path: Path) -> NoReturn:
        path.write_text("half a fi")
        raise error

    return write


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "make room there, or choose another folder"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "make room there, or choose another folder"),
        (RuntimeError("NetCDF: HDF error"), "make room there, or choose another folder"),
        (PermissionError(errno.EACCES, "Permission denied"), "choose another folder, one that can be written"),
        (OSError(errno.EROFS, "Read-only file system"), "choose another folder, one that can be written"),
    ],
)
def test_advice_fits_the_error(tmp_path: Path, error: Exception, advice: str) -> None:
    write_all(tmp_path, files(("a", "b"), "old"))
    before = contents(tmp_path)
    with pytest.raises(pt.OutputError, match=rf"cannot write to .* \(.*\): {advice}\.$"):
        write_all(tmp_path, {**files(("a",), "new"), "b": fails(error)})
    assert contents(tmp_path) == before


def test_other_errors_pass_and_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        write_all(tmp_path, {**files(("a",), "new"), "b": fails(ZeroDivisionError())})
    assert contents(tmp_path) == {}


def test_check_writable_leaves_nothing(tmp_path: Path) -> None:
    check_writable(tmp_path / "deep" / "out", ["a"])
    assert contents(tmp_path) == {"deep": b"folder", "deep/out": b"folder"}
