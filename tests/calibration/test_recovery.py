"""Parameters come back from runs that the theory made, and from runs of finite perceptrons."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from theory_runs import COLUMNS, FLOOR, INPUTS, theory_runs

import perceptron_theory as pt

ANGLES, NOISES = (5.0, 20.0, 45.0), (0.01, 0.03, 0.1)


def test_runs_without_noise_give_the_parameters_back() -> None:
    found = pt.calibrate(theory_runs(20.0, 0.0, np.random.default_rng(0)), intervals="normal")
    # Fits end when parameters change by 1e-8, relatively.
    assert found.value("N") == pytest.approx(INPUTS, rel=1e-6)
    assert found.theta == pytest.approx(np.deg2rad(20.0), rel=1e-6)
    assert found.floor == pytest.approx(FLOOR, rel=1e-5)
    assert found.identifiability == ""


def test_ten_classes_scale_and_exponent_come_back() -> None:
    runs = theory_runs(20.0, 0.0, np.random.default_rng(0), chance=0.9)
    free = ("N", "theta", "floor", "scale", "exponent")
    found = pt.calibrate(runs, chance=0.9, free=free, intervals="normal")
    # Five parameters, some of which nearly make up for each other: looser than above by that.
    for name, value in {"N": INPUTS, "theta": np.deg2rad(20.0), "floor": FLOOR, "scale": 1.0, "exponent": 1.0}.items():
        assert found.value(name) == pytest.approx(value, rel=1e-4), name


def test_penalty_of_a_logistic_student_comes_back() -> None:
    rows = []
    for n_total in (300, 900, 2700):
        for f, rule in ((1.0, "random"), (0.4, "hard"), (0.4, "random")):
            n_kept = round(f * n_total)
            solved = pt.solve(
                n_kept / INPUTS, n_kept / n_total, 0.3, selection=rule, student=pt.ConvexLoss("logistic", 0.3),
                labels=pt.Labels(flip=0.1),
            )  # fmt: skip
            rows.append((n_total, n_kept, rule, float(solved.test_error), 0))
    runs = pd.DataFrame(rows, columns=COLUMNS)
    found = pt.calibrate(
        runs,
        student=pt.ConvexLoss("logistic", 0.1),
        free=("N", "theta", "lam"),
        fixed={"flip": 0.1},
        intervals="normal",
    )
    # Fits end when parameters change by 1e-8; N and lam nearly make up for each other.
    assert found.value("lam") == pytest.approx(0.3, rel=1e-4)
    assert found.value("N") == pytest.approx(INPUTS, rel=1e-4)
    assert found.theta == pytest.approx(0.3, rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("intervals", ["bootstrap", "normal"])
def test_kinds_of_intervals_agree(intervals: str) -> None:
    runs = theory_runs(20.0, 0.03, np.random.default_rng(3), repeats=2)
    found = pt.calibrate(runs, intervals=intervals, n_bootstrap=60)  # type: ignore[arg-type]
    other = pt.calibrate(runs, intervals="profile")
    for name in ("N", "theta"):
        one, two = found.intervals[name], other.intervals[name]
        # Widths of 60 replicates scatter by 10 %, and by more at the ends of 95 %.
        assert math.log((one.high - one.low) / (two.high - two.low)) == pytest.approx(0.0, abs=0.5)


def test_angle_is_not_identifiable_from_runs_that_keep_all() -> None:
    runs = theory_runs(20.0, 0.02, np.random.default_rng(1), parts=((1.0, "random"),), repeats=3)
    found = pt.calibrate(runs)
    assert found.verdict("theta") == "not identifiable"
    assert math.isnan(found.theta)
    assert found.verdict("N") == "identified"
    assert "theta is not identifiable" in found.identifiability
    assert found.next_run("theta").selection in ("hard", "easy")
    told = found.predict(8100, 0.2, ["hard", "random"])
    hard, random = told[["test_error", "low", "high"]].to_numpy(dtype=np.float64)
    assert math.isnan(hard[0])
    assert hard[2] > 1.5 * hard[1]
    assert random[0] == pytest.approx(random[1], rel=0.2)


def test_the_next_run_shrinks_the_interval_as_it_says() -> None:
    rng = np.random.default_rng(5)
    few = theory_runs(20.0, 0.0, rng, parts=((1.0, "random"), (0.5, "hard")), sizes=(900, 2700))
    noisy = few.assign(test_error=few["test_error"] * np.exp(0.03 * rng.standard_normal(len(few))), n_test=5000)
    found = pt.calibrate(noisy, free=("N", "theta"), intervals="normal")
    proposed = found.next_run("theta")
    solved = pt.solve(
        proposed.n_kept / INPUTS, proposed.n_kept / proposed.n_total, np.deg2rad(20.0), selection=proposed.selection
    )
    error = FLOOR + 2.0 * (0.5 - FLOOR) * float(solved.test_error)
    row = (proposed.n_total, proposed.n_kept, proposed.selection, error, 0, 5000)
    more = pd.concat([noisy, pd.DataFrame([row], columns=noisy.columns)], ignore_index=True)
    width = [
        np.subtract(*one.intervals["theta"][1::-1])
        for one in (found, pt.calibrate(more, free=("N", "theta"), intervals="normal"))
    ]
    assert proposed.shrink < 0.9
    # The estimate and the misfit move with one more run of five, which a linearisation does not foresee.
    assert width[1] / width[0] < 1.5 * proposed.shrink


@pytest.mark.slow
def test_intervals_of_68_per_cent_cover_as_they_should() -> None:
    """20 data sets for each of three angles and three noise levels: 180 intervals of N and of theta."""
    inside: dict[str, list[bool]] = {"N": [], "theta": []}
    for degrees in ANGLES:
        for noise in NOISES:
            for k in range(20):
                rng = np.random.default_rng([int(degrees), int(1000 * noise), k])
                found = pt.calibrate(theory_runs(degrees, noise, rng), level=0.68)
                for name, true in (("N", INPUTS), ("theta", np.deg2rad(degrees))):
                    low, high = found.intervals[name][:2]
                    inside[name].append(low <= true <= high)
    for name, hits in inside.items():
        assert 0.55 <= np.mean(hits) <= 0.80, name


@pytest.mark.slow
def test_finite_perceptrons_of_200_inputs() -> None:
    """20 data sets of 15 different runs of two seeds each, at 20 degrees: 95 % intervals cover in 17 at least."""
    n, theta = 200, np.deg2rad(20.0)
    plan = [
        (n_total, f, rule)
        for n_total in (400, 1200, 3600)
        for f, rule in ((1.0, "random"), (0.5, "hard"), (0.25, "hard"), (0.5, "easy"), (0.25, "random"))
    ]
    errors = [
        pt.simulate(n, f * n_total / n, f, theta, selection=rule, trials=40, seed=8).test_error
        for n_total, f, rule in plan
    ]
    inside = {"N": 0, "theta": 0}
    for k in range(20):
        rows = [
            (n_total, round(f * n_total), rule, error[2 * k + j], j)
            for (n_total, f, rule), error in zip(plan, errors, strict=True)
            for j in range(2)
        ]
        found = pt.calibrate(pd.DataFrame(rows, columns=COLUMNS))
        for name, true in (("N", n), ("theta", theta)):
            low, high = found.intervals[name][:2]
            inside[name] += low <= true <= high
    assert min(inside.values()) >= 17, inside
