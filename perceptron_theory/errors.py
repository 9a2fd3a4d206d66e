"""What can go wrong, by name. Every message says what is wrong, the value, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perceptron_theory.solution import Solution


class PerceptronTheoryError(Exception):
    """Base class of all errors raised on purpose by this package."""


class InvalidInputError(PerceptronTheoryError, ValueError):
    """An argument lies outside its range, or arguments contradict each other."""


class ScoreError(InvalidInputError):
    """A score file cannot be read, or its scores cannot be used."""


class OutputError(PerceptronTheoryError, OSError):
    """Results cannot be written where they were asked for."""


class ConvergenceError(PerceptronTheoryError, ArithmeticError):
    """A point did not pass its certificate; carries the failed result.

    Attributes
    ----------
    solution : Solution
        The result with its residual, quadrature error and status.
    """

    def __init__(self, message: str, solution: Solution) -> None:
        super().__init__(message)
        self.solution = solution
