"""Theory confronted with simulation: the line in 1/N, deviations and p-values that mean what they say, clear errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom, kstest, t

import perceptron_theory as pt
from perceptron_theory.comparison import degrees_of_freedom, extrapolate
from perceptron_theory.problem import Problem
from perceptron_theory.simulation.finite import FiniteProblem
from perceptron_theory.simulation.simulation import MEASURED, Observables, from_rows

NAMES = Observables._fields

#: What the invented theory says at alpha_prune, for each observable, and the spread of invented trials.
SPREAD = np.array([0.02, 0.03, 0.05, 0.1])
SLOPE = np.array([3.0, -5.0, 2.0, 1.0])  # differences fall as SLOPE / N: up to 2 standard deviations of a trial


def values_at(alpha_prune: float) -> np.ndarray:
    return np.array([0.4, 0.5, 0.3, 1.0]) / (1.0 + alpha_prune)


def invented_theory(alpha_prune: Any, f: Any, theta: Any, **options: Any) -> pt.Solution:
    """A solution with invented numbers; realised alpha_prune, not the one asked for, decides them."""
    assert options.pop("throw", True) is True
    one = np.broadcast_arrays(np.asarray(alpha_prune, dtype=float), np.asarray(f, dtype=float), theta)
    test_error, R, rho, kappa = np.moveaxis(np.vectorize(values_at, signature="()->(n)")(one[0]), -1, 0)
    problem = Problem.of(alpha_prune, f, theta, options.pop("selection"), options.pop("margins"))
    assert not options
    zero = np.zeros(np.shape(one[0]))
    return pt.Solution(
        alpha_prune=one[0],
        f=one[1],
        theta=one[2],
        alpha_tot=one[0] / one[1],
        test_error=test_error,
        R=R,
        rho=rho,
        kappa=kappa,
        residual=zero,
        quadrature_error=zero,
        status=zero.astype(np.int8),
        selection=problem.selection.name,
        problem=problem,
    )


def invented(
    N: int, rng: np.random.Generator, alpha_prune: float = 2.0, trials: int = 60, shift: float = 0.0, **change: Any
) -> pt.Simulation:
    """Normal trials about the theory at the realised alpha_prune, plus SLOPE / N and `shift` standard deviations."""
    arguments: dict[str, Any] = {"f": 0.5, "theta": 0.3, "selection": "hard"} | change
    problem = Problem.of(alpha_prune, **arguments)
    finite = FiniteProblem.of(problem, N)
    rows = np.zeros((trials, len(MEASURED)))
    rows[:, :4] = values_at(finite.alpha_prune) + SLOPE / N + SPREAD * (rng.standard_normal((trials, 4)) + shift)
    return from_rows(problem, finite, "max-margin", 0, rows)


# The line


@pytest.mark.parametrize("sizes", [2, 3, 6])
def test_extrapolation_is_that_of_numpy(sizes: int) -> None:
    rng = np.random.default_rng(sizes)
    for _ in range(20):
        N = np.sort(rng.choice(np.arange(10, 1000), sizes, replace=False))
        values, errors = rng.normal(size=sizes), 10.0 ** rng.uniform(-6, 2) * rng.uniform(0.2, 5.0, sizes)
        line, covariance = np.polyfit(1.0 / N, values, 1, w=1.0 / errors, cov="unscaled")
        value, error = extrapolate(N, values, errors)
        # 1/N and 1 are far from parallel unless all N are close: at most six digits go to the condition number.
        assert abs(value - line[1]) < 1e-9 * np.abs(values).max() * max(1.0, error / errors.min())
        assert abs(error / np.sqrt(covariance[1, 1]) - 1.0) < 1e-9


def test_one_size_is_left_as_it_is() -> None:
    assert extrapolate(np.array([50]), np.array([0.3]), np.array([0.1])) == (0.3, 0.1)


def test_an_exact_line_is_removed() -> None:
    """Two points in 1/N: (4 x 0.2 - 2 x 0.3) / 2 by hand."""
    value, error = extrapolate(np.array([50, 100]), np.array([0.3, 0.2]), np.array([0.01, 0.02]))
    assert abs(value - 0.1) < 1e-15
    assert abs(error - np.hypot(0.01, 2 * 0.02)) < 1e-15


# Side by side


def test_everything_is_in_the_dataset() -> None:
    rng = np.random.default_rng(0)
    sims = [invented(N, rng, alpha) for alpha in (1.04, 2.0) for N in (80, 40)]
    data = pt.compare(invented_theory, sims).data
    np.testing.assert_array_equal(data.N, [[40, 80], [40, 80]])
    np.testing.assert_array_equal(data.alpha_prune, [1.04, 2.0])
    np.testing.assert_array_equal(data.selection, ["hard", "hard"])
    assert data.observable.values.tolist() == list(NAMES)
    # 1.04 x 40 = 41.6 examples are 42: theory is taken there, not at 1.04.
    np.testing.assert_array_equal(data.theory[0], [values_at(42 / 40), values_at(83 / 80)])
    for k, sim in enumerate((sims[1], sims[0])):
        np.testing.assert_array_equal(data["mean"][0, k], sim.mean)
        np.testing.assert_array_equal(data.standard_error[0, k], sim.standard_error)
    for k in range(4):
        value, error = extrapolate(
            np.array([40, 80]), (data["mean"] - data.theory).values[0, :, k], data.standard_error.values[0, :, k]
        )
        assert float(data.difference[0, k]) == value
        assert float(data.difference_error[0, k]) == error
        assert float(data.deviation[0, k]) == value / error


def test_one_simulation_is_compared_as_it_is() -> None:
    sim = invented(50, np.random.default_rng(1))
    comparison = pt.compare(invented_theory, sim)
    expected = (np.array(sim.mean) - values_at(2.0)) / np.array(sim.standard_error)
    np.testing.assert_allclose(comparison.deviation[0], expected, rtol=1e-12)  # one subtraction and division
    assert comparison.worst == np.abs(comparison.deviation.values).max()
    for k, name in enumerate(NAMES):
        # Of 60 trials: both tails of Student's t with 59 degrees of freedom.
        assert comparison.p_value[name] == pytest.approx(2 * t.sf(abs(expected[k]), 59), rel=1e-9)


def test_cells_may_have_different_sizes() -> None:
    rng = np.random.default_rng(2)
    sims = [
        invented(40, rng),
        invented(80, rng),
        invented(40, rng, 3.0),
        *(invented(N, rng, 4.0) for N in (10, 20, 40)),
    ]
    comparison = pt.compare(invented_theory, sims)
    np.testing.assert_array_equal(comparison.data.N, [[40, 80, 0], [40, 0, 0], [10, 20, 40]])
    assert np.isnan(comparison.data["mean"].values[1, 1:]).all()
    assert np.isfinite(comparison.deviation).all()
    assert all(0.0 <= p <= 1.0 for p in comparison.p_value.values())


def equal_margins() -> pt.MeasuredMargins:
    return pt.MeasuredMargins([0.2, 0.5, 2.0], signed=True)


RULE = pt.KeepProbability(lambda m: m < 1.0, breakpoints=[1.0])
CELLS: list[tuple[list[dict[str, Any]], int]] = [
    ([{}, {}], 1),
    ([{"theta": 0.3}, {"theta": 0.4}], 2),
    ([{"f": 0.5}, {"f": 0.6}], 2),
    ([{"selection": "hard"}, {"selection": "easy"}], 2),
    ([{"selection": pt.Band(0.2)}, {"selection": pt.Band(0.2)}], 1),
    ([{"selection": pt.Band(0.2)}, {"selection": pt.Band(0.3)}], 2),
    ([{"selection": RULE, "f": None}, {"selection": RULE, "f": None}], 1),
    ([{"margins": None}, {"margins": equal_margins()}], 2),
    ([{"margins": equal_margins()}, {"margins": equal_margins()}], 1),
    ([{"margins": equal_margins()}, {"margins": pt.MeasuredMargins([0.2, 0.5, 2.0], signed=False)}], 2),
]


@pytest.mark.parametrize(("changes", "cells"), CELLS)
def test_the_same_problem_is_one_cell(changes: list[dict[str, Any]], cells: int) -> None:
    rng = np.random.default_rng(3)
    sims = [invented(N, rng, **change) for N, change in zip((40, 80), changes, strict=True)]

    def theory(alpha_prune: Any, f: Any, theta: Any, **options: Any) -> pt.Solution:
        return invented_theory(alpha_prune, 0.5, theta, **(options | {"selection": "hard"}))

    assert pt.compare(theory, sims).data.sizes["cell"] == cells


def test_a_solution_serves_as_well_as_the_function() -> None:
    sims = [pt.simulate(N, alpha, 0.5, 0.2, trials=5) for alpha in (1.0, 2.0) for N in (20, 40)]
    solved = pt.compare(pt.solve, sims)
    table = pt.compare(pt.solve([2.0, 1.0, 3.0], 0.5, 0.2), sims)
    np.testing.assert_allclose(table.deviation, solved.deviation, rtol=1e-9)
    margins = equal_margins()
    sim = pt.simulate(20, 2.0, 0.5, 0.2, margins=margins, trials=5)
    one = pt.compare(pt.solve(2.0, 0.5, 0.2, margins=equal_margins()), sim)
    assert one.worst == pt.compare(pt.solve, sim).worst


@pytest.mark.parametrize("rule", ["hard", "easy", "random", pt.Band(0.2), pt.Band(0.7)])
def test_solve_takes_whatever_was_realised(rule: str | pt.Band) -> None:
    """Also where f was rounded at the end of a band: the theory is that of the realised alpha_prune and f."""
    for alpha in (0.65, 1.02):
        sim = pt.simulate(20, alpha, 0.3, 0.2, selection=rule, trials=3)
        assert (sim.alpha_prune, sim.f) != (alpha, 0.3)
        data = pt.compare(pt.solve, sim).data
        there = pt.solve(sim.alpha_prune, sim.f, 0.2, selection=rule)
        assert data.theory.values.ravel().tolist() == [getattr(there, name) for name in NAMES]
        assert np.isfinite(data.deviation).all()


# What the numbers mean


def many(shift: float, seed: int, repetitions: int = 200, trials: int = 60) -> list[pt.Comparison]:
    """Comparisons of three cells at two sizes each."""
    rng = np.random.default_rng(seed)
    return [
        pt.compare(
            invented_theory,
            [invented(N, rng, alpha, trials, shift) for alpha in (1.0, 2.0, 3.0) for N in (20, 40)],
        )
        for _ in range(repetitions)
    ]


def test_p_values_are_uniform_and_deviations_normal() -> None:
    """If the theory is right. Standard errors from 60 trials widen a deviation by 1.5 %, far below what 200 show."""
    comparisons = many(0.0, seed=4)
    for name in NAMES:
        assert kstest([c.p_value[name] for c in comparisons], "uniform").pvalue > 1e-4  # four comparisons
    deviations = np.array([c.deviation.values for c in comparisons])
    # 12 of them per comparison, all independent: 2400 normal numbers of variance 58/56 (Student's t).
    assert kstest(deviations.ravel() / np.sqrt(58 / 56), "norm").pvalue > 1e-4
    worst = np.array([c.worst for c in comparisons])
    np.testing.assert_array_equal(worst, np.abs(deviations).max(axis=(1, 2)))


def test_few_trials_do_not_make_small_p_values() -> None:
    """If the theory is right, p < 0.05 in 5 % of all comparisons, however uncertain the standard errors are.

    Taken for normal, deviations from 5 trials of two sizes would give p < 0.05 in 14 % of them.
    """
    p = np.array([list(c.p_value.values()) for c in many(0.0, 8, 150, trials=5)]).ravel()
    # 600 independent numbers: the invented observables do not know of each other. Welch's approximation gives 5.2 %
    # (20,000 comparisons), which is well within.
    few, most = (float(binom.ppf(q, p.size, 0.05)) for q in (1e-4, 1.0 - 1e-4))
    assert few <= np.sum(p < 0.05) <= most
    assert kstest(p, "uniform").pvalue > 1e-4


def test_degrees_of_freedom_by_hand() -> None:
    """Of one size n - 1; of two equally uncertain parts of a difference twice that; of one that dominates its own."""
    one = np.array([50])
    assert degrees_of_freedom(one, np.array([0.1]), np.array([60])) == pytest.approx(59.0, rel=1e-12)
    two, trials = np.array([50, 100]), np.array([60, 40])
    # The line ends at 2 y(100) - y(50).
    assert degrees_of_freedom(two, np.array([0.2, 0.1]), np.array([60, 60])) == pytest.approx(118.0, rel=1e-12)
    assert degrees_of_freedom(two, np.array([0.2, 0.1]), trials) == pytest.approx(4 / (1 / 59 + 1 / 39), rel=1e-12)
    assert degrees_of_freedom(two, np.array([1e-9, 0.1]), trials) == pytest.approx(39.0, rel=1e-12)


def test_a_wrong_theory_is_rejected() -> None:
    """Wrong by two standard deviations of a trial: 7 standard errors of an extrapolated mean."""
    for comparison in many(2.0, seed=5, repetitions=20):
        assert max(comparison.p_value.values()) < 1e-6
        assert comparison.worst > 4.0


def test_a_theory_wrong_in_one_observable_is_rejected_there() -> None:
    def wrong(*arguments: Any, **options: Any) -> pt.Solution:
        solution = invented_theory(*arguments, **options)
        return replace(solution, rho=solution.rho + 0.1)

    rng = np.random.default_rng(6)
    sims = [invented(N, rng, alpha, trials=400) for alpha in (1.0, 2.0, 3.0) for N in (20, 40)]
    p_value = pt.compare(wrong, sims).p_value
    assert p_value.pop("rho") < 1e-6
    assert min(p_value.values()) > 1e-3


# Errors


def without_certificate(sim: pt.Simulation) -> pt.Simulation:
    R = sim.R.copy()
    R[3:5] = np.nan
    return replace(sim, R=R)


def table(*_: Any) -> pt.Solution:
    return invented_theory([1.0, 2.0], 0.5, 0.3, selection="hard", margins=None)


def failed_table(*_: Any) -> pt.Solution:
    return replace(table(), kappa=np.array([1.0, np.nan]))


Change = Callable[[pt.Simulation], Any]

REFUSED: list[tuple[Any, Change, list[str]]] = [
    (invented_theory, lambda _: [], ["at least one simulation", "got none", "run simulate"]),
    (invented_theory, without_certificate, ["2 of 60 trials have no certificate", "N = 40"]),
    (invented_theory, lambda sim: [sim, without_certificate(sim)], ["2 of 60 trials"]),
    (
        invented_theory,
        lambda _: invented(40, np.random.default_rng(0), trials=1),
        ["at least 2 trials", "got 1", "simulate more"],
    ),
    (invented_theory, lambda sim: replace(sim, student="ridge"), ["max-margin", "'ridge'", "N = 40"]),
    (invented_theory, lambda sim: [sim, sim], ["once at each N", "[40, 40]", "pool the trials"]),
    (table(), lambda _: invented(40, np.random.default_rng(0), 3.0), ["no point", "alpha_prune = 3", "solve itself"]),
    (table(), lambda _: invented(40, np.random.default_rng(0), 1.04), ["alpha_prune = 1.05", "N = 40 realises"]),
    (table(), lambda _: invented(40, np.random.default_rng(0), f=0.4), ["no point", "f = 0.4"]),
    (table(), lambda _: invented(40, np.random.default_rng(0), theta=0.2), ["no point", "theta = 0.2"]),
    (table(), lambda _: invented(40, np.random.default_rng(0), selection="easy"), ["Hard()", "Easy()", "solve"]),
    (table(), lambda _: invented(40, np.random.default_rng(0), margins=equal_margins()), ["Measured", "same margins"]),
    (failed_table(), lambda sim: sim, ["the theory failed at alpha_prune = 2", "status"]),
]


@pytest.mark.parametrize(("theory", "change", "parts"), REFUSED)
def test_compare_refuses(theory: Any, change: Change, parts: list[str]) -> None:
    with pytest.raises(pt.InvalidInputError) as error:
        pt.compare(theory, change(invented(40, np.random.default_rng(0))))
    message = str(error.value)
    assert "\n" not in message
    for part in parts:
        assert part in message


def test_a_theory_that_does_not_converge_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    sim = pt.simulate(20, 2.0, 0.5, 0.2, trials=3)
    solution = replace(pt.solve(2.0, 0.5, 0.2), status=np.array(1, dtype=np.int8))

    def failing(*_: Any, throw: bool, **__: Any) -> pt.Solution:
        assert throw
        raise pt.ConvergenceError("no", solution)

    with pytest.raises(pt.ConvergenceError):
        pt.compare(failing, sim)


@pytest.mark.parametrize("sizes", [(40,), (40, 80)])
def test_trials_without_spread_have_no_deviation(sizes: tuple[int, ...]) -> None:
    """A standard error of 0 would make any difference infinitely wrong, or 0 / 0: neither is claimed."""
    sims = [invented(N, np.random.default_rng(0)) for N in sizes]
    sims = [replace(sim, rho=np.full(60, 0.25)) for sim in sims]
    comparison = pt.compare(invented_theory, sims)
    assert np.isnan(comparison.deviation.sel(observable="rho")).all()
    assert np.isfinite(comparison.deviation.sel(observable="R")).all()
    assert np.isnan(comparison.p_value["rho"])
    assert np.isnan(comparison.worst)


@pytest.mark.parametrize("wrong", [[1, 2], None, pt.solve])
def test_simulations_that_are_none(wrong: object) -> None:
    with pytest.raises(pt.InvalidInputError, match="simulation must be a Simulation or several"):
        pt.compare(pt.solve, wrong)  # type: ignore[arg-type]


def test_theory_that_is_none() -> None:
    sim = pt.simulate(20, 1.0, 0.5, trials=2, workers=1)
    with pytest.raises(pt.InvalidInputError, match="theory must be a Solution or solve itself, got str"):
        pt.compare("solve", sim)  # type: ignore[arg-type]


def test_the_same_trials_do_not_count_twice() -> None:
    """Different problems that round to the same whole numbers, and so are the same draws."""
    sims = [pt.simulate(60, 2.0, f, 0.2, trials=5, workers=1) for f in (0.5, 0.5001)]
    with pytest.raises(pt.InvalidInputError, match="the same whole numbers of examples with the same seed"):
        pt.compare(pt.solve, sims)
    other = pt.simulate(60, 2.0, 0.5001, 0.2, trials=5, seed=1, workers=1)
    assert pt.compare(pt.solve, [sims[0], other]).data.sizes["cell"] == 2


def test_convex_losses_are_compared_without_a_margin() -> None:
    def simulated(N: int, lam: float) -> pt.Simulation:
        return pt.simulate(N, 2.0, 0.5, student=pt.ConvexLoss("square", lam), labels=pt.Labels(0.1), trials=30)

    sims = [simulated(N, 1.0) for N in (40, 80)]
    comparison = pt.compare(pt.solve, sims)
    assert comparison.data.observable.values.tolist() == ["test_error", "R", "rho"]
    assert comparison.data.sizes["cell"] == 1
    assert comparison.worst < 4.0
    with pytest.raises(pt.InvalidInputError, match="a ConvexLoss is compared with solve itself"):
        pt.compare(pt.solve(2.0, 0.5, student=pt.ConvexLoss("square", 1.0)), sims)
    # Another penalty is another problem, not another size of the same.
    assert pt.compare(pt.solve, [sims[0], simulated(40, 2.0)]).data.sizes["cell"] == 2
