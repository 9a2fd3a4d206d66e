"""What the optimal policy becomes: small pools, large pools, unlimited data."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import ndtr

import perceptron_theory as pt


@pytest.mark.parametrize("theta", [0.0, 0.2])
def test_windows_slide_from_easy_to_hard(theta: float) -> None:
    sizes = [0.5, 2.0, 8.0, 20.0, 40.0, 100.0, 400.0]
    lower = [float(pt.optimal_policy(size, 0.1, theta).windows[0, 0]) for size in sizes]
    assert np.all(np.diff(lower) < 1e-9)
    assert lower[0] > 1.6
    assert lower[-1] < 0.01


def test_small_pools_keep_the_easiest() -> None:
    policy = pt.optimal_policy(0.2, 0.3, 0.1)
    assert policy.windows.shape == (1, 2)
    assert policy.windows[0, 1] == np.inf or policy.windows[0, 1] > 5
    assert abs(policy.test_error / policy.errors.easy - 1) < 1e-9


@pytest.mark.parametrize("f", [0.05, 0.3])
def test_huge_pools_keep_the_hardest(f: float) -> None:
    """Influence is then seen only in windows too narrow for any mass, from which the search has to start elsewhere."""
    small, huge = (pt.optimal_policy(alpha_tot, f, 0.17) for alpha_tot in (1e6, 1e12))
    assert huge.status == pt.PolicyStatus.STATIONARY
    assert huge.windows[0, 0] == 0.0
    # eps alpha tends to a constant; corrections are of order 1 / alpha.
    assert huge.test_error * 1e12 == pytest.approx(small.test_error * 1e6, rel=1e-6)


def test_keeping_all_leaves_no_choice() -> None:
    for label_aware in (False, True):
        policy = pt.optimal_policy(5.0, 1.0, 0.3, label_aware=label_aware)
        assert policy.optimality_gap == 0.0
        assert abs(policy.test_error / policy.errors.random - 1) < 1e-11
        assert np.isinf(policy.windows[0, 1])


@pytest.mark.parametrize("alpha_prune", [0.5, 1.0, 1.5])
def test_unlimited_data_below_capacity(alpha_prune: float) -> None:
    """theta = 0: the window narrows, moves out, and the error tends to arctan(u / m) / pi, which is 0 in the end."""
    u = brentq(lambda v: alpha_prune * ((1 + v**2) * ndtr(v) + v * np.exp(-0.5 * v**2) / np.sqrt(2 * np.pi)) - 1, 0, 9)
    ratios, errors = [], []
    for f in (1e-2, 1e-4, 1e-6):
        policy = pt.optimal_policy(alpha_prune / f, f)
        m = float(policy.windows[0].mean())
        errors.append(policy.test_error)
        ratios.append(policy.test_error * np.pi / np.arctan(u / m))
    # 3 % at f = 1e-6, where the window is 1 to 4 % wide.
    assert abs(ratios[-1] - 1) < 0.03
    assert abs(ratios[-1] - 1) < abs(ratios[0] - 1)
    assert np.all(np.diff(errors) < 0)


def test_a_narrow_window_below_capacity() -> None:
    """The same law without its corrections: examples at one margin."""
    u = brentq(lambda v: (1 + v**2) * ndtr(v) + v * np.exp(-0.5 * v**2) / np.sqrt(2 * np.pi) - 1, 0, 9)
    gaps = []
    for width in (1e-2, 1e-3):
        rule = pt.KeepProbability(lambda m, w=width: (m > 3) & (m < 3 + w), breakpoints=[3, 3 + width])  # type: ignore[misc]
        gaps.append(abs(float(pt.solve(1.0, selection=rule).test_error) * np.pi / np.arctan(u / 3) - 1))
    assert gaps[0] < 0.01
    assert gaps[1] < 0.15 * gaps[0]


def test_a_lower_floor_never_hurts_and_beats_exponential() -> None:
    sizes = [0.5, 1.0, 1.5, 2.0]
    errors = np.array([pt.policy_curve(sizes, f).test_error.values for f in (1e-1, 1e-2, 1e-3)])
    assert np.all(np.diff(errors, axis=0) < 0)
    # ln eps falls faster and faster: each half unit of alpha_prune divides the error by more than the last.
    factors = errors[-1, :-1] / errors[-1, 1:]
    assert np.all(np.diff(factors) > 0)


def test_greedy_is_a_policy_of_the_same_budget() -> None:
    """What is kept in batches could have been kept at once: never better than the optimum, and close at first."""
    sizes = np.arange(0.1, 2.01, 0.1)
    for theta, label_aware in ((0.0, False), (0.3, True)):
        greedy = pt.greedy_policy(sizes, 0.1, theta, label_aware=label_aware)
        assert np.all(greedy.status == 0)
        best = pt.policy_curve(sizes[[4, 19]], 0.1, theta, label_aware=label_aware).test_error.values
        ratios = greedy.test_error.values[[4, 19]] / best
        assert np.all(ratios >= 1 - 1e-12)
        assert ratios[0] < 1.02
        assert ratios[1] > 1.1
