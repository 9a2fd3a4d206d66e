"""Speed beside a straightforward implementation, in one run: ``python -m pytest benchmarks --benchmark-only``.

`straightforward.py` solves one point by adaptive quadrature and `scipy.optimize.root`, to the same
accuracy. Sweeps are what this package is for, so its side is the time per point of a sweep, certificates
included: one row of `solve_windows`, one thread. Ratios are printed at the end; a table of 10,000-point
sweeps on all processors follows from the last group.
"""

from __future__ import annotations

import functools
import statistics
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import perceptron_theory as pt
from benchmarks.straightforward import solve_quad
from perceptron_theory.margins.distributions import GaussianMargins
from perceptron_theory.margins.selection import Easy, Hard
from perceptron_theory.students.max_margin.solver import solve_windows

RULES = {"hard": Hard(), "easy": Easy()}

#: alpha_prune, f, theta (deg), rule: fixed before looking.
CASES = [
    (alpha, f, theta_deg, rule)
    for theta_deg in (0.0, 10.0)
    for rule in RULES
    for f in (0.2, 0.5)
    for alpha in (1.0, 3.0, 10.0)
]

#: Both sides must be this close to each other, relatively, for the comparison to count.
SAME = 1e-8
POINTS = 1_000
PAIRS = 5

RATIOS: dict[float, list[float]] = {}


@pytest.fixture(scope="module", autouse=True)
def summary() -> Iterator[None]:
    yield
    for theta_deg, ratios in RATIOS.items():
        print(
            f"\ntheta = {theta_deg:g} deg: {statistics.median(ratios):.0f} times faster in the median of "
            f"{len(ratios)} cases, {min(ratios):.0f} to {max(ratios):.0f}"
        )


@pytest.mark.parametrize("case", CASES, ids=str)
def test_against_straightforward(benchmark: Any, case: tuple[float, float, float, str]) -> None:
    """The two sides in turn, so that both see the same machine; the median of the paired ratios counts."""
    alpha, f, theta_deg, rule = case
    theta = float(np.deg2rad(theta_deg))
    z_lo, z_hi = GaussianMargins().window(RULES[rule], f)
    rows = np.empty((POINTS, 6))
    columns = [np.full(POINTS, value) for value in (alpha, theta, z_lo, z_hi, f)]
    sweep = functools.partial(solve_windows, columns[0], columns[1], columns[2], columns[3], columns[4], rows)
    sweep()
    error, _, _, kappa = solve_quad(alpha, f, theta, rule)
    assert abs(error / rows[0, 0] - 1) < SAME
    assert abs(kappa / rows[0, 3] - 1) < SAME
    ratios = []
    for _ in range(PAIRS):
        start = time.perf_counter()
        sweep()
        middle = time.perf_counter()
        solve_quad(alpha, f, theta, rule)
        ratios.append((time.perf_counter() - middle) / ((middle - start) / POINTS))
    RATIOS.setdefault(theta_deg, []).append(statistics.median(ratios))
    benchmark.group = f"theta = {theta_deg:g} deg: {POINTS} points"
    benchmark.extra_info["ratio"] = statistics.median(ratios)
    benchmark.pedantic(sweep, rounds=3, iterations=1)


@pytest.mark.parametrize("theta_deg", [0.0, 10.0])
@pytest.mark.parametrize("rule", RULES)
def test_ten_thousand_points(benchmark: Any, rule: str, theta_deg: float) -> None:
    benchmark.group = "10,000 points"
    rng = np.random.default_rng(0)
    alpha = 10 ** rng.uniform(-1, 3, 10_000)
    f = 10 ** rng.uniform(-2, 0, 10_000)
    theta = float(np.deg2rad(theta_deg))
    s = benchmark.pedantic(pt.solve, (alpha, f, theta), {"selection": rule}, rounds=3, iterations=1, warmup_rounds=1)
    assert s.converged.all()
