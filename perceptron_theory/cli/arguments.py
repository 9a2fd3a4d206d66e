"""Command-line values as the library wants them."""

from __future__ import annotations

import math
from typing import cast

from perceptron_theory.convex_loss import LOSSES, ConvexLoss, Loss
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.labels import Labels
from perceptron_theory.margins.selection import NAMED_RULES, Band, FractionRule
from perceptron_theory.problem import Problem
from perceptron_theory.simulation.finite import FiniteProblem
from perceptron_theory.validation import whole_number

#: Numbers in the examples of one trial: 8 GB, more than most machines have to spare for each process.
MAX_NUMBERS = 10**9

#: Trials after which a standard error is a thousandth of a standard deviation.
MAX_TRIALS = 10**6


def angle(theta_deg: float) -> float:
    """Degrees to radians, range checked in degrees."""
    if not 0.0 <= theta_deg <= 90.0:
        raise InvalidInputError(
            f"--theta-deg must lie in [0, 90], got {theta_deg:g}: it is the angle between probe and teacher in degrees."
        )
    return math.radians(theta_deg)


def rule(selection: str, option: str = "--selection") -> FractionRule:
    """Selection from its name or from band:Q, given as the value of `option`."""
    if selection.startswith("band:"):
        try:
            lower = float(selection.removeprefix("band:"))
        except ValueError:
            raise InvalidInputError(
                f"{option} band:Q needs a number Q, got {selection!r}: for example band:0.1."
            ) from None
        return Band(lower)
    if selection not in NAMED_RULES:
        raise InvalidInputError(
            f"unknown {option} {selection!r}: use {', '.join(NAMED_RULES)}, or band:Q with a quantile Q of |z|."
        )
    return NAMED_RULES[selection]


def trained(student: str, lam: str | None, flip: float) -> tuple[str | ConvexLoss, Labels]:
    """Student and labels from their options."""
    labels = Labels(flip)
    if student not in LOSSES:
        if lam is not None:
            raise InvalidInputError(
                f"--lam belongs to a convex loss ({', '.join(LOSSES)}), got {lam} for student {student!r}: leave it "
                "out, or name a loss."
            )
        return student, labels
    if lam is None:
        raise InvalidInputError(
            f"--lam is required for the {student} loss: the penalty is lam N / 2 |w|^2; 0 for a vanishing one, "
            "or 'optimal'."
        )
    if lam == "optimal":
        return ConvexLoss(cast(Loss, student), lam), labels
    try:
        strength = float(lam)
    except ValueError:
        raise InvalidInputError(f"--lam must be a number >= 0 or 'optimal', got {lam!r}.") from None
    return ConvexLoss(cast(Loss, student), strength), labels


def finite(n: int, alpha_prune: float, f: float, theta: float, selection: FractionRule) -> FiniteProblem:
    """One problem at one size, of which a trial fits into memory."""
    size = whole_number("--n", n, 2, "it is the number of inputs, which is the number of parameters")
    problem = Problem.of(alpha_prune, f, theta, selection)
    if not alpha_prune * size * size <= MAX_NUMBERS:
        raise InvalidInputError(
            f"alpha_prune * n * n must be at most {MAX_NUMBERS:g}, got {alpha_prune:g} for --n {size:g}: it is how "
            "many numbers a trial holds; take a smaller --n or --alpha-prune."
        )
    return FiniteProblem.of(problem, size)


def trial_count(trials: int, least: int, meaning: str) -> int:
    """Number of trials, at least `least`."""
    number = whole_number("--trials", trials, least, meaning)
    if number > MAX_TRIALS:
        raise InvalidInputError(
            f"--trials must be at most {MAX_TRIALS}, got {number}: standard errors are tiny by then."
        )
    return number


def process_count(workers: int | None) -> int | None:
    """Number of processes, None for one per core."""
    return None if workers is None else whole_number("--workers", workers, 1, "it is a number of processes")
