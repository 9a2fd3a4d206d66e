from __future__ import annotations

from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

import perceptron_theory as pt
from perceptron_theory.calibration.law_fits import RuleFit, RuleLaw, Terms
from perceptron_theory.calibration.power_laws import Kind, Law, fit_law
from perceptron_theory.calibration.runs import Runs

FloatArray = npt.NDArray[np.float64]

POOLS = (1000, 4000, 16000, 64000)
FRACTIONS = (0.1, 0.2, 0.4, 0.7)
RANDOM = RuleLaw(floor=0.02, A=2.0, c0=0.4)
#: At f = 1 rules do not differ: laws of all of them share floor, amplitude and exponent.
HARD = RuleLaw(floor=0.02, A=2.0, c0=0.4, d=0.6)
EASY = RuleLaw(floor=0.02, A=2.0, c0=0.4, d=-0.25)
LAWS = {"random": RANDOM, "hard": HARD, "easy": EASY}
BROKEN = RuleLaw(floor=0.02, A=1.0, c0=0.2, c1=0.9, n_break=3000.0, h=0.5)
FITTED = {"floor", "A", "c0", "d"}

# Errors without noise have one exact law; the search ends at relative changes of 1e-12, and the flattest direction of
# the sum of squares loses the square root of that, 1e-6, times a condition number that is seen to stay below 100.
EXACT = 1e-4


def grid(pools: tuple[int, ...], fractions: tuple[float, ...]) -> tuple[FloatArray, FloatArray]:
    n_total, f = (axis.ravel() for axis in np.meshgrid(np.array(pools, dtype=float), np.array(fractions)))
    return n_total, np.round(n_total * f)


def runs_of(
    laws: dict[str, RuleLaw],
    pools: tuple[int, ...] = POOLS,
    fractions: tuple[float, ...] = FRACTIONS,
    chance: float = 0.9,
    noise: float = 0.0,
    seeds: int = 1,
) -> Runs:
    """Runs by known laws: pruned for each rule, whole ones for "random" (f = 1 is the first law's)."""
    rng = np.random.default_rng(0)
    tables = []
    for seed in range(seeds):
        for rule, law in laws.items():
            n_total, n_kept = grid(pools, (*fractions, 1.0) if rule == next(iter(laws)) else fractions)
            error = np.minimum(law.error(n_kept, n_kept / n_total), chance)
            error = error * np.exp(noise * rng.standard_normal(error.size))
            columns: dict[str, Any] = {"n_total": n_total, "n_kept": n_kept, "selection": rule, "seed": seed}
            tables.append(pd.DataFrame(columns | {"test_error": error}))
    return Runs(pd.concat(tables, ignore_index=True))


def differ(found: RuleLaw, true: RuleLaw, names: set[str] = FITTED) -> float:
    """Largest difference of parameters, relative where they are larger than 1."""
    pairs = [(getattr(found, name), getattr(true, name)) for name in names]
    return float(max(abs(a - b) / max(1.0, abs(b)) for a, b in pairs))


def log_errors(law: Law, runs: Runs) -> FloatArray:
    table = runs.table
    predicted = law.predict(table["n_total"], table["n_kept"], table["selection"].to_numpy(dtype=str))
    return np.asarray(np.log(predicted / runs.test_error))


def test_power_laws_are_recovered() -> None:
    law = fit_law(runs_of(LAWS), "power law", 0.9)
    assert law.status == dict.fromkeys(LAWS, "fitted")
    for rule, true in LAWS.items():
        assert differ(law.parameters[rule], true) < EXACT, rule


def test_recovered_laws_extrapolate() -> None:
    law = fit_law(runs_of(LAWS), "power law", 0.9)
    assert np.abs(log_errors(law, runs_of(LAWS, pools=(10**6,)))).max() < EXACT


def test_a_floor_of_zero_is_recovered() -> None:
    true = RuleLaw(floor=0.0, A=2.0, c0=0.4, d=0.6)
    law = fit_law(runs_of({"hard": true}), "power law", 0.9)
    assert differ(law.parameters["hard"], true) < EXACT


def test_broken_power_laws_are_recovered() -> None:
    laws = {"random": BROKEN, "hard": RuleLaw(floor=0.02, A=1.0, c0=0.2, c1=0.9, n_break=3000.0, h=0.5, d=0.6)}
    law = fit_law(runs_of(laws), "broken power law", 0.9)
    assert law.status == dict.fromkeys(laws, "fitted")
    for rule, true in laws.items():
        assert differ(law.parameters[rule], true, FITTED | {"c1", "n_break", "h"}) < EXACT, rule


