"""Sweeps: the numbers of `simulate`, kept in a folder that survives being killed and never mixes two sweeps."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from kill_points import Blow, every_step, interrupt, kill, pair, wait_for

import perceptron_theory as pt
from perceptron_theory.output import held
from perceptron_theory.simulation import sweep as sweep_module
from perceptron_theory.simulation.simulation import MEASURED
from perceptron_theory.simulation.trials import Block, run_block

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


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


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


def assert_same_bits(found: pt.Sweep, expected: pt.Sweep) -> None:
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one.N == other.N
        for name in MEASURED:
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


# The numbers


def test_every_number_is_that_of_simulate(tmp_path: Path) -> None:
    found = iter(sweep(tmp_path))
    for alpha in CALL["alpha_prune"]:
        for N in CALL["N"]:
            one, other = next(found), pt.simulate(**(CALL | {"N": N, "alpha_prune": alpha}))
            assert one.finite == other.finite
            assert (one.seed, one.student, one.N) == (other.seed, other.student, other.N)
            assert float(one.problem.alpha_prune) == alpha
            for name in MEASURED:
                np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert list(found) == []


def test_labels_and_losses_are_those_of_simulate(tmp_path: Path) -> None:
    """Also when they come from the store."""
    change: dict[str, Any] = {"labels": pt.Labels(0.1, "probit", 2.0), "student": pt.ConvexLoss("hinge", 0.1)}
    rule = {"selection": pt.KeepProbability(lambda m: np.where(m < 0.5, 1.0, 0.5), [0.5]), "f": None}
    for _ in range(2):
        found = sweep(tmp_path, **change, **rule)
        for sim in found:
            alpha = float(sim.problem.alpha_prune)
            other = pt.simulate(**(CALL | change | rule | {"N": sim.N, "alpha_prune": alpha}))
            assert sim.finite == other.finite
            assert sim.problem.labels == change["labels"] == sim.finite.labels
            assert repr(sim.convex_loss) == repr(change["student"]) == repr(other.convex_loss)
            for name in MEASURED:
                np.testing.assert_array_equal(getattr(sim, name), getattr(other, name))


def test_grids_broadcast_in_order(tmp_path: Path) -> None:
    found = sweep(tmp_path, N=12, alpha_prune=[[1.0], [2.0]], f=[0.5, 1.0], trials=2)
    points = [(float(sim.problem.alpha_prune), float(sim.problem.f)) for sim in found]
    assert points == [(1.0, 0.5), (1.0, 1.0), (2.0, 0.5), (2.0, 1.0)]


def test_files_say_what_they_hold(store: Path) -> None:
    table = pq.read_table(part(store, "point-00001-N-14-trial-000040")).to_pydict()
    sim = pt.simulate(**(CALL | {"N": 14, "alpha_prune": 2.0}))
    assert table["trial"] == [40, 41, 42, 43, 44]
    assert set(table["point"]) == {1}
    assert set(table["N"]) == {14}
    assert set(table["alpha_prune"]) == {2.0}
    assert set(table["f_realised"]) == {0.5}
    assert table["R"] == sim.R[40:].tolist()
    manifest = json.loads((store / "sweep.json").read_text())
    assert manifest["perceptron_theory"] == pt.__version__
    assert manifest["alpha_prune"] == [1.0, 2.0]


def test_any_executor_writes_the_same_bytes(tmp_path: Path, whole: dict[str, bytes]) -> None:
    with ThreadPoolExecutor(3) as executor:
        sweep(tmp_path, executor=executor)
    assert contents(tmp_path) == whole


# Started again


@pytest.mark.usefixtures("no_work")
def test_a_finished_sweep_computes_nothing(store: Path, tmp_path: Path) -> None:
    before = untouched(store)
    found = sweep(store)
    assert untouched(store) == before
    assert found.path == store
    for sim in found:
        np.testing.assert_array_equal(
            sim.R, pt.simulate(**(CALL | {"N": sim.N, "alpha_prune": float(sim.problem.alpha_prune)})).R
        )


def test_a_sweep_continues_from_what_is_there(
    store: Path, whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some files gone, unfinished ones left over: only what is missing is computed."""
    for name in sorted(whole)[2:9:3]:
        (store / name).unlink()
    before = untouched(store)
    (store / ".unfinished-x").write_bytes(next(iter(whole.values()))[:100])
    (store / ".unfinished-y").touch()
    blocks = []

    def spy(block: Block) -> np.ndarray:
        blocks.append((block.problem.N, block.start))
        return run_block(block)

    monkeypatch.setattr(sweep_module, "run_block", spy)
    sweep(store)
    assert len(blocks) == 3
    assert contents(store) == whole
    assert before.items() <= untouched(store).items()


