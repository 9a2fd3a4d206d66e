"""Gradient of the test error in everything it depends on, by the implicit function theorem."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perceptron_theory.analyses.convex_gradients import convex_gradient
from perceptron_theory.analyses.point_gradients import Point, slopes_at, weight_count
from perceptron_theory.convex_loss import ConvexLoss
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.labels import Labels
from perceptron_theory.margins.distributions import Margins, MeasuredMargins
from perceptron_theory.margins.selection import Band, Easy, FractionRule, Hard, Random, Selection, as_selection
from perceptron_theory.solving.kept_groups import kept_groups
from perceptron_theory.solving.saddle_point import solve
from perceptron_theory.solving.solution import ConvexSolution, Solution, Status

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
    lam : ndarray or None
        d test_error / d lam of a `ConvexLoss`; None for the max-margin student.
    flip : ndarray or None
        d test_error / d flip of a `ConvexLoss`: of the error against the sign of the teacher's field. None for the
        max-margin student and where signed margins carry their labels.

    Examples
    --------
    >>> import perceptron_theory as pt
    >>> gradient = pt.error_gradient(5.0, f=0.3, theta=0.2)
    >>> print(f"{gradient.alpha_prune:.4f} {gradient.f:.4f} {gradient.theta:.4f}")
    -0.0081 0.0583 0.0721
    """

    solution: Solution
    alpha_prune: FloatArray
    f: FloatArray
    theta: FloatArray
    weights: FloatArray | None
    status: npt.NDArray[np.int8]
    lam: FloatArray | None = None
    flip: FloatArray | None = None


def error_gradient(
    alpha_prune: npt.ArrayLike,
    f: npt.ArrayLike,
    theta: npt.ArrayLike = 0.0,
    *,
    selection: str | Selection = "hard",
    margins: Margins | None = None,
    student: str | ConvexLoss = "max-margin",
    labels: Labels | None = None,
) -> ErrorGradient:
    """Gradient of a student's test error in everything it depends on.

    In alpha_prune, f and theta; for the max-margin student also in the weights of measured margins, for a `ConvexLoss`
    also in its penalty and in the noise of the labels. One linear system of four unknowns, the linearised (M1)-(M3) or
    (C1)-(C4), gives the response of the test error to any change of the kept data (`influence`); no differences are
    taken. With I(z) the influence of one more example,

        d test_error / d alpha_prune = E_kept[I],    d test_error / d f = (alpha_prune / f) (I(threshold) - E_kept[I])

    and turning the probe changes averages only by what lies on the teacher's boundary or at a threshold.

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
    student : "max-margin" or ConvexLoss
        Under the best penalty, lam="optimal", the derivative in lam is 0 and all others are those at this lam (envelope
        theorem).
    labels : Labels, optional
        How labels come about. Default: noiseless. Noisy labels need a `ConvexLoss`.

    Returns
    -------
    ErrorGradient
        Derivatives and the solution they belong to.

    Raises
    ------
    InvalidInputError
        If an argument lies outside its range, shapes do not broadcast, `selection` is a `KeepProbability`, the student
        is another one, or labels on measured margins follow a probit or logistic teacher.

    Notes
    -----
    At f = 1 and at the ends of theta the derivatives are one-sided, from within. At theta = 0 that in theta is 0: the
    error is even in the angle.
    On measured margins the error has a kink in f and in the weights where a threshold falls between two distinct
    magnitudes, as it does for equal weights and whole f n; given is the mean of the two one-sided derivatives.
    Where measured examples of one margin hold the student to the probe, those in alpha_prune and f are 0.

    For a `ConvexLoss` the derivative in lam = 0 is that from above, also where it is the best penalty. The error of the
    logistic loss falls there as 1 / ln(1 / lam) if the kept data can be separated: its derivative in lam is NaN. At
    f = 1 rules that drop the easiest examples first drop ever larger ones: where those count, for the square loss and
    for labels that may be turned over, the derivative in f is infinite, and NaN here. `weights` is None.

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

    What one per cent more of the penalty and of turned labels would do:

    >>> gradient = error_gradient(**at, student=pt.ConvexLoss("logistic", 0.3), labels=pt.Labels(flip=0.05))
    >>> print(f"lam {0.01 * 0.3 * gradient.lam:.5f} flip {0.01 * 0.05 * gradient.flip:.5f}")
    lam 0.00049 flip 0.00013
    """
    rule = _fraction_rule(selection)
    if isinstance(student, ConvexLoss):
        return _of_convex_loss(
            solve(alpha_prune, f, theta, selection=rule, student=student, margins=margins, labels=labels, throw=False),
            student,
            rule,
        )
    if student != "max-margin":
        raise InvalidInputError(
            f"student must be 'max-margin' or a ConvexLoss, got {student!r}: no derivatives are known of others; take "
            "differences of solve."
        )
    solution = solve(
        alpha_prune, f, theta, selection=rule, student=student, margins=margins, labels=labels, throw=False
    )
    problem = solution.problem
    rows = np.full((problem.alpha_prune.size, 3 + weight_count(problem.margins)), np.nan)
    for group in kept_groups(problem)[0]:
        for i in group.points:
            if np.ravel(solution.converged)[i]:
                rows[i] = slopes_at(Point.of(solution, int(i)), group, rule, problem.margins)
    slopes = rows.reshape(*problem.shape, rows.shape[1])
    return ErrorGradient(
        solution,
        slopes[..., 0],
        slopes[..., 1],
        slopes[..., 2],
        slopes[..., 3:] if isinstance(problem.margins, MeasuredMargins) else None,
        _status(solution, slopes[..., 0]),
    )


def _of_convex_loss(solution: ConvexSolution, student: ConvexLoss, rule: FractionRule) -> ErrorGradient:
    slopes = convex_gradient(solution, student, rule)
    status = _status(solution, slopes.alpha_prune)
    return ErrorGradient(solution, slopes.alpha_prune, slopes.f, slopes.theta, None, status, slopes.lam, slopes.flip)


def _status(solution: Solution, by_alpha: FloatArray) -> npt.NDArray[np.int8]:
    """Status of the solution, or that a converged student does not answer."""
    lost = np.isnan(by_alpha) & (solution.status == Status.CONVERGED)
    status: npt.NDArray[np.int8] = np.where(lost, Status.NOT_CONVERGED, solution.status).astype(np.int8)[()]
    return status


def _fraction_rule(selection: str | Selection) -> FractionRule:
    rule = as_selection(selection)
    if isinstance(rule, (Hard, Easy, Band, Random)):
        return rule
    raise InvalidInputError(
        f"selection must be 'hard', 'easy', 'random' or Band(lower), got {rule!r}: the gradient has to know how the "
        "threshold moves with f; `influence` answers for a keep probability."
    )