def test_a_break_that_flattens_is_recovered() -> None:
    true = RuleLaw(floor=0.0, A=100.0, c0=0.9, c1=-0.7, n_break=3000.0, h=0.3)
    law = fit_law(runs_of({"random": true}), "broken power law", 0.9)
    found = law.parameters["random"]
    assert differ(found, true, FITTED | {"c1", "n_break", "h"}) < EXACT
    assert found.c0 + found.c1 >= 0.0


@pytest.mark.parametrize("n_break", [150.0, 60000.0])
def test_a_break_has_two_sizes_on_each_side(n_break: float) -> None:
    runs = runs_of({"random": RuleLaw(floor=0.0, A=1.0, c0=0.2, c1=1.0, n_break=n_break, h=0.1)})
    sizes = np.unique(runs.n_kept)
    found = fit_law(runs, "broken power law", 0.9).parameters["random"]
    # exp(log(n)) is n to rounding.
    assert sizes[1] * (1.0 - 1e-12) <= found.n_break <= sizes[-2] * (1.0 + 1e-12)


def test_the_formula_with_a_break_is_that_of_the_paper() -> None:
    n, f, law = np.array([10.0, 3000.0, 1e6]), np.array([1.0, 0.5, 0.1]), BROKEN
    factor = (1.0 + (n / law.n_break) ** (1.0 / law.h)) ** (-law.c1 * law.h)
    # Both are a dozen operations in double precision.
    np.testing.assert_allclose(law.error(n, f), law.floor + law.A * n**-law.c0 * factor, rtol=1e-13)


def test_a_law_with_its_break_at_infinity_is_a_power_law() -> None:
    n = np.array([10.0, 1e6])
    np.testing.assert_allclose(HARD.error(n, 0.5), 0.02 + 2.0 * n**-0.4 * 0.5**-0.6, rtol=1e-13)


def test_analytic_derivatives_are_those_of_the_residuals() -> None:
    n_total, n_kept = grid(POOLS, FRACTIONS)
    fit = RuleFit(n_kept, n_kept / n_total, HARD.error(n_kept, n_kept / n_total), 0.6, Terms(True, True, True))
    # ln A, c0, c0 + c1, d, ln n_break, ln h, floor: at the smallest sizes the error is above 0.6 and capped.
    x, step = np.array([-1.5, 0.4, 1.2, 0.5, 8.0, -0.5, 0.01]), 1e-6
    exact = fit._jacobian(x)
    assert (exact == 0.0).all(axis=1).any()
    assert (exact != 0.0).all(axis=1).any()
    for column, shift in zip(exact.T, step * np.eye(x.size), strict=True):
        central = (fit._residuals(x + shift) - fit._residuals(x - shift)) / (2.0 * step)
        # Rounding 1e-16 / step and curvature step^2 times derivatives of up to 1e4 (by the floor).
        np.testing.assert_allclose(column, central, atol=1e-7, rtol=1e-7)


def test_noise_moves_a_law_by_as_much_as_it_should() -> None:
    law = fit_law(runs_of(LAWS, noise=0.03, seeds=5), "power law", 0.9)
    clean = runs_of(LAWS)
    # 100 runs and more per rule for 4 parameters: rms 0.03 sqrt(4 / 100) = 0.006 over a rule's runs; twice that.
    for rule in LAWS:
        at = (clean.table["selection"] == rule).to_numpy()
        assert np.sqrt(np.mean(log_errors(law, clean)[at] ** 2)) < 0.012, rule


def test_a_break_never_fits_worse() -> None:
    runs = runs_of({"random": RANDOM, "hard": HARD}, noise=0.1)
    plain, broken = (np.sum(log_errors(fit_law(runs, kind, 0.9), runs) ** 2) for kind in get_args(Kind)[:2])
    assert broken < plain


def test_the_same_runs_give_the_same_law() -> None:
    runs = runs_of({"random": RANDOM}, noise=0.1)
    first, second = (fit_law(runs, "power law", 0.9) for _ in range(2))
    assert first.parameters == second.parameters


def test_laws_below_chance_are_recovered_from_runs_that_are_capped() -> None:
    true = RuleLaw(floor=0.02, A=40.0, c0=0.6, d=0.8)
    runs = runs_of({"hard": true}, chance=0.5)
    assert (runs.test_error == 0.5).sum() >= 4
    law = fit_law(runs, "power law", 0.5)
    assert differ(law.parameters["hard"], true) < EXACT
    assert law.predict(1000, 10, "hard") == 0.5


