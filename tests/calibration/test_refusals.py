"""Runs that tell too little, or contradict themselves: a clear refusal or a verdict, never a confident number."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from theory_runs import theory_runs

import perceptron_theory as pt

Change = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.fixture(scope="module")
def runs() -> pd.DataFrame:
    return theory_runs(20.0, 0.02, np.random.default_rng(11), sizes=(900, 2700, 8100))


@pytest.fixture(scope="module")
def found(runs: pd.DataFrame) -> pt.Calibration:
    return pt.calibrate(runs, intervals="normal")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.head(3), "3 different runs for 3 parameters.*repetitions do not count"),
        (lambda t: pd.concat([t.head(2).assign(seed=s) for s in range(9)]), "2 different runs for 3 parameters"),
        (lambda t: t.assign(test_error=100.0 * t["test_error"]), r"test_error must lie in \[0, 1\].*per cent"),
        (lambda t: t.assign(test_error=0.75), "must not exceed chance, got 0.75 .* set chance"),
        (lambda t: t.assign(n_kept=t["n_kept"] / t["n_total"]), "n_kept must be a whole number.*no fraction"),
        (lambda t: t.assign(n_kept=2 * t["n_total"]), "n_kept must be at most n_total"),
        (lambda t: t.assign(metric=["a", "b"] * (len(t) // 2)), "of one metric, got 'a', 'b'"),
        (lambda t: t.assign(test_error=0.0), "n_test is not given.*Add a column n_test"),
        (lambda t: t.assign(test_error=math.nan), "test_error must be a finite number"),
        (lambda t: t.assign(test_error="one in ten"), "test_error must be a finite number"),
        (lambda t: t.assign(selection="hardest"), "unknown selection 'hardest'"),
        (lambda t: t.assign(weight=0.0), "weight must be > 0"),
        (lambda t: t.assign(n_test=-5), "n_test must be a whole number"),
        (lambda t: pd.concat([t, t]), "must differ.*seeds"),
        (lambda t: t.drop(columns="seed"), "seed missing"),
        (lambda t: t.head(0), "must not be empty"),
    ],
)
def test_tables_are_refused(runs: pd.DataFrame, change: Change, said: str) -> None:
    with pytest.raises(pt.InvalidInputError, match=said):
        pt.calibrate(change(runs))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"chance": 1.5}, "chance must lie in"),
        ({"level": 0.0}, "level must lie in"),
        ({"free": ("N", "theta", "phi")}, "unknown parameter 'phi'"),
        ({"free": ("N", "N", "theta")}, "must not repeat itself"),
        ({"free": ("theta", "floor")}, "N must be in free or in fixed"),
        ({"free": ("N", "theta", "lam")}, "has no lam"),
        ({"fixed": {"N": 300.0}}, "either fixed or in free"),
        ({"free": ("N",), "fixed": {"theta": 2.0}}, "theta must lie in"),
        ({"free": ("theta",), "fixed": {"N": -3.0}}, "N must"),
        ({"free": ("N", "theta"), "fixed": {"floor": 0.7}}, "floor must"),
        ({"free": ("N", "theta"), "fixed": {"scale": 0.0}}, "scale must"),
        ({"free": ("N", "theta"), "fixed": {"exponent": -1.0}}, "exponent must"),
        ({"free": ("N", "theta"), "fixed": {"flip": 0.1}}, "has no flip"),
        ({"student": "gibbs"}, "student must be 'max-margin' or a ConvexLoss"),
        ({"student": pt.ConvexLoss("hinge", [0.1, 0.2])}, "lam must be a number"),
        ({"student": pt.ConvexLoss("hinge", 0.1), "free": ("N", "theta"), "fixed": {"flip": 0.6}}, "flip must"),
        ({"intervals": "exact"}, "intervals must be"),
        ({"seed": -1}, "seed must be"),
        ({"n_bootstrap": 1, "intervals": "bootstrap"}, "n_bootstrap must be"),
        ({"scores": "scores.npy"}, "scores must be"),
    ],
)
def test_arguments_are_refused(runs: pd.DataFrame, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(pt.InvalidInputError, match=said):
        pt.calibrate(runs, **arguments)


@pytest.mark.parametrize("n", [1e-9, 1e30])
def test_examples_per_parameter_outside_the_range_of_the_solver(runs: pd.DataFrame, n: float) -> None:
    with pytest.raises(pt.InvalidInputError, match="examples per parameter"):
        pt.calibrate(runs, free=("theta",), fixed={"N": n})


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda c: c.predict(0), "sizes must be at least 1"),
        (lambda c: c.predict(1000, 1.5), r"f must lie in \(0, 1\]"),
        (lambda c: c.predict(1000, 0.5, "hardest"), "unknown selection"),
        (lambda c: c.recommend(pool=1000), "either budget or error"),
        (lambda c: c.recommend(pool=1000, budget=10, error=0.1), "either budget or error"),
        (lambda c: c.recommend(pool=0, budget=10), "pool must be"),
        (lambda c: c.recommend(pool=1000, budget=0), "budget must be"),
        (lambda c: c.recommend(pool=1000, error=1e-6), "out of reach with 1,000 examples"),
        (lambda c: c.recommend(pool=1000, error=math.nan), "error must"),
        (lambda c: c.crossing(), "either pool or f"),
        (lambda c: c.crossing(f=0.2, sizes=(100, 10)), "sizes must be"),
        (lambda c: c.crossing(pool=1000, sizes=(10, 5000)), "sizes must be"),
        (lambda c: c.value("phi"), "unknown parameter"),
        (lambda c: c.next_run("flip"), "was not fitted"),
        (lambda c: c.frontier([0]), "budget must be"),
    ],
)
def test_questions_are_refused(found: pt.Calibration, ask: Callable[[pt.Calibration], object], said: str) -> None:
    with pytest.raises(pt.InvalidInputError, match=said):
        ask(found)


def test_one_size_of_one_rule_tells_nothing_of_the_angle() -> None:
    runs = theory_runs(20.0, 0.02, np.random.default_rng(1), sizes=(900, 1800, 2700, 5400), parts=((0.3, "random"),))
    found = pt.calibrate(runs)
    assert found.verdict("theta") == "not identifiable"
    advice = found.recommend(pool=2700, budget=300)
    assert advice.selection == "random"
    assert "theta is not identifiable" in str(advice)
    assert "Next run: keep" in str(advice)


def test_a_single_size_bounds_little() -> None:
    runs = theory_runs(20.0, 0.02, np.random.default_rng(1), sizes=(2700,))
    found = pt.calibrate(runs)
    told = found.predict(270_000, 0.2, "hard").iloc[0]
    # A hundred times the only pool: the floor alone decides, and the runs hardly bound it.
    assert told["run_high"] > 1.2 * told["run_low"]
    assert "this is extrapolated" in str(found.recommend(pool=270_000, budget=2700))


def test_constant_errors_give_a_floor_and_no_number_of_parameters() -> None:
    runs = theory_runs(20.0, 0.0, np.random.default_rng(0)).assign(test_error=0.2)
    found = pt.calibrate(runs, intervals="normal")
    assert found.verdict("N") != "identified"
    assert found.identifiability != ""


def test_errors_that_rise_with_size_do_not_fit() -> None:
    runs = theory_runs(20.0, 0.0, np.random.default_rng(0))
    backwards = runs.assign(test_error=runs["test_error"].to_numpy()[::-1])
    assert pt.calibrate(backwards, intervals="normal").misfit > 0.3


def test_an_error_of_zero_counts_where_the_test_set_is_known() -> None:
    runs = theory_runs(20.0, 0.0, np.random.default_rng(0)).assign(n_test=1000)
    runs.loc[runs.index[-3], "test_error"] = 0.0
    found = pt.calibrate(runs, intervals="normal")
    assert np.isfinite(found.residuals["measured"]).all()
    assert math.isfinite(found.N)


def test_order_and_names_of_rows_do_not_count(runs: pd.DataFrame, found: pt.Calibration) -> None:
    shuffled = runs.sample(frac=1.0, random_state=3).assign(n_total=lambda t: t["n_total"].astype(np.float32))
    other = pt.calibrate(shuffled, intervals="normal")
    assert other.parameters.equals(found.parameters)
