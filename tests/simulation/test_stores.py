"""Stores that cannot be written, whose files are damaged, whose sweeps are killed or share a folder."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from kill_points import Blow, contents, every_step, interrupt, kill, pair, wait_for
from small_sweep import part, sweep, untouched

import perceptron_theory as pt
from perceptron_theory.output import held
from perceptron_theory.simulation import sweep as sweep_module
from perceptron_theory.simulation.trials import Block, run_block

# Places that cannot be written


@pytest.mark.usefixtures("no_work")
def test_a_file_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for store in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(pt.OutputError, match=r"cannot use .*file.* as a store.*: name a folder"):
            sweep(store)
    assert untouched(tmp_path).keys() == {"file"}
    assert (tmp_path / "file").read_text() == "mine"


@contextmanager
def ordinary_user() -> Iterator[None]:
    """Root may write anywhere, and is nobody for a while."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize("names", [[], ["sweep.json", ".unfinished-a"]])
def test_a_folder_without_permission(tmp_path: Path, whole: dict[str, bytes], names: list[str]) -> None:
    """Empty, or with a sweep and something to clear away."""
    store = Path(tempfile.mkdtemp(prefix="perceptron-theory-"))  # not below a folder of root's
    try:
        for name in names:
            (store / name).write_bytes(whole.get(name, b"half"))
        before = untouched(store)
        store.chmod(0o555)
        for path in (store, store / "new") if not names else (store,):
            with ordinary_user(), pytest.raises(pt.OutputError, match=r"Permission denied.*(folder|room)"):
                sweep(path)
        assert untouched(store) == before
    finally:
        store.chmod(0o755)
        shutil.rmtree(store)


# Damaged parts


def damage(store: Path, kind: str) -> Path:
    path = part(store, "point-00001-N-10-trial-000020")
    other = part(store, "point-00000-N-10-trial-000020")
    content = path.read_bytes()
    if kind == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "no parquet":
        path.write_bytes(b"PAR1" + bytes(100) + b"PAR1")
    elif kind == "another point":
        path.write_bytes(other.read_bytes())
    elif kind == "too short":
        pq.write_table(pq.read_table(path).slice(0, 7), path)
    elif kind == "a column less":
        pq.write_table(pq.read_table(path).drop_columns(["kappa"]), path)
    elif kind == "text":
        table = pq.read_table(path)
        pq.write_table(table.set_column(table.column_names.index("N"), "N", pa.array(["ten"] * len(table))), path)
    elif kind == "a folder":
        path.unlink()
        path.mkdir()
    return path


@pytest.mark.parametrize(
    "kind", ["truncated", "empty", "no parquet", "another point", "too short", "a column less", "text", "a folder"]
)
def test_a_damaged_part_is_named_and_made_again(store: Path, whole: dict[str, bytes], kind: str) -> None:
    path = damage(store, kind)
    with pytest.raises(pt.StoreError) as error:
        sweep(store)
    message = str(error.value)
    assert str(path) in message
    assert "remove this file" in message
    if path.is_dir():
        path.rmdir()
    else:
        path.unlink()
    sweep(store)
    assert contents(store) == whole


# Killed at every step


