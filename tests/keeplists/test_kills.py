"""Keep-lists written by processes that are killed at every step, at the same time, or into traps."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from kill_points import Blow, contents, copied, every_step, exit_code, interrupt, kill, pair, visible, wait_for

import perceptron_theory as pt
from perceptron_theory.keeplists import formats, keep_list
from perceptron_theory.keeplists.streaming import readings
from perceptron_theory.output import held, lock_path

Write = Callable[[Path, float], object]


def write(folder: Path, f: float) -> object:
    """A keep-list from memory."""
    scores = pt.Scores(np.arange(40.0), "harder", ids=np.array([f"i{i}" for i in range(40)]))
    return pt.select(scores, f).write(folder)


def stream(folder: Path, f: float) -> object:
    """The files of a stream, from a table beside the folder."""
    return pt.select_stream(folder.parent / "table.parquet", f, higher_is="harder", ids="id", out=folder, mask=True)


@pytest.fixture(params=[write, stream], ids=["write", "stream"])
def work(request: pytest.FixtureRequest, tmp_path: Path) -> Write:
    pq.write_table(pa.table({"score": np.arange(40.0), "id": np.arange(40)}), tmp_path / "table.parquet")
    chosen: Write = request.param
    return chosen


@pytest.fixture
def no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """Syncing takes long, and changes nothing that other processes see."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


def check_or_none(folder: Path) -> None:
    """Check a folder that may hold no list, but no part of one."""
    try:
        pt.check_keep_list(folder)
    except pt.KeepListError as error:
        assert "holds no selection.json" in str(error)  # noqa: PT017
        assert contents(folder) == {}


@pytest.mark.usefixtures("no_sync")
@pytest.mark.parametrize(
    ("before", "blow"),
    [
        ("a list", kill),
        pytest.param("nothing", kill, marks=pytest.mark.slow),
        pytest.param("a list", interrupt, marks=pytest.mark.slow),
        pytest.param("nothing", interrupt, marks=pytest.mark.slow),
    ],
)
def test_every_step(tmp_path: Path, work: Write, before: str, blow: Blow) -> None:
    """Whoever looks sees files of one list only, `check_keep_list` sees one whole, the next run leaves nothing else."""
    out, after, made = tmp_path / "out", tmp_path / "after", {}
    for f in (0.5, 0.25):
        work(tmp_path / str(f), f)
        made[f] = contents(tmp_path / str(f))
    wholes = [made[0.25], made[0.5] if before == "a list" else {}]

    def prepare() -> None:
        for folder in (out, after):
            shutil.rmtree(folder, ignore_errors=True)
        if before == "a list":
            shutil.copytree(tmp_path / "0.5", out)
        else:
            out.mkdir()

    old = steps = 0
    for step in every_step(lambda: work(out, 0.25), out, prepare, blow):
        steps = step
        assert any(visible(out).items() <= whole.items() for whole in wholes), step
        shutil.copytree(out, after)
        work(after, 0.25)
        assert contents(after) == made[0.25], step
        check_or_none(out)
        assert contents(out) in wholes, step
        old += contents(out) == wholes[1]
    assert steps > 20  # five files and more are made, synced and moved
    assert 0 < old < steps
    print(f"{steps} steps, {old} left what was there before")


# Company


