"""Gaussian functions against scipy, quadrature orders against what they claim."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import log_ndtr, ndtr

from perceptron_theory import gaussian


def test_pdf_cdf_relative_accuracy() -> None:
    """Relative, far into the tail. exp(-u^2/2) alone loses u^2/2 roundings, 1.5e-13 at u = -37."""
    u = np.linspace(-36.9, 36.9, 20_001)
    pairs = np.array([gaussian.pdf_cdf(x) for x in u])
    tolerance = 2e-14 + 2.3e-16 * u**2
    assert np.all(np.abs(pairs[:, 1] / ndtr(u) - 1) <= tolerance)
    assert np.all(np.abs(pairs[:, 0] * math.sqrt(2 * math.pi) / np.exp(-0.5 * u**2) - 1) <= tolerance)
    assert gaussian.pdf_cdf(-40.0) == (0.0, 0.0)
    assert gaussian.pdf_cdf(40.0) == (0.0, 1.0)


@pytest.mark.parametrize("a", [-5.0, -1.0, 0.0, 0.5, 3.0, 30.0, 1e3, 1e8])
def test_inverse_survival_weight(a: float) -> None:
    expected = math.exp(-0.5 * a * a - 0.5 * math.log(2 * math.pi) - log_ndtr(-a)) if a < 30 else None
    value = gaussian.inverse_survival_weight(a)
    if expected is None:  # asymptotic series of the inverse Mills ratio
        expected = a / (1 - 1 / a**2 + 3 / a**4 - 15 / a**6)
        assert abs(value / expected - 1) < 1e-9
    else:
        assert abs(value / expected - 1) < 2e-13


@pytest.mark.parametrize(
    ("level", "error"), [(gaussian.COARSE, 1e-3), (gaussian.FINE, 3e-13), (gaussian.VERIFY, 3e-14)]
)
def test_panel_orders_keep_their_word(level: int, error: float) -> None:
    """A Gaussian over a panel of any length: relative to its integral over the line.

    Rounding of the tabulated rules themselves is of order 1e-14 at the highest orders.
    """
    for length in np.linspace(0.1, 17.0, 60):
        n = gaussian.panel_order(length, level)
        for centre in (-0.5 * length, 0.0):
            x = centre + 0.5 * length * (1 + gaussian.NODES[n, :n])
            sum_ = 0.5 * length * np.sum(gaussian.WEIGHTS[n, :n] * np.exp(-0.5 * x**2)) / math.sqrt(2 * math.pi)
            assert abs(sum_ - (ndtr(centre + length) - ndtr(centre))) < error
