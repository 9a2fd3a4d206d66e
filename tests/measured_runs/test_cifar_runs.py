"""Pruning runs on CIFAR-10, measured on a few small images by a tiny network; the table itself is not measured yet."""

from __future__ import annotations

import dataclasses
import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from perceptron_theory import InvalidInputError
from perceptron_theory.calibration.runs import read_runs
from perceptron_theory.measured_runs import measure_cifar
from perceptron_theory.measured_runs.cifar_batches import DeviceImages
from perceptron_theory.measured_runs.cifar_images import CifarImages, Labelled
from perceptron_theory.measured_runs.cifar_runs import Cell, Experiment, Settings, cells
from perceptron_theory.measured_runs.cifar_scores import FIRST_SEED, Scoring
from perceptron_theory.measured_runs.cifar_students import Recipe, network_outputs, train
from perceptron_theory.measured_runs.cifar_table import FACTS_FILE, FILES, RUNS_FILE, SCORES_FILE
from perceptron_theory.measured_runs.measured_run import Run

CPU = torch.device("cpu")
TINY = Settings(
    sizes=(10, 40),
    fractions=(0.5,),
    recipe=Recipe(width=2, steps=4, batch=8, rate=0.05),
    scoring=Scoring(networks=2, steps=3, prototypes=3),
)
PER_SEED = 2 * (1 + 2 * 2 + 1)