def test_the_cap_hides_no_better_law() -> None:
    # Seed 79 is one of those where runs that are capped and runs that are not make two minima 4 % apart.
    rng = np.random.default_rng(79)
    n_total, n_kept = grid((250, 600, 1500, 3600, 9000, 22000), (*FRACTIONS, 1.0))
    f = n_kept / n_total
    true = RuleLaw(floor=0.11, A=3.0, c0=0.8, d=0.85)
    error = np.minimum(true.error(n_kept, f), 0.5) * np.exp(0.2 * rng.standard_normal(f.size))
    fit = RuleFit(n_kept, f, error, 0.5, Terms(floor=True, fraction=True, broken=False))
    lower, upper = np.array([-5.0, 0.0, -2.0, 0.0]), np.array([0.0, 4.0, 2.0, error.min()])
    scanned = min(float(fit._search(rng.uniform(lower, upper)).cost) for _ in range(20))
    law, _ = fit.best()
    own = 0.5 * np.sum(np.log(np.minimum(law.error(n_kept, f), 0.5) / error) ** 2)
    # A search ends when the sum of squares changes by 1e-12 of itself.
    assert own <= scanned * (1.0 + 1e-9)


@pytest.mark.parametrize("error", [0.48, 0.5])
def test_rules_that_only_guess_are_predicted_to(error: float) -> None:
    n = [100, 200, 400, 800]
    runs = Runs(pd.DataFrame({"n_total": n, "n_kept": n, "selection": "hard", "test_error": error, "seed": 0}))
    # A constant is a law with exponent 0.
    law = fit_law(runs, "power law", 0.5)
    np.testing.assert_allclose(law.predict(10**4, [50, 10**4], "random"), error, rtol=EXACT)


def test_runs_of_one_pool_have_no_exponent_of_f() -> None:
    # On one pool n_kept^-c f^-d is a power of n_kept.
    law = fit_law(runs_of({"hard": HARD}, pools=(16000,)), "power law", 0.9)
    found = law.parameters["hard"]
    assert law.status["hard"] == "fitted; d = 0 (f does not vary independently of n_kept)"
    assert differ(found, RuleLaw(floor=0.02, A=2.0 * 16000**0.6, c0=1.0)) < EXACT


def test_runs_of_random_data_have_no_exponent_of_f() -> None:
    runs = runs_of({"random": HARD}, noise=0.0)
    assert fit_law(runs, "power law", 0.9).parameters["random"].d == 0.0


def test_few_sizes_have_no_floor() -> None:
    true = RuleLaw(floor=0.0, A=2.0, c0=0.4)
    law = fit_law(runs_of({"random": true}, pools=(1000,), fractions=(0.2, 0.5)), "power law", 0.9)
    assert law.status["random"] == "fitted; floor = 0 (3 different n_kept, 4 needed)"
    assert law.parameters["random"].floor == 0.0
    assert differ(law.parameters["random"], true) < EXACT


@pytest.mark.parametrize(
    ("fractions", "broken", "said"),
    [
        ((0.1, 0.3, 0.5), False, "no break (4 different n_kept, 5 needed)"),
        ((0.1, 0.3, 0.5, 0.7), True, "floor = 0 (5 different n_kept, 7 needed)"),
        ((0.1, 0.2, 0.3, 0.5, 0.6, 0.7), True, "fitted"),
    ],
)
def test_few_sizes_have_no_break(fractions: tuple[float, ...], broken: bool, said: str) -> None:
    law = fit_law(runs_of({"random": BROKEN}, pools=(16000,), fractions=fractions, noise=0.1), "broken power law", 0.9)
    assert law.status["random"] == (said if said == "fitted" else f"fitted; {said}")
    assert np.isfinite(law.parameters["random"].n_break) == broken


def test_whole_pools_belong_to_every_rule() -> None:
    # One pruned run per rule: the exponent of n is that of the whole pools.
    runs = runs_of(LAWS)
    table = runs.table[(runs.f == 1.0) | (runs.table["n_kept"] == 400)]
    law = fit_law(Runs(table), "power law", 0.9)
    assert differ(law.parameters["hard"], HARD) < EXACT
    assert differ(law.parameters["random"], RANDOM) < EXACT


def test_whole_pools_are_the_same_run_whatever_rule_they_are_listed_under() -> None:
    runs = runs_of(LAWS, noise=0.1)
    whole = runs.table[runs.f == 1.0]
    twice = Runs(pd.concat([runs.table, whole.assign(selection="hard"), whole.assign(selection="band:0.05")]))
    law, same = fit_law(runs, "power law", 0.9), fit_law(twice, "power law", 0.9)
    assert same.parameters == law.parameters
    assert same.status == law.status | {"band:0.05": "not fitted: no run with f < 1"}


