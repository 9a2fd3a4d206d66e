"""A sweep that takes a second, and its store, for tests that write, damage and share stores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kill_points import contents

import perceptron_theory as pt
from perceptron_theory.simulation import sweep as sweep_module

#: Two points at two sizes, in pieces of 20, 20 and 5 trials: 12 files.
CALL: dict[str, Any] = {
    "N": [10, 14],
    "alpha_prune": [1.0, 2.0],
    "f": 0.5,
    "theta": 0.2,
    "selection": "hard",
    "trials": 45,
    "seed": 3,
}
FILES = 12


def sweep(store: Path, **change: Any) -> pt.Sweep:
    return pt.simulate_sweep(store, **(CALL | change))


def part(store: Path, name: str) -> Path:
    """The one file whose name begins so; a digest follows."""
    (found,) = store.glob(f"{name}.*.parquet")
    return found


def untouched(folder: Path) -> dict[str, tuple[bytes, int]]:
    """What is in a folder, and when it was written."""
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir() if path.is_file()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The store of an undisturbed sweep."""
    folder = tmp_path_factory.mktemp("whole") / "store"
    sweep(folder)
    found = contents(folder)
    assert len(found) == FILES + 1
    return found


@pytest.fixture
def store(tmp_path: Path, whole: dict[str, bytes]) -> Path:
    """A copy of it."""
    folder = tmp_path / "store"
    folder.mkdir()
    for name, content in whole.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("computed something")

    monkeypatch.setattr(sweep_module, "run_block", fail)
