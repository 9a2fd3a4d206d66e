"""Prefactors of the final power laws, and what follows from them, against solves far out."""

from __future__ import annotations

import numpy as np
import pytest

import perceptron_theory as pt

#: Opper and Kinzel: maximal stability.
CONSTANT = 0.500489


@pytest.mark.parametrize("theta_deg", [5.0, 20.0, 60.0])
@pytest.mark.parametrize("f", [0.05, 0.3, 0.8])
def test_hard_with_imperfect_metric(f: float, theta_deg: float) -> None:
    theta = np.deg2rad(theta_deg)
    s = pt.solve(1e6, f, theta, selection="hard")
    # The correction is of order 1/alpha^2, at most 3e-8 here (at f = 0.05 and 60 degrees).
    assert abs(s.test_error * 1e6 / pt.tail_prefactor(f, theta) - 1) < 1e-7


@pytest.mark.parametrize("rule", ["easy", pt.Band(0.2), pt.Band(0.0)])
@pytest.mark.parametrize("f", [0.1, 0.3, 0.7])
def test_perfect_metric(f: float, rule: str | pt.Band) -> None:
    """A gap leaves phi(gamma_lo) / phi(0); without one the prefactor is 0.5005 f."""
    s = pt.solve(1e8, f, 0.0, selection=rule)
    # The density behind a gap falls off over 1 / gamma: the correction is of first order, a few 1e-8.
    assert abs(s.test_error * 1e8 / pt.tail_prefactor(f, 0.0, selection=rule) - 1) < 1e-6


@pytest.mark.parametrize("rule", ["easy", pt.Band(0.2)])
@pytest.mark.parametrize("theta_deg", [30.0, 60.0, 85.0])
def test_gap_and_imperfect_metric(theta_deg: float, rule: str | pt.Band) -> None:
    theta = np.deg2rad(theta_deg)
    s = pt.solve(1e8, 0.4, theta, selection=rule)
    # Few examples are left at the boundary; the correction is of order 1 / (density alpha)^2.
    assert abs(s.test_error * 1e8 / pt.tail_prefactor(0.4, theta, selection=rule) - 1) < 1e-6


def test_random_and_shapes() -> None:
    prefactor = pt.tail_prefactor(np.array([0.1, 1.0])[:, None], [0.0, 0.3, 1.5], selection="random")
    assert prefactor.shape == (2, 3)
    np.testing.assert_allclose(prefactor, CONSTANT, rtol=1e-6)
    np.testing.assert_allclose(pt.tail_prefactor(1.0, [0.0, 0.3, 1.5]), CONSTANT, rtol=1e-6)
    assert isinstance(pt.tail_prefactor(0.3), float)
    # A stall that outlasts every number: the density of kept data at the boundary is exp(-1e4) or less.
    assert pt.tail_prefactor(0.3, 0.005, selection="easy") == np.inf


@pytest.mark.parametrize("theta_deg", [5.0, 20.0, 60.0])
def test_frontier(theta_deg: float) -> None:
    """test_error -> 0.5005 sin(theta) / alpha_prune along the frontier."""
    theta = np.deg2rad(theta_deg)
    frontier = pt.pareto_frontier(1e4, theta, f_min=1e-5)
    assert frontier.active.item() == "none"
    # 1 % as required; seen: 0.15 %.
    assert abs(float(frontier.test_error) * 1e4 / (CONSTANT * np.sin(theta)) - 1) < 0.01


@pytest.mark.parametrize("excess", [0.01, 0.1])
def test_smallest_useful_f(excess: float) -> None:
    """The prefactor of a solve far out, at the fraction reported, is `excess` above its floor."""
    theta = np.deg2rad([1e-3, 1.0, 10.0, 45.0])
    smallest = pt.smallest_useful_f(theta, excess=excess)
    alpha = 1e8 / np.sin(theta)
    error = pt.solve(alpha, smallest.f_exact.values, theta).test_error
    # The constant is known to 2e-7.
    np.testing.assert_allclose(error * alpha / (CONSTANT * np.sin(theta)), 1 + excess, rtol=1e-6)


def test_smallest_useful_f_at_its_ends() -> None:
    smallest = pt.smallest_useful_f(np.deg2rad([0.0, 1e-4, 66.0, 90.0]), excess=0.1)
    # sin(66 degrees) > 1 / 1.1: all data are within the excess already.
    assert smallest.f_exact.values[[0, 2, 3]].tolist() == [0.0, 1.0, 1.0]
    assert smallest.f_rule_of_thumb.values[[0, 3]].tolist() == [0.0, 1.0]
    # Small windows are flat: Var = gamma^2 / 3, f = gamma sqrt(2 / pi).
    assert abs(smallest.f_rule_of_thumb.values[1] / (np.deg2rad(1e-4) * np.sqrt(6 / np.pi)) - 1) < 1e-9


def test_crossover_of_a_good_metric_does_not_depend_on_it() -> None:
    """theta -> 0: error / sin(theta) tends to one curve above alpha_prune = 2, so the crossover to a limit."""
    crossover = pt.crossover(np.deg2rad([0.01, 0.1]))
    ends = crossover.alpha_prune.values
    # Corrections are of order theta^2 = 3e-6; the root is known to 1e-5.
    assert abs(ends[0] / ends[1] - 1) < 3e-5
    needed = crossover.alpha_tot * np.sin(crossover.theta)
    assert abs(float(needed[0] / needed[1]) - 1) < 1e-4
    # It falls the more steeply before: as 1 / theta, at Cover's capacity.
    steepest = crossover.exponent_steepest.values
    assert steepest[0] / steepest[1] == pytest.approx(10, rel=0.5)
    assert abs(crossover.alpha_prune_steepest.values[0] - 2) < 0.01


def test_plateaus_make_three_crossings() -> None:
    """f -> 0: hard stalls at 1/2 - theta/pi and easy at theta/pi, so beyond pi/4 hard wins there."""
    boundary = pt.hard_easy_boundary([1e-3, 0.2], np.deg2rad([40.0, 50.0]))
    assert boundary.crossings.values.tolist() == [[1, 3], [1, 1]]
    assert boundary.outcome.values.tolist() == [["found", "several"], ["found", "found"]]
    every = boundary.alpha_tot_all.values[0, 1]
    assert np.all(np.diff(every) > 0)
    assert float(boundary.alpha_tot[0, 1]) == every[-1]
    middles = np.sqrt(every[1:] * every[:-1])
    diagram = pt.phase_diagram(np.concatenate([every[:1] / 2, middles, 2 * every[-1:]]), 1e-3, np.deg2rad(50))
    hard, easy = (diagram.test_error.sel(selection=rule).values for rule in ("hard", "easy"))
    assert (hard < easy).tolist() == [False, True, False, True]
    # Stalled: near 1/2 - 50/180 and, not as near, 50/180.
    assert abs(hard[1] - (0.5 - 50 / 180)) < 0.02
    assert abs(easy[1] - 50 / 180) < 0.05
