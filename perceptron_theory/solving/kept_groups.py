"""Points of a problem that share their kept data."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.labels import Labels
from perceptron_theory.margins.distributions import GaussianMargins, MeasuredMargins
from perceptron_theory.margins.kept import KeptMeasure, gaussian_window
from perceptron_theory.margins.selection import KeepProbability, QuantileRule, Random
from perceptron_theory.problem import Problem
from perceptron_theory.students.convex_loss.equations import noisy_mass
from perceptron_theory.students.convex_loss.settings import setting
from perceptron_theory.students.max_margin.equations import kept_mass

FloatArray = npt.NDArray[np.float64]

#: Tells kernels that inputs are Gaussian.
GAUSSIAN_INPUTS = KeptMeasure(
    np.empty((0, 2)), np.empty((0, 0)), np.empty((2, 0)), np.empty((0, 0)), np.empty((2, 0)), False, 1.0
)


class KeptGroup(NamedTuple):
    """Points (indices into the flattened problem) whose kept data are one measure of mass 1.

    Test errors are those on `unpruned`; `GAUSSIAN_INPUTS` stands for Gaussian data.
    """

    measure: KeptMeasure
    unpruned: KeptMeasure
    points: npt.NDArray[np.intp]


def kept_groups(problem: Problem) -> tuple[list[KeptGroup], FloatArray]:
    """All groups of a problem, and the fraction kept at each of its points, flattened.

    A random subset of Gaussian data looks alike from everywhere: its measure is seen along the teacher, as if
    theta were 0.

    Raises
    ------
    InvalidInputError
        If a keep probability keeps nothing.
    """
    if isinstance(problem.selection, KeepProbability):
        return _by_angle(problem, problem.selection)
    if isinstance(problem.margins, MeasuredMargins):
        return _measured(problem, problem.margins), problem.f.ravel().copy()
    return _windows(problem, problem.margins), problem.f.ravel().copy()


def _windows(problem: Problem, margins: GaussianMargins) -> list[KeptGroup]:
    rule = problem.selection
    if isinstance(rule, Random):
        return [KeptGroup(gaussian_window(0.0, np.inf, 1.0), GAUSSIAN_INPUTS, np.arange(problem.f.size))]
    assert isinstance(rule, QuantileRule)
    fractions, group = np.unique(problem.f.ravel(), return_inverse=True)
    return [
        KeptGroup(
            gaussian_window(*margins.window(rule, float(f)), float(f)), GAUSSIAN_INPUTS, np.flatnonzero(group == i)
        )
        for i, f in enumerate(fractions)
    ]


def _by_angle(problem: Problem, rule: KeepProbability) -> tuple[list[KeptGroup], FloatArray]:
    """Groups of a keep probability: what it keeps depends on the angle."""
    margins, theta = problem.margins, problem.theta.ravel()
    f = problem.f.ravel().copy()
    groups = []
    for angle in np.unique(theta):
        if isinstance(margins, MeasuredMargins):
            both_signs = 1.0 if angle == 0.0 and not problem.labels.noiseless else angle
            measure, unpruned = margins.kept(rule, np.nan, both_signs), margins.unpruned(angle)
        else:
            measure, unpruned = margins.kept(rule), GAUSSIAN_INPUTS
        mass = _mass(measure, angle, problem.labels)
        if not mass > 0.0:
            raise InvalidInputError(
                f"the keep probability keeps nothing at theta = {angle:g}: a rule must keep something."
            )
        points = np.flatnonzero(theta == angle)
        f[points] = mass
        groups.append(KeptGroup(measure._replace(scale=1.0 / mass), unpruned, points))
    return groups, f


def _measured(problem: Problem, margins: MeasuredMargins) -> list[KeptGroup]:
    theta = problem.theta.ravel()
    keys, group = np.unique(np.stack([problem.f.ravel(), theta == 0.0]), axis=1, return_inverse=True)
    unpruned_at = {at_zero: margins.unpruned(0.0 if at_zero else 1.0) for at_zero in np.unique(theta == 0.0)}
    groups = []
    for i in range(keys.shape[1]):
        points = np.flatnonzero(group == i)
        angle = float(theta[points[0]])
        both_signs = 1.0 if angle == 0.0 and not problem.labels.noiseless else angle
        kept = margins.kept(problem.selection, float(keys[0, i]), both_signs)
        groups.append(KeptGroup(kept, unpruned_at[angle == 0.0], points))
    return groups


def _mass(measure: KeptMeasure, theta: float, labels: Labels) -> float:
    """Fraction of all examples that a keep probability keeps."""
    if labels.noiseless:
        return kept_mass(measure, theta)[0]
    x = setting("square", labels)._replace(cos=math.cos(theta), sin=math.sin(theta))
    return noisy_mass(measure, x)
