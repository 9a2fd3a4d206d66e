"""Results of a simulation: what each trial measured, and what they say together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from perceptron_theory.convex_loss import ConvexLoss
from perceptron_theory.problem import Problem
from perceptron_theory.simulation.finite import FiniteProblem

FloatArray = npt.NDArray[np.float64]

#: What a trial measures, in the order of its columns.
MEASURED: Final = ("test_error", "R", "rho", "kappa", "gap", "n_support", "train_error", "train_loss", "norm")


class Observables(NamedTuple):
    """One number for each quantity that the theory predicts."""

    test_error: float
    R: float
    rho: float
    kappa: float


@dataclass(frozen=True)
class Simulation:
    """Finite students on pruned data; the measured fields have one entry per trial.

    Attributes
    ----------
    problem : Problem
        What was asked for.
    finite : FiniteProblem
        What was realised: whole numbers of inputs, examples and ranks.
    student, seed, trials
        Name of the student, seed of the random numbers, number of trials.
    test_error : ndarray, shape (trials,)
        Probability of a wrong label on unpruned data, exact for the trained student. Wrong is what disagrees with the
        sign of the teacher's field: noise of the labels does not count (`Labels` has formulas with it).
    R, rho : ndarray
        Cosines of the student with teacher and probe.
    kappa : ndarray
        Smallest margin of a kept example; negative if the student gets the observed label of one wrong.
    gap : ndarray
        Certificate of the student: for "max-margin" the relative duality gap.
    n_support : ndarray of int64
        Number of examples that support the student.
    train_error : ndarray
        Fraction of the kept examples whose observed label the student gets wrong.
    train_loss : ndarray
        Mean loss of the kept examples, each of weight 1; NaN for students without a loss.
    norm : ndarray
        Length of the weights in the units of `ConvexLoss`: of order 1 if fields are. NaN for students of which only the
        direction means anything; infinite for the logistic loss without penalty on data that can be separated.
    convex_loss : ConvexLoss, optional
        The loss that was minimised; None for other students.

    Examples
    --------
    >>> import perceptron_theory as pt
    >>> sim = pt.simulate(50, alpha_prune=2.0, f=0.5, trials=20)
    >>> sim.R.shape, bool((sim.gap < 1e-9).all())
    ((20,), True)
    """

    problem: Problem
    finite: FiniteProblem
    student: str
    seed: int
    test_error: FloatArray
    R: FloatArray
    rho: FloatArray
    kappa: FloatArray
    gap: FloatArray
    n_support: npt.NDArray[np.int64]
    train_error: FloatArray
    train_loss: FloatArray
    norm: FloatArray
    convex_loss: ConvexLoss | None = None

    @property
    def trials(self) -> int:
        """Number of trials."""
        return self.R.size

    @property
    def N(self) -> int:
        """Number of inputs."""
        return self.finite.N

    @property
    def alpha_prune(self) -> float:
        """Examples kept per parameter, as realised."""
        return self.finite.alpha_prune

    @property
    def f(self) -> float:
        """Fraction kept, as realised; NaN where a keep probability decides it."""
        return self.finite.f

    @property
    def theta(self) -> float:
        """Angle between probe and teacher, radians."""
        return self.finite.theta

    @property
    def failed(self) -> int:
        """Number of trials whose student has no certificate; their entries are NaN."""
        return int(np.isnan(self.R).sum())

    @property
    def mean(self) -> Observables:
        """Mean over trials; NaN if one of them failed."""
        return Observables(*(float(np.mean(getattr(self, name))) for name in Observables._fields))

    @property
    def standard_error(self) -> Observables:
        """Standard error of the mean; NaN for a single trial."""

        def error(values: FloatArray) -> float:
            return float(np.std(values, ddof=1)) / math.sqrt(values.size) if values.size > 1 else math.nan

        return Observables(*(error(getattr(self, name)) for name in Observables._fields))


def from_rows(
    problem: Problem,
    finite: FiniteProblem,
    student: str,
    seed: int,
    rows: FloatArray,
    convex_loss: ConvexLoss | None = None,
) -> Simulation:
    """Simulation from an array of shape (trials, 9) with the columns `MEASURED`."""
    columns = {name: np.ascontiguousarray(column) for name, column in zip(MEASURED, rows.T, strict=True)}
    n_support = columns.pop("n_support").astype(np.int64)
    for column in (n_support, *columns.values()):
        column.setflags(write=False)
    return Simulation(problem, finite, student, seed, **columns, n_support=n_support, convex_loss=convex_loss)