@pytest.mark.parametrize("left", [[], [".unfinished-a"], ["sweep.json"], ["sweep.json", ".unfinished-b"]])
def test_a_sweep_killed_early_starts(left: list[str], tmp_path: Path, whole: dict[str, bytes]) -> None:
    for name in left:
        (tmp_path / name).write_bytes(whole.get(name, b'{"form'))
    sweep(tmp_path)
    assert contents(tmp_path) == whole


def test_nested_folders_are_made(tmp_path: Path, whole: dict[str, bytes]) -> None:
    """Also with names that a reader of Parquet folders could take for columns."""
    store = tmp_path / "R=1" / "_theta=x" / ".s"
    sweep(store)
    assert_same_bits(sweep(store), sweep(tmp_path / "plain"))
    assert contents(store) == whole


def test_a_keep_probability_is_known_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its values: a function made anew is the same."""

    def rule(cut: float, listed: float) -> pt.KeepProbability:
        return pt.KeepProbability(lambda m: np.where(m < cut, 1.0, 0.5), breakpoints=[listed])

    first = sweep(tmp_path, f=None, selection=rule(0.501, 0.501))
    before = untouched(tmp_path)
    # A cut that moves between two of 4000 margins, and one that is only listed elsewhere.
    for other in (rule(0.503, 0.501), rule(0.501, 0.503)):
        with pytest.raises(pt.StoreError, match="its selection is"):
            sweep(tmp_path, f=None, selection=other)
    monkeypatch.setattr(sweep_module, "run_block", None)
    assert_same_bits(sweep(tmp_path, f=None, selection=rule(0.501, 0.501)), first)
    assert untouched(tmp_path) == before


# Other sweeps


OTHER: list[tuple[dict[str, Any], str]] = [
    ({"N": [10, 15]}, "its N is [10, 14], asked for [10, 15]"),
    ({"N": 10}, "its N is"),
    ({"alpha_prune": [1.0, 2.0 + 1e-15]}, "its alpha_prune is"),
    ({"alpha_prune": [1.0, 2.0, 3.0]}, "its alpha_prune is [1.0, 2.0], asked for [1.0, 2.0, 3.0]"),
    ({"f": 0.4}, "its f is"),
    ({"f": [0.5, 1.0]}, "its f is"),
    ({"theta": 0.3}, "its theta is"),
    ({"selection": "easy"}, "its selection is"),
    ({"selection": pt.Band(0.0)}, "its selection is"),
    ({"selection": pt.KeepProbability(np.ones_like), "f": None}, "its selection is"),
    ({"margins": pt.MeasuredMargins([0.5, 1.0], signed=True)}, 'its margins is "gaussian"'),
    ({"labels": pt.Labels(flip=0.1)}, "its labels is"),
    ({"student": pt.ConvexLoss("square", 1.0)}, "its student is"),
    ({"trials": 46}, "its trials is 45, asked for 46"),
    ({"trials": 65}, "its trials is"),
    ({"seed": 4}, "its seed is 3, asked for 4"),
    ({"seed": 2**80}, "its seed is"),
]


@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize(("change", "part"), OTHER)
def test_another_sweep_is_refused(store: Path, change: dict[str, Any], part: str) -> None:
    (store / ".unfinished-z").write_bytes(b"half")
    before = untouched(store)
    with pytest.raises(pt.StoreError) as error:
        sweep(store, **change)
    message = str(error.value)
    assert part in message
    assert str(store) in message
    assert "name a new folder" in message
    assert "\n" not in message
    assert untouched(store) == before


def test_other_students_and_margins_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each loss and penalty is a student; margins of other values, weights or meaning are others."""
    values = np.array([0.5, 1.0, 2.0])
    call = {
        "margins": pt.MeasuredMargins(values, signed=True),
        "student": pt.ConvexLoss("square", 1.0),
        "trials": 3,
    }
    first = sweep(tmp_path, **call)
    before = untouched(tmp_path)
    monkeypatch.setattr(sweep_module, "run_block", None)
    others: list[dict[str, Any]] = [
        {"student": pt.ConvexLoss("square", 2.0)},
        {"student": pt.ConvexLoss("squared-hinge", 1.0)},
        {"student": pt.ConvexLoss("square", 1.0, reweight=True)},
        {"margins": pt.MeasuredMargins(values + 1e-9 * values, signed=True)},
        {"margins": pt.MeasuredMargins(values, [1.0, 1.0, 2.0], signed=True)},
        {"margins": pt.MeasuredMargins(values, signed=False)},
        {"margins": None},
    ]
    for change in others:
        with pytest.raises(pt.StoreError, match="holds another sweep"):
            sweep(tmp_path, **(call | change))
    assert_same_bits(sweep(tmp_path, **call), first)
    # The same data in another order are the same data, and the same number of another type the same penalty.
    assert_same_bits(sweep(tmp_path, **(call | {"student": pt.ConvexLoss("square", np.float32(1.0))})), first)
    assert_same_bits(sweep(tmp_path, **(call | {"margins": pt.MeasuredMargins(values[::-1], signed=True)})), first)
    assert untouched(tmp_path) == before


