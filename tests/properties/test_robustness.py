"""Everywhere: converged, certified, physical."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import perceptron_theory as pt

N_POINTS = 5_000


@pytest.mark.parametrize("rule", ["hard", "easy", "random"])
def test_random_points(rule: str) -> None:
    rng = np.random.default_rng(20220629)
    alpha = 10 ** rng.uniform(-3, 5, N_POINTS)
    f = 10 ** rng.uniform(-3, 0, N_POINTS)
    theta = rng.uniform(0, np.pi / 2, N_POINTS)
    s = pt.solve(alpha, f, theta, selection=rule)
    assert s.converged.all(), f"{(~s.converged).sum()} failed, worst residual {np.max(s.residual)}"
    assert np.all(s.residual <= 1e-10)
    assert np.all(s.quadrature_error <= 1e-9)
    assert np.all((s.test_error > 0) & (s.test_error < 0.5))
    assert np.all((s.R > 0) & (s.R <= 1) & (np.abs(s.rho) <= 1) & (s.kappa > 0))
    # Overlaps of unit vectors: teacher, probe and student span at most a plane and one more direction.
    gram = 1 + 2 * s.R * s.rho * np.cos(theta) - s.R**2 - s.rho**2 - np.cos(theta) ** 2
    assert np.all(gram >= -1e-14)
    # R and test_error are the same number twice.
    np.testing.assert_allclose(np.cos(np.pi * s.test_error), s.R, rtol=0, atol=1e-14)


@pytest.mark.parametrize("rule", ["hard", "easy", "random"])
@pytest.mark.parametrize("theta", [0.0, 1e-8, np.deg2rad(10.0), np.pi / 2])
def test_corners(rule: str, theta: float) -> None:
    alpha = np.array([1e-3, 1.0, 2.0 - 1e-3, 2.0, 2.0 + 1e-3, 10.0, 1e3, 1e5])[:, None]
    f = np.array([1e-3, 1e-2, 0.5, 1.0])
    s = pt.solve(alpha, f, theta, selection=rule)
    assert s.converged.all()
    assert np.all(np.diff(s.kappa, axis=0) < 0)


@pytest.mark.parametrize("rule", ["hard", "easy", "random"])
def test_margin_falls_with_every_example(rule: str) -> None:
    """More constraints can only lower the margin; the error need not be monotone (easy, theta > 0)."""
    alpha = np.geomspace(1e-3, 1e5, 161)[:, None, None]
    f = np.array([1e-3, 0.03, 0.3, 1.0])[:, None]
    theta = np.deg2rad([0.0, 1.0, 10.0, 45.0, 90.0])
    s = pt.solve(alpha, f, theta, selection=rule)
    assert s.converged.all()
    assert np.all(np.diff(s.kappa, axis=0) < 0)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.floats(-3, 5),
    st.floats(-3, 0),
    st.floats(0, 90),
    st.floats(0, 0.95),
)
def test_bands_anywhere(log_alpha: float, log_f: float, theta_deg: float, lower: float) -> None:
    f = min(10**log_f, 1 - lower)
    s = pt.solve(10**log_alpha, f, np.deg2rad(theta_deg), selection=pt.Band(lower), throw=False)
    assert s.converged, s


@pytest.mark.parametrize("lower", [0.05, 0.3, 0.7, 0.9])
def test_random_bands(lower: float) -> None:
    """Thin bands away from 0 pull the student onto the probe: s down to 1e-8, k up to 1e8."""
    rng = np.random.default_rng(5)
    alpha = 10 ** rng.uniform(-3, 5, 1_500)
    f = 10 ** rng.uniform(-3, np.log10(1 - lower), 1_500)
    theta = 10 ** rng.uniform(-4, np.log10(np.pi / 2), 1_500)
    s = pt.solve(alpha, f, theta, selection=pt.Band(lower))
    assert s.converged.all()
    assert np.all(s.residual <= 1e-10)


@pytest.mark.parametrize("rule", ["hard", "easy"])
def test_small_angles(rule: str) -> None:
    rng = np.random.default_rng(6)
    alpha = 10 ** rng.uniform(-3, 5, 2_000)
    f = 10 ** rng.uniform(-3, 0, 2_000)
    theta = 10 ** rng.uniform(-9, np.log10(np.pi / 2), 2_000)
    s = pt.solve(alpha, f, theta, selection=rule)
    assert s.converged.all()
    assert np.all(s.residual <= 1e-10)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("shape", ["heavy tails", "tied"])
def test_measured_margins_anywhere(shape: str, signed: bool) -> None:
    """Lumpy measured distributions, with up to 60 % of the examples tied: every point certified."""
    rng = np.random.default_rng(7)
    z = np.abs(rng.standard_t(4, 2_000)) / np.sqrt(2)
    if shape == "tied":
        z = np.round(z, 1) + 0.05
        z[rng.random(z.size) < 0.6] = 0.75
    if signed:
        z *= np.where(rng.random(z.size) < 0.9, 1, -1)
    margins = pt.MeasuredMargins(z, signed=signed)
    alpha = 10 ** rng.uniform(-2, 4, 300)
    f = 10 ** rng.uniform(-2, 0, 300)
    theta = rng.uniform(0.05, np.pi / 2, 300)
    for rule in ("hard", "easy"):
        s = pt.solve(alpha, f, theta, selection=rule, margins=margins)
        assert s.converged.all(), (rule, np.unique(s.status, return_counts=True), np.max(s.quadrature_error))


def test_far_beyond_any_data_set() -> None:
    """Scaled variables lose nothing: the laws of large alpha_prune hold to rounding at 1e100."""
    s = pt.solve([1e20, 1e60, 1e100], 0.5, [[0.0], [0.3]], selection="hard")
    assert s.converged.all()
    np.testing.assert_allclose(s.test_error * s.alpha_prune, np.tile(s.test_error[:, :1] * 1e20, 3), rtol=1e-13)


def test_one_value_kept_pins_the_student_to_the_probe() -> None:
    """More tied examples than can be classified by chance: the probe itself has the largest margin.

    A certified limit, not a failure: kappa is the tied margin, and the test error that of the probe.
    """
    margins = pt.MeasuredMargins([-0.5, 0.2, 0.4, 1.5], [1, 2, 3, 4], signed=True)
    theta = 0.3
    s = pt.solve([1.0, 10.0, 100.0], 0.4, theta, selection="easy", margins=margins)
    assert s.converged.all()
    assert s.kappa[0] > 1.5  # fewer examples than dimensions: noise still helps
    np.testing.assert_allclose(s.kappa[1:], 1.5, rtol=1e-11)
    np.testing.assert_allclose(s.R[1:], np.cos(theta), rtol=1e-12)
    np.testing.assert_allclose(s.test_error[1:], 0.1, rtol=1e-12)
    # Just below the capacity of 2 examples per dimension (theta small: g is free) it joins up.
    below = pt.solve(2.0 * (1 - 1e-3), 0.4, 0.01, selection="easy", margins=margins)
    assert 1.5 < below.kappa < 1.5 * (1 + 1e-3)


def test_no_false_convergence_on_few_values() -> None:
    """Three distinct values, extreme sizes: certified or NaN with a status, nothing in between."""
    margins = pt.MeasuredMargins([0.001, 0.03, 0.8], signed=False)
    rng = np.random.default_rng(3)
    s = pt.solve(
        10 ** rng.uniform(-2, 4, 200), 10 ** rng.uniform(-2, 0, 200), rng.uniform(0.05, 1.5, 200), margins=margins
    )
    assert np.array_equal(np.isnan(s.test_error), ~s.converged)
    assert np.all(s.residual[s.converged] <= 1e-10)
    assert s.converged.mean() > 0.95
