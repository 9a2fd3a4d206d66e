"""Reference points of the max-margin theory, every printed digit of which was checked independently.

At f = 1 by 25-digit arithmetic, elsewhere by doubling an independent quadrature. Tolerance: 1e-9
relative, or half a unit of the last digit printed where that is coarser.
"""

from __future__ import annotations

import numpy as np
import pytest
from printed import assert_printed
from scipy.optimize import brentq

import perceptron_theory as pt

# theta (deg), f, rule, alpha_prune, test_error, kappa, rho
POINTS = [
    (0, 0.2, "hard", 3, "0.0347212781669", "0.06713091309", "0.9940566611"),
    (0, 0.5, "easy", 3, "0.0861564716359", "0.8722235604", "0.9635923608"),
    (10, 0.3, "hard", 3, "0.065274498594", "0.1095634013", "0.9590968897"),
    (10, 0.3, "easy", 100, "0.0556136072448", "1.041576222", "0.9999678052"),
    (30, 0.3, "hard", 10, "0.0302959930089", "0.05516406999", "0.8472413113"),
    (60, 0.7, "hard", 3, "0.141253575471", "0.2974454586", "0.3928698214"),
    (5, 0.05, "hard", 10, "0.00594793851179", "0.009914895836", "0.9953310501"),
]
UNPRUNED = [
    (1, "0.265711469938", "0.7865498417"),
    (10, "0.0491833962961", "0.09988867079"),
    (1000, "0.000500488034089", "0.001004457562"),
    (0.5, "0.328849752973", None),
    (5, "0.093827007807", None),
    (100, "0.005003991963", None),
]


@pytest.mark.parametrize(("theta_deg", "f", "rule", "alpha", "error", "kappa", "rho"), POINTS)
def test_pruned(theta_deg: float, f: float, rule: str, alpha: float, error: str, kappa: str, rho: str) -> None:
    s = pt.solve(alpha, f, np.deg2rad(theta_deg), selection=rule)
    assert_printed(float(s.test_error), error, rel=1e-9)
    assert_printed(float(s.kappa), kappa, rel=1e-9)
    assert_printed(float(s.rho), rho, rel=1e-9)


@pytest.mark.parametrize("theta_deg", [0.0, 1e-6, 10.0, 45.0, 90.0])
@pytest.mark.parametrize("rule", ["hard", "easy", "random"])
@pytest.mark.parametrize(("alpha", "error", "kappa"), UNPRUNED)
def test_unpruned_at_any_angle(alpha: float, error: str, kappa: str | None, rule: str, theta_deg: float) -> None:
    s = pt.solve(alpha, 1.0, np.deg2rad(theta_deg), selection=rule)
    assert_printed(float(s.test_error), error, rel=1e-9)
    if kappa is not None:
        assert_printed(float(s.kappa), kappa, rel=1e-9)


@pytest.mark.parametrize(
    ("f", "alpha_tot"), [(0.05, "39.96"), (0.1, "20.11"), (0.2, "10.34"), (0.3, "7.21"), (0.5, "5.05")]
)
def test_hard_equals_easy(f: float, alpha_tot: str) -> None:
    def gap(total: float) -> float:
        hard, easy = (pt.solve(f * total, f, selection=rule).test_error for rule in ("hard", "easy"))
        return float(np.log(hard / easy))

    assert_printed(brentq(gap, 2.0, 100.0, xtol=1e-8), alpha_tot, rel=1e-9)


@pytest.mark.parametrize(("f", "alpha"), [(0.05, "1.935"), (0.2, "1.760"), (0.5, "1.453")])
def test_hard_equals_random(f: float, alpha: str) -> None:
    def gap(alpha: float) -> float:
        hard, random = (pt.solve(alpha, f, selection=rule).test_error for rule in ("hard", "random"))
        return float(np.log(hard / random))

    assert_printed(brentq(gap, 1.0, 3.0, xtol=1e-8), alpha, rel=1e-9)


def test_simulated_perceptrons() -> None:
    """Simulations at N = 200, 50 seeds: within 4 standard errors."""
    hard = pt.solve(3.0, 0.3, selection="hard")
    easy = pt.solve(3.0, 0.3, selection="easy")
    assert abs(hard.R - 0.98671) < 4 * 0.00040
    assert abs(hard.kappa - 0.10081) < 4 * 0.00104
    assert abs(easy.R - 0.97664) < 4 * 0.00047


def test_laplace_margins() -> None:
    """|z| Laplace with second moment 1: the test error is the mass got wrong, not arccos(R)/pi.

    Exact simulation at N = 160: 0.2188 +- 0.0017; theory kappa .883, R .858, error .219, arccos(R)/pi .172.
    Quantiles stand in for the density: 4e5 atoms differ from it by far less than the printed digits,
    but for the tail that they cut, which shifts kappa in the third digit.
    """
    n = 400_000
    z = -np.log1p(-(np.arange(n) + 0.5) / n)
    margins = pt.MeasuredMargins(z / np.sqrt(np.mean(z**2)), signed=False)
    s = pt.solve(2.0, 0.4, np.deg2rad(20), selection="easy", margins=margins)
    assert abs(s.test_error - 0.2188) < 4 * 0.0017
    assert abs(s.test_error - 0.219) < 1e-3
    assert abs(s.R - 0.858) < 1e-3
    assert abs(s.kappa - 0.883) < 3e-3
    assert abs(np.arccos(s.R) / np.pi - 0.172) < 1e-3