def noise(n: int, seed: int) -> Labelled:
    return Labelled(
        np.random.default_rng(seed).integers(0, 256, (n, 32, 32, 3), dtype=np.uint8),
        np.repeat(np.arange(10), n // 10),
    )


@pytest.fixture(scope="module", autouse=True)
def few_images() -> Iterator[None]:
    images = CifarImages(noise(40, 0), noise(100, 1))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(measure_cifar, "read_images", lambda folder, scratch: images)
        yield


def measure(folder: Path, settings: Settings = TINY, **options: Any) -> int:
    return measure_cifar.measure(Path("unused"), folder, settings, device="cpu", **options)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All runs of two seeds, without a break."""
    folder = tmp_path_factory.mktemp("whole")
    assert measure(folder, n_seeds=2) == 0
    return folder


def test_every_cell_once_in_order(whole: Path) -> None:
    table = pd.read_csv(whole / RUNS_FILE)
    assert tuple(table.columns) == Run._fields
    expected = list(cells(TINY, n_seeds=2))
    assert list(table[list(Cell._fields)].itertuples(index=False, name=None)) == expected
    assert len(expected) == len(set(expected)) == 2 * PER_SEED
    assert (table["n_kept"] == table["f"] * table["n_total"]).all()
    assert (table["n_test"] == 100).all()
    assert set(table["probe"][table["metric"] == "random"]) == {"any"}
    assert set(table["probe"][table["metric"] != "random"]) == {"short"}
    np.testing.assert_allclose(table["test_error"] * 100, (table["test_error"] * 100).round(), atol=1e-9)  # rounding
    assert table["test_error"].nunique() > 3  # students differ
    assert len(read_runs(whole / RUNS_FILE)) == len(table)


def test_a_truncated_table_is_useful() -> None:
    every = list(cells(Settings(), n_seeds=3))
    assert every == sorted(every, key=lambda cell: cell[:3])
    first = every[: len(every) // 3]
    assert {cell.seed for cell in first} == {0}
    pairs = itertools.product(("el2n", "prototype"), ("hard", "easy"), (0.1, 0.2, 0.4, 0.7), Settings().sizes)
    pruned = {(c.metric, c.selection, c.f, c.n_total) for c in first if c.metric != "random"}
    assert pruned == set(pairs)
    random = {(c.f, c.n_total) for c in first if c.metric == "random"}
    assert random == set(itertools.product((0.1, 0.2, 0.4, 0.7, 1.0), Settings().sizes))


def test_scores(whole: Path) -> None:
    scores = pd.read_parquet(whole / SCORES_FILE)
    assert list(scores.columns) == ["index", "label", "el2n", "prototype"]
    assert [str(dtype) for dtype in scores.dtypes] == ["int64", "int64", "float32", "float32"]
    assert scores["index"].tolist() == list(range(40))
    assert scores["label"].tolist() == noise(40, 0).label.tolist()
    assert scores["el2n"].between(0.0, 2**0.5).all()
    assert scores["prototype"].between(0.0, 2.0).all()
    assert scores["prototype"].nunique() > 30  # of 40: images differ
    images = DeviceImages(noise(40, 0), CPU)
    short = dataclasses.replace(TINY.recipe, steps=TINY.scoring.steps)
    networks = [train(images, np.arange(40), short, seed) for seed in (FIRST_SEED, FIRST_SEED + 1)]
    off = [network_outputs(one, images).logits.softmax(dim=1) - torch.eye(10)[images.label] for one in networks]
    norms = sum(one.norm(dim=1) for one in off).numpy() / 2
    np.testing.assert_allclose(scores["el2n"], norms, rtol=0.0, atol=1e-6)  # rounding of float32


def test_facts(whole: Path) -> None:
    facts = json.loads((whole / FACTS_FILE).read_text(encoding="utf-8"))
    assert facts["settings"]["recipe"]["width"] == 2
    assert len(facts["scores"]["test_errors"]) == 2
    assert facts["scores"]["centroids"].startswith("3 centroids")
    (start,) = facts["starts"]
    assert start["runs"] == 2 * PER_SEED
    assert start["seconds"] > 0.0
    assert start["versions"]["torch"] == torch.__version__
    assert start["device"].startswith("cpu: ")


@pytest.fixture(scope="module")
def experiment() -> Experiment:
    el2n, prototype = np.random.default_rng(2).permuted(np.tile(np.arange(40.0), (2, 1)), axis=1)
    scores = pd.DataFrame({"el2n": el2n, "prototype": prototype})
    return Experiment(DeviceImages(noise(40, 0), CPU), DeviceImages(noise(100, 1), CPU), scores, TINY)


@pytest.mark.parametrize("metric", ["el2n", "prototype"])
def test_hard_and_easy_images_of_the_pool(experiment: Experiment, metric: str) -> None:
    pool = experiment.pool(0, 20)
    by_score = pool[np.argsort(experiment._scores[metric].to_numpy()[pool])]
    hard, easy = (set(experiment.kept(Cell(0, 20, 0.4, rule, metric))) for rule in ("hard", "easy"))
    assert hard == set(by_score[-8:])
    assert easy == set(by_score[:8])


def test_pools_of_a_seed_contain_one_another(experiment: Experiment) -> None:
    small, large = set(experiment.pool(0, 10)), set(experiment.pool(0, 30))
    assert small < large
    assert small != set(experiment.pool(1, 10))
    assert set(experiment.kept(Cell(0, 30, 1.0, "random", "random"))) == large


def test_random_images_look_at_no_score(experiment: Experiment) -> None:
    cell = Cell(0, 40, 0.5, "random", "random")
    mirrored = Experiment(experiment._images, experiment._test, -experiment._scores, TINY)
    np.testing.assert_array_equal(experiment.kept(cell), mirrored.kept(cell))
    assert set(experiment.kept(cell)) != set(experiment.kept(cell._replace(seed=1)))


def test_pools_and_scores_that_do_not_fit(experiment: Experiment) -> None:
    parts = (experiment._images, experiment._test)
    with pytest.raises(InvalidInputError, match="at most as many images as there are, got 50000 of 40"):
        Experiment(*parts, experiment._scores, Settings())
    with pytest.raises(InvalidInputError, match="one per image, got 39 for 40"):
        Experiment(*parts, experiment._scores[:39], TINY)


def test_continues_where_it_was(tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = [7]

    class Killed(Experiment):
        def run(self, cell: Cell) -> Run:
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
            return super().run(cell)

    with monkeypatch.context() as patched:
        patched.setattr(measure_cifar, "Experiment", Killed)
        with pytest.raises(KeyboardInterrupt):
            measure(tmp_path, n_seeds=1)
    lines = (tmp_path / RUNS_FILE).read_bytes().splitlines()
    assert lines == (whole / RUNS_FILE).read_bytes().splitlines()[:8]
    with monkeypatch.context() as patched:
        patched.setattr(measure_cifar, "measure_scores", None)  # they are there
        assert measure(tmp_path, n_seeds=1) == 0
        assert measure(tmp_path, n_seeds=2) == 0  # more may be asked for
        assert measure(tmp_path, n_seeds=1) == 0  # and none is thrown away
    assert (tmp_path / RUNS_FILE).read_bytes() == (whole / RUNS_FILE).read_bytes()
    assert (tmp_path / SCORES_FILE).read_bytes() == (whole / SCORES_FILE).read_bytes()
    starts = json.loads((tmp_path / FACTS_FILE).read_text(encoding="utf-8"))["starts"]
    assert [start["runs"] for start in starts] == [7, PER_SEED - 7, PER_SEED]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES)


def test_ends_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])

    class Slow(Experiment):
        def run(self, cell: Cell) -> Run:
            now[0] += 60.0
            return super().run(cell)

    monkeypatch.setattr(measure_cifar, "Experiment", Slow)
    # The fourth would end at 4 minutes.
    assert measure(tmp_path, n_seeds=1, max_minutes=3.9) == PER_SEED - 3
    assert len(pd.read_csv(tmp_path / RUNS_FILE)) == 3
    assert now[0] == 180.0
    assert measure(tmp_path, n_seeds=1, max_minutes=0.0) == PER_SEED - 3


def test_other_settings_and_missing_files_are_refused(tmp_path: Path) -> None:
    measure(tmp_path, n_seeds=1, max_minutes=0.0)
    with pytest.raises(InvalidInputError, match="runs of other settings: choose another folder"):
        measure(tmp_path, Settings(sizes=(10,), recipe=TINY.recipe, scoring=TINY.scoring))
    (tmp_path / FACTS_FILE).unlink()
    with pytest.raises(InvalidInputError, match=rf"holds {SCORES_FILE} and {RUNS_FILE} without {FACTS_FILE}: put back"):
        measure(tmp_path)


def test_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    given: dict[str, Any] = {}

    def noted(images_folder: Path, folder: Path, settings: Settings, **options: Any) -> int:
        given.update(options, settings=settings)
        return 5

    monkeypatch.setattr(measure_cifar, "measure", noted)
    measure_cifar.main(["images", "out", "--seeds", "2", "--max-minutes", "9", "--width", "64", "--scratch", "kept"])
    assert capsys.readouterr().out == "5 runs are missing: start again to go on.\n"
    settings = Settings(recipe=Recipe(width=64))
    options = {"device": "cuda", "n_seeds": 2, "max_minutes": 9.0, "scratch": Path("kept")}
    assert given == options | {"settings": settings}


def test_errors_of_the_command_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="error: torch must be able to use the device, got 'toaster'"):
        measure_cifar.main(["images", str(tmp_path), "--device", "toaster"])
    with pytest.raises(SystemExit, match="error: n_seeds must be a whole number of at least 1, got 0"):
        measure_cifar.main(["images", str(tmp_path), "--seeds", "0"])
