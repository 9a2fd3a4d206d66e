"""(M1)-(M3) against the paper's (P1)-(P3), which `paper_equations` implements on its own.

The two differ in basis (teacher against probe), in what is integrated analytically (noise against the
coordinate orthogonal to the probe), and in every line of code.
"""

from __future__ import annotations

import numpy as np
import paper_equations
import pytest

import perceptron_theory as pt
from perceptron_theory.margins.distributions import GaussianMargins
from perceptron_theory.margins.kept import gaussian_window
from perceptron_theory.margins.selection import as_selection
from perceptron_theory.students.max_margin.solver import solve_measure

#: Fixed before looking.
N_POINTS = 130


@pytest.mark.parametrize("rule", ["hard", "easy"])
def test_solutions_satisfy_the_paper(rule: str) -> None:
    rng = np.random.default_rng(2206_14486)
    worst = 0.0
    for _ in range(N_POINTS):
        alpha = float(10 ** rng.uniform(np.log10(0.05), 2))
        f = float(10 ** rng.uniform(np.log10(0.02), 0))
        theta = float(np.deg2rad(rng.uniform(0, 85)))
        s = pt.solve(alpha, f, theta, selection=rule)
        # The norm orthogonal to the plane; from R and rho it would be a difference of numbers near 1.
        window = GaussianMargins().window(as_selection(rule), f)  # type: ignore[arg-type]
        x, *_ = solve_measure(gaussian_window(*window, f), alpha, theta)
        residuals = paper_equations.residuals(
            alpha, f, theta, rule, float(s.R), float(s.rho), float(s.kappa), s=float(s.kappa / x.k)
        )
        worst = max(worst, float(np.max(np.abs(residuals))))
    assert worst < 1e-8
    print(f"largest residual of (P1)-(P3) over {N_POINTS} points, {rule}: {worst:.1e}")


def test_residuals_see_a_wrong_solution() -> None:
    """The check can fail: a part in a million off in any of the three overlaps shows."""
    s = pt.solve(3.0, 0.3, 0.2)
    right = np.array([s.R, s.rho, s.kappa])
    assert np.max(np.abs(paper_equations.residuals(3.0, 0.3, 0.2, "hard", *right))) < 1e-11
    for i in range(3):
        wrong = right.copy()
        wrong[i] *= 1 + 1e-6
        assert np.max(np.abs(paper_equations.residuals(3.0, 0.3, 0.2, "hard", *wrong))) > 1e-7


@pytest.mark.parametrize(("alpha", "f", "theta_deg", "rule"), [(2.0, 0.4, 20.0, "hard"), (2.0, 0.4, 20.0, "easy")])
def test_solved_from_the_paper_alone(alpha: float, f: float, theta_deg: float, rule: str) -> None:
    """Its own root finder, from its own starting point, lands on the same overlaps."""
    theta = float(np.deg2rad(theta_deg))
    s = pt.solve(alpha, f, theta, selection=rule)
    overlaps = paper_equations.solve(alpha, f, theta, rule)
    np.testing.assert_allclose(overlaps, [s.R, s.rho, s.kappa], rtol=1e-9)