def test_same_as_random_is_the_random_law_for_every_rule() -> None:
    runs = runs_of(LAWS)
    law, random = (fit_law(runs, kind, 0.9) for kind in get_args(Kind)[::-2])
    assert list(law.parameters) == ["random"]
    assert list(law.status) == ["random"]
    expected = random.predict(10**5, [1000, 5000], "random")
    for rule in ("hard", "easy", "random", "band:0.1"):
        np.testing.assert_array_equal(law.predict(10**5, [1000, 5000], rule), expected)


def test_same_as_random_needs_no_pruned_run_at_random() -> None:
    runs = runs_of({"hard": HARD})
    assert differ(fit_law(runs, "same as random", 0.9).parameters["random"], RANDOM) < EXACT


def test_rules_without_a_law_are_nan() -> None:
    table = runs_of({"random": RANDOM}).table
    zero = table[table["n_kept"] < table["n_total"]].assign(selection="hard", test_error=0.0)
    law = fit_law(Runs(pd.concat([table, zero])), "power law", 0.9)
    assert law.status["hard"].startswith("not fitted: a test error of 0 has no logarithm (16 of ")
    got = law.predict(1000, 500, np.array(["easy", "random", "hard"]))
    assert np.isfinite(got).tolist() == [False, True, False]


def test_one_size_is_no_law() -> None:
    one = {"n_total": 1000, "n_kept": 300, "selection": "hard", "test_error": [0.2, 0.21], "seed": [0, 1]}
    table = pd.concat(
        [runs_of({"random": RANDOM}, fractions=(0.5,)).table.query("n_kept < n_total"), pd.DataFrame(one)]
    )
    law = fit_law(Runs(table), "power law", 0.9)
    assert law.status["hard"] == "not fitted: 1 different n_kept, 2 needed"
    assert np.isnan(law.predict(1000, 300, "hard"))


def test_predictions_broadcast() -> None:
    law = fit_law(runs_of(LAWS), "power law", 0.9)
    got = law.predict([[1000], [2000]], 500, ["hard", "easy", "random"])
    assert got.shape == (2, 3)
    assert law.predict(1000, 500, "hard").shape == ()
    assert got[0, 0] == law.predict(1000, 500, "hard")


def test_a_band_is_known_however_its_quantile_is_written() -> None:
    law = fit_law(runs_of({"random": RANDOM, "band:0.05": HARD}), "power law", 0.9)
    assert law.predict(1000, 300, "band:.050") == law.predict(1000, 300, "band:0.05")


def test_a_search_that_did_not_end_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RuleFit, "best", lambda self: (RANDOM, False))
    assert (
        fit_law(runs_of({"random": RANDOM}), "power law", 0.9).status["random"].endswith("; least squares did not end")
    )


@pytest.mark.parametrize("chance", [0.0, 1.0, 50.0, np.nan])
def test_chance_is_a_fraction(chance: float) -> None:
    with pytest.raises(pt.InvalidInputError, match=r"chance must lie in \(0, 1\), got .*0\.5 for two classes"):
        fit_law(runs_of({"random": RANDOM}), "power law", chance)


def test_unknown_kinds_are_refused() -> None:
    with pytest.raises(pt.InvalidInputError, match="unknown kind of law 'exponential': use 'power law', 'broken power"):
        fit_law(runs_of({"random": RANDOM}), "exponential", 0.9)  # type: ignore[arg-type]


def test_runs_without_any_law_are_refused() -> None:
    one = Runs(pd.DataFrame({"n_total": [9], "n_kept": [3], "selection": "hard", "test_error": 0.1, "seed": 0}))
    with pytest.raises(
        pt.InvalidInputError,
        match=r"hard: not fitted: 1 different n_kept, 2 needed\): give runs with test errors > 0 and 2",
    ):
        fit_law(one, "power law", 0.9)
    with pytest.raises(pt.InvalidInputError, match=r"random: not fitted: no run .*give runs at random or with f = 1"):
        fit_law(one, "same as random", 0.9)


def test_predictions_refuse_what_is_no_run() -> None:
    law = Law("power law", 0.9, {"hard": HARD}, {"hard": "fitted"})
    with pytest.raises(pt.InvalidInputError, match="n_kept must be at most n_total, got 200 of 100"):
        law.predict(100, [50, 200], "hard")
    with pytest.raises(pt.InvalidInputError, match="n_kept must be positive and finite, got 0"):
        law.predict(100, 0, "hard")
    with pytest.raises(pt.InvalidInputError, match="unknown selection 'hrad' of a run"):
        law.predict(100, 50, "hrad")
    with pytest.raises(pt.InvalidInputError, match=r"must broadcast, got shapes \(2,\), \(3,\) and \(\)"):
        law.predict([100, 200], [1, 2, 3], "hard")
