"""The influence function against what it is the derivative of."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

import perceptron_theory as pt

#: (alpha_prune, f, theta in degrees, rule): small to large, perfect to useless.
CELLS = [
    (0.3, 0.3, 0.0, "hard"),
    (3.0, 0.3, 10.0, "hard"),
    (3.0, 0.3, 10.0, "easy"),
    (30.0, 0.1, 35.0, pt.Band(0.2)),
    (5.0, 0.5, 80.0, "easy"),
    (2.0, 1.0, 20.0, "random"),
    (100.0, 0.05, 10.0, "hard"),
]


def central(function: Callable[[float], float], h: float) -> float:
    """Derivative at 0 by differences of fourth order."""
    return (8 * (function(h) - function(-h)) - (function(2 * h) - function(-2 * h))) / (12 * h)


@pytest.mark.parametrize(("alpha", "f", "theta_deg", "rule"), CELLS)
def test_mean_influence_is_the_slope_of_the_learning_curve(
    alpha: float, f: float, theta_deg: float, rule: str | pt.Band
) -> None:
    theta = np.deg2rad(theta_deg)
    influence = pt.influence(alpha, f, theta, selection=rule)
    low, high = {"random": (0.0, 1.0), "easy": (1 - f, 1.0), "hard": (0.0, f)}.get(str(rule), (0.2, 0.3))
    x, w = np.polynomial.legendre.leggauss(400)
    # Quantiles of |z|; u = (1 - q)^(1/4) takes away the singularity of the quantile at 1.
    a, b = (1 - high) ** 0.25, (1 - low) ** 0.25
    u = 0.5 * (a + b) + 0.5 * (b - a) * x
    mean = float(np.sum(w * 4 * u**3 * influence.unlabelled(-ndtri(0.5 * u**4))) * 0.5 * (b - a)) / (high - low)

    def error(h: float) -> float:
        return float(pt.solve(alpha * np.exp(h), f, theta, selection=rule).test_error)

    # Truncation 1e-4^4, rounding 1e-13 / 1e-3, and the sharp strip of margins at alpha = 100.
    assert abs(mean * alpha / central(error, 1e-3) - 1) < 1e-7


@pytest.mark.parametrize("alpha_tot", [2.0, 20.0])
@pytest.mark.parametrize(
    ("theta_deg", "low"), [(0.0, 0.7), (12.0, 0.7), (12.0, -0.8), (60.0, 0.7), (60.0, -0.8), (90.0, 0.7), (90.0, -0.8)]
)
def test_influence_is_the_derivative_in_a_narrow_window(theta_deg: float, low: float, alpha_tot: float) -> None:
    """A little more weight on margins from `low` to `low` + 0.1."""
    theta = np.deg2rad(theta_deg)
    z, high = float(ndtri(0.75)), low + 0.1

    def rule(h: float) -> pt.KeepProbability:
        return pt.KeepProbability(
            lambda m: 0.3 + 0.4 * (np.abs(m) < z) + h * ((m > low) & (m < high)), breakpoints=[-z, z, low, high]
        )

    def size(h: float) -> float:
        return alpha_tot * float(pt.solve(1.0, theta=theta, selection=rule(h)).f)

    def error(h: float) -> float:
        return float(pt.solve(size(h), theta=theta, selection=rule(h)).test_error)

    x, w = np.polynomial.legendre.leggauss(12)
    m = low + 0.05 * (1 + x)
    right = ndtr(m / np.tan(theta)) if theta > 0 else 1.0
    influence = pt.influence(size(0.0), theta=theta, selection=rule(0.0))(m)
    expected = alpha_tot * 0.05 * float(np.sum(w * np.sqrt(2 / np.pi) * np.exp(-0.5 * m**2) * right * influence))
    # Rounding of eps, 1e-14, over a step of 0.05, relative to a response of order 1e-4.
    assert abs(central(error, 0.05) - expected) < 1e-7 * abs(expected) + 1e-12


def test_unlabelled_is_the_average_over_labels() -> None:
    theta = 0.4
    influence = pt.influence(4.0, 0.3, theta, selection="easy")
    z = np.array([0.0, 0.3, 1.7])
    right = ndtr(z / np.tan(theta))
    np.testing.assert_allclose(influence.unlabelled(z), right * influence(z) + (1 - right) * influence(-z), rtol=1e-13)


def test_at_a_right_angle_all_margins_are_alike() -> None:
    influence = pt.influence(4.0, 0.3, np.pi / 2, selection="hard")
    values = influence.unlabelled(np.linspace(0.0, 4.0, 9))
    np.testing.assert_allclose(values, values[0], rtol=1e-10)


def test_shapes_and_impossible_margins() -> None:
    influence = pt.influence(2.0, 0.5)
    assert influence(np.ones((3, 2))).shape == (3, 2)
    assert np.isnan(influence(-0.1))
    assert np.isfinite(influence(0.0))
    assert influence.solution.converged
    with pytest.raises(pt.InvalidInputError, match="it is a distance"):
        influence.unlabelled([0.1, -0.2])
    with pytest.raises(pt.InvalidInputError, match="alpha_prune must be one number"):
        pt.influence([1.0, 2.0], 0.5)  # type: ignore[arg-type]
