"""What a policy takes and gives."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import perceptron_theory as pt


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.inf, 0.3), r"unlimited data .* set a floor f_min"),
        ((-1.0, 0.3), "alpha_tot must be positive"),
        (([1.0, 2.0], 0.3), "alpha_tot must be one number"),
        ((5e-324, 0.3), "alpha_tot \\* f must be at least 1e-300"),
        ((5.0, 0.0), r"f must lie in \(0, 1\]"),
        ((5.0, 0.3, 20.0), "use numpy.deg2rad"),
    ],
)
def test_wrong_input_is_explained(arguments: tuple[float, ...], message: str) -> None:
    with pytest.raises(pt.InvalidInputError, match=message):
        pt.optimal_policy(*arguments)


def test_labels_are_seen_or_not() -> None:
    with pytest.raises(pt.InvalidInputError, match="label_aware must be True or False"):
        pt.optimal_policy(5.0, 0.3, 0.2, label_aware="yes")  # type: ignore[arg-type]


@pytest.mark.parametrize("margin", [np.nan, np.inf])
def test_influence_needs_a_margin(margin: float) -> None:
    response = pt.influence(5.0, 0.3, 0.2)
    for ask in (response, response.unlabelled):
        with pytest.raises(pt.InvalidInputError, match="must be finite"):
            ask([0.1, margin])


def test_policy_is_a_selection() -> None:
    policy = pt.optimal_policy(10.0, 0.2, 0.3, label_aware=True)
    m = np.array([policy.windows[0, 0] - 1e-6, policy.windows[0].mean(), policy.windows[0, 1] + 1e-6])
    assert policy.k(m).tolist() == [0.0, 1.0, 0.0]
    again = pt.solve(2.0, theta=0.3, selection=pickle.loads(pickle.dumps(policy)).k)
    assert again.test_error == policy.test_error
    assert abs(again.alpha_tot - 10.0) < 1e-10
    with pytest.raises(ValueError, match="read-only"):
        policy.windows[0, 0] = 0.0
    assert all(status.sentence for status in pt.PolicyStatus)


def test_without_labels_the_rule_is_even() -> None:
    policy = pt.optimal_policy(10.0, 0.2, 0.3)
    m = np.linspace(-3, 3, 301)
    np.testing.assert_array_equal(policy.k(m), policy.k(-m))
    low = float(policy.windows[0, 0])
    assert abs(policy.band.lower - pt.solve(1.0, theta=0.3, selection=inside(low)).f) < 1e-6


def inside(z: float) -> pt.KeepProbability:
    return pt.KeepProbability(lambda m: np.abs(m) < z, breakpoints=[-z, z])


def test_perfect_metric_has_no_labels_to_see() -> None:
    blind, aware = (pt.optimal_policy(10.0, 0.2, label_aware=label_aware) for label_aware in (False, True))
    assert blind.test_error == aware.test_error
    np.testing.assert_array_equal(blind.windows, aware.windows)


def test_useless_probe_makes_all_policies_equal() -> None:
    policy = pt.optimal_policy(10.0, 0.2, np.pi / 2)
    np.testing.assert_allclose(list(policy.errors), policy.test_error, rtol=1e-11)
    assert policy.status == pt.PolicyStatus.STATIONARY


@pytest.mark.parametrize("theta", [0.0, 1e-200, 1e-90, 1e-12])
def test_tiny_angles_and_fractions(theta: float) -> None:
    for label_aware in (False, True):
        for alpha_tot, f in ((8.0, 0.3), (2.0, 1e-5), (1e6, 0.5)):
            policy = pt.optimal_policy(alpha_tot, f, theta, label_aware=label_aware)
            assert policy.status == pt.PolicyStatus.STATIONARY
            assert policy.test_error <= min(policy.errors) * (1 + 1e-11)


def test_curves_are_labelled() -> None:
    curve = pt.policy_curve([0.5, 2.0], 0.1, 0.2)
    assert dict(curve.sizes) == {"alpha_prune": 2, "window": 1, "edge": 2}
    np.testing.assert_allclose(curve.alpha_tot, [5.0, 20.0])
    assert np.all(curve.optimality_gap < 1e-9)
    assert np.all(curve.test_error <= curve.test_error_band * (1 + 1e-11))
    one = pt.policy_curve(2.0, 0.1, 0.2)
    assert one.test_error.dims == ()
    assert float(one.test_error) == float(curve.test_error[1])
    with pytest.raises(pt.InvalidInputError, match="must increase"):
        pt.greedy_policy([1.0, 0.5], 0.1)
    with pytest.raises(pt.InvalidInputError, match="f must be one number"):
        pt.policy_curve([1.0, 0.5], [0.1, 0.2])  # type: ignore[arg-type]
