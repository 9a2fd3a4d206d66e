"""The student that knows the pruning rule, on every point of a problem, with a certificate on each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.margins.distributions import GaussianMargins
from perceptron_theory.margins.selection import Random
from perceptron_theory.problem import Problem
from perceptron_theory.solving.kept_groups import KeptGroup, kept_groups
from perceptron_theory.solving.solution import Solution, certify
from perceptron_theory.solving.threads import share_out
from perceptron_theory.students.bayes_optimal.solver import solve_bayes


def solve_bayes_optimal(problem: Problem) -> Solution:
    """Solve (B1) at every point; failed points are NaN with a status. `kappa` is NaN: no margin is asked for.

    Raises
    ------
    InvalidInputError
        If the margins are measured.
    """
    if not isinstance(problem.margins, GaussianMargins):
        raise InvalidInputError(
            "student 'bayes-optimal' is derived for Gaussian margins, got measured ones: their shape alone would tell "
            "the student of the probe; use 'bayes-point'."
        )
    groups, f = kept_groups(problem)
    alpha, theta = problem.alpha_prune.ravel(), problem.theta.ravel()
    # Where nothing is pruned by margin all directions are alike: the teacher itself may stand for the probe.
    alike = np.full(alpha.shape, True) if isinstance(problem.selection, Random) else problem.f.ravel() == 1.0
    theta = np.where(alike, 0.0, theta)
    rows = np.full((alpha.size, 5), np.nan)

    def task(group: KeptGroup, point: npt.NDArray[np.intp]) -> Callable[[], None]:
        def run() -> None:
            out = np.full((point.size, 5), np.nan)
            solve_bayes(group.measure, alpha[point], theta[point], out)
            rows[point] = out

        return run

    share_out([task(group, group.points[i : i + 1]) for group in groups for i in range(group.points.size)])
    test_error, R, rho, residual, quadrature_error = np.moveaxis(rows.reshape(*problem.shape, 5), -1, 0)
    rho = np.where(alike.reshape(problem.shape), R * np.cos(problem.theta), rho)
    return certify(
        Solution,
        "bayes-optimal",
        problem,
        f.reshape(problem.shape),
        R > 0.0,
        residual,
        quadrature_error,
        {"test_error": test_error, "R": R, "rho": rho, "kappa": np.full(problem.shape, np.nan)},
    )
