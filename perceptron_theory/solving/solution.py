"""Results: one shape always, with a certificate on every point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from perceptron_theory.errors import PerceptronTheoryError
from perceptron_theory.margins.selection import KeepProbability
from perceptron_theory.problem import Problem

FloatArray = npt.NDArray[np.float64]
_Kind = TypeVar("_Kind", bound="Solution")

#: A point is certified if its undamped residual is at most this ...
RESIDUAL_TOLERANCE = 1e-10
#: ... and a finer quadrature changes test error and margin by at most this, relatively.
QUADRATURE_TOLERANCE = 1e-9


class Status(IntEnum):
    """What became of a point.

    Examples
    --------
    >>> from perceptron_theory import Status
    >>> [status.name for status in Status]
    ['CONVERGED', 'NOT_CONVERGED', 'INACCURATE', 'UNPHYSICAL', 'INFEASIBLE', 'NO_STUDENT']
    >>> Status(4).sentence
    'no fraction kept satisfies the constraints'
    """

    CONVERGED = 0
    NOT_CONVERGED = 1
    INACCURATE = 2
    UNPHYSICAL = 3
    INFEASIBLE = 4
    NO_STUDENT = 5

    @property
    def sentence(self) -> str:
        """What the status means."""
        return _SENTENCES[self]


_SENTENCES = {
    Status.CONVERGED: "converged: the equations hold and a finer quadrature agrees",
    Status.NOT_CONVERGED: f"the residual of the equations stayed above {RESIDUAL_TOLERANCE:g}",
    Status.INACCURATE: f"a finer quadrature changes the result by more than {QUADRATURE_TOLERANCE:g}",
    Status.UNPHYSICAL: "the equations hold at a point outside 0 <= test_error < 1, |R| <= 1, kappa >= 0",
    Status.INFEASIBLE: "no fraction kept satisfies the constraints",
    Status.NO_STUDENT: "no student has this margin: it is not below that of the max-margin student",
}


@dataclass(frozen=True, kw_only=True)
class Solution:
    """A student on pruned data; every field has the broadcast shape of the inputs.

    Points that did not converge are NaN in `test_error`, `R`, `rho` and `kappa`; `residual`,
    `quadrature_error` and `status` say why.

    Attributes
    ----------
    alpha_prune, f, theta, alpha_tot : ndarray
        The problem: examples kept per parameter, fraction kept, probe angle (radians), and examples
        before pruning per parameter, alpha_prune / f.
    test_error : ndarray
        Probability of a wrong label on unpruned data: arccos(R) / pi on Gaussian data. Wrong is what disagrees with the
        sign of the teacher's field: noise of `Labels` (flips, a probit or logistic teacher) does not count. Signed
        measured margins carry their labels, and those count.
    R, rho : ndarray
        Cosines of the student with teacher and probe.
    kappa : ndarray
        Margin of the student, in units of the standard deviation of the inputs.
    residual : ndarray
        Largest undamped residual of the equations, each relative to the scale of its terms.
    quadrature_error : ndarray
        Relative change of test error and margin under a quadrature of higher order.
    status : ndarray of int8
        Values of `Status`.
    selection : str
        Name of the rule.
    problem : Problem
        What was solved, rule and margins included.
    student : str
        Who was trained: "max-margin", "gibbs", "bayes-point", "bayes-optimal", or the name of a loss.

    Examples
    --------
    >>> import perceptron_theory as pt
    >>> solution = pt.solve([1.0, 3.0], f=0.3, theta=0.2)
    >>> solution.test_error.round(4).tolist(), solution.converged.tolist()
    ([0.3882, 0.0719], [True, True])
    >>> solution.alpha_tot.round(3).tolist()
    [3.333, 10.0]
    """

    alpha_prune: FloatArray
    f: FloatArray
    theta: FloatArray
    alpha_tot: FloatArray
    test_error: FloatArray
    R: FloatArray
    rho: FloatArray
    kappa: FloatArray
    residual: FloatArray
    quadrature_error: FloatArray
    status: npt.NDArray[np.int8]
    selection: str
    problem: Problem
    student: str = "max-margin"

    @property
    def converged(self) -> npt.NDArray[np.bool_]:
        """True where the point carries its certificate."""
        return np.asarray(self.status == Status.CONVERGED)[()]


@dataclass(frozen=True, kw_only=True)
class VersionSpaceSolution(Solution):
    """A student of the version space: one drawn at random ("gibbs"), or the mean of all ("bayes-point").

    Fields of `Solution`, where `kappa` is the margin asked of every student of the space, and

    Attributes
    ----------
    q : ndarray
        Cosine of two students drawn at random.
    entropy : ndarray
        ln(volume of the space) / N, the volume of all unit vectors being 1 (nats): 0 without data.
    gain : ndarray
        What one more kept example tells, -d entropy / d alpha_prune (nats).

    Examples
    --------
    >>> import perceptron_theory as pt
    >>> gibbs = pt.solve(2.0, 0.5, student="gibbs")
    >>> print(f"R {gibbs.R:.4f}, q {gibbs.q:.4f}, entropy {gibbs.entropy:.4f}, gain {gibbs.gain:.4f}")
    R 0.8311, q 0.8685, entropy -1.5327, gain 0.5970
    """

    q: FloatArray
    entropy: FloatArray
    gain: FloatArray


@dataclass(frozen=True, kw_only=True)
class ConvexSolution(Solution):
    """A student with a convex loss and a ridge penalty; in the normalisation of `ConvexLoss`, with fields of order 1.

    Fields of `Solution`, where `kappa` is NaN and R may be negative (a rule can teach the wrong), and

    Attributes
    ----------
    lam : ndarray
        Strength of the penalty; where the best was asked for, the one found: 0 or infinite if the error falls all the
        way there. Under an infinite one the student is its first step of gradient descent, of length 0.
    norm : ndarray
        Length of the student; infinite for the logistic loss without penalty on data that can be separated.
    susceptibility : ndarray
        V: how far the field of an example moves per unit of slope of its loss; infinite where data are fitted.
    train_error, train_loss : ndarray
        Share of the kept examples that the student gets wrong, and their mean loss without weights.
    label_error : ndarray
        Probability of disagreeing with the label of a fresh example, noise included (`Labels` has the formulas), where
        `test_error` is without it. NaN for a probit or logistic teacher on measured margins.

    Examples
    --------
    >>> import perceptron_theory as pt
    >>> s = pt.solve(3.0, 0.3, 0.2, student=pt.ConvexLoss("logistic", lam=0.1), labels=pt.Labels(flip=0.1))
    >>> print(f"{s.test_error:.4f}, on its own examples {s.train_error:.4f}, on noisy labels {s.label_error:.4f}")
    0.2866, on its own examples 0.1536, on noisy labels 0.3293
    """

    lam: FloatArray
    norm: FloatArray
    susceptibility: FloatArray
    train_error: FloatArray
    train_loss: FloatArray
    label_error: FloatArray


class ConvergenceError(PerceptronTheoryError, ArithmeticError):
    """A point did not pass its certificate; carries the failed result.

    Attributes
    ----------
    solution : Solution
        The result with its residual, quadrature error and status.

    Examples
    --------
    >>> import perceptron_theory as pt
    >>> try:
    ...     pt.solve(1.0, 0.3, 0.2, student=pt.ConvexLoss("square", lam=0.0))  # its error peaks there
    ... except pt.ConvergenceError as error:
    ...     print(pt.Status(int(error.solution.status)).name)
    INACCURATE
    """

    def __init__(self, message: str, solution: Solution) -> None:
        super().__init__(message)
        self.solution = solution

    def __reduce__(self) -> tuple[type[ConvergenceError], tuple[str, Solution]]:
        """Errors travel between processes."""
        return type(self), (str(self), self.solution)


def certify(
    kind: type[_Kind],
    student: str,
    problem: Problem,
    f: FloatArray,
    physical: npt.NDArray[np.bool_],
    residual: FloatArray,
    quadrature_error: FloatArray,
    values: Mapping[str, FloatArray],
    known: npt.ArrayLike = Status.CONVERGED,
) -> _Kind:
    """Turn solver output into a result of this `kind`.

    Parameters
    ----------
    kind : type
        `Solution` or a subclass.
    student : str
        Its name.
    problem : Problem
        What was solved.
    f : ndarray
        Fractions kept, shape of the problem, as all arrays here.
    physical : ndarray of bool
        Where values that only this kind has are possible.
    residual, quadrature_error : ndarray
        The certificate.
    values : mapping of str to ndarray
        All other fields; NaN where a point fails.
    known : array_like of int
        Status of points that failed before they were solved.
    """
    test_error, R, rho = values["test_error"], values["R"], values["rho"]
    if isinstance(problem.selection, KeepProbability):
        quadrature_error = np.maximum(quadrature_error, problem.margins.overlooked(problem.selection) / f)
    status = np.full(problem.shape, Status.CONVERGED, dtype=np.int8)
    # Written so that NaN never passes.
    physical = physical & (test_error >= 0.0) & (test_error < 1.0) & (np.abs(R) <= 1.0) & (np.abs(rho) <= 1.0)
    status[~physical] = Status.UNPHYSICAL
    status[~(quadrature_error <= QUADRATURE_TOLERANCE)] = Status.INACCURATE
    status[~(residual <= RESIDUAL_TOLERANCE)] = Status.NOT_CONVERGED
    status = np.where(np.asarray(known) == Status.CONVERGED, status, known).astype(np.int8)
    failed = status != Status.CONVERGED

    def shaped(value: FloatArray) -> FloatArray:
        value = np.array(value)
        value.setflags(write=False)
        return value[()]

    status.setflags(write=False)
    return kind(
        alpha_prune=shaped(problem.alpha_prune),
        f=shaped(f),
        theta=shaped(problem.theta),
        alpha_tot=shaped(problem.alpha_prune / f),
        residual=shaped(residual),
        quadrature_error=shaped(quadrature_error),
        status=status[()],
        selection=problem.selection.name,
        problem=problem,
        student=student,
        **{name: shaped(np.where(failed, np.nan, value)) for name, value in values.items()},
    )
