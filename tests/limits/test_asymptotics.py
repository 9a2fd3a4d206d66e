"""Limits of the max-margin theory, against constants from one-dimensional integrals of their own.

Far out on the learning curve only data within 1/r of the teacher's boundary matter. With x = k - r A
the equations of unpruned data become, for the limit k and c = lim r / alpha,

    integral_0^inf t psi1(k - t) dt = k integral_0^inf psi1(k - t) dt,   c = 2 phi(0) integral_0^inf psi2(k - t) dt

with psi1(u) = E(u - h)_+, psi2(u) = E(u - h)_+^2, and test_error alpha -> 1 / (pi c): 0.500489 in the
literature's rounding (Opper and Kinzel: maximal stability).
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

import perceptron_theory as pt


def phi(x: float) -> float:
    return math.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


def psi1(u: float) -> float:
    return u * float(ndtr(u)) + phi(u)


def psi2(u: float) -> float:
    return (1 + u * u) * float(ndtr(u)) + u * phi(u)


@cache
def opper_kinzel() -> float:
    """lim test_error * alpha at f = 1."""

    def gap(k: float) -> float:
        first = quad(lambda t: t * psi1(k - t), 0, k + 12, epsabs=0, epsrel=1e-13)[0]
        return float(first / quad(lambda t: psi1(k - t), 0, k + 12, epsabs=0, epsrel=1e-13)[0] - k)

    k = brentq(gap, 0.1, 3.0, xtol=1e-14)
    c = 2 * phi(0) * quad(lambda t: psi2(k - t), 0, k + 12, epsabs=0, epsrel=1e-13)[0]
    return float(1 / (math.pi * c))


def gamma_hard(f: float) -> float:
    return float(-ndtri(0.5 * (1 - f)))


def test_constant_is_the_published_one() -> None:
    assert abs(opper_kinzel() - 0.500489) < 1e-6


@pytest.mark.parametrize("theta_deg", [0.0, 10.0])
def test_unpruned(theta_deg: float) -> None:
    # Corrections are of order 1/alpha^2: their size is measured, then removed.
    alpha = np.array([1e3, 2e3, 1e5])
    product = pt.solve(alpha, 1.0, np.deg2rad(theta_deg)).test_error * alpha
    extrapolated = product[1] + (product[1] - product[0]) / 3
    assert abs(extrapolated / opper_kinzel() - 1) < 1e-9
    assert abs(product[2] / opper_kinzel() - 1) < 1e-9


@pytest.mark.parametrize("f", [0.05, 0.3, 0.8])
def test_hard_with_perfect_metric_costs_nothing(f: float) -> None:
    """theta = 0: as good as training on all alpha_tot examples."""
    s = pt.solve(1e5, f, 0.0, selection="hard")
    # What is missing are the examples beyond gamma, cut off at distance gamma r: exponentially small.
    assert abs(s.test_error * s.alpha_tot / opper_kinzel() - 1) < 1e-9


@pytest.mark.parametrize("theta_deg", [5.0, 20.0, 60.0])
@pytest.mark.parametrize("f", [0.02, 0.3, 0.8])
def test_hard_with_imperfect_metric(f: float, theta_deg: float) -> None:
    """theta > 0: a power law again, with the density of kept data on the teacher's boundary."""
    sin = math.sin(math.radians(theta_deg))
    density = math.erf(gamma_hard(f) / (math.sqrt(2) * sin)) / f
    alpha = np.array([1e5, 3e5])
    product = pt.solve(alpha, f, np.deg2rad(theta_deg), selection="hard").test_error * alpha * density
    # The correction is 1/alpha^2 (seen from 1e4 to 3e5 to five digits); what follows it is below 1e-9.
    extrapolated = product[1] + (product[1] - product[0]) / 8
    assert abs(extrapolated / opper_kinzel() - 1) < 1e-9


def test_hard_prefactor_falls_to_sine_of_theta() -> None:
    """No sharp smallest f: the prefactor decreases monotonically to 0.5005 sin(theta)."""
    theta = math.radians(20)
    f = np.array([1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 1e-3, 1e-6])
    # Far enough out for a band of 1e-6: corrections are seen to be of order 0.01 / (alpha f^2)^2, 1e-10 here.
    product = pt.solve(1e16, f, theta, selection="hard").test_error * 1e16
    assert np.all(np.diff(product) < 0)
    # erf(x)/x is flat to second order: at f = 1e-6 the limit is reached to (gamma / sin)^2 / 6 = 2e-12.
    assert abs(product[-1] / (opper_kinzel() * math.sin(theta)) - 1) < 1e-9


@pytest.mark.parametrize("f", [0.1, 0.3, 0.7])
def test_easy_with_perfect_metric(f: float) -> None:
    """theta = 0, easy: error * alpha -> 0.5005 f phi(0) / phi(gamma)."""
    gamma = float(-ndtri(0.5 * f))
    # The density falls off over 1 / gamma behind the gap: corrections are of first order, 1 / alpha.
    product = float(pt.solve(1e10, f, 0.0, selection="easy").test_error) * 1e10
    assert abs(product / (opper_kinzel() * f * phi(0) / phi(gamma)) - 1) < 1e-9


def test_wall_at_two() -> None:
    """f -> 0, theta = 0: Cover's capacity separates error -> 1/2 from error proportional to f."""
    f = np.array([1e-2, 1e-3, 1e-4])
    below = pt.solve(2.0 - 0.3, f, 0.0).test_error
    above = pt.solve(2.0 + 0.3, f, 0.0).test_error
    assert np.all(np.diff(below) > 0)
    assert below[-1] > 0.45
    ratio = above / f
    assert abs(ratio[2] / ratio[1] - 1) < 0.02 < abs(below[2] / below[1] * 10 - 1)
    # Far above the wall C alpha_prune -> 0.5005, already 6 % away at alpha_prune = 3.
    assert abs(pt.solve(3.0, 1e-9, 0.0).test_error / 1e-9 * 3 / opper_kinzel() - 1) < 0.065
    assert abs(pt.solve(1e3, 1e-9, 0.0).test_error / 1e-9 * 1e3 / opper_kinzel() - 1) < 1e-9


def test_few_hard_examples_teach_only_what_the_probe_does_not_know() -> None:
    """theta > 0, fixed alpha_prune: f -> 0 leaves an error of at least 1/2 - theta / pi, so a best f exists."""
    theta = math.radians(20)
    f = np.geomspace(1e-4, 1.0, 30)
    error = pt.solve(5.0, f, theta).test_error
    assert error[0] >= 0.5 - theta / math.pi
    assert 0 < np.argmin(error) < f.size - 1


def test_easy_stalls_at_the_error_of_the_probe() -> None:
    theta = math.radians(10)
    s = pt.solve(np.geomspace(30, 1e4, 5), 0.3, theta, selection="easy")
    assert np.all(np.abs(s.test_error / (theta / math.pi) - 1) < 0.05)


def test_dilute() -> None:
    """alpha -> 0: kappa sqrt(alpha) -> 1 and R / sqrt(alpha) -> E[A] of the kept data."""
    alpha = 1e-6
    f, gamma = 0.3, gamma_hard(0.3)
    mean = quad(lambda m: 2 * phi(m) * m, 0, gamma)[0] / f
    s = pt.solve(alpha, f, 0.0)
    # Corrections are of relative order sqrt(alpha).
    assert abs(s.kappa * math.sqrt(alpha) - 1) < 2 * math.sqrt(alpha)
    assert abs(s.R / math.sqrt(alpha) / mean - 1) < 2 * math.sqrt(alpha)