@pytest.mark.parametrize("blow", [kill, interrupt])
def test_killed_at_any_step(tmp_path: Path, blow: Blow, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there is whole, the rest follows, and nothing else stays."""
    monkeypatch.setattr(os, "fsync", lambda _: None)  # takes long, and changes nothing that others see
    short: dict[str, Any] = {"N": 10, "trials": 41, "workers": 1}
    sweep(tmp_path / "whole", **short)
    whole = contents(tmp_path / "whole")
    store = tmp_path / "store"

    def prepare() -> None:
        shutil.rmtree(store, ignore_errors=True)

    steps, finished = 0, set()
    for step in every_step(lambda: sweep(store, **short), store, prepare, blow):
        steps = step
        found = contents(store) if store.exists() else {}
        there = {name: content for name, content in found.items() if not name.startswith(".")}
        assert there.items() <= whole.items()
        finished.add(len(there))
        sweep(store, **short)
        assert contents(store) == whole
    assert finished == set(range(len(whole) + 1))
    print(f"{steps} steps")


@pytest.mark.parametrize("call", [1, 4])
@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "make room there"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory"), "choose another folder, one that can be"),
    ],
)
def test_what_stands_in_the_way_is_named(
    step: str, call: int, error: OSError, advice: str, tmp_path: Path, whole: dict[str, bytes]
) -> None:
    with fails(step, call, error), pytest.raises(pt.OutputError, match=rf"cannot write .*{error.strerror}.*{advice}"):
        sweep(tmp_path)
    sweep(tmp_path)
    assert contents(tmp_path) == whole


@contextmanager
def fails(step: str, call: int, error: OSError) -> Iterator[None]:
    """The given call of a step raises."""
    real = getattr(os, step)
    calls = 0

    def wrapper(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call:
            raise error
        return real(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, step, wrapper)
        yield


# Company


@pytest.mark.usefixtures("no_work")
def test_a_second_sweep_is_refused(tmp_path: Path, store: Path, whole: dict[str, bytes]) -> None:
    """While one fills the store, begun or not; what it has unfinished stays."""
    (tmp_path / "new").mkdir()
    part(store, "point-00001-N-10-trial-000020").unlink()
    for folder in (store, tmp_path / "new"):
        with held(folder, "sweep.json"):
            (folder / ".unfinished-a").write_bytes(b"half")
            before = untouched(folder)
            with pytest.raises(pt.OutputError, match=rf"another process is writing to {folder} .*sweep\.json.*: wait"):
                sweep(folder)
            assert untouched(folder) == before


def test_two_sweeps_at_once(tmp_path: Path, whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """One works, and does not end before the other was told; then the store is that of one."""
    store, told = tmp_path / "store", tmp_path / "told"

    def waiting(block: Block) -> np.ndarray:
        wait_for(told.exists)
        return run_block(block)

    monkeypatch.setattr(sweep_module, "run_block", waiting)
    for _ in range(3):
        codes = pair([lambda: sweep(store, workers=1)] * 2, told)
        assert sorted(codes) == [0, 3]
        assert contents(store) == whole
        shutil.rmtree(store)


@pytest.mark.usefixtures("no_work")
def test_a_finished_store_is_read_where_nothing_can_be_written(whole: dict[str, bytes]) -> None:
    store = Path(tempfile.mkdtemp(prefix="perceptron-theory-"))  # not below a folder of root's
    try:
        for name, content in whole.items():
            (store / name).write_bytes(content)
        store.chmod(0o555)
        with ordinary_user():
            assert len(sweep(store)) == 4
    finally:
        store.chmod(0o755)
        shutil.rmtree(store)


# Changed bits


@pytest.mark.usefixtures("no_work")
def test_no_changed_bit_goes_unnoticed(store: Path) -> None:
    """400 of them, at random places of random files, `sweep.json` among them."""
    rng = np.random.default_rng(0)
    paths = sorted(store.iterdir())
    errors = Counter[str]()
    for _ in range(400):
        path = paths[rng.integers(len(paths))]
        content = path.read_bytes()
        changed = bytearray(content)
        bit = rng.integers(8 * len(content))
        changed[bit // 8] ^= 1 << (bit % 8)
        path.write_bytes(changed)
        with pytest.raises(pt.StoreError) as error:
            sweep(store)
        assert str(path if path.suffix == ".parquet" else store) in str(error.value)
        errors[path.suffix] += 1
        path.write_bytes(content)
    sweep(store)
    print(f"{errors.total()} flipped bits found: {dict(errors)}")


@pytest.mark.parametrize(
    "error", [pa.ArrowNotImplementedError, pa.ArrowKeyError, pa.ArrowCapacityError, pa.ArrowException]
)
def test_no_error_of_the_reader_escapes(store: Path, error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: Any, **__: Any) -> Any:
        raise error("Unknown encoding type")

    monkeypatch.setattr(pq.ParquetFile, "read", read)
    with pytest.raises(pt.StoreError, match=r"cannot read .*parquet \(.*Unknown encoding type.*: remove this file"):
        sweep(store)


READS = """
import os, sys, pyarrow.parquet
from perceptron_theory.simulation.store import Store
import perceptron_theory as pt
before = len(os.listdir("/proc/self/task"))
pt.simulate_sweep(sys.argv[1], 20, [1.0, 2.0], 0.5, trials=3)
print(len(os.listdir("/proc/self/task")) - before)
"""


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts threads where Linux shows them")
def test_a_finished_store_is_read_without_threads(tmp_path: Path) -> None:
    """Those of Arrow abort a process that ends while they start, in one of four tries on a busy machine."""
    pt.simulate_sweep(tmp_path / "store", 20, [1.0, 2.0], 0.5, trials=3)
    done = subprocess.run(
        [sys.executable, "-c", READS, str(tmp_path / "store")], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "0"
