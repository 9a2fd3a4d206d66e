"""Derivatives of the test error on measured margins: thresholds between atoms, the angle, and every weight."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from perceptron_theory.gaussian import INV_SQRT_2PI
from perceptron_theory.margins.distributions import MeasuredMargins
from perceptron_theory.margins.selection import Easy, FractionRule, Random
from perceptron_theory.students.max_margin.adjoint import Response, error_student
from perceptron_theory.students.max_margin.sensitivity import Sensitivity
from perceptron_theory.students.max_margin.turning import turned_atoms

FloatArray = npt.NDArray[np.float64]

#: A threshold this close to the end of a group, in shares of it, lies between two groups.
_SHARE_ROUNDING = 1e-9


class Atoms(NamedTuple):
    """Distinct measured values in ascending order, and what a rule keeps of them."""

    signed: bool
    values: FloatArray
    """Signed margins, or magnitudes if not `signed`."""
    weights: FloatArray
    """Of sum 1."""
    group: npt.NDArray[np.intp]
    """Of each value: to which of the groups it belongs that a rule cannot tell apart."""
    sizes: FloatArray
    """Weight of each group."""
    shares: FloatArray
    """Share of each group that is kept."""
    lower: tuple[int, int]
    """Groups on the two sides of the lower threshold: the same one if it lies within a group."""
    upper: tuple[int, int]
    """The same for the upper threshold."""

    def mean(self, per_value: FloatArray) -> FloatArray:
        """Average over each group."""
        return np.bincount(self.group, self.weights * per_value) / self.sizes


def kept_atoms(margins: MeasuredMargins, rule: FractionRule, f: float) -> Atoms:
    """Atoms of measured margins under a rule."""
    values, weights = margins.signed_values(0.0)
    group = margins.groups(values)
    sizes = np.asarray(np.bincount(group, weights), dtype=np.float64)
    ends = np.append(0.0, np.cumsum(sizes))
    ends[-1] = 1.0
    low, high = (0.0, 1.0) if isinstance(rule, Random) else rule.window(f)
    shares = np.clip((np.minimum(ends[1:], high) - np.maximum(ends[:-1], low)) / sizes, 0.0, 1.0)
    shares[shares < _SHARE_ROUNDING] = 0.0
    shares[shares > 1.0 - _SHARE_ROUNDING] = 1.0
    lower, upper = _sides(ends, low), _sides(ends, high)
    return Atoms(margins.signed, values, weights, group, sizes, shares, lower, upper)


def _sides(ends: FloatArray, quantile: float) -> tuple[int, int]:
    last = ends.size - 2
    i = min(int(np.searchsorted(ends, quantile, side="right")) - 1, last)
    share = (quantile - ends[i]) / (ends[i + 1] - ends[i])
    if share <= _SHARE_ROUNDING:
        return max(i - 1, 0), i
    return i, i if share < 1.0 - _SHARE_ROUNDING else min(i + 1, last)


class MeasuredGradient(NamedTuple):
    """Derivatives that only measured data have to ask for."""

    edge: float
    """Influence of the examples at the threshold that moves with f."""
    theta: float
    weights: FloatArray


def measured_gradient(atoms: Atoms, answer: Sensitivity, rule: FractionRule, f: float) -> MeasuredGradient:
    """Derivatives in the threshold, the angle and the weights.

    Parameters
    ----------
    atoms : Atoms
        What is kept.
    answer : Sensitivity
        Student, and the response of the error on the unpruned measure.
    rule, f
        The problem. A `Random` rule keeps a like share of every atom.
    """
    influence = _per_value(atoms, answer)
    by_group = atoms.mean(influence)
    lower, upper = (float(np.mean(by_group[list(sides)])) for sides in (atoms.lower, atoms.upper))
    kept = 1.0 if isinstance(rule, Random) else f
    share = atoms.shares[atoms.group]
    # A group that is kept in part keeps its size; only what it is made of follows the weights.
    change = np.where(share > 0.0, share * influence + (1.0 - share) * by_group[atoms.group], 0.0)
    change = change - upper * (atoms.group <= atoms.upper[0]) + lower * (atoms.group < atoms.lower[1])
    wrong = Sensitivity(0.0, 0.0, error_student(answer.student), answer.alpha, Response(0.0, 0.0, 0.0, 1.0))
    change = answer.alpha / kept * change + _per_value(atoms, wrong)
    return MeasuredGradient(
        lower if isinstance(rule, Easy) else upper,
        _turned(atoms, answer, wrong, kept),
        change - float(atoms.weights @ change),
    )


def probe_gradient(atoms: Atoms, theta: float) -> MeasuredGradient:
    """The same of a student that examples of one margin hold to the probe: only the test data change its error."""
    wrong, turned = (atoms.values < 0.0).astype(np.float64), 0.0
    if not atoms.signed and theta > 0.0:
        field = atoms.values * math.cos(theta) / math.sin(theta)
        wrong = np.asarray(ndtr(-field))
        rate = atoms.values / math.sin(theta) ** 2
        turned = INV_SQRT_2PI * float(atoms.weights @ (rate * np.exp(-0.5 * field * field)))
    return MeasuredGradient(0.0, turned, wrong - float(atoms.weights @ wrong))


def _per_value(atoms: Atoms, answer: Sensitivity) -> FloatArray:
    return answer.labelled(atoms.values) if atoms.signed else answer.unlabelled(atoms.values)


def _turned(atoms: Atoms, answer: Sensitivity, wrong: Sensitivity, kept: float) -> float:
    """Derivative in the angle."""
    if answer.student.sin == 0.0:
        return 0.0
    values, weights, share = atoms.values, atoms.weights, atoms.shares[atoms.group] / kept
    if not atoms.signed:
        values, weights, share = np.append(values, -values), np.tile(weights, 2), np.tile(share, 2)
    inside = share > 0.0
    by_student = turned_atoms(
        values[inside], (weights * share)[inside], atoms.signed, answer.student, answer.alpha
    ) @ np.array(answer.response)
    by_test = turned_atoms(values, weights, atoms.signed, wrong.student, answer.alpha)[3]
    return float(answer.alpha * by_student + by_test)
