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


@pytest.mark.parametrize(
    ("theta", "rule", "alpha"), [(0.3128, "hard", 7.07), (0.05, "hard", 4.0), (0.3, pt.Band(0.1), 1.5)]
)
def test_measured_margins_have_many_minima(theta: float, rule: str | pt.Band, alpha: float) -> None:
    """A kink at every example: no fraction on a grid of 400 does better by more than 1e-3."""
    margins = pt.digits_scores().margins("value")
    frontier = pt.pareto_frontier(alpha, theta, selection=rule, alpha_tot_max=100.0, margins=margins)
    most = 0.9 if isinstance(rule, pt.Band) else 1.0
    f = np.minimum(np.geomspace(alpha / 100.0, most, 401), most)
    errors = pt.solve(alpha, f, theta, selection=rule, margins=margins).test_error
    assert float(frontier.test_error) <= np.nanmin(errors) * (1 + 1e-3)


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
