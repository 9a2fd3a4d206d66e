"""The table of runs measured on MNIST: complete, what it shows, and measured again."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from perceptron_theory import InvalidInputError
from perceptron_theory.measured_runs import measure_mnist, mnist_runs
from perceptron_theory.measured_runs.measured_run import Run
from perceptron_theory.measured_runs.mnist_runs import FRACTIONS, PROBES, RULES, SIZES, TASKS
from perceptron_theory.measured_runs.mnist_students import Outputs
from perceptron_theory.simulation.one_thread import one_blas_thread

DATA = files("perceptron_theory.measured_runs").joinpath("data")


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DATA.joinpath(measure_mnist.FACTS_FILE).read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    with DATA.joinpath(measure_mnist.RUNS_FILE).open(encoding="utf-8") as file:
        return pd.read_csv(file)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """As when the table was made."""
    with one_blas_thread():
        yield


@pytest.fixture(scope="module")
def images(shared_data: Path) -> mnist_runs.Images:
    return mnist_runs.read_images(shared_data / "images" / "mnist")


def cells() -> Iterator[tuple[str, int, int, float, str, str]]:
    """Student, seed, pool, fraction, rule and probe of every run there should be."""
    pruned = [(f, rule, probe) for f, rule, probe in itertools.product(FRACTIONS, RULES, PROBES)]
    ways = [*pruned, *((f, "random", "any") for f in (*FRACTIONS, 1.0))]
    for student, task in TASKS.items():
        for seed, n_total, way in itertools.product(range(task.n_seeds), SIZES, ways):
            yield (student, seed, n_total, *way)


def test_every_cell_once(table: pd.DataFrame) -> None:
    found = table[["student", "seed", "n_total", "f", "selection", "probe"]].itertuples(index=False, name=None)
    assert sorted(found) == sorted(cells())


def test_columns(table: pd.DataFrame) -> None:
    assert tuple(table.columns) == Run._fields
    assert table.notna().all(axis=None)
    # f n_total is a whole number for all of these sizes.
    np.testing.assert_array_equal(table["n_kept"], (table["f"] * table["n_total"]).round())
    assert table["test_error"].between(0.0, 1.0).all()
    wrong = table["test_error"] * table["n_test"]
    np.testing.assert_allclose(wrong, wrong.round(), atol=1e-6)  # counts, written as fractions: rounding only
    by_student = table.groupby("student")[["task"]].first()["task"]
    assert by_student.to_dict() == {student: task.name for student, task in TASKS.items()}
    expected = table["student"].map({student: task.metric for student, task in TASKS.items()})
    assert (table["metric"] == expected.where(table["selection"] != "random", "random")).all()


def test_facts_agree(facts: dict[str, Any], table: pd.DataFrame) -> None:
    assert facts["settings"] == json.loads(json.dumps(measure_mnist.settings()))
    assert (table["n_test"] == facts["n_test"]).all()
    assert facts["n_train"] >= PROBES["late"] + SIZES[-1]  # pools and probes share no image
    expected = {(s, seed, probe) for s, task in TASKS.items() for seed in range(task.n_seeds) for probe in PROBES}
    assert {(row["student"], row["seed"], row["probe"]) for row in facts["probes"]} == expected
    assert len(facts["probes"]) == len(expected)
    assert all(facts["seconds"][student] > 0.0 for student in TASKS)


def test_more_images_make_the_better_probe(facts: dict[str, Any]) -> None:
    probes = pd.DataFrame(facts["probes"]).set_index(["student", "seed", "probe"])
    for column in ("test_error", "disagreement_with_full", "theta_to_full"):
        by_probe = probes[column].dropna().unstack("probe")
        assert (by_probe["late"] < by_probe["early"]).all()


def mean_errors(table: pd.DataFrame, student: str, selection: str, probe: str) -> pd.DataFrame:
    """Mean over seeds, a row per pool and a column per fraction."""
    rows = table[(table["student"] == student) & (table["selection"] == selection) & (table["probe"] == probe)]
    return rows.groupby(["n_total", "f"])["test_error"].mean().unstack("f")


def gains(table: pd.DataFrame, student: str, selection: str, probe: str) -> pd.DataFrame:
    """Error of random pruning to the same fraction less that of the rule."""
    random = mean_errors(table, student, "random", "any")[list(FRACTIONS)]
    return random - mean_errors(table, student, selection, probe)


# What the table shows, not what it must, in means over seeds: the weakest differs from 0 by 1.8 standard errors, nearly
# all by more than 3.
@pytest.mark.parametrize("student", TASKS)
@pytest.mark.parametrize("probe", PROBES)
def test_hard_is_worse_than_random_where_little_is_kept_of_little(
    table: pd.DataFrame, student: str, probe: str
) -> None:
    assert (gains(table, student, "hard", probe).loc[:600, [0.1, 0.2]] < 0.0).all(axis=None)


@pytest.mark.parametrize("student", TASKS)
def test_hard_is_better_than_random_in_large_pools_by_a_good_probe(table: pd.DataFrame, student: str) -> None:
    assert (gains(table, student, "hard", "late").loc[9000:, [0.2, 0.4]] > 0.0).all(axis=None)


@pytest.mark.parametrize("student", TASKS)
def test_a_good_probe_is_better_in_large_pools(table: pd.DataFrame, student: str) -> None:
    early, late = (mean_errors(table, student, "hard", probe) for probe in ("early", "late"))
    assert (late < early).loc[9000:, [0.2, 0.4]].all(axis=None)


@pytest.mark.parametrize("student", TASKS)
@pytest.mark.parametrize("probe", PROBES)
def test_easy_is_worse_than_random_in_large_pools(table: pd.DataFrame, student: str, probe: str) -> None:
    assert (gains(table, student, "easy", probe).loc[3600:] < 0.0).all(axis=None)


def test_the_hardest_five_per_cent_are_better_left_out_where_little_is_kept(table: pd.DataFrame) -> None:
    for student in TASKS:
        hard, band = (mean_errors(table, student, selection, "late") for selection in ("hard", "band:0.05"))
        assert (band < hard).loc[3600:, 0.1].all()


#: Outputs of order 1 that are closer than this could be exchanged by rounding, which is 1e-16 and grows over a hundred
#: steps. Without a reason, fewer than one image in a hundred thousand has two outputs this close.
ROUNDING = 1e-9


class Watched(mnist_runs.Experiment):
    """Counts, of each student, the test images whose class is left to rounding."""

    def __init__(self, images: mnist_runs.Images, student: str) -> None:
        super().__init__(images, student, seed=0)
        self.undecided: list[int] = []

    def test_error(self, outputs: Outputs) -> float:
        ranked = np.sort(outputs(self.images.test_x), axis=1)
        self.undecided.append(int(np.sum(ranked[:, -1] - ranked[:, -2] < ROUNDING)))
        return super().test_error(outputs)


# Both students are found by the same steps on all processors, up to rounding. A softmax student that was given no
# example of two classes has the same weights for both: rounding chooses between them.
@pytest.mark.parametrize("student", ["logistic", "softmax"])
def test_smallest_pool_again(student: str, images: mnist_runs.Images, table: pd.DataFrame) -> None:
    experiment = Watched(images, student)
    again = pd.DataFrame(experiment.runs(SIZES[0]))
    check_again(again, table, experiment.undecided)
    pool = experiment.pool(SIZES[0])
    # None of them in any other run.
    for choice, undecided in zip(experiment.choices(pool), experiment.undecided, strict=True):
        assert undecided == 0 or np.unique(experiment.y[pool[choice.kept]]).size <= 8


# Rounding grows over 1000 steps until it is as good as another seed; but the image order and the first weights stay.
# Two binomial standard errors of 10,000 images at an error of 1/2.
@pytest.mark.slow
def test_smallest_pool_of_networks_again(images: mnist_runs.Images, table: pd.DataFrame) -> None:
    check_again(pd.DataFrame(mnist_runs.Experiment(images, "network", 0).runs(SIZES[0])), table, 100)


def check_again(again: pd.DataFrame, table: pd.DataFrame, images_apart: int | list[int]) -> None:
    keys = ["student", "seed", "n_total"]
    there = table[(table[keys] == again[keys].iloc[0]).all(axis=1)].reset_index(drop=True)
    exact = [column for column in table.columns if column != "test_error"]
    pd.testing.assert_frame_equal(again[exact], there[exact])
    apart = (again["test_error"] - there["test_error"]).abs() * again["n_test"]
    assert (apart < np.add(images_apart, 0.5)).all(), apart.tolist()


def test_selection_ignores_labels(images: mnist_runs.Images) -> None:
    experiment = mnist_runs.Experiment(images, "logistic", 0)
    pool = experiment.pool(SIZES[1])
    hard = {c.f: c.kept for c in experiment.choices(pool) if (c.selection, c.probe) == ("hard", "late")}
    distance = np.abs(experiment.probes["late"](images.x[pool])[:, 1])
    for f, kept in hard.items():
        nearest = np.argsort(distance)[: round(f * SIZES[1])]
        np.testing.assert_array_equal(kept, np.sort(nearest))


def test_continues_where_it_was(tmp_path: Path, images: mnist_runs.Images, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (measure_mnist, mnist_runs):
        monkeypatch.setattr(module, "SIZES", SIZES[:1])
    monkeypatch.setattr(measure_mnist, "TASKS", {"logistic": TASKS["logistic"]._replace(n_seeds=2)})
    monkeypatch.setattr(measure_mnist, "read_images", lambda _: images)
    measured: list[int] = []

    class Killed(mnist_runs.Experiment):
        def __init__(self, images: mnist_runs.Images, student: str, seed: int) -> None:
            if measured:
                raise KeyboardInterrupt
            measured.append(seed)
            super().__init__(images, student, seed)

    with monkeypatch.context() as patched:
        patched.setattr(measure_mnist, "Experiment", Killed)
        with pytest.raises(KeyboardInterrupt):
            measure_mnist.measure(tmp_path, tmp_path / "killed")
    measure_mnist.measure(tmp_path, tmp_path / "killed")
    measure_mnist.measure(tmp_path, tmp_path / "whole")
    tables = [(tmp_path / folder / measure_mnist.RUNS_FILE).read_bytes() for folder in ("killed", "whole")]
    assert measured == [0]
    assert tables[0] == tables[1]
    assert tables[1].count(b"\n") == 1 + 2 * (len(FRACTIONS) * (len(RULES) * len(PROBES) + 1) + 1)


def test_other_settings_are_refused(tmp_path: Path, facts: dict[str, Any]) -> None:
    (tmp_path / measure_mnist.RUNS_FILE).write_text("n_total\n", encoding="utf-8")
    changed = facts | {"settings": facts["settings"] | {"band_lower": 0.1}}
    (tmp_path / measure_mnist.FACTS_FILE).write_text(json.dumps(changed), encoding="utf-8")
    with pytest.raises(InvalidInputError, match="runs of other settings: choose another folder"):
        measure_mnist.measure(Path("unused"), tmp_path)


def test_missing_images(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"images not found, got .*train_images.npz: give the folder of MNIST"):
        mnist_runs.read_images(tmp_path)
