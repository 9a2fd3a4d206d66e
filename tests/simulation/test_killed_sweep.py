"""Sweeps killed at random moments: started again they end with the same files as an undisturbed one."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import perceptron_theory as pt

#: 192 files of 20 trials: some 3 seconds of work and writing.
LONG: dict[str, Any] = {
    "N": [10, 20, 40],
    "alpha_prune": [[0.5], [1.0], [2.0], [4.0]],
    "f": [0.2, 0.3, 0.5, 1.0],
    "theta": 0.2,
    "trials": 80,
    "seed": 8,
}
SHORTER = LONG | {"trials": 40}

PROGRAM = """
import json, sys
import perceptron_theory as pt
from perceptron_theory.simulation import execution
call = json.loads(sys.argv[2])
if call.get("workers") != 1:
    execution._SHORT = 0.0  # as if the work were long enough for more processes
print("ready", flush=True)
pt.simulate_sweep(sys.argv[1], **call)
"""


@contextmanager
def started(store: Path, call: dict[str, Any], workers: int) -> Iterator[subprocess.Popen[str]]:
    """A process that is about to sweep, in a process group of its own."""
    command = [sys.executable, "-W", "error", "-c", PROGRAM, str(store), json.dumps(call | {"workers": workers})]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            yield process
        finally:
            process.kill()


def finished_parts(store: Path) -> int:
    return sum(path.suffix == ".parquet" for path in store.iterdir()) if store.exists() else 0


def digests(store: Path) -> dict[str, str]:
    found = store.iterdir() if store.exists() else ()  # a sweep may be killed before its first step
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def written(store: Path) -> dict[str, int]:
    """When each file was written."""
    return {path.name: path.stat().st_mtime_ns for path in store.iterdir()}


def wait_for(happened: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True


def group_is_gone(group: int) -> bool:
    with suppress(ProcessLookupError):
        os.killpg(group, 0)
        return False
    return True


def kill_again_and_again(folder: Path, call: dict[str, Any], kills: int, workers: int, seed: int) -> None:
    """After so many more files and so many milliseconds, both at random: in the middle of anything."""
    pt.simulate_sweep(folder / "undisturbed", **call, workers=1)
    undisturbed = digests(folder / "undisturbed")
    store = folder / "store"
    rng = np.random.default_rng(seed)
    unfinished = 0
    for _ in range(kills):
        target = finished_parts(store) + int(rng.integers(0, len(undisturbed) // (kills + 1)))
        delay = float(rng.uniform(0.0, 0.01))
        with started(store, call, workers) as process:
            # A busy machine may need long; a sweep that ended on its own would not be killed below.
            assert wait_for(lambda target=target: finished_parts(store) >= target, 60.0)  # type: ignore[misc]
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
        assert wait_for(lambda group=process.pid: group_is_gone(group), 20.0)  # type: ignore[misc]
        found = digests(store)
        unfinished += sum(name.startswith(".unfinished-") for name in found)
        whole = {name: digest for name, digest in found.items() if not name.startswith(".")}
        assert whole.items() <= undisturbed.items()
        assert len(whole) < len(undisturbed)
    print(f"{kills} kills left {unfinished} unfinished files")
    with started(store, call, workers) as process:
        assert process.wait(60.0) == 0
    assert digests(store) == undisturbed


def test_killed_twice(tmp_path: Path) -> None:
    kill_again_and_again(tmp_path, SHORTER, kills=2, workers=1, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_killed_ten_times(tmp_path: Path, seed: int) -> None:
    kill_again_and_again(tmp_path, LONG, kills=10, workers=1, seed=seed)


@pytest.mark.slow
def test_killed_with_worker_processes(tmp_path: Path) -> None:
    kill_again_and_again(tmp_path, LONG, kills=5, workers=2, seed=3)


@pytest.mark.slow
def test_workers_do_not_outlive_their_parent(tmp_path: Path) -> None:
    """They look for it every second, and write nothing once it is gone."""
    store = tmp_path / "store"
    with started(store, LONG, 2) as process:
        assert wait_for(lambda: finished_parts(store) >= 40, 60.0)
        assert not group_is_gone(process.pid)
        process.send_signal(signal.SIGKILL)
        process.wait()
        before = written(store)
        # Alone they would wait 40 s for work; a busy machine may take its time to end them.
        assert wait_for(lambda: group_is_gone(process.pid), 20.0)
    assert written(store) == before