@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize(
    ("manifest", "part"),
    [
        (lambda text: text.replace(pt.__version__, "0.0.1"), "its perceptron_theory is"),
        (lambda text: text.replace('"format": 3', '"format": 1'), "its format is 1, asked for 3"),
        (lambda text: text.replace('"format"', '"more": 1, "format"'), "its more is 1, asked for null"),
        (lambda text: text.replace('"seed": 3,', ""), "its seed is null, asked for 3"),
        (lambda text: text[: len(text) // 2], "cannot read"),
        (lambda _: "", "cannot read"),
        (lambda _: "[1, 2]", "does not describe a sweep"),
        (lambda _: "3", "does not describe a sweep"),
        (lambda _: "null", "does not describe a sweep"),
    ],
)
def test_another_version_is_refused(store: Path, manifest: Callable[[str], str], part: str) -> None:
    text = (store / "sweep.json").read_text()
    changed = manifest(text)
    assert changed != text
    (store / "sweep.json").write_text(changed)
    before = untouched(store)
    with pytest.raises(pt.StoreError) as error:
        sweep(store)
    assert part in str(error.value)
    assert "name a new folder" in str(error.value)
    assert untouched(store) == before


@pytest.mark.usefixtures("no_work")
def test_an_unreadable_manifest_is_refused(store: Path) -> None:
    (store / "sweep.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(pt.StoreError, match="cannot read"):
        sweep(store)
    (store / "sweep.json").unlink()
    (store / "sweep.json").mkdir()
    with pytest.raises(pt.StoreError, match="cannot read"):
        sweep(store)


@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize("name", ["notes.txt", ".hidden", "point-00000-N-10-trial-000000.parquet", "sweep.json.bak"])
def test_a_folder_with_something_else_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    (tmp_path / ".unfinished-a").write_text("half")
    before = untouched(tmp_path)
    with pytest.raises(pt.StoreError, match=rf"not empty and holds no sweep.*'{name}'.*name a new folder"):
        sweep(tmp_path)
    assert untouched(tmp_path) == before


def test_files_of_others_beside_a_sweep_are_left_alone(store: Path, whole: dict[str, bytes]) -> None:
    (store / "notes.txt").write_text("mine")
    (store / "pictures").mkdir()
    sweep(store)
    assert (store / "notes.txt").read_text() == "mine"
    assert (store / "pictures").is_dir()


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


# Bad input


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"N": [10, 10]}, ["N must list different sizes", "[10, 10]"]),
        ({"N": []}, ["N must list different sizes, at least one"]),
        ({"N": [10, 2.5]}, ["N must be a whole number", "2.5"]),
        ({"N": [10, 1]}, ["N must be a whole number of at least 2", "1"]),
        ({"N": "ten"}, ["N must be a real number", "'ten'"]),
        ({"alpha_prune": []}, ["at least one point"]),
        ({"alpha_prune": [1.0, 0.05]}, ["alpha_prune * N must be at least 1", "0.05 * 10 = 0.5", "N of at least 20"]),
        ({"alpha_prune": [1.0, 2.0], "f": [0.1, 0.2, 0.3]}, ["must broadcast", "(2,)", "(3,)"]),
        ({"trials": 0}, ["trials", "0"]),
        ({"seed": -1}, ["seed", "-1"]),
        ({"student": "svm"}, ["'svm'"]),
        ({"student": pt.ConvexLoss}, ["class ConvexLoss"]),
        ({"student": pt.ConvexLoss("square", [1.0, 2.0])}, ["one number in a simulation", "(2,)"]),
        ({"theta": 20.0}, ["theta", "deg2rad"]),
    ],
)
def test_simulate_sweep_refuses(tmp_path: Path, change: dict[str, Any], parts: list[str]) -> None:
    """And leaves no folder behind."""
    with pytest.raises(pt.InvalidInputError) as error:
        sweep(tmp_path / "store", **change)
    for part in parts:
        assert part in str(error.value)
    assert not (tmp_path / "store").exists()


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
