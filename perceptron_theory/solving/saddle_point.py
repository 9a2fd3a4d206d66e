"""`solve`: one call for every student."""

from __future__ import annotations

import dataclasses
from typing import Literal, get_args, overload

import numpy as np
import numpy.typing as npt

from perceptron_theory.convex_loss import ConvexLoss
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.labels import Labels
from perceptron_theory.margins.distributions import Margins
from perceptron_theory.margins.selection import Selection
from perceptron_theory.problem import Problem
from perceptron_theory.solving.bayes_optimal import solve_bayes_optimal
from perceptron_theory.solving.convex_losses import solve_convex_loss
from perceptron_theory.solving.max_margin import solve_max_margin
from perceptron_theory.solving.solution import ConvergenceError, ConvexSolution, Solution, Status, VersionSpaceSolution
from perceptron_theory.solving.version_space import solve_version_space
from perceptron_theory.validation import check_points, imposed_margin

FloatArray = npt.NDArray[np.float64]
_InVersionSpace = Literal["gibbs", "bayes-point"]
_Other = Literal["max-margin", "bayes-optimal"]


@overload
def solve(
    alpha_prune: npt.ArrayLike,
    f: npt.ArrayLike | None = None,
    theta: npt.ArrayLike = 0.0,
    *,
    selection: str | Selection = "hard",
    student: _Other = "max-margin",
    margins: Margins | None = None,
    throw: bool | None = None,
) -> Solution: ...


@overload
def solve(
    alpha_prune: npt.ArrayLike,
    f: npt.ArrayLike | None = None,
    theta: npt.ArrayLike = 0.0,
    *,
    selection: str | Selection = "hard",
    student: _InVersionSpace,
    kappa: npt.ArrayLike = 0.0,
    margins: Margins | None = None,
    throw: bool | None = None,
) -> VersionSpaceSolution: ...


@overload
def solve(
    alpha_prune: npt.ArrayLike,
    f: npt.ArrayLike | None = None,
    theta: npt.ArrayLike = 0.0,
    *,
    selection: str | Selection = "hard",
    student: str,
    kappa: npt.ArrayLike = 0.0,
    margins: Margins | None = None,
    labels: Labels | None = None,
    throw: bool | None = None,
) -> Solution: ...


@overload
def solve(
    alpha_prune: npt.ArrayLike,
    f: npt.ArrayLike | None = None,
    theta: npt.ArrayLike = 0.0,
    *,
    selection: str | Selection = "hard",
    student: ConvexLoss,
    margins: Margins | None = None,
    labels: Labels | None = None,
    throw: bool | None = None,
) -> ConvexSolution: ...


@overload
def solve(
    alpha_prune: npt.ArrayLike,
    f: npt.ArrayLike | None = None,
    theta: npt.ArrayLike = 0.0,
    *,
    selection: str | Selection = "hard",
    student: str | ConvexLoss,
    margins: Margins | None = None,
    labels: Labels | None = None,
    throw: bool | None = None,
) -> Solution: ...


