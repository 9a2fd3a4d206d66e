"""Derivatives of the test error at one point: the linearised equations, and what each argument changes in them."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from perceptron_theory.analyses.measured_gradients import kept_atoms, measured_gradient, probe_gradient
from perceptron_theory.margins.distributions import Margins, MeasuredMargins
from perceptron_theory.margins.selection import Easy, FractionRule, Random
from perceptron_theory.solving.kept_groups import KeptGroup
from perceptron_theory.solving.solution import RESIDUAL_TOLERANCE, Solution
from perceptron_theory.students.max_margin.adjoint import (
    Response,
    averages,
    gaussian_slope,
    measured_slope,
    response_of,
)
from perceptron_theory.students.max_margin.equations import Moments
from perceptron_theory.students.max_margin.sensitivity import Sensitivity
from perceptron_theory.students.max_margin.solver import solve_measure
from perceptron_theory.students.max_margin.turning import turned_window

FloatArray = npt.NDArray[np.float64]

#: cos(theta) of a right angle, rounded.
_RIGHT_ANGLE = 1e-16


class Point(NamedTuple):
    """One solved problem."""

    alpha: float
    f: float
    theta: float
    pinned: bool
    """Measured examples of one margin hold the student to the probe."""

    @classmethod
    def of(cls, solution: Solution, i: int) -> Point:
        """Point `i` of a solution, counted in its flattened arrays."""
        alpha, f, theta, rho, residual = (
            float(np.ravel(x)[i])
            for x in (solution.alpha_prune, solution.f, solution.theta, solution.rho, solution.residual)
        )
        # No equation is solved there, nothing is rounded (`solve_kept`).
        return cls(alpha, f, theta, rho == 1.0 and residual == 0.0)


def weight_count(margins: Margins) -> int:
    """Number of distinct measured values; 0 for Gaussian data."""
    return margins.signed_values(0.0)[0].size if isinstance(margins, MeasuredMargins) else 0


def slopes_at(at: Point, group: KeptGroup, rule: FractionRule, margins: Margins) -> FloatArray:
    """Derivatives in alpha_prune, f, theta and the weights; NaN where the student does not answer linearly."""
    if isinstance(margins, MeasuredMargins):
        return _measured_slopes(at, group, rule, margins)
    # All directions of random Gaussian data are alike: the probe counts for nothing.
    answer, s = _answer(group, at.alpha, 0.0 if isinstance(rule, Random) else at.theta)
    by_alpha = _mean(answer, s)
    if not math.isfinite(by_alpha):
        return np.full(3, np.nan)
    if isinstance(rule, Random):
        return np.array([by_alpha, 0.0, 0.0])
    z_lo, z_hi = margins.window(rule, at.f)
    edge = _edge_influence(answer, z_lo if isinstance(rule, Easy) else z_hi, by_alpha)
    return np.array([by_alpha, at.alpha / at.f * (edge - by_alpha), _turned(group, answer)])


def _turned(group: KeptGroup, answer: Sensitivity) -> float:
    """Derivative in theta: the teacher turns away from a student that stands still, which then answers."""
    x = answer.student
    if x.sin == 0.0:
        return 0.0
    away = x.d / (math.pi * math.hypot(1.0, x.d))
    return away + answer.alpha * float(turned_window(group.measure, x, answer.alpha) @ np.array(answer.response))


def _measured_slopes(at: Point, group: KeptGroup, rule: FractionRule, margins: MeasuredMargins) -> FloatArray:
    atoms = kept_atoms(margins, rule, at.f)
    if at.pinned:
        _, by_theta, by_weight = probe_gradient(atoms, at.theta)
        return np.concatenate([[0.0, 0.0, by_theta], by_weight])
    answer, s = _answer(group, at.alpha, at.theta)
    by_alpha = _mean(answer, s)
    if not math.isfinite(by_alpha):
        return np.full(3 + weight_count(margins), np.nan)
    edge, by_theta, by_weight = measured_gradient(atoms, answer, rule, at.f)
    by_f = 0.0 if isinstance(rule, Random) else at.alpha / at.f * (edge - by_alpha)
    return np.concatenate([[by_alpha, by_f, by_theta], by_weight])


def _answer(group: KeptGroup, alpha: float, theta: float) -> tuple[Sensitivity, Moments]:
    """The student, the response of its test error, and the averages over the kept data."""
    x, residual, _ = solve_measure(group.measure, alpha, theta)
    s = averages(group.measure, x, alpha)
    response = Response(*(math.nan,) * 4)
    if residual <= RESIDUAL_TOLERANCE:
        on_gaussian = group.unpruned.intervals.shape[0] == 0
        slope = gaussian_slope(x) if on_gaussian else measured_slope(group.unpruned, x, alpha)
        response = response_of(s, x, alpha, slope)
    return Sensitivity(math.nan, residual, x, alpha, response), s


def _mean(answer: Sensitivity, s: Moments) -> float:
    """Influence of the mean kept example."""
    return float(np.array(answer.response) @ np.array([s.x2, s.Ax, s.Bx, s.one]))


def _edge_influence(answer: Sensitivity, z: float, mean: float) -> float:
    """Influence of an example at the threshold |z| = `z`, infinite where all is kept."""
    if math.isfinite(z):
        return float(answer.unlabelled(np.array([z]))[0])
    # An example at infinity is no support vector, unless the probe says nothing and all are alike.
    return mean if answer.student.cos < _RIGHT_ANGLE else 0.0
