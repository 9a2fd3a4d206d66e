"""Derivatives of the test error of students with a convex loss, at every point of a solution."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from perceptron_theory.analyses.measured_gradients import Atoms, kept_atoms
from perceptron_theory.convex_loss import ConvexLoss
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.margins.distributions import GaussianMargins, MeasuredMargins
from perceptron_theory.margins.kept import KeptMeasure
from perceptron_theory.margins.selection import Easy, FractionRule, Random
from perceptron_theory.problem import Problem
from perceptron_theory.solving.convex_losses import solve_convex_loss
from perceptron_theory.solving.kept_groups import GAUSSIAN_INPUTS, KeptGroup, kept_groups
from perceptron_theory.solving.solution import ConvexSolution
from perceptron_theory.solving.threads import share_out
from perceptron_theory.students.convex_loss.equations import Setting, Weights
from perceptron_theory.students.convex_loss.proximal import SQUARE
from perceptron_theory.students.convex_loss.response import COLUMNS, convex_slopes, seen_as
from perceptron_theory.students.convex_loss.settings import setting
from perceptron_theory.students.convex_loss.turning import turned_measured

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

#: Points a thread takes at a time.
_CHUNK = 16
#: By which the error of the student that answers may differ from that of the solution, relatively.
_SAME = 1e-8
#: cos(theta) of a right angle, rounded.
_RIGHT_ANGLE = 1e-16
#: Stands for a margin of exactly 0, so that it has a sign, here and in measured margins.
_SMALLEST = 1e-300
#: A random subset of Gaussian data, seen at a right angle to the teacher: both signs of margin 0.
_ONE_MARGIN = GAUSSIAN_INPUTS._replace(edges=np.array([[0.0], [2.0]]))


class ConvexSlopes(NamedTuple):
    """Derivatives of the test error, each of the shape of the problem; NaN where there is none."""

    alpha_prune: FloatArray
    f: FloatArray
    theta: FloatArray
    lam: FloatArray
    flip: FloatArray | None
    """None where margins carry their labels."""


class _Seen(NamedTuple):
    """What kernels see of points with the same kept data."""

    points: IntArray
    measure: KeptMeasure
    unpruned: KeptMeasure
    both_labels: KeptMeasure
    """The kept data with both signs of every margin, also where labels make one impossible."""
    edge: KeptMeasure
    """Examples at the threshold that moves with f, of mass 1; none at infinity."""
    atoms: Atoms | None
    """Of measured data."""

    @classmethod
    def of(cls, group: KeptGroup, points: IntArray, problem: Problem, rule: FractionRule) -> _Seen:
        """Some `points` of a group."""
        margins, f = problem.margins, float(np.ravel(problem.f)[group.points[0]])
        if isinstance(margins, MeasuredMargins):
            atoms = kept_atoms(margins, rule, f)
            both = group.measure if margins.signed else margins.kept(rule, f, 1.0)
            return cls(points, group.measure, group.unpruned, both, _at_threshold(atoms, rule), atoms)
        if isinstance(rule, Random):
            return cls(points, _ONE_MARGIN, group.unpruned, _ONE_MARGIN, GAUSSIAN_INPUTS, None)
        z = max(margins.window(rule, f)[0 if isinstance(rule, Easy) else 1], _SMALLEST)
        edges = np.array([[-z, z], [1.0, 1.0]]) if math.isfinite(z) else np.empty((2, 0))
        edge = GAUSSIAN_INPUTS._replace(edges=edges)
        return cls(points, group.measure, group.unpruned, group.measure, edge, None)

    @property
    def edge_is_far(self) -> bool:
        """Whether the threshold lies at infinity, and nothing is dropped."""
        return self.edge.edges.size == 0


def _at_threshold(atoms: Atoms, rule: FractionRule) -> KeptMeasure:
    """Measured examples at the threshold that moves with f: on both sides of it, if it lies between two groups."""
    parts = []
    for side in atoms.lower if isinstance(rule, Easy) else atoms.upper:
        inside = atoms.group == side
        parts.append([atoms.values[inside], 0.5 * atoms.weights[inside] / atoms.sizes[side]])
    edges = np.concatenate(parts, axis=1)
    if not atoms.signed:
        edges = np.concatenate([edges, edges * np.array([[-1.0], [1.0]])], axis=1)
    return GAUSSIAN_INPUTS._replace(edges=edges, conditional=atoms.signed)


class _Students(NamedTuple):
    """Problems as kernels see them, and nearly their students."""

    alpha: FloatArray
    f: FloatArray
    theta: FloatArray
    lam: FloatArray
    start: FloatArray
    """p, c, s and V, shape (n, 4)."""

    @classmethod
    def of(cls, solution: ConvexSolution, rule: FractionRule) -> _Students:
        """All points of a solution."""
        on_gaussian = isinstance(solution.problem.margins, GaussianMargins)
        given = (solution.alpha_prune, solution.f, solution.theta, solution.lam)
        alpha, f, theta, lam = (np.array(x, dtype=np.float64).ravel() for x in given)
        error, R, rho, V = (
            np.ravel(x) for x in (solution.test_error, solution.R, solution.rho, solution.susceptibility)
        )
        if on_gaussian and isinstance(rule, Random):
            theta, rho = np.full_like(theta, 0.5 * math.pi), np.zeros_like(rho)
        cos, sin = np.cos(theta), np.sin(theta)
        with np.errstate(invalid="ignore", divide="ignore"):
            c = np.where(sin > 0.0, (R - rho * cos) / sin, 0.0)
            # From the error, where it tells: 1 - R^2 loses digits near the teacher.
            rest = np.sin(math.pi * error) ** 2 - (rho * sin - c * cos) ** 2
            s = np.sqrt(rest if on_gaussian else 1.0 - rho * rho - c * c)
            start = np.stack([rho, c, s, V], axis=-1)
            start[:, :3] *= _lengths(solution)[:, None]
        return cls(alpha, f, theta, lam, start)


def _lengths(solution: ConvexSolution) -> FloatArray:
    """Length of each student; where the logistic one has none, that of the student with margin 1 in its direction."""
    norm = np.array(solution.norm)
    endless = np.isinf(norm)
    if endless.any():
        problem = solution.problem
        at = {name: getattr(problem, name)[endless] for name in ("alpha_prune", "f", "theta")}
        norm[endless] = solve_convex_loss(dataclasses.replace(problem, **at), ConvexLoss("squared-hinge", 0.0)).norm
    return norm.ravel()


def convex_gradient(solution: ConvexSolution, student: ConvexLoss, rule: FractionRule) -> ConvexSlopes:
    """Derivatives at every converged point of a solution.

    Parameters
    ----------
    solution : ConvexSolution
        The students.
    student : ConvexLoss
        Their loss.
    rule : Hard, Easy, Band or Random
        What is kept.

    Raises
    ------
    InvalidInputError
        If labels on measured margins follow a probit or logistic teacher.
    """
    problem, converged = solution.problem, np.ravel(solution.converged)
    _refuse_links(problem)
    students, x = _Students.of(solution, rule), setting(student.loss, problem.labels)
    kept = ((group, group.points[converged[group.points]]) for group in kept_groups(problem)[0])
    groups = [_Seen.of(group, points, problem, rule) for group, points in kept if points.size]
    rows = _rows(groups, x, students)
    by_alpha, edge, by_lam, by_flip, by_theta, error = rows[:, :6].T
    for seen in groups:
        if seen.edge_is_far:
            edge[seen.points] = _far_influence(x, students, rows, seen.points)
        if seen.atoms is not None:
            by_theta[seen.points] = [_turned(seen.atoms, x, rule, students, rows, int(i)) for i in seen.points]
    if student.optimal:
        by_lam[students.lam > 0.0] = 0.0
    by_f = np.zeros_like(edge) if isinstance(rule, Random) else students.alpha / students.f * (edge - by_alpha)
    # Not the student that was certified, or one that does not answer linearly.
    with np.errstate(invalid="ignore"):
        same = (np.abs(error / np.ravel(solution.test_error) - 1.0) <= _SAME) & np.isfinite(by_alpha)
    slopes = (
        np.where(same, slope, np.nan).reshape(problem.shape)[()]
        for slope in (by_alpha, by_f, by_theta, by_lam, by_flip)
    )
    found = ConvexSlopes(*slopes)
    carried = isinstance(problem.margins, MeasuredMargins) and problem.margins.signed
    return found._replace(flip=None) if carried else found


def _refuse_links(problem: Problem) -> None:
    if isinstance(problem.margins, MeasuredMargins) and problem.labels.link != "sign":
        raise InvalidInputError(
            f"link must be 'sign' on measured margins, got {problem.labels.link!r}: a derivative in theta is known for "
            "a sign teacher or Gaussian margins; use Labels(flip), or take differences of solve."
        )


def _rows(groups: list[_Seen], x: Setting, students: _Students) -> FloatArray:
    """Rows of `convex_slopes` at the points of all groups; NaN elsewhere."""
    rows = np.full((students.alpha.size, COLUMNS), np.nan)

    def task(seen: _Seen, at: IntArray) -> Callable[[], None]:
        def run() -> None:
            out = np.full((at.size, COLUMNS), np.nan)
            alpha, _, theta, lam, start = (part[at] for part in students)
            convex_slopes(seen.measure, seen.both_labels, seen.unpruned, seen.edge, x, alpha, theta, lam, start, out)
            rows[at] = out

        return run

    share_out([task(seen, seen.points[i : i + _CHUNK]) for seen in groups for i in range(0, seen.points.size, _CHUNK)])
    return rows


def _far_influence(x: Setting, students: _Students, rows: FloatArray, at: IntArray) -> FloatArray:
    """Influence of an example at an infinite margin, NaN where it is infinite.

    An example that is right does nothing to a loss that is then content. Others do more and more, unless the probe says
    nothing and all are alike.
    """
    content = (rows[at, 6] > 0.0) & np.isfinite(students.lam[at]) & (x.loss != SQUARE and x.flip == 0.0)
    alike = np.cos(students.theta[at]) < _RIGHT_ANGLE
    return np.where(alike, rows[at, 0], np.where(content, 0.0, np.nan))


def _turned(atoms: Atoms, x: Setting, rule: FractionRule, students: _Students, rows: FloatArray, i: int) -> float:
    """Derivative in the angle at point `i` on measured margins."""
    theta = float(students.theta[i])
    if math.isnan(rows[i, 0]):
        return float("nan")
    if theta == 0.0:
        return 0.0
    w = Weights(*(float(value) for value in rows[i, 6:10]))
    here = seen_as(x, w)._replace(alpha=float(students.alpha[i]), cos=math.cos(theta), sin=math.sin(theta))
    share = atoms.shares[atoms.group] / (1.0 if isinstance(rule, Random) else float(students.f[i]))
    values, weights = atoms.values, atoms.weights
    if not atoms.signed:
        values, weights, share = np.append(values, -values), np.tile(weights, 2), np.tile(share, 2)
    return turned_measured(values, weights, share, atoms.signed, here, w, rows[i, 10:])
