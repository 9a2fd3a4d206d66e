"""Local exponents integrate to the curves they belong to; two routes to one boundary."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import perceptron_theory as pt

NODES, WEIGHTS = np.polynomial.legendre.leggauss(12)


def log_nodes(low: float, high: float, panels: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of an integral over ln(alpha_prune), in panels: curves fall sharply near 2."""
    half = 0.5 * np.log(high / low) / panels
    middles = np.log(low) + half * (2 * np.arange(panels)[:, None] + 1)
    return np.exp(middles + half * NODES).ravel(), np.tile(half * WEIGHTS, panels)


@pytest.mark.parametrize("selection", ["hard", "easy", pt.Band(0.1)])
@pytest.mark.parametrize("theta", [0.0, 0.2])
def test_at_fixed_f(theta: float, selection: str | pt.Band) -> None:
    alpha, weights = log_nodes(0.5, 20.0, 16)
    slope = pt.local_exponent(alpha, 0.3, theta, selection=selection)
    ends = pt.solve(np.array([0.5, 20.0]), 0.3, theta, selection=selection).test_error
    # The panels are good to 1e-12 (half as many change 1e-9), and exponents are sharpened until they agree to 1e-9.
    assert abs(slope.exponent.values @ weights - np.log(ends[1] / ends[0])) < 1e-9
    assert np.all(slope.exponent_error < 1e-8)


def test_at_fixed_pool() -> None:
    """f = alpha_prune / alpha_tot moves along."""
    alpha, weights = log_nodes(3.0, 30.0, 16)
    slope = np.array([pt.local_exponent(a, a / 30.0, 0.1, along="alpha_tot").exponent.item() for a in alpha])
    ends = pt.solve(np.array([3.0, 30.0]), np.array([0.1, 1.0]), 0.1).test_error
    # The panels are good to 4e-9: the fall near 2 is sharp.
    assert abs(slope @ weights - np.log(ends[1] / ends[0])) < 1e-8


@pytest.mark.parametrize(
    ("low", "high", "theta", "limits", "active"),
    [
        (2.3, 10.0, 0.17, {"f_min": 1e-4}, "none"),
        (3.0, 20.0, 0.0, {"alpha_tot_max": 50.0}, "alpha_tot_max"),
        (20.0, 50.0, 0.35, {"alpha_tot_max": 50.0}, "alpha_tot_max"),
        (5.0, 49.0, 0.1, {"f_min": 0.2}, "f_min"),
        (0.05, 0.3, 0.2, {"alpha_tot_max": 50.0}, "keep most"),
    ],
)
def test_along_the_frontier(low: float, high: float, theta: float, limits: dict[str, Any], active: str) -> None:
    """Envelope theorem where f is free, a moving f at the ceiling, a fixed one at the floor."""
    alpha, weights = log_nodes(low, high, 2)
    frontier = pt.frontier_exponent(alpha, theta, **limits)
    assert set(frontier.active.values) == {active}
    ends = pt.pareto_frontier([low, high], theta, **limits).test_error.values
    # The best f is known to 1e-6 and its mean effect on the exponent is below 1e-8.
    assert abs(frontier.exponent.values @ weights - np.log(ends[1] / ends[0])) < 1e-7


def test_frontier_exponent_is_continuous_where_the_ceiling_sets_in() -> None:
    theta, ceiling = 0.35, 50.0
    fine = np.linspace(8.0, 14.0, 61)
    frontier = pt.frontier_exponent(fine, theta, alpha_tot_max=ceiling)
    assert {"none", "alpha_tot_max"} == set(frontier.active.values)
    # A kink, not a step: from point to point it moves by no more than 10 % of its range.
    step = np.abs(np.diff(frontier.exponent.values)).max()
    assert step < 0.1 * np.ptp(frontier.exponent.values)


def test_frontier_exponent_where_the_pool_ends() -> None:
    """From below; beyond the ceiling there is none."""
    frontier = pt.frontier_exponent([49.99, 50.0, 51.0], 0.35, alpha_tot_max=50.0)
    # Almost all of the pool is almost as good as all of it: f moves, and the error does not.
    assert np.all(np.abs(frontier.exponent.values[:2]) < 1e-6)
    assert np.isnan(frontier.exponent.values[2])
    assert frontier.status.values.tolist() == [pt.Status.CONVERGED] * 2 + [pt.Status.INFEASIBLE]


def test_unpruned_exponent_is_the_same_for_every_rule_and_angle() -> None:
    slopes = [
        pt.local_exponent([0.1, 3.0, 1e3], 1.0, theta, selection=rule).exponent.values
        for theta in (0.0, 0.7)
        for rule in ("hard", "easy", "random")
    ]
    # Each is good to 1e-9.
    np.testing.assert_allclose(slopes, np.broadcast_to(slopes[0], (6, 3)), rtol=0, atol=1e-8)
    # The power law of unpruned data.
    assert abs(slopes[0][-1] + 1) < 1e-5


@pytest.mark.parametrize("f", [0.05, 0.2, 0.5])
def test_required_theta_inverts_the_boundary(f: float) -> None:
    theta = np.deg2rad([5.0, 20.0, 40.0])
    totals = pt.hard_random_boundary(f, theta).alpha_tot.values
    required = pt.required_theta(totals, f)
    # Roots of both are good to 1e-11.
    np.testing.assert_allclose(required.theta_required, theta, rtol=1e-9)
    np.testing.assert_allclose(required.test_error, required.test_error_reference, rtol=1e-9)


def test_a_keep_probability_has_an_exponent_too() -> None:
    gamma = 0.5244005127080407  # keeps 40 %
    rule = pt.KeepProbability(lambda m: np.abs(m) < gamma, breakpoints=[-gamma, gamma])
    same = pt.local_exponent([1.0, 5.0], 0.4, 0.2)
    slope = pt.local_exponent([1.0, 5.0], theta=0.2, selection=rule)
    # gamma is good to 1e-16, exponents to 1e-9.
    np.testing.assert_allclose(slope.exponent, same.exponent, atol=1e-8)
