"""Results of a simulation: what each trial measured, and what they say together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from perceptron_theory.problem import Problem
from perceptron_theory.simulation.finite import FiniteProblem

FloatArray = npt.NDArray[np.float64]

#: What a trial measures, in the order of its columns.
MEASURED: Final = ("test_error", "R", "rho", "kappa", "gap", "n_support")


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
        Probability of a wrong label on unpruned data, exact for the trained student.
    R, rho : ndarray
        Cosines of the student with teacher and probe.
    kappa : ndarray
        Smallest margin of a kept example; negative if the student gets one wrong.
    gap : ndarray
        Certificate of the student: for "max_margin" the relative duality gap.
    n_support : ndarray of int64
        Number of examples that support the student.
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


def from_rows(problem: Problem, finite: FiniteProblem, student: str, seed: int, rows: FloatArray) -> Simulation:
    """Simulation from an array of shape (trials, 6) with the columns `MEASURED`."""
    test_error, R, rho, kappa, gap = (np.ascontiguousarray(column) for column in rows.T[:5])
    n_support = rows.T[5].astype(np.int64)
    for column in (test_error, R, rho, kappa, gap, n_support):
        column.setflags(write=False)
    return Simulation(problem, finite, student, seed, test_error, R, rho, kappa, gap, n_support)
