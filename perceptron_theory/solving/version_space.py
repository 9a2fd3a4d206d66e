"""Students of the version space on every point of a problem, in threads, with a certificate on each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from perceptron_theory.margins.distributions import GaussianMargins
from perceptron_theory.margins.selection import Random
from perceptron_theory.problem import Problem
from perceptron_theory.solving.kept_groups import KeptGroup, kept_groups
from perceptron_theory.solving.max_margin import solve_max_margin
from perceptron_theory.solving.solution import Status, VersionSpaceSolution, certify
from perceptron_theory.solving.threads import share_out
from perceptron_theory.students.version_space.solver import solve_volumes

FloatArray = npt.NDArray[np.float64]

#: Points a thread takes at a time.
_CHUNK = 8


def solve_version_space(problem: Problem, kappa: FloatArray, gibbs: bool) -> VersionSpaceSolution:
    """Solve (V1)-(V3) at every point, for a typical student (`gibbs`) or for the mean of all.

    `kappa` has the shape of the problem. Failed points are NaN with a status.
    """
    best = np.full(problem.shape, np.inf)
    if np.any(kappa > 0.0):
        best = np.asarray(solve_max_margin(problem).kappa)
    possible = ~(kappa >= best)  # an unknown best margin shows as a failed point, not as an empty version space
    rows, f = _solve_groups(problem, kappa, np.where(possible, best, np.nan))
    gibbs_error, bayes_error, R, rho, q, entropy, gain, residual, quadrature_error = np.moveaxis(rows, -1, 0)
    if isinstance(problem.selection, Random) and isinstance(problem.margins, GaussianMargins):
        rho = R * np.cos(problem.theta)
    length = 1.0 if gibbs else np.sqrt(q)
    with np.errstate(divide="ignore", invalid="ignore"):  # q = 0, where alpha is next to nothing, is refused below
        R, rho = R / length, rho / length
    return certify(
        VersionSpaceSolution,
        "gibbs" if gibbs else "bayes-point",
        problem,
        f,
        (R > 0.0) & (q > 0.0) & (q <= 1.0),  # 1 - q may be below rounding
        residual,
        quadrature_error,
        {
            "test_error": gibbs_error if gibbs else bayes_error,
            "R": R,
            "rho": rho,
            "kappa": kappa,
            "q": q,
            "entropy": entropy,
            "gain": gain,
        },
        np.where(possible, Status.CONVERGED, Status.NO_STUDENT),
    )


def _solve_groups(problem: Problem, kappa: FloatArray, best: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Rows of `solve_volumes`, NaN where `best` is, and the fraction kept."""
    groups, f = kept_groups(problem)
    alpha, theta, kappa, best = (a.ravel() for a in (problem.alpha_prune, problem.theta, kappa, best))
    if isinstance(problem.selection, Random) and isinstance(problem.margins, GaussianMargins):
        theta = np.zeros_like(theta)
    rows = np.full((alpha.size, 9), np.nan)

    def task(group: KeptGroup, points: npt.NDArray[np.intp]) -> Callable[[], None]:
        def run() -> None:
            out = np.full((points.size, 9), np.nan)
            solve_volumes(group.measure, group.unpruned, alpha[points], theta[points], kappa[points], best[points], out)
            rows[points] = out

        return run

    tasks = []
    for group in groups:
        points = group.points[~np.isnan(best[group.points])]
        tasks += [task(group, points[i : i + _CHUNK]) for i in range(0, points.size, _CHUNK)]
    share_out(tasks)
    return rows.reshape(*problem.shape, 9), f.reshape(problem.shape)
