"""Sweeps: the numbers of `simulate`, kept in a folder that survives being killed and never mixes two sweeps."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from kill_points import contents
from small_sweep import CALL, part, sweep, untouched

import perceptron_theory as pt
from perceptron_theory.simulation import sweep as sweep_module
from perceptron_theory.simulation.simulation import MEASURED
from perceptron_theory.simulation.trials import Block, run_block


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
    for words in parts:
        assert words in str(error.value)
    assert not (tmp_path / "store").exists()