def test_a_second_writer_is_refused(tmp_path: Path, work: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name of the folder and of the lock; a stream before it reads anything."""
    out = tmp_path / "out"
    work(out, 0.5)
    before = contents(out)

    def fail(*_: object) -> NoReturn:
        raise AssertionError("worked")

    monkeypatch.setattr(readings.Table, "surveyed", fail)
    monkeypatch.setattr(keep_list, "replace_all", fail)
    lock = lock_path(out, "selection.json")
    with held(out, "selection.json"):
        with pytest.raises(pt.OutputError) as error:
            work(out, 0.25)
        assert f"another process is writing to {out} (it holds {lock}): wait" in str(error.value)
        with pytest.raises(pt.OutputError, match="another process is writing"):
            pt.check_keep_list(out)
        assert lock.exists()
    assert contents(out) == before


def pairs_of_writers(folder: Path, pairs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """At once: who writes does not end before the other was told."""
    fractions = (0.5, 0.25)
    for f in fractions:
        write(folder / str(f), f)
    real, told = formats.write_ids, folder / "told"

    def write_and_wait(path: Path, names: formats.Names) -> None:
        real(path, names)
        wait_for(told.exists)

    monkeypatch.setattr(formats, "write_ids", write_and_wait)
    for _ in range(pairs):
        codes = pair([lambda f=f: write(folder / "out", f) for f in fractions], told)  # type: ignore[misc]
        assert sorted(codes) == [0, 3]
        assert contents(folder / "out") == contents(folder / str(fractions[codes.index(0)]))


def test_pairs_of_writers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One wins, one is told."""
    pairs_of_writers(tmp_path, 3, monkeypatch)


@pytest.mark.slow
def test_fifty_pairs_of_writers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs_of_writers(tmp_path, 50, monkeypatch)


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    """Though a process that it has started lives on."""

    def hold_and_die() -> None:
        with held(tmp_path, "selection.json"):
            if os.fork() == 0:
                time.sleep(20)
                os._exit(0)
            kill()

    assert exit_code(copied(hold_and_die)) == -signal.SIGKILL
    assert list(contents(tmp_path)) == [".selection.json.lock"]
    write(tmp_path, 0.5)
    assert ".selection.json.lock" not in contents(tmp_path)


def test_no_file_of_the_other_kind_of_list_stays_beside(tmp_path: Path, work: Write) -> None:
    work(tmp_path / "out", 0.5)
    before = contents(tmp_path / "out")
    name, other = ("ids.txt", stream) if work is write else ("kept_ids.parquet", write)
    with pytest.raises(pt.OutputError, match=rf"holds .*{name}.* of another keep-list"):
        other(tmp_path / "out", 0.5)
    assert contents(tmp_path / "out") == before


# Traps


def test_links_are_not_followed(tmp_path: Path, work: Write) -> None:
    """Neither under the names that files once had before they were moved, nor at their places."""
    work(tmp_path / "whole", 0.5)
    (tmp_path / "victim").write_text("mine")
    out = tmp_path / "out"
    out.mkdir()
    names = list(contents(tmp_path / "whole"))
    for name in (*names, *(f".{name.replace('.', '.part.')}" for name in names)):
        (out / name).symlink_to(tmp_path / "victim")
    work(out, 0.5)
    assert (tmp_path / "victim").read_text() == "mine"
    assert {name: (out / name).read_bytes() for name in names} == contents(tmp_path / "whole")
    assert not any((out / name).is_symlink() for name in names)


def test_a_link_for_a_lock_is_refused(tmp_path: Path, work: Write) -> None:
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "out").mkdir()
    lock_path(tmp_path / "out", "selection.json").symlink_to(tmp_path / "victim")
    with pytest.raises(pt.OutputError, match=r"cannot write to .*out.*: choose another folder"):
        work(tmp_path / "out", 0.5)
    assert (tmp_path / "victim").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_others_left_is_not_moved_in(tmp_path: Path, work: Write) -> None:
    """In a folder that everyone may write to, a planted set would replace files of ours."""
    planted = tmp_path / "out" / ".selection.json.finished-x"
    planted.mkdir(parents=True)
    (planted / "000-profile").write_text("theirs")
    os.chown(planted, 65534, 65534)
    with pytest.raises(pt.OutputError, match=r"finished-x was left there by another account"):
        work(tmp_path / "out", 0.5)
    assert visible(tmp_path / "out") == {}


def test_files_are_on_the_disk_before_they_count(tmp_path: Path, work: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file and its folder before the renaming that decides, the folder between any two moves and in the end."""
    done: list[tuple[str, int]] = []

    def inode(path: Any) -> int:
        return (os.fstat(path) if isinstance(path, int) else os.stat(path)).st_ino

    def noted(name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def note(path: Any, *others: Any) -> Any:
            done.append((name, inode(path)))
            return real(path, *others)

        return note

    for name in ("fsync", "replace", "rename"):
        monkeypatch.setattr(os, name, noted(name))
    work(tmp_path / "out", 0.5)
    places = [inode(path) for path in (tmp_path / "out").iterdir()]
    (decided,) = (i for i, (name, _) in enumerate(done) if name == "rename")
    synced = [inode for name, inode in done[:decided] if name == "fsync"]
    assert {*places, done[decided][1]} == set(synced)
    folder = ("fsync", inode(tmp_path / "out"))
    assert done[decided + 1 :: 2] == [folder] * (len(places) + 1)
    assert [name for name, _ in done[decided + 2 :: 2]] == ["replace"] * len(places)
    assert done[-2] == ("replace", inode(tmp_path / "out" / "selection.json"))


def test_files_have_the_permissions_of_any_new_file(tmp_path: Path, work: Write) -> None:
    before = os.umask(0o027)
    try:
        work(tmp_path / "out", 0.5)
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "out").iterdir()} == {0o640}
