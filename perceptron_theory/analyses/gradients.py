"""Gradient of the test error in everything it depends on, by the implicit function theorem."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perceptron_theory.analyses.point_gradients import Point, slopes_at, weight_count
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.kept_groups import kept_groups
from perceptron_theory.margins.distributions import Margins, MeasuredMargins
from perceptron_theory.margins.selection import Band, Easy, FractionRule, Hard, Random, Selection, as_selection
from perceptron_theory.saddle_point import solve
from perceptron_theory.solution import Solution, Status

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ErrorGradient:
    """Derivatives of the test error, each with all else fixed; every field has the broadcast shape of the inputs.

    Attributes
    ----------
    solution : Solution
        The student, with its certificate.
    alpha_prune : ndarray
        d test_error / d alpha_prune: more examples, kept in the same way.
    f : ndarray
        d test_error / d f at fixed alpha_prune: the threshold moves, the number of kept examples does not.
    theta : ndarray
        d test_error / d theta, per radian.
    weights : ndarray or None
        On measured margins d test_error / d weight of every distinct value in ascending order (distinct magnitudes
        where the margins carry no sign), in a last dimension; None on Gaussian data. Weights count relative to their
        sum, so that the gradient times the weights sums to 0; where weights of another sum than 1 were given, divide
        by that sum.
    status : ndarray of int8
        Values of `Status`; where it is not `Status.CONVERGED` all derivatives are NaN.
    """

    solution: Solution
    alpha_prune: FloatArray
    f: FloatArray
    theta: FloatArray
    weights: FloatArray | None
    status: npt.NDArray[np.int8]


def error_gradient(
    alpha_prune: npt.ArrayLike,
    f: npt.ArrayLike,
    theta: npt.ArrayLike = 0.0,
    *,
    selection: str | Selection = "hard",
    margins: Margins | None = None,
) -> ErrorGradient:
    """Gradient of the max-margin student's test error in alpha_prune, f, theta and the weights of measured margins.

    One linear system of four unknowns, the linearised (M1)-(M3), gives the response of the test error to any change of
    the kept data (`influence`); no differences are taken. With I(z) the influence of one more example,

        d test_error / d alpha_prune = E_kept[I],    d test_error / d f = (alpha_prune / f) (I(threshold) - E_kept[I])

    and turning the probe changes averages only by what lies on the teacher's boundary.

    Parameters
    ----------
    alpha_prune : array_like
        Examples kept per parameter, > 0.
    f : array_like
        Fraction of the examples kept, in (0, 1].
    theta : array_like
        Angle between probe and teacher in radians, in [0, pi/2]; 0 is a perfect metric.
    selection : {"hard", "easy", "random"} or Band
        Which examples are kept.
    margins : GaussianMargins or MeasuredMargins, optional
        Distribution of the data along the probe before pruning. Default: Gaussian.

    Returns
    -------
    ErrorGradient
        Derivatives and the solution they belong to.

    Raises
    ------
    InvalidInputError
        If an argument lies outside its range, shapes do not broadcast, or `selection` is a `KeepProbability`.

    Notes
    -----
    At f = 1 and at the ends of theta the derivatives are one-sided, from within. At theta = 0 that in theta is 0: the
    error is even in the angle. (On measured margins with an example at exactly 0 it is NaN there: the error jumps.)
    On measured margins the error has a kink in f and in the weights where a threshold falls between two distinct
    magnitudes, as it does for equal weights and whole f n; given is the mean of the two one-sided derivatives.
    Where measured examples of one margin hold the student to the probe, those in alpha_prune and f are 0.

    Examples
    --------
    What one per cent of each would do to the error: more data, a larger part of them, a worse metric.

    >>> import numpy as np, perceptron_theory as pt
    >>> from perceptron_theory.analyses.gradients import error_gradient
    >>> at = {"alpha_prune": 3.0, "f": 0.3, "theta": np.deg2rad(10)}
    >>> gradient = error_gradient(**at)
    >>> for name, value in at.items():
    ...     print(f"{name} {0.01 * value * getattr(gradient, name):.5f}")
    alpha_prune -0.00116
    f 0.00012
    theta 0.00039
    """
    rule = _fraction_rule(selection)
    solution = solve(alpha_prune, f, theta, selection=rule, margins=margins, throw=False)
    problem = solution.problem
    rows = np.full((problem.alpha_prune.size, 3 + weight_count(problem.margins)), np.nan)
    for group in kept_groups(problem)[0]:
        for i in group.points:
            if np.ravel(solution.converged)[i]:
                rows[i] = slopes_at(Point.of(solution, int(i)), group, rule, problem.margins)
    lost = np.isnan(rows[:, 0]).reshape(problem.shape) & (solution.status == Status.CONVERGED)
    slopes = rows.reshape(*problem.shape, rows.shape[1])
    return ErrorGradient(
        solution,
        slopes[..., 0],
        slopes[..., 1],
        slopes[..., 2],
        slopes[..., 3:] if isinstance(problem.margins, MeasuredMargins) else None,
        np.where(lost, Status.NOT_CONVERGED, solution.status).astype(np.int8)[()],
    )


def _fraction_rule(selection: str | Selection) -> FractionRule:
    rule = as_selection(selection)
    if isinstance(rule, (Hard, Easy, Band, Random)):
        return rule
    raise InvalidInputError(
        f"selection must be 'hard', 'easy', 'random' or Band(lower), got {rule!r}: the gradient has to know how the "
        "threshold moves with f; `influence` answers for a keep probability."
    )
