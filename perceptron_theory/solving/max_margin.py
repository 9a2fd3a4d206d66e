"""The max-margin student on every point of a problem, in threads, with a certificate on each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from perceptron_theory.margins.distributions import GaussianMargins, MeasuredMargins
from perceptron_theory.margins.selection import KeepProbability, QuantileRule, Random, Selection
from perceptron_theory.problem import Problem
from perceptron_theory.solving.kept_groups import KeptGroup, kept_groups
from perceptron_theory.solving.solution import Solution, certify
from perceptron_theory.solving.threads import share_out
from perceptron_theory.students.max_margin.solver import screen_kept, solve_kept, solve_windows

FloatArray = npt.NDArray[np.float64]

#: Points a thread takes at a time: small enough to share out uneven work.
_CHUNK = 64


def solve_max_margin(problem: Problem) -> Solution:
    """Solve (M1)-(M3) at every point; failed points are NaN with a status."""
    f = problem.f
    rows = np.full((*problem.shape, 6), np.nan)
    if isinstance(problem.margins, GaussianMargins) and not isinstance(problem.selection, KeepProbability):
        _solve_windows(problem, rows.reshape(-1, 6))
    else:
        f = _solve_groups(problem, rows.reshape(-1, 6)).reshape(problem.shape)
    test_error, R, rho, kappa, residual, quadrature_error = np.moveaxis(rows, -1, 0)
    return certify(
        Solution,
        "max-margin",
        problem,
        f,
        (kappa > 0.0) & (R > 0.0),
        residual,
        quadrature_error,
        {"test_error": test_error, "R": R, "rho": rho, "kappa": kappa},
    )


def screen(
    alpha: FloatArray, f: FloatArray, theta: FloatArray, rule: Selection, margins: MeasuredMargins
) -> FloatArray:
    """Rough test errors on measured data, to about 1e-3 and without certificate, for searches; inf where unknown."""
    alpha, f, theta = np.broadcast_arrays(alpha, f, theta)
    errors = np.empty(alpha.size)
    flat_alpha, flat_f, flat_theta = (np.ascontiguousarray(a.ravel()) for a in (alpha, f, theta))

    unpruned = {at_zero: margins.unpruned(0.0 if at_zero else 1.0) for at_zero in np.unique(flat_theta == 0.0)}

    def chunk(start: int) -> Callable[[], None]:
        def run() -> None:
            for i in range(start, min(start + _CHUNK, flat_f.size)):
                s = slice(i, i + 1)
                measure = margins.kept(rule, float(flat_f[i]), float(flat_theta[i]))
                screen_kept(measure, unpruned[flat_theta[i] == 0.0], flat_alpha[s], flat_theta[s], errors[s])

        return run

    share_out([chunk(start) for start in range(0, flat_f.size, _CHUNK)])
    return errors.reshape(alpha.shape)


def _solve_windows(problem: Problem, rows: FloatArray) -> None:
    """Gaussian data kept by quantiles: the quick way, without a measure for each fraction."""
    margins, rule = problem.margins, problem.selection
    assert isinstance(margins, GaussianMargins)
    alpha, f, theta = (np.ascontiguousarray(a.ravel()) for a in (problem.alpha_prune, problem.f, problem.theta))
    if isinstance(rule, Random):
        # All directions are alike: solve with the teacher itself as probe, then turn the probe.
        z_lo, z_hi, kept, angle = np.zeros_like(f), np.full_like(f, np.inf), np.ones_like(f), np.zeros_like(f)
    else:
        assert isinstance(rule, QuantileRule)
        distinct, index = np.unique(f, return_inverse=True)
        windows = np.array([margins.window(rule, float(x)) for x in distinct]).reshape(-1, 2)[index]
        z_lo, z_hi, kept, angle = windows[:, 0].copy(), windows[:, 1].copy(), f, theta

    def chunk(i: int) -> Callable[[], None]:
        s = slice(i, i + _CHUNK)
        return lambda: solve_windows(alpha[s], angle[s], z_lo[s], z_hi[s], kept[s], rows[s])

    share_out([chunk(i) for i in range(0, alpha.size, _CHUNK)])
    if isinstance(rule, Random):
        rows[:, 2] = rows[:, 1] * np.cos(theta)


def _solve_groups(problem: Problem, rows: FloatArray) -> FloatArray:
    """Any kept data; returns the fraction kept at each point."""
    alpha, theta = problem.alpha_prune.ravel(), problem.theta.ravel()
    groups, f = kept_groups(problem)

    def task(group: KeptGroup) -> Callable[[], None]:
        def run() -> None:
            out = np.empty((group.points.size, 6))
            solve_kept(group.measure, group.unpruned, alpha[group.points], theta[group.points], out)
            rows[group.points] = out

        return run

    share_out([task(group) for group in groups])
    return f
