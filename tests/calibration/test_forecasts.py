"""What a calibration says of runs that were not made: predictions, crossings, advice."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import brentq
from theory_runs import FLOOR, INPUTS, theory_runs

import perceptron_theory as pt
from perceptron_theory.calibration.runs import run_rule

THETA_DEG = 20.0


def true_error(n_total: float, n_kept: float, rule: str) -> float:
    solved = pt.solve(n_kept / INPUTS, n_kept / n_total, np.deg2rad(THETA_DEG), selection=run_rule(rule))
    return FLOOR + 2.0 * (0.5 - FLOOR) * float(solved.test_error)


@pytest.fixture(scope="module")
def exact() -> pt.Calibration:
    return pt.calibrate(theory_runs(THETA_DEG, 0.0, np.random.default_rng(0)), intervals="normal")


@pytest.fixture(scope="module")
def noisy() -> pt.Calibration:
    return pt.calibrate(theory_runs(THETA_DEG, 0.05, np.random.default_rng(2), repeats=2), intervals="normal")


def test_predictions_are_those_of_the_theory(exact: pt.Calibration) -> None:
    told = exact.predict([600, 60_000], 0.3, ["hard", "easy", "random"])
    assert told["n_kept"].tolist() == [180, 18_000] * 3
    for row in told.to_dict("records"):
        # Fits end when parameters change by 1e-8.
        expected = true_error(row["n_total"], row["n_kept"], row["selection"])
        assert row["test_error"] == pytest.approx(expected, rel=1e-6)
    bands = told[["run_low", "low", "test_error", "high", "run_high"]].to_numpy(dtype=np.float64)
    assert np.all(np.diff(bands, axis=1) >= 0.0)


def test_new_runs_fall_inside_their_bands(noisy: pt.Calibration) -> None:
    fresh = theory_runs(THETA_DEG, 0.05, np.random.default_rng(7), sizes=(1800, 5400), repeats=9)
    told = noisy.forecast(*(fresh[name].to_numpy() for name in ("n_total", "n_kept", "selection")))
    inside = (fresh["test_error"] >= told["run_low"]) & (fresh["test_error"] <= told["run_high"])
    # 108 runs of one calibration, whose error they share: looser than their binomial error of 2 %.
    assert 0.89 <= inside.mean() <= 0.995


def test_parameters_alone_make_narrower_bands(noisy: pt.Calibration) -> None:
    told = noisy.predict(8100, [0.2, 0.5], "hard")
    assert (told["high"] - told["low"] < told["run_high"] - told["run_low"]).all()


def test_crossing_is_where_the_curves_cross(exact: pt.Calibration) -> None:
    found = exact.crossing(f=0.2)
    root = brentq(lambda n: true_error(n / 0.2, n, "hard") - true_error(n / 0.2, n, "random"), 300.0, 3000.0)
    # Interpolated between 81 sizes.
    assert found.n_kept == pytest.approx(root, rel=1e-3)
    assert found.low <= found.n_kept <= found.high


def test_no_crossing_is_said(exact: pt.Calibration) -> None:
    assert math.isnan(exact.crossing(f=0.2, sizes=(100, 300)).n_kept)
    assert exact.crossing("random", "hard", f=0.2, sizes=(100, 300)).low == 100.0


def test_advice_is_the_best_of_what_was_compared(exact: pt.Calibration) -> None:
    advice = exact.recommend(pool=24_300, budget=2430)
    assert advice.n_kept == 2430
    assert advice.selection not in ("random", "easy", "all")
    assert advice.test_error == pytest.approx(advice.table["test_error"].min())
    assert advice.test_error == pytest.approx(true_error(advice.n_pool, advice.n_kept, advice.selection), rel=1e-6)
    assert advice.random_error == pytest.approx(true_error(24_300, 2430, "random"), rel=1e-6)
    assert true_error(advice.random_needed, advice.random_needed, "random") == pytest.approx(
        advice.test_error, rel=1e-4
    )
    assert str(advice).startswith("Keep 2,430 of ")


def test_few_examples_are_better_kept_easy(exact: pt.Calibration) -> None:
    assert exact.recommend(pool=900, budget=90).selection == "easy"


def test_an_error_is_reached_with_as_few_examples_as_possible(exact: pt.Calibration) -> None:
    goal = 0.1
    advice = exact.recommend(pool=24_300, error=goal)
    assert advice.test_error <= goal
    fewer = exact.recommend(pool=24_300, budget=round(0.97 * advice.n_kept))
    # Sizes are tried 1 % apart.
    assert fewer.test_error > goal


def test_where_pruning_does_not_help_nothing_is_pruned() -> None:
    rng = np.random.default_rng(4)
    useless = pt.calibrate(theory_runs(89.0, 0.02, rng, repeats=2), intervals="normal")
    assert useless.recommend(pool=8100, budget=8100).selection == "all"
    assert useless.recommend(pool=8100, budget=810).selection == "random"


def test_frontier_falls_with_the_budget(exact: pt.Calibration) -> None:
    told = exact.frontier([100, 1000, 10_000], pool=24_300)
    assert np.all(np.diff(told["test_error"]) < 0.0)
    assert (told["test_error"] <= told["random_error"]).all()
