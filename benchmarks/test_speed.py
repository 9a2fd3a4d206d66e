"""Speed beside a straightforward implementation, in one run: ``python -m pytest benchmarks --benchmark-only``.

Groups compare one scalar call of `pt.solve` (certificate included) with the same point solved by
adaptive quadrature and `scipy.optimize.root` (`straightforward.py`), to the same accuracy; the ratio
is in brackets in the table. The last group times 10,000 points at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import perceptron_theory as pt
from benchmarks.straightforward import solve_quad

#: alpha_prune, f, theta (deg), rule
CASES = [(3.0, 0.3, 10.0, "hard"), (10.0, 0.2, 10.0, "hard"), (3.0, 0.2, 0.0, "hard"), (3.0, 0.5, 0.0, "easy")]

#: Both sides must be this close to each other, relatively, for the comparison to count.
SAME = 1e-8


@pytest.mark.parametrize("case", CASES, ids=str)
def test_theory(benchmark: Any, case: tuple[float, float, float, str]) -> None:
    alpha, f, theta_deg, rule = case
    benchmark.group = f"one point {case}"
    theta = float(np.deg2rad(theta_deg))
    pt.solve(alpha, f, theta, selection=rule)
    s = benchmark(pt.solve, alpha, f, theta, selection=rule)
    assert s.residual <= 1e-10


@pytest.mark.parametrize("case", CASES, ids=str)
def test_straightforward(benchmark: Any, case: tuple[float, float, float, str]) -> None:
    alpha, f, theta_deg, rule = case
    benchmark.group = f"one point {case}"
    theta = float(np.deg2rad(theta_deg))
    error, _, _, kappa = benchmark.pedantic(solve_quad, (alpha, f, theta, rule), rounds=3, iterations=1)
    s = pt.solve(alpha, f, theta, selection=rule)
    assert abs(error / s.test_error - 1) < SAME
    assert abs(kappa / s.kappa - 1) < SAME


@pytest.mark.parametrize("theta_deg", [0.0, 10.0])
@pytest.mark.parametrize("rule", ["hard", "easy"])
def test_ten_thousand_points(benchmark: Any, rule: str, theta_deg: float) -> None:
    benchmark.group = "10,000 points"
    rng = np.random.default_rng(0)
    alpha = 10 ** rng.uniform(-1, 3, 10_000)
    f = 10 ** rng.uniform(-2, 0, 10_000)
    theta = float(np.deg2rad(theta_deg))
    pt.solve(alpha[:64], f[:64], theta, selection=rule)
    s = benchmark.pedantic(pt.solve, (alpha, f, theta), {"selection": rule}, rounds=3, iterations=1)
    assert s.converged.all()