def solve(
    alpha_prune: npt.ArrayLike,
    f: npt.ArrayLike | None = None,
    theta: npt.ArrayLike = 0.0,
    *,
    selection: str | Selection = "hard",
    student: str | ConvexLoss = "max-margin",
    kappa: npt.ArrayLike = 0.0,
    margins: Margins | None = None,
    labels: Labels | None = None,
    throw: bool | None = None,
) -> Solution:
    """Test error of a student trained on pruned data, from replica theory.

    Solves the saddle-point equations of Sorscher et al. (NeurIPS 2022, arXiv:2206.14486, appendix A):
    for the max-margin student in the form (M1)-(M3) of `perceptron_theory.students.max_margin.equations`,
    for students of the version space in the form (V1)-(V3) of
    `perceptron_theory.students.version_space.equations`, for the Bayes-optimal one (B1) of
    `perceptron_theory.students.bayes_optimal.equations`, for a convex loss (C1)-(C4) of
    `perceptron_theory.students.convex_loss.equations`. The theory is exact for N -> infinity at fixed
    alpha_prune (replica symmetric; the problems are convex).

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
    student : {"max-margin", "gibbs", "bayes-point", "bayes-optimal"} or ConvexLoss
        "gibbs" is one student drawn uniformly from the version space, all unit vectors that classify the
        kept examples correctly; "bayes-point" is the mean of the version space, the best that can be learnt from
        data that are not pruned. "bayes-optimal" knows f, theta and the rule (but neither
        teacher nor probe): what was kept tells it about the probe, and no learner that sees only the kept
        data does better. It has no margin, `kappa` is NaN; Gaussian margins only. A point takes a few seconds at
        theta > 0. Around alpha_prune = 1 and f < 1e-3, where its knowledge sets in, points may fail.
    kappa : array_like
        For "gibbs" and "bayes-point": only students with at least this margin, >= 0 and below that of the
        max-margin student.
    margins : GaussianMargins or MeasuredMargins, optional
        Distribution of the data along the probe before pruning. Default: Gaussian.
    labels : Labels, optional
        How labels come about. Default: noiseless. Noisy labels need a `ConvexLoss`; a keep probability then sees the
        margin with the noisy label. `test_error` is without the noise, `label_error` with it.
    throw : bool, optional
        Raise if a point fails. Default: True for a scalar call, False for arrays.

    Returns
    -------
    Solution, VersionSpaceSolution or ConvexSolution
        Fields have the broadcast shape of the array arguments. "gibbs" and "bayes-point" return the second,
        which also has `q`, `entropy` and `gain`; a `ConvexLoss` the third, with the length of the student and its
        training error and loss.

    Raises
    ------
    InvalidInputError
        If an argument lies outside its range.
    ConvergenceError
        If `throw` and a point fails its certificate; the error carries the result.

    Examples
    --------
    >>> import numpy as np, perceptron_theory as pt
    >>> s = pt.solve(alpha_prune=3.0, f=0.3, theta=np.deg2rad(10), selection="hard")
    >>> print(f"{s.test_error:.6f} {s.kappa:.6f}")
    0.065274 0.109563
    >>> b = pt.solve(5.0, 1.0, student="bayes-point")
    >>> print(f"{b.test_error:.6f} {b.q:.6f}")
    0.083935 0.932064
    """
    if isinstance(student, ConvexLoss):
        return _convex(Problem.of(alpha_prune, f, theta, selection, margins, labels), student, kappa, throw)
    if labels is not None and not labels.noiseless:
        raise InvalidInputError(
            f"noisy labels need a ConvexLoss, got student {student!r}: on noisy labels a margin exists only for few "
            "examples; ConvexLoss('hinge', lam=0) is the max-margin student there."
        )
    names = (*get_args(_Other), *get_args(_InVersionSpace))
    if not isinstance(student, str) or student not in names:
        raise InvalidInputError(
            f"unknown student {student!r}: use one of {', '.join(map(repr, names))}, or a ConvexLoss."
        )
    margin = imposed_margin(kappa)
    solution: Solution
    if student in get_args(_InVersionSpace):
        problem, margin = _widened(Problem.of(alpha_prune, f, theta, selection, margins), "kappa", margin)
        solution = solve_version_space(problem, margin, student == "gibbs")
    elif np.any(margin > 0.0):
        raise InvalidInputError(
            f"kappa cannot be asked of student {student!r}, got {kappa!r}: leave it out, or use student='gibbs'."
        )
    else:
        solve_student = solve_max_margin if student == "max-margin" else solve_bayes_optimal
        solution = solve_student(Problem.of(alpha_prune, f, theta, selection, margins))
    if throw if throw is not None else solution.problem.shape == ():
        _raise_if_failed(solution)
    return solution


def _convex(problem: Problem, student: ConvexLoss, kappa: npt.ArrayLike, throw: bool | None) -> ConvexSolution:
    if np.any(imposed_margin(kappa) > 0.0):
        raise InvalidInputError(f"kappa cannot be asked of a ConvexLoss, got {kappa!r}: leave it out.")
    if not student.optimal:
        problem, _ = _widened(problem, "lam", np.asarray(student.lam, dtype=np.float64))
    solution = solve_convex_loss(problem, student)
    if throw if throw is not None else solution.problem.shape == ():
        _raise_if_failed(solution)
    return solution


def _widened(problem: Problem, name: str, value: FloatArray) -> tuple[Problem, FloatArray]:
    """Problem and value of one shape."""
    try:
        shape = np.broadcast_shapes(problem.shape, value.shape)
    except ValueError:
        raise InvalidInputError(
            f"{name} must broadcast with alpha_prune, f and theta, got shapes {value.shape} and {problem.shape}: "
            "add axes with numpy.newaxis."
        ) from None
    check_points(shape)
    alpha, f, theta = (np.broadcast_to(a, shape).copy() for a in (problem.alpha_prune, problem.f, problem.theta))
    wide = dataclasses.replace(problem, alpha_prune=alpha, f=f, theta=theta)
    return wide, np.broadcast_to(value, shape)


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
