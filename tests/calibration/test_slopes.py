"""Slopes of ln(test error) in the coordinates of a fit, and levers, beside differences of the solver."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from theory_runs import COLUMNS

import perceptron_theory as pt
from perceptron_theory.calibration.cells import cells_of
from perceptron_theory.calibration.curves import Curves
from perceptron_theory.calibration.fitting import Task
from perceptron_theory.calibration.parameters import parameters_for, to_moving
from perceptron_theory.calibration.runs import Runs
from perceptron_theory.margins.distributions import Margins

FloatArray = npt.NDArray[np.float64]

RUNS = (
    (2000, 2000, "random"),
    (2000, 700, "hard"),
    (2000, 700, "easy"),
    (2000, 1400, "band:0.1"),
    (6000, 900, "random"),
    (6000, 300, "hard"),
)
VALUES = {"N": 300.0, "theta": 0.35, "floor": 0.02, "scale": 1.2, "exponent": 0.8, "lam": 0.2, "flip": 0.08}
OF_ALL = ("N", "theta", "floor", "scale", "exponent")
LOGISTIC = pt.ConvexLoss("logistic", 0.1)
#: Richardson's combination of two central differences misses a fifth derivative times 1e-12 and the solver's 1e-12
#: divided by the step, 1e-9; measured is 1e-10 at most. A wrong factor is off by 1e-2 and more.
ACCURACY = 1e-6


def task_of(
    free: tuple[str, ...],
    student: str | pt.ConvexLoss = "max-margin",
    chance: float = 0.5,
    fixed: dict[str, float] | None = None,
    margins: Margins | None = None,
) -> Task:
    table = pd.DataFrame([(*run, 0.1, 0) for run in RUNS], columns=COLUMNS)
    cells = cells_of(Runs(table), chance)
    defaults = {"floor": 0.0, "scale": 1.0, "exponent": 1.0, "lam": math.nan, "flip": 0.0} | (fixed or {})
    held = {name: value for name, value in defaults.items() if name not in free}
    return Task(cells, Curves(student, chance, margins, held), parameters_for(free, student, cells.n_kept, 0.1, chance))


def difference(log_error: Callable[[float], FloatArray], step: float = 1e-3) -> FloatArray:
    """Derivative at 0."""

    def central(h: float) -> FloatArray:
        return (log_error(h) - log_error(-h)) / (2.0 * h)

    return (4.0 * central(0.5 * step) - central(step)) / 3.0


def assert_slopes(task: Task) -> None:
    moving = to_moving(task.parameters, np.array([VALUES[name] for name in task.names]))
    slopes = task.slopes(moving)
    for k, name in enumerate(task.names):
        towards = np.eye(moving.size)[k]

        def log_error(h: float, towards: FloatArray = towards) -> FloatArray:
            return task.log_errors(moving + h * towards)

        off = np.abs(difference(log_error) - slopes[:, k]).max() / np.abs(slopes[:, k]).max()
        assert off < ACCURACY, (name, off)


@pytest.mark.parametrize("chance", [0.5, 0.9])
def test_max_margin(chance: float) -> None:
    assert_slopes(task_of(OF_ALL, chance=chance))


def test_order_of_the_parameters_does_not_matter() -> None:
    assert_slopes(task_of(OF_ALL[::-1]))


def test_measured_margins_with_ties() -> None:
    scores = pt.Scores(np.round(np.random.default_rng(0).standard_normal(400), 1) ** 2, higher_is="harder")
    assert_slopes(task_of(OF_ALL, margins=scores.margins("rank")))


def test_convex_loss() -> None:
    assert_slopes(task_of((*OF_ALL, "lam", "flip"), LOGISTIC))


def test_convex_loss_of_a_fixed_penalty_and_noise() -> None:
    assert_slopes(task_of(("N", "theta", "floor"), LOGISTIC, fixed={"lam": 0.7, "flip": 0.15, "scale": 0.9}))


@pytest.mark.parametrize("free", [("N", "theta", "exponent"), ("theta", "floor")])
def test_levers_are_slopes_in_the_number_of_examples(free: tuple[str, ...]) -> None:
    task = task_of(free, fixed={"N": 300.0, "exponent": 0.7})
    moving = to_moving(task.parameters, np.array([VALUES[name] for name in free]))
    c, values = task.cells, task.values(moving)

    def log_error(h: float) -> FloatArray:
        more = math.exp(h)  # of pool and kept alike
        return np.log(task.curves.errors(c.n_total * more, c.n_kept * more, c.selection, values))

    np.testing.assert_allclose(task.levered(moving).levers, np.sqrt(1.0 + difference(log_error) ** 2), rtol=ACCURACY)
