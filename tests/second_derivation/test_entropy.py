"""Version space: the entropy by brute force in (q, R, d) is stationary where (V1)-(V3) are solved."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import erfinv, log_ndtr, ndtri

import perceptron_theory as pt


class BruteForce:
    """Entropy of one problem on a plain product grid over (m, g, h), from its definition."""

    def __init__(self, alpha: float, f: float, theta: float, rule: str, kappa: float) -> None:
        self.alpha, self.kappa = alpha, kappa
        nodes, weights = np.polynomial.legendre.leggauss(60)
        low, high = (0.0, np.sqrt(2) * erfinv(f)) if rule == "hard" else (-ndtri(0.5 * f), 9.0)
        m, w = low + 0.5 * (high - low) * (1 + nodes), 0.5 * (high - low) * weights
        signs = (1.0,) if theta == 0.0 else (1.0, -1.0)
        g_all, wg = np.polynomial.hermite_e.hermegauss(60)
        rows = []
        for sign in signs:
            for margin, weight in zip(sign * m, w, strict=True):
                density = 2 * np.exp(-0.5 * margin**2) / np.sqrt(2 * np.pi) * weight / f
                if theta == 0.0:
                    rows.append((np.full(60, margin), g_all, density * wg / np.sqrt(2 * np.pi)))
                    continue
                cut = max(-margin / np.tan(theta), -9.0)
                end = max(cut, 0.0) + 9.0
                g = cut + 0.5 * (end - cut) * (1 + nodes)
                normal = np.exp(-0.5 * g * g) / np.sqrt(2 * np.pi)
                rows.append((np.full(60, margin), g, density * 0.5 * (end - cut) * weights * normal))
        m, g, self.weight = (np.array(column)[..., None] for column in zip(*rows, strict=True))
        self.A = m * np.cos(theta) + g * np.sin(theta)
        self.B = m * np.sin(theta) - g * np.cos(theta)
        h, wh = np.polynomial.hermite_e.hermegauss(100)
        self.h, self.wh = h, wh / np.sqrt(2 * np.pi)

    def log(self, q: float, R: float, d: float) -> float:
        """E ln Phi."""
        x = R * self.A + d * self.B + np.sqrt(q - R**2 - d**2) * self.h - self.kappa
        return float((self.weight * self.wh * log_ndtr(x / np.sqrt(1 - q))).sum())

    def entropy(self, q: float, R: float, d: float) -> float:
        return float(0.5 * np.log(1 - q) + (q - R**2 - d**2) / (2 * (1 - q)) + self.alpha * self.log(q, R, d))


CASES = [
    (2.0, 0.5, 0.0, "hard", 0.0),
    (2.0, 0.2, 0.0, "easy", 0.0),
    (2.0, 0.4, 20.0, "hard", 0.0),
    (2.0, 0.4, 20.0, "easy", 0.0),
    (1.0, 0.3, 50.0, "hard", 0.1),
    (1.5, 0.7, 35.0, "easy", 0.3),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_entropy_is_stationary_and_equal(case: tuple[float, float, float, str, float]) -> None:
    """Derivatives by differences: 1e-4 in each overlap leaves errors of order 1e-8 times third derivatives."""
    alpha, f, theta_deg, rule, kappa = case
    theta = np.deg2rad(theta_deg)
    s = pt.solve(alpha, f, theta, selection=rule, student="gibbs", kappa=kappa)
    plain = BruteForce(alpha, f, theta, rule, kappa)
    d = (s.rho - s.R * np.cos(theta)) / np.sin(theta) if theta else 0.0
    at = np.array([s.q, s.R, d])
    # The grid integrates Gaussians of width 1 to 1e-10.
    assert plain.entropy(*at) == pytest.approx(float(s.entropy), abs=1e-8)
    assert -plain.log(*at) == pytest.approx(float(s.gain), abs=1e-8)
    for i in range(3 if theta else 2):
        step = 1e-4 * np.eye(3)[i]
        slope = (plain.entropy(*(at + step)) - plain.entropy(*(at - step))) / 2e-4
        curvature = (plain.entropy(*(at + step)) + plain.entropy(*(at - step)) - 2 * plain.entropy(*at)) / 1e-8
        # A test that could not tell a stationary point from its surroundings would prove nothing.
        assert abs(curvature) > 0.05
        assert abs(slope) < 1e-5 * max(1.0, abs(curvature))


@pytest.mark.parametrize("case", CASES[:4], ids=str)
def test_gain_is_the_fall_of_the_entropy(case: tuple[float, float, float, str, float]) -> None:
    """Total derivative along the solution: the overlaps follow alpha, to no effect in first order."""
    alpha, f, theta_deg, rule, _ = case
    h = 1e-3
    sizes = alpha + h * np.array([-2, -1, 0, 1, 2])
    s = pt.solve(sizes, f, np.deg2rad(theta_deg), selection=rule, student="gibbs")
    slope = (s.entropy[0] - 8 * s.entropy[1] + 8 * s.entropy[3] - s.entropy[4]) / (12 * h)
    # Differences of order 4: h^4 = 1e-12, and rounding 1e-13 / h.
    assert -slope == pytest.approx(float(s.gain[2]), abs=1e-8)
