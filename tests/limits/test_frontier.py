"""The frontier: optimal, constrained, and a power law in the end."""

from __future__ import annotations

import numpy as np
import pytest

import perceptron_theory as pt

ALPHA = np.geomspace(0.5, 60.0, 9)


@pytest.mark.parametrize("rule", ["hard", "easy", pt.Band(0.05)])
@pytest.mark.parametrize("theta_deg", [0.0, 10.0, pytest.param(40.0, marks=pytest.mark.slow)])
def test_no_fraction_on_a_fine_grid_does_better(rule: str | pt.Band, theta_deg: float) -> None:
    theta = np.deg2rad(theta_deg)
    frontier = pt.pareto_frontier(ALPHA, theta, selection=rule, alpha_tot_max=80.0)
    most = 0.95 if isinstance(rule, pt.Band) else 1.0
    for i, alpha in enumerate(ALPHA):
        low = alpha / 80.0
        assert low <= most
        f = np.minimum(np.geomspace(low, most, 2_000), most)
        best = pt.solve(alpha, f, theta, selection=rule).test_error.min()
        # Where the curve is flat the grid may tie with the optimum up to rounding.
        assert frontier.test_error.values[i] <= best * (1 + 1e-12)
        assert low * (1 - 1e-12) <= frontier.f.values[i] <= most
        assert frontier.alpha_tot.values[i] <= 80.0 * (1 + 1e-12)


def test_active_constraint_is_named() -> None:
    frontier = pt.pareto_frontier([1.2, 3.0, 25.0, 80.0, 81.0], np.deg2rad(10), alpha_tot_max=80.0, f_min=0.3)
    assert frontier.active.values.tolist() == ["none", "f_min", "alpha_tot_max", "keep most", "infeasible"]
    assert np.isnan(frontier.test_error.values[-1])
    assert frontier.status.values[-1] == pt.Status.INFEASIBLE
    interior = pt.pareto_frontier(3.0, np.deg2rad(10), alpha_tot_max=1e3)
    assert interior.active.item() == "none"
    f = float(interior.f)
    around = pt.solve(3.0, np.array([0.99, 1.0, 1.01]) * f, np.deg2rad(10)).test_error
    assert around[1] < min(around[0], around[2])


def test_perfect_metric_uses_the_whole_ceiling() -> None:
    """theta = 0, alpha_prune > 2: the frontier sits at the ceiling and nears the error of the whole pool."""
    frontier = pt.pareto_frontier([2.5, 5.0, 20.0], 0.0, alpha_tot_max=100.0)
    assert set(frontier.active.values) == {"alpha_tot_max"}
    pool = pt.solve(100.0, 1.0).test_error
    np.testing.assert_array_less(pool, frontier.test_error.values * (1 + 1e-12))
    assert frontier.test_error.values[1] < 1.01 * pool


def test_imperfect_metric_ends_in_a_power_law() -> None:
    """theta > 0: error alpha -> 0.5005 sin(theta) from above, and best f falls to 0."""
    theta = np.deg2rad(20)
    alpha = np.array([1e2, 1e3, 1e4])
    frontier = pt.pareto_frontier(alpha, theta, f_min=1e-3)
    ratio = frontier.test_error.values * alpha / (0.500489 * np.sin(theta))
    assert np.all(np.diff(ratio) < 0)
    assert np.all(ratio > 1)
    assert ratio[-1] < 1.01
    assert np.all(np.diff(frontier.f.values) < 0)


def best_on_edges(
    margins: pt.MeasuredMargins, n: int, alpha: float, theta: float, rule: str | pt.Band, f_min: float
) -> float:
    """Least error over all f that keep whole examples, where its kinks are, and 200 in between."""
    most = 0.9 if isinstance(rule, pt.Band) else 1.0
    f = np.unique(np.append(np.arange(1, n + 1) / n, np.minimum(np.geomspace(f_min, most, 200), most)))
    f = f[(f >= f_min) & (f <= most)]
    return float(np.nanmin(pt.solve(alpha, f, theta, selection=rule, margins=margins).test_error))


@pytest.mark.parametrize(
    ("theta", "rule", "alpha"), [(0.3128, "hard", 7.07), (0.05, "hard", 4.0), (0.3, pt.Band(0.1), 1.5)]
)
def test_measured_margins_have_many_minima(theta: float, rule: str | pt.Band, alpha: float) -> None:
    """A kink at every example: nothing between or at examples is better."""
    scores = pt.digits_scores()
    frontier = pt.pareto_frontier(alpha, theta, selection=rule, f_min=alpha / 100.0, margins=scores.margins("value"))
    best = best_on_edges(scores.margins("value"), scores.n, alpha, theta, rule, alpha / 100.0)
    # Trials are ranked by errors that are good to 1e-3.
    assert float(frontier.test_error) <= best * (1 + 1e-3)


def test_optimum_one_example_from_an_end() -> None:
    """Dropping 4 of 200 examples is best; all 200, the end itself, are worse by 3e-3."""
    margins = pt.MeasuredMargins(np.abs(np.random.default_rng(5).laplace(size=200)), signed=False)
    frontier = pt.pareto_frontier(0.73105, 0.98178, f_min=0.03, margins=margins)
    assert frontier.f.item() == pytest.approx(0.98, abs=1e-6)
    assert frontier.test_error.item() == pytest.approx(0.27890, abs=6e-6)
    assert frontier.active.item() == "none"


def test_measured_frontiers_near_their_ends() -> None:
    """Small sets and poor probes, whose best f lies next to 1: against every whole number of examples."""
    rng = np.random.default_rng(2)
    for _ in range(12):
        n, alpha, theta = int(rng.integers(50, 250)), float(rng.uniform(0.5, 1.5)), float(rng.uniform(0.8, 1.2))
        margins = pt.MeasuredMargins(np.abs(rng.laplace(size=n)), signed=False)
        frontier = pt.pareto_frontier(alpha, theta, f_min=0.03, margins=margins)
        # Two examples next to each other may differ by less than the trials can tell, about 1e-5.
        assert float(frontier.test_error) <= best_on_edges(margins, n, alpha, theta, "hard", 0.03) * (1 + 2e-5)


def test_ties_keep_the_larger_fraction() -> None:
    """Where the error is 0 over a range of f nothing is gained by discarding."""
    margins = pt.MeasuredMargins([0.5, 1.0, 1.5, 2.0], signed=False)
    frontier = pt.pareto_frontier(4.0, 0.0, alpha_tot_max=100.0, margins=margins)
    assert frontier.test_error.item() == 0.0
    f = np.geomspace(0.04, 1.0, 100)
    perfect = f[pt.solve(4.0, f, 0.0, margins=margins).test_error == 0.0]
    # The largest fraction among the trials, which are 5 % apart.
    assert frontier.f.item() > 0.9 * perfect.max()


def test_never_worse_than_random_or_any_f() -> None:
    frontier = pt.pareto_frontier(ALPHA, np.deg2rad(30), alpha_tot_max=60.0)
    assert np.all(frontier.test_error <= frontier.test_error_random * (1 + 1e-12))
