"""The influence at the threshold of a rule, against the paper's own equations.

At a fixed pool, keeping df more of the hardest (or easiest) adds alpha_tot df examples at the threshold: the derivative
of the error is alpha_tot times the influence there. `paper_equations` solves (P1)-(P3) with nothing of the package.
"""

from __future__ import annotations

import math

import paper_equations
import pytest
from scipy.special import ndtri

import perceptron_theory as pt


@pytest.mark.parametrize(
    ("alpha_tot", "f", "theta_deg", "rule"),
    [
        (8.0, 0.3, 15.0, "hard"),
        (3.0, 0.6, 50.0, "easy"),
        pytest.param(8.0, 0.3, 15.0, "easy", marks=pytest.mark.slow),
        pytest.param(20.0, 0.2, 35.0, "easy", marks=pytest.mark.slow),
        pytest.param(3.0, 0.6, 50.0, "hard", marks=pytest.mark.slow),
    ],
)
def test_derivative_in_f(alpha_tot: float, f: float, theta_deg: float, rule: str) -> None:
    theta = math.radians(theta_deg)

    def error(step: float) -> float:
        R = paper_equations.solve(alpha_tot * (f + step), f + step, theta, rule)[0]
        return math.acos(R) / math.pi

    h = 1e-3 * f
    slope = (error(h) - error(-h)) / (2 * h)
    threshold = float(-ndtri(0.5 * (1 - f))) if rule == "hard" else float(-ndtri(0.5 * f))
    influence = pt.influence(alpha_tot * f, f, theta, selection=rule)
    # Differences of second order over a step of 1e-3, and of overlaps that are good to 1e-9.
    assert abs(alpha_tot * influence.unlabelled(threshold) / slope - 1) < 1e-5
