"""A caller who lets numpy raise on every underflow gets the same numbers: what vanishes here is meant to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import perceptron_theory as pt

WIDE = np.append(np.geomspace(1e-200, 1.0, 40), [-0.3, 5.0, 2.0])
MARGINS = pt.MeasuredMargins(np.linspace(1e-3, 4.0, 60), signed=False)
LOSS = pt.ConvexLoss("logistic", lam=0.1)


def runs() -> pd.DataFrame:
    f = np.array([1.0, 0.5, 0.25, 1.0, 0.5, 0.25])
    n_total = np.repeat([400, 1200], 3)
    error = pt.solve(f * n_total / 200.0, f, 0.2).test_error
    rules = np.where(f < 1.0, "hard", "random")
    n_kept = (f * n_total).astype(int)
    return pd.DataFrame({"n_total": n_total, "n_kept": n_kept, "selection": rules, "test_error": error, "seed": 0})


CALLS: dict[str, Callable[[], object]] = {
    "solve": lambda: pt.solve([0.1, 1e4], [0.001, 1.0], 0.2).test_error,
    "gibbs": lambda: pt.solve([0.1, 100.0], 0.3, 0.2, student="gibbs").test_error,
    "bayes-optimal": lambda: pt.solve(2.0, 0.3, student="bayes-optimal").test_error,
    "convex": lambda: pt.solve([0.1, 100.0], 0.3, 0.2, student=LOSS, labels=pt.Labels(0.1, "probit", 3.0)).test_error,
    "optimal penalty": lambda: pt.solve(3.0, 0.3, 0.2, student=pt.ConvexLoss("square", "optimal")).test_error,
    "keep probability": lambda: (
        pt.solve(3.0, theta=0.2, selection=pt.KeepProbability(lambda m: np.exp(-m * m))).test_error
    ),
    "measured": lambda: pt.solve(3.0, [0.1, 0.5], 0.2, margins=MARGINS).test_error,
    "learning curve": lambda: pt.learning_curve([1.0, 1e3], [0.01, 1.0], 0.1).test_error.values,
    "frontier": lambda: pt.pareto_frontier([1.0, 30.0], 0.1, alpha_tot_max=1e3).test_error.values,
    "measured frontier": lambda: pt.pareto_frontier(3.0, 0.1, f_min=0.1, margins=MARGINS).test_error.values,
    "phase diagram": lambda: pt.phase_diagram([1.0, 30.0], [0.05, 0.5], 0.1).test_error.values,
    "boundary": lambda: pt.hard_easy_boundary([0.1, 0.5]).alpha_tot.values,
    "optimal policy": lambda: pt.optimal_policy(30.0, 0.1, 0.2).windows,
    "label-aware policy": lambda: pt.optimal_policy(30.0, 0.1, 0.2, label_aware=True).windows,
    "influence": lambda: pt.influence(5.0, 0.3, 0.2)(np.array([-30.0, 0.1, 30.0])),
    "gradient": lambda: pt.error_gradient(5.0, 0.3, 0.01).theta,
    "gradient of a loss": lambda: pt.error_gradient(5.0, 0.3, 0.1, student=LOSS).theta,
    "measured gradient": lambda: pt.error_gradient(5.0, 0.3, 0.1, margins=MARGINS).weights,
    "required angle": lambda: pt.required_theta(20.0, 0.2).theta_required,
    "by value": lambda: pt.Scores(WIDE, "easier").margins("value").second_moment,
    "by rank": lambda: pt.Scores(WIDE, "easier").magnitudes(),
    "inspection": lambda: str(pt.inspect_scores(pt.Scores(WIDE, "easier"))),
    "selection": lambda: pt.select(pt.Scores(WIDE, "easier"), 0.3).indices,
    "simulation": lambda: pt.simulate(20, 2.0, 0.3, 0.2, trials=2, workers=1).test_error,
    "measured simulation": lambda: pt.simulate(20, 2.0, 0.3, 1e-3, margins=MARGINS, trials=2, workers=1).test_error,
    "calibration": lambda: pt.calibrate(runs(), free=("N", "theta"), intervals="normal").parameters.to_numpy(),
}


@pytest.mark.parametrize("name", CALLS)
def test_same_numbers_where_numpy_raises(name: str) -> None:
    expected = CALLS[name]()
    with np.errstate(all="raise"):
        found = CALLS[name]()
    np.testing.assert_array_equal(found, expected)
