"""Tables, arguments and questions that are wrong or tell too little, beyond `test_refusals`.

Each ends in a clear refusal or a sane verdict.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from theory_runs import COLUMNS, FLOOR, INPUTS, theory_runs

import perceptron_theory as pt
from perceptron_theory.calibration.fitting import minimum
from perceptron_theory.calibration.intervals import quantile
from perceptron_theory.calibration.parameters import to_moving
from perceptron_theory.calibration.runs import run_rule

Change = Callable[[pd.DataFrame], pd.DataFrame]
Ask = Callable[[pt.Calibration], object]

SIZES = (900, 8100)
ONLY_ALL = ((1.0, "random"),)


def calibrated(runs: Any, **arguments: Any) -> pt.Calibration:
    """With the intervals that take no time."""
    return pt.calibrate(runs, **({"intervals": "normal"} | arguments))


def true_error(n_total: float, n_kept: float, rule: str, theta_deg: float = 20.0) -> float:
    solved = pt.solve(n_kept / INPUTS, n_kept / n_total, np.deg2rad(theta_deg), selection=run_rule(rule))
    return FLOOR + 2.0 * (0.5 - FLOOR) * float(solved.test_error)


def with_cell(table: pd.DataFrame, column: str, value: object, row: int = 2) -> pd.DataFrame:
    changed = table.copy()
    changed[column] = changed[column].astype(object)
    changed.loc[row, column] = value  # type: ignore[call-overload]
    return changed


@pytest.fixture(scope="module")
def runs() -> pd.DataFrame:
    return theory_runs(20.0, 0.03, np.random.default_rng(2), sizes=SIZES)


@pytest.fixture(scope="module")
def found(runs: pd.DataFrame) -> pt.Calibration:
    return calibrated(runs)


@pytest.fixture(scope="module")
def all_kept() -> pd.DataFrame:
    return theory_runs(20.0, 0.02, np.random.default_rng(1), parts=ONLY_ALL, repeats=3)


# Tables


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.iloc[:1], "1 different runs for 1 parameters"),
        (lambda t: with_cell(t, "test_error", 12.5, 3), r"got 12.5 in row 3 \(from 0; 1 of 12\).*per cent"),
        (lambda t: with_cell(t, "test_error", math.inf), "test_error must be a finite number"),
        (lambda t: with_cell(t, "test_error", -1e-3), r"test_error must lie in \[0, 1\], got -0.001 in row 2"),
        (lambda t: with_cell(t, "test_error", 0.0), "test_error must be > 0 .* in row 2"),
        (lambda t: t.assign(test_error=1.0 - t["test_error"]), "must not exceed chance"),
        (lambda t: with_cell(t, "n_kept", math.nan), "n_kept must be a finite number, got nan in row 2"),
        (lambda t: with_cell(t.convert_dtypes(), "n_kept", pd.NA), "n_kept must be a finite number, got <NA>"),
        (lambda t: with_cell(t, "n_total", -math.inf), "n_total must be a finite number"),
        (lambda t: with_cell(t, "n_total", 0), "n_total must be a whole number of at least 1, got 0 in row 2"),
        (lambda t: with_cell(t, "n_total", "many"), "n_total must be a finite number, got 'many'"),
        (lambda t: t.assign(n_test=0), "n_test must be a whole number of at least 1"),
        (lambda t: with_cell(t.assign(n_test=100), "n_test", math.nan), "n_test must be a finite number"),
        (lambda t: with_cell(t.assign(weight=1.0), "weight", math.inf), "weight must be a finite number"),
        (lambda t: with_cell(t.assign(weight=1.0), "weight", -2.0), "weight must be > 0"),
        (lambda t: with_cell(t, "selection", "band:nan"), "unknown selection 'band:nan'"),
        (lambda t: with_cell(t, "selection", "band:0.9", 1), "f must be at most 0.1 for a band"),
        (lambda t: pd.concat([t, t.iloc[[4]]]), r"row 12 \(from 0\) twice"),
        pytest.param(
            lambda t: with_cell(t, "selection", math.nan), "selection"
        ),
        pytest.param(
            lambda t: with_cell(t.assign(metric="a"), "metric", math.nan, 1),
            "metric",
        ),
        pytest.param(lambda t: with_cell(t, "seed", math.nan), "seed"),
        pytest.param(
            lambda t: with_cell(t, "n_total", 1e30), "n_total"
        ),
        pytest.param(
            lambda t: t.assign(n_test=1e30), "n_test"
        ),
        pytest.param(
            lambda t: t.assign(weight=[1e300] + 11 * [1.0]), "weight"
        ),
        pytest.param(
            lambda t: pd.concat([t, t[["seed"]]], axis=1), "seed"
        ),
        pytest.param(
            lambda t: t[t["n_kept"] == t["n_total"]].assign(n_kept=1.0),
            "n_kept",
        ),
    ],
)  # fmt: skip
def test_tables_are_refused(runs: pd.DataFrame, change: Change, said: str) -> None:
    with pytest.raises(pt.PerceptronTheoryError, match=said):
        calibrated(change(runs), free=("N",), fixed={"theta": 0.3})


@pytest.mark.parametrize("table", [[1, 2], None, 5, {"seed": [0]}, np.zeros((3, 3))], ids=lambda x: type(x).__name__)
def test_what_is_no_table_is_refused(table: object) -> None:
    with pytest.raises(pt.PerceptronTheoryError, match="runs"):
        calibrated(table)


def test_dtypes_do_not_count(runs: pd.DataFrame, found: pt.Calibration) -> None:
    typed = runs.astype({"n_total": "int32", "n_kept": "float32", "seed": "uint8"}).astype({"selection": "category"})
    for table in (typed, runs.convert_dtypes().astype({"n_kept": str})):
        assert calibrated(table).parameters.equals(found.parameters)


def test_a_random_run_belongs_to_any_metric(runs: pd.DataFrame, found: pt.Calibration) -> None:
    metric = np.where(runs["selection"] == "random", "none", "el2n")
    assert calibrated(runs.assign(metric=metric)).parameters.equals(found.parameters)


def test_a_run_that_keeps_all_counts_once(runs: pd.DataFrame, found: pt.Calibration) -> None:
    all_kept = runs[runs["n_kept"] == runs["n_total"]]
    listed = pd.concat([runs, *(all_kept.assign(selection=rule) for rule in ("hard", "easy"))])
    assert calibrated(listed).parameters.equals(found.parameters)


@pytest.mark.parametrize(("name", "other"), [("band:0.05", "band:.050"), ("band:0", "hard")])
def test_a_rule_of_two_names_counts_once(runs: pd.DataFrame, name: str, other: str) -> None:
    table = runs.assign(selection=runs["selection"].replace("hard", name))
    same = table[table["selection"] == name].assign(selection=other)
    with pytest.raises(pt.PerceptronTheoryError, match="twice"):
        calibrated(pd.concat([table, same]))


def test_a_hundred_thousand_rows() -> None:
    exact = theory_runs(20.0, 0.0, np.random.default_rng(0), sizes=SIZES)
    many = pd.concat([exact] * 8400, ignore_index=True).assign(seed=lambda t: np.arange(len(t)))
    many["test_error"] *= np.exp(0.05 * np.random.default_rng(0).standard_normal(len(many)))
    told = calibrated(many)
    # 8400 repetitions of 12 runs: N is known to about 0.05 / sqrt(100800) times ten.
    assert abs(told.N - INPUTS) < 5e-3 * INPUTS
    # Levers share it out over the entries.
    assert told.task.seed_noise == pytest.approx(0.05, rel=0.15)


# Arguments


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"free": ()}, "N must be in free or in fixed"),
        ({"free": "theta"}, "N must be in free or in fixed"),
        ({"free": ("N", "theta", 3)}, "unknown parameter 3"),
        ({"fixed": {"kappa": 1.0}}, "fixed cannot hold 'kappa'"),
        ({"fixed": {"scale": "1"}}, "scale must be a real number"),
        ({"fixed": {"scale": [1.0, 2.0]}}, "scale must be one number"),
        ({"fixed": {"scale": math.nan}}, "scale must"),
        ({"fixed": {"scale": math.inf}}, "scale must"),
        ({"fixed": {"exponent": 0.0}}, "exponent must"),
        ({"fixed": {"lam": 0.1}}, "has no lam"),
        ({"fixed": {"floor": 0.5}, "free": ("N", "theta")}, r"floor must lie in \[0, 0.5\)"),
        ({"fixed": {"floor": -0.1}, "free": ("N", "theta")}, "floor must"),
        ({"fixed": {"theta": -0.1}, "free": ("N",)}, "theta must"),
        ({"fixed": {"N": 0.0}, "free": ("theta",)}, "N must"),
        ({"fixed": {"N": math.inf}, "free": ("theta",)}, "N must"),
        ({"fixed": {"N": 1e-30}, "free": ("theta",)}, "N must"),
        ({"fixed": {"N": 1e30}, "free": ("theta",)}, "examples per parameter"),
        ({"chance": 0.0}, "chance must lie in"),
        ({"chance": 50}, "chance must lie in"),
        ({"chance": math.nan}, "chance must lie in"),
        ({"chance": "half"}, "chance must be a real number"),
        ({"chance": 0.05}, "must not exceed chance"),
        ({"level": 1.0}, "level must lie in"),
        ({"level": 95}, "level must lie in"),
        ({"level": math.nan}, "level must lie in"),
        ({"student": "logistic"}, "student must be 'max-margin' or a ConvexLoss"),
        ({"student": None}, "student must be 'max-margin' or a ConvexLoss"),
        ({"student": pt.ConvexLoss("logistic", 0.1), "free": ("N", "theta"), "fixed": {"lam": -1.0}}, "lam must"),
        ({"student": pt.ConvexLoss("logistic", 0.1), "free": ("N",), "fixed": {"theta": 0.3, "flip": -0.1}}, "flip"),
        ({"student": pt.ConvexLoss("logistic", 0.1), "fixed": {"lam": "optimal"}}, "lam must be a real number"),
        ({"intervals": None}, "intervals must be"),
        ({"seed": 0.5}, "seed must be"),
        ({"n_bootstrap": 2.5, "intervals": "bootstrap"}, "n_bootstrap must be"),
        ({"scores": np.arange(5.0)}, "scores must be"),
        pytest.param({"free": 5}, "free"),
        pytest.param({"free": None}, "free"),
        pytest.param({"fixed": [("scale", 1.0)]}, "fixed"),
        pytest.param({"fixed": {"exponent": 1e3}}, "exponent"),
        pytest.param({"fixed": {"scale": 1e300}}, "scale"),
    ],
)  # fmt: skip
def test_arguments_are_refused(runs: pd.DataFrame, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(pt.PerceptronTheoryError, match=said):
        calibrated(runs, **arguments)


@pytest.fixture(scope="module")
def four() -> pd.DataFrame:
    return theory_runs(20.0, 0.03, np.random.default_rng(2), sizes=(900, 8100), parts=((1.0, "random"), (0.4, "hard")))


def test_a_fitted_penalty_replaces_the_best_one(four: pd.DataFrame) -> None:
    arguments: dict[str, Any] = {"free": ("N", "lam"), "fixed": {"theta": np.deg2rad(20.0), "floor": FLOOR}}
    told = [calibrated(four, student=pt.ConvexLoss("hinge", lam), **arguments) for lam in ("optimal", 0.1)]
    assert told[0].parameters.equals(told[1].parameters)


def test_the_penalty_of_the_student_is_told(four: pd.DataFrame) -> None:
    told = calibrated(four, student=pt.ConvexLoss("hinge", 0.1), free=("N",), fixed={"theta": 0.35})
    assert told.value("lam") == 0.1


# What runs do not tell


@pytest.mark.parametrize("intervals", [
    "profile",
    pytest.param("normal"),
    pytest.param("bootstrap"),
])  # fmt: skip
def test_runs_that_keep_all_do_not_tell_the_angle(all_kept: pd.DataFrame, intervals: str) -> None:
    told = calibrated(all_kept, intervals=intervals, n_bootstrap=40)
    assert told.verdict("theta") == "not identifiable"
    assert math.isnan(told.theta)
    assert told.verdict("N") == "identified"
    assert "theta is not identifiable" in told.identifiability
    hard, random = told.predict(8100, 0.2, ["hard", "random"]).to_dict("records")
    assert math.isnan(hard["test_error"])
    # Angles from 0 to 90 degrees.
    assert hard["low"] < true_error(8100, 1620, "hard", 1.0)
    assert hard["high"] > true_error(8100, 1620, "hard", 60.0)
    assert random["test_error"] == pytest.approx(true_error(8100, 1620, "random"), rel=0.1)  # a noise of 2 %
    advice = told.recommend(pool=8100, budget=800)
    assert advice.selection == "random"
    assert "theta is not identifiable" in str(advice)
    assert "Next run: keep" in str(advice)
    assert told.next_run("theta").selection in ("hard", "easy")


def test_bands_do_not_depend_on_where_a_search_that_nothing_guides_stops(all_kept: pd.DataFrame) -> None:
    told = calibrated(all_kept)
    for angle in (0.19, 1.47):
        moving = told.fit.moving.copy()
        moving[told.task.names.index("theta")] = angle
        elsewhere = replace(told, fit=replace(told.fit, moving=moving))
        at = [c.predict(8100, 0.2, ["hard", "random"]).drop(columns="test_error") for c in (told, elsewhere)]
        # The slopes at the other angle are those of the same curves, to rounding.
        pd.testing.assert_frame_equal(at[0], at[1], rtol=1e-6)


def test_easy_runs_alone_tell_all_or_say_so() -> None:
    table = theory_runs(20.0, 0.02, np.random.default_rng(1), sizes=SIZES, parts=((0.5, "easy"), (0.2, "easy")))
    told = calibrated(table)
    for name, true in {"N": INPUTS, "theta": np.deg2rad(20.0), "floor": FLOOR}.items():
        low, high = told.intervals[name][:2]
        # Twice the half width of 95 %: one table, drawn once.
        middle, half = 0.5 * (low + high), high - low
        assert told.verdict(name) != "identified" or abs(true - middle) <= half, name


def test_one_rule_at_one_fraction_is_uncertain() -> None:
    table = theory_runs(20.0, 0.02, np.random.default_rng(1), parts=((0.5, "hard"),), repeats=2)
    told = calibrated(table)
    assert told.identifiability != ""
    low, high = told.predict(8100, 0.2, "hard")[["low", "high"]].iloc[0]
    assert low < true_error(8100, 1620, "hard") < high


def test_a_single_run_is_not_enough_for_one_parameter(runs: pd.DataFrame) -> None:
    repeated = pd.concat([runs.iloc[[0]].assign(seed=k) for k in range(5)])
    with pytest.raises(pt.InvalidInputError, match="1 different runs for 1 parameters"):
        calibrated(repeated, free=("N",), fixed={"theta": 0.3})


@pytest.fixture(scope="module")
def at_chance(runs: pd.DataFrame) -> pt.Calibration:
    """Runs that learned nothing."""
    hits = np.random.default_rng(5).binomial(10_000, 0.5, len(runs))
    return pt.calibrate(runs.assign(test_error=hits / 10_000, n_test=10_000))


def test_runs_at_chance_tell_nothing(at_chance: pt.Calibration) -> None:
    assert math.isnan(at_chance.N)
    assert math.isnan(at_chance.theta)
    assert at_chance.verdict("N") == "at least"
    assert at_chance.recommend(pool=8100, budget=800).selection == "random"


def test_runs_at_chance_predict_nothing_of_larger_ones(at_chance: pt.Calibration) -> None:
    assert math.isnan(at_chance.predict(1e8)["test_error"][0])


def test_bands_hold_what_is_expected() -> None:
    """Also where the estimate of the angle or the floor is 0, all draws to one side of it."""
    for k in range(4):
        told = calibrated(theory_runs(3.0, 0.05, np.random.default_rng(k), sizes=SIZES))
        said = told.predict([900, 8100], [[0.2], [1.0]], ["random", "hard", "easy"])
        assert (said["low"] <= said["test_error"]).all()
        assert (said["test_error"] <= said["high"]).all()


def test_bands_know_of_a_good_metric_what_its_interval_knows() -> None:
    parts = ((1.0, "random"), (0.5, "hard"), (0.3, "hard"), (0.3, "random"))
    table = theory_runs(2.0, 0.05, np.random.default_rng(2), sizes=(900, 2700, 8100), parts=parts)
    told = pt.calibrate(table)
    assert told.intervals["theta"].high < np.deg2rad(10.0)
    # A run that was measured.
    low, high = told.predict(8100, 0.3, "hard")[["low", "high"]].iloc[0]
    good, poor = (true_error(8100, 2430, "hard", degrees) for degrees in (2.0, 30.0))
    assert low < good < high < poor


def test_advice_says_that_the_theory_does_not_fit(runs: pd.DataFrame) -> None:
    rising = runs.assign(test_error=0.05 * np.sqrt(runs["n_total"] / 900.0))
    told = calibrated(rising)
    assert told.misfit > 0.3
    assert "does not fit" in str(told.recommend(pool=8100, budget=800))


def test_errors_that_rise_with_size_are_nothing_to_advise_on(runs: pd.DataFrame) -> None:
    told = calibrated(runs.assign(test_error=0.05 * np.sqrt(runs["n_total"] / 900.0)))
    assert told.verdict("N") != "identified"
    assert told.recommend(pool=8100, budget=800).selection == "random"
    low, high = told.predict(8100, 1.0)[["run_low", "run_high"]].iloc[0]
    assert high > 2.0 * low


@pytest.fixture(scope="module")
def constant(runs: pd.DataFrame) -> pt.Calibration:
    return calibrated(runs.assign(test_error=0.1, n_test=10_000))


def test_constant_errors_with_a_test_set(constant: pt.Calibration) -> None:
    assert constant.verdict("N") != "identified"
    # Four standard deviations of the mean of 12 test sets.
    assert constant.floor == pytest.approx(0.1, rel=4.0 * math.sqrt(9.0 / 10_000 / 12))


def test_constant_errors_advise_nothing(constant: pt.Calibration) -> None:
    assert constant.recommend(pool=8100, budget=800).selection == "random"


def test_nothing_but_zeros_is_a_small_floor_or_less(runs: pd.DataFrame) -> None:
    told = calibrated(runs.assign(test_error=0.0, n_test=1000))
    assert told.verdict("N") != "identified"
    assert told.intervals["floor"].high < 0.01


# Noise and weights


def test_repetitions_without_noise_change_nothing(runs: pd.DataFrame, found: pt.Calibration) -> None:
    twice = calibrated(pd.concat([runs, runs.assign(seed=1)]))
    assert twice.task.seed_noise == 0.0
    pd.testing.assert_frame_equal(twice.parameters, found.parameters)
    assert twice.task.freedom == found.task.freedom


def test_one_repetition_does_not_widen_intervals_that_many_runs_give() -> None:
    table = theory_runs(20.0, 0.03, np.random.default_rng(7), sizes=SIZES)
    again = table.iloc[[0]].assign(seed=1, test_error=1.06 * table["test_error"][0])
    once, more = calibrated(table), calibrated(pd.concat([table, again]))
    assert more.misfit == 0.0
    # 9 degrees of freedom say that the noise is as it should be.
    assert quantile(more.task, more.fit, 0.95) < 1.5 * quantile(once.task, once.fit, 0.95)


def test_a_run_of_no_weight_does_not_count(runs: pd.DataFrame, found: pt.Calibration) -> None:
    wrong = runs.assign(seed=1, test_error=np.minimum(1.5 * runs["test_error"], 0.5), weight=1e-9)
    told = calibrated(pd.concat([runs.assign(weight=1.0), wrong]))
    # Half a standard deviation, half of a half width of 95 % in each direction.
    low, high = found.intervals["N"][:2]
    assert abs(math.log(told.N / found.N)) < 0.25 * math.log(high / low)


def test_a_common_factor_of_weights_does_not_widen_the_bands(runs: pd.DataFrame, found: pt.Calibration) -> None:
    told = calibrated(runs.assign(weight=100.0))
    assert told.intervals["N"][:2] == pytest.approx(found.intervals["N"][:2], rel=1e-6)  # as fits end
    one, other = (c.predict(8100, 0.2, "hard")["run_high"][0] for c in (told, found))
    assert one == pytest.approx(other, rel=1e-3)


def test_ends_of_intervals_are_where_the_likelihood_falls_in_all_valleys() -> None:
    table = theory_runs(60.0, 0.1, np.random.default_rng(134), sizes=(500, 1000), repeats=1,
                        parts=((1.0, "random"), (0.8, "hard"), (0.8, "easy")))  # fmt: skip
    told = pt.calibrate(table.assign(test_error=table["test_error"].clip(upper=0.55)), free=("N", "theta"))
    goal, rises = quantile(told.task, told.fit, 0.95), []
    for end in told.intervals["N"][:2]:
        starts = [to_moving(told.task.parameters, np.array([end, theta])) for theta in (0.05, 0.5, 1.2)]
        lowest = min(minimum(told.task, start, told.fit.misfit, held=0)[1] for start in starts)
        rises.append(math.sqrt(max(lowest - told.fit.chi2, 0.0)))
    # Ends are found to 2 %.
    assert rises == pytest.approx([goal, goal], rel=0.05)


# Questions


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda c: c.predict(math.nan), "sizes must be at least 1"),
        (lambda c: c.predict(math.inf), "sizes must be at least 1"),
        (lambda c: c.predict("x"), "sizes must be a real number"),
        (lambda c: c.predict(900, 0.0), r"f must lie in \(0, 1\]"),
        (lambda c: c.predict(900, math.nan), r"f must lie in \(0, 1\]"),
        (lambda c: c.predict(900, 0.97, "band:0.05"), "f must be at most 0.95 for a band"),
        (lambda c: c.recommend(pool=900, budget=2.5), "budget must be a whole number"),
        (lambda c: c.recommend(pool=900, budget=math.nan), "budget must be a whole number"),
        (lambda c: c.recommend(pool=math.inf, budget=5), "pool must be a whole number"),
        (lambda c: c.recommend(pool=8100, error=-0.1), r"error must lie in \(0, 1\)"),
        (lambda c: c.recommend(pool=8100, error=5), r"error must lie in \(0, 1\)"),
        (lambda c: c.recommend(pool=8100, error=1e-9), "an error of 1e-09 is out of reach"),
        (lambda c: c.recommend(pool=1, error=0.4), "out of reach with 1 examples"),
        (lambda c: c.frontier(0, pool=8100), "budget must be a whole number"),
        (lambda c: c.frontier([-1], pool=8100), "budget must be a whole number"),
        (lambda c: c.frontier(5, pool=0), "pool must be"),
        (lambda c: c.crossing(pool=8100, f=0.2), "give either pool or f"),
        (lambda c: c.crossing(f=1.5), "f must"),
        (lambda c: c.crossing(f=math.nan), "f must lie in"),
        (lambda c: c.crossing(f=0.2, sizes=(0, 10)), "sizes must be 1 <= low < high"),
        (lambda c: c.crossing(f=0.2, sizes=(math.nan, 10)), "sizes must be 1 <= low < high"),
        (lambda c: c.crossing(f=0.2, sizes=(10, math.inf)), "sizes must be 1 <= low < high"),
        (lambda c: c.crossing(pool=math.inf), "sizes must be 1 <= low < high"),
        (lambda c: c.crossing(pool=10), "sizes must be 1 <= low < high"),
        (lambda c: c.crossing("hardest", f=0.2), "unknown selection 'hardest'"),
        (lambda c: c.crossing("band:0.9", f=0.2), "f must be at most 0.1 for a band"),
        pytest.param(lambda c: c.predict([]), "sizes"),
        pytest.param(lambda c: c.predict(900, []), "f"),
        pytest.param(lambda c: c.predict(900, 0.2, ()), "rule"),
        pytest.param(lambda c: c.predict(900, 0.2, 5), "rule"),
        pytest.param(lambda c: c.predict([1, 2], [0.1, 0.2, 0.3]), "f"),
        pytest.param(lambda c: c.frontier(2.7, pool=8100), "budget"),
        pytest.param(lambda c: c.frontier(math.nan, pool=8100), "budget"),
        pytest.param(lambda c: c.frontier([], pool=8100), "budget"),
        pytest.param(lambda c: c.crossing(f=0.0), "f must"),
        pytest.param(lambda c: c.crossing(pool="a"), "pool"),
        pytest.param(lambda c: c.crossing(f=0.2, sizes=5), "sizes"),
        pytest.param(lambda c: c.crossing(f=0.2, sizes=(1, 2, 3)), "sizes"),
        pytest.param(lambda c: c.verdict("phi"), "phi"),
        pytest.param(lambda c: c.verdict("scale"), "scale"),
    ],
)  # fmt: skip
def test_questions_are_refused(found: pt.Calibration, ask: Ask, said: str) -> None:
    with pytest.raises(pt.PerceptronTheoryError, match=said):
        ask(found)


def test_a_pool_of_one(found: pt.Calibration) -> None:
    advice = found.recommend(pool=1, budget=1)
    assert (advice.selection, advice.n_pool, advice.n_kept) == ("all", 1, 1)
    assert math.isnan(advice.probability)


def test_a_budget_beyond_the_pool_is_the_pool(found: pt.Calibration) -> None:
    advice, same = found.recommend(pool=900, budget=10**7), found.recommend(pool=900, budget=900)
    assert advice.n_kept == 900
    assert str(advice) == str(same)


def test_one_example_of_a_pool_is_at_most_chance(found: pt.Calibration) -> None:
    told = found.predict([1, 1000], 1e-9, ["hard", "easy", "random"])
    assert (told["n_kept"] == 1.0).all()
    assert (told["run_high"] <= 0.5).all()


def test_the_next_run_of_tiny_pools() -> None:
    rows = [(4, 4, "random", 0.4, 0), (4, 2, "hard", 0.42, 0), (4, 1, "hard", 0.45, 0), (3, 3, "random", 0.42, 0)]
    assert "theta" in calibrated(pd.DataFrame(rows, columns=COLUMNS)).identifiability


def test_the_next_run_beside_bands_that_leave_out_much(runs: pd.DataFrame) -> None:
    few = runs[runs["n_kept"] < 0.4 * runs["n_total"]]
    band = few[few["selection"] == "easy"].assign(selection="band:0.5")
    told = calibrated(pd.concat([few, band]), free=("N", "theta"))
    assert told.next_run("theta").n_kept >= 10


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"largest": 1.0}, "runs on both sides of largest"),
        ({"largest": math.nan}, "runs on both sides of largest"),
        ({"theories": ["x"]}, "unknown theory 'x'"),
        pytest.param({"largest": "a"}, "largest"),
        pytest.param({"chance": "a"}, "chance"),
        pytest.param({"theories": []}, "theories"),
    ],
)
def test_comparisons_are_refused(runs: pd.DataFrame, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(pt.PerceptronTheoryError, match=said):
        _ = pt.compare_models(runs, **arguments).verdict
