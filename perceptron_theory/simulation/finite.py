"""A problem at finite size: whole numbers of inputs, examples and ranks."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.labels import NOISELESS, Labels
from perceptron_theory.margins.distributions import Margins, MeasuredMargins
from perceptron_theory.margins.selection import KeepProbability, QuantileRule, Selection
from perceptron_theory.problem import Problem
from perceptron_theory.validation import whole_number

#: Rounding to whole examples may change alpha_prune or f by at most this, relatively.
ROUNDING: Final = 0.1

#: Largest pool: whole numbers beyond are not exact as floats.
_MOST_EXAMPLES: Final = 2**53

#: Rounding error of a product such as (1/49) * 49, which is below 1.
_ROUNDED: Final = 1e-9


@dataclass(frozen=True)
class FiniteProblem:
    """One problem of the theory, realised with N inputs.

    Parameters
    ----------
    N : int
        Number of inputs, which is the number of parameters.
    P : int
        Number of examples kept.
    pool : int
        Number of examples before pruning. 0 for a keep probability: the pool is then drawn until P are kept.
    skipped : int
        Number of examples with smaller |z| than those kept.
    theta : float
        Angle between probe and teacher, radians.
    selection : Selection
        Which examples are kept.
    margins : Margins
        Distribution of the data along the probe before pruning.
    labels : Labels
        How the labels of the examples come about.
    """

    N: int
    P: int
    pool: int
    skipped: int
    theta: float
    selection: Selection
    margins: Margins
    labels: Labels = NOISELESS

    @classmethod
    def of(cls, problem: Problem, N: int) -> FiniteProblem:
        """Round `problem`, a single point, to whole numbers.

        Raises
        ------
        InvalidInputError
            If nothing would be kept, or rounding changes alpha_prune or f by more than 10 per cent.
        """
        N = whole_number("N", N, 2, "it is the number of inputs")
        if problem.shape != ():
            raise InvalidInputError(
                f"a simulation is of one problem, got arrays of shape {problem.shape}: use simulate_sweep for grids."
            )
        alpha, f = float(problem.alpha_prune), float(problem.f)
        rule = problem.selection
        if alpha * N < 1.0 - _ROUNDED:
            raise InvalidInputError(
                f"alpha_prune * N must be at least 1, got {alpha:g} * {N} = {alpha * N:g}: no example would be kept; "
                f"take N of at least {math.ceil(1.0 / alpha - _ROUNDED)}."
            )
        before_pruning = alpha * N if isinstance(rule, KeepProbability) else alpha * N / f
        if not before_pruning < _MOST_EXAMPLES:
            raise InvalidInputError(
                f"the pool must have fewer than {_MOST_EXAMPLES:.0e} examples, got alpha_prune * N / f = "
                f"{before_pruning:.2g}: take a larger f, or a smaller alpha_prune or N."
            )
        P = round(alpha * N)
        _check_rounding("alpha_prune", alpha, P / N, N)
        pool, skipped = 0, 0
        if not isinstance(rule, KeepProbability):
            # The rule must be able to keep P of them: a band at the end of its range is rounded down.
            pool = max(round(P / f), math.ceil(P / rule.largest_f() - _ROUNDED))
            _check_rounding("f", f, P / pool, N)
        if isinstance(rule, QuantileRule):
            low, _ = rule.window(min(P / pool, rule.largest_f()))
            skipped = min(pool - P, round(low * pool))
        return cls(N, P, pool, skipped, float(problem.theta), rule, problem.margins, problem.labels)

    @property
    def alpha_prune(self) -> float:
        """Examples kept per parameter, as realised."""
        return self.P / self.N

    @property
    def f(self) -> float:
        """Fraction kept, as realised; NaN where a keep probability decides it."""
        return self.P / self.pool if self.pool else math.nan

    def seeds(self, seed: int, trial: int) -> np.random.SeedSequence:
        """Source of random numbers of one trial: another for each size, problem, seed and trial.

        Students, and keep probabilities, share them: their differences are then less noisy than either.
        """
        words = f"{self.N} {self.P} {self.pool} {self.skipped} {self.theta.hex()} {self.selection.name}"
        if isinstance(self.margins, MeasuredMargins):
            words += f" {self.margins.digest()}"
        if not self.labels.noiseless:
            words += f" {label_identity(self.labels)}"
        digest = hashlib.sha256(words.encode()).digest()
        return np.random.SeedSequence([seed, int.from_bytes(digest[:16], "little")], spawn_key=(trial,))


def label_identity(labels: Labels) -> str:
    """What tells labels from others, to the last bit."""
    slope = "" if labels.slope is None else f" of slope {float(labels.slope).hex()}"
    return f"{labels.link}{slope}, flipped {float(labels.flip).hex()}"


def _check_rounding(name: str, wanted: float, realised: float, N: int) -> None:
    if not abs(realised / wanted - 1.0) <= ROUNDING:
        raise InvalidInputError(
            f"{name} = {wanted:g} cannot be realised with N = {N}: whole numbers of examples give {realised:g}, more "
            f"than {100 * ROUNDING:g} % away; take a larger N, or ask for {name} = {realised:g}."
        )
