"""Solves saddle-point equations for arrays of problems, in threads, with a certificate on each point."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.margins.distributions import GaussianMargins, Margins, MeasuredMargins
from perceptron_theory.margins.kept import KeptMeasure
from perceptron_theory.margins.selection import KeepProbability, QuantileRule, Random, Selection
from perceptron_theory.problem import Problem
from perceptron_theory.solution import ConvergenceError, Solution, Status, certify
from perceptron_theory.students.max_margin.equations import kept_mass
from perceptron_theory.students.max_margin.solver import screen_kept, solve_kept, solve_windows

FloatArray = npt.NDArray[np.float64]

#: Points a thread takes at a time: small enough to share out uneven work.
_CHUNK = 64

#: Tells `solve_kept` that inputs are Gaussian.
_GAUSSIAN_INPUTS = KeptMeasure(
    np.empty((0, 2)), np.empty((0, 0)), np.empty((2, 0)), np.empty((0, 0)), np.empty((2, 0)), False, 1.0
)


def solve(
    alpha_prune: npt.ArrayLike,
    f: npt.ArrayLike | None = None,
    theta: npt.ArrayLike = 0.0,
    *,
    selection: str | Selection = "hard",
    margins: Margins | None = None,
    throw: bool | None = None,
) -> Solution:
    """Test error of the max-margin student on pruned data, from replica theory.

    Solves the saddle-point equations of Sorscher et al. (NeurIPS 2022, arXiv:2206.14486, appendix A)
    in the form (M1)-(M3) of `perceptron_theory.students.max_margin.equations`. The theory is exact for
    N -> infinity at fixed alpha_prune (replica symmetric; the problem is convex).

    Parameters
    ----------
    alpha_prune : array_like
        Examples kept per parameter, > 0.
    f : array_like, optional
        Fraction of the examples kept, in (0, 1]. Required unless `selection` is a `KeepProbability`.
    theta : array_like
        Angle between probe and teacher in radians, in [0, pi/2]; 0 is a perfect metric.
    selection : {"hard", "easy", "random"}, Band or KeepProbability
        Which examples are kept.
    margins : GaussianMargins or MeasuredMargins, optional
        Distribution of the data along the probe before pruning. Default: Gaussian.
    throw : bool, optional
        Raise if a point fails. Default: True for a scalar call, False for arrays.

    Returns
    -------
    Solution
        Fields have the broadcast shape of the first three arguments.

    Raises
    ------
    InvalidInputError
        If an argument lies outside its range.
    ConvergenceError
        If `throw` and a point fails its certificate; the error carries the `Solution`.

    Examples
    --------
    >>> import numpy as np, perceptron_theory as pt
    >>> s = pt.solve(alpha_prune=3.0, f=0.3, theta=np.deg2rad(10), selection="hard")
    >>> print(f"{s.test_error:.6f} {s.kappa:.6f}")
    0.065274 0.109563
    """
    problem = Problem.of(alpha_prune, f, theta, selection, margins)
    fraction = problem.f.copy()
    rows = np.full((*problem.shape, 6), np.nan)
    flat = rows.reshape(-1, 6)
    alpha = np.ascontiguousarray(problem.alpha_prune.ravel())
    angle = np.ascontiguousarray(problem.theta.ravel())
    if isinstance(problem.margins, GaussianMargins) and not isinstance(problem.selection, KeepProbability):
        _solve_gaussian(problem.margins, problem.selection, alpha, problem.f.ravel(), angle, flat)
    else:
        fraction = _solve_general(problem, alpha, angle, flat).reshape(problem.shape)
    solution = certify(problem, fraction, rows)
    if throw if throw is not None else problem.shape == ():
        _raise_if_failed(solution)
    return solution


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

    _share_out([chunk(start) for start in range(0, flat_f.size, _CHUNK)])
    return errors.reshape(alpha.shape)


def _raise_if_failed(solution: Solution) -> None:
    status = np.atleast_1d(solution.status)
    failed = np.flatnonzero(status != Status.CONVERGED)
    if failed.size == 0:
        return

    def at(name: str) -> float:
        return float(np.atleast_1d(getattr(solution, name)).flat[failed[0]])

    raise ConvergenceError(
        f"{failed.size} of {status.size} points failed; the first, alpha_prune={at('alpha_prune'):g}, f={at('f'):g}, "
        f"theta={at('theta'):g}: {Status(int(status.flat[failed[0]])).sentence} (residual {at('residual'):.1e}, "
        f"quadrature error {at('quadrature_error'):.1e}). Pass throw=False to get it as NaN with a status.",
        solution,
    )


def _share_out(tasks: list[Callable[[], None]]) -> None:
    """Run tasks in as many threads as there are processors; each writes to its own place."""
    workers = min(len(tasks), len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    if workers <= 1:
        for task in tasks:
            task()
        return
    with ThreadPoolExecutor(workers) as pool:
        for done in [pool.submit(task) for task in tasks]:
            done.result()


def _solve_gaussian(
    margins: GaussianMargins,
    rule: QuantileRule | Random,
    alpha: FloatArray,
    f: FloatArray,
    theta: FloatArray,
    rows: FloatArray,
) -> None:
    if isinstance(rule, Random):
        # All directions are alike: solve with the teacher itself as probe, then turn the probe.
        z_lo, z_hi, kept, angle = np.zeros_like(f), np.full_like(f, np.inf), np.ones_like(f), np.zeros_like(f)
    else:
        distinct, index = np.unique(f, return_inverse=True)
        windows = np.array([margins.window(rule, float(x)) for x in distinct]).reshape(-1, 2)[index]
        z_lo, z_hi, kept, angle = windows[:, 0].copy(), windows[:, 1].copy(), f.copy(), theta

    def chunk(i: int) -> Callable[[], None]:
        s = slice(i, i + _CHUNK)
        return lambda: solve_windows(alpha[s], angle[s], z_lo[s], z_hi[s], kept[s], rows[s])

    _share_out([chunk(i) for i in range(0, alpha.size, _CHUNK)])
    if isinstance(rule, Random):
        rows[:, 2] = rows[:, 1] * np.cos(theta)


def _solve_general(problem: Problem, alpha: FloatArray, theta: FloatArray, rows: FloatArray) -> FloatArray:
    """Group points that share a kept measure; returns the fraction kept at each."""
    margins, rule = problem.margins, problem.selection
    f = problem.f.ravel().copy()
    tasks: list[Callable[[], None]] = []

    def task(measure: KeptMeasure, unpruned: KeptMeasure, points: npt.NDArray[np.intp]) -> Callable[[], None]:
        def run() -> None:
            out = np.empty((points.size, 6))
            solve_kept(measure, unpruned, alpha[points], theta[points], out)
            rows[points] = out

        return run

    if isinstance(rule, KeepProbability):
        for angle in np.unique(theta):
            if isinstance(margins, MeasuredMargins):
                measure, unpruned = margins.kept(rule, np.nan, angle), margins.unpruned(angle)
            else:
                measure, unpruned = margins.kept(rule), _GAUSSIAN_INPUTS
            mass = kept_mass(measure, angle)[0]
            if not mass > 0.0:
                raise InvalidInputError(
                    f"the keep probability keeps nothing at theta = {angle:g}: a rule must keep something."
                )
            points = np.flatnonzero(theta == angle)
            f[points] = mass
            tasks.append(task(measure._replace(scale=1.0 / mass), unpruned, points))
    else:
        assert isinstance(margins, MeasuredMargins)
        keys, group = np.unique(np.stack([f, theta == 0.0]), axis=1, return_inverse=True)
        unpruned_at = {at_zero: margins.unpruned(0.0 if at_zero else 1.0) for at_zero in np.unique(theta == 0.0)}
        for i in range(keys.shape[1]):
            points = np.flatnonzero(group == i)
            angle = float(theta[points[0]])
            tasks.append(task(margins.kept(rule, float(keys[0, i]), angle), unpruned_at[angle == 0.0], points))
    _share_out(tasks)
    return f
