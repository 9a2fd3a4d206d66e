"""What can go wrong, by name. Every message says what is wrong, the value, and what to do next."""


class PerceptronTheoryError(Exception):
    """Base class of all errors raised on purpose by this package."""


class InvalidInputError(PerceptronTheoryError, ValueError):
    """An argument lies outside its range, or arguments contradict each other.

    Examples
    --------
    >>> import perceptron_theory as pt
    >>> try:
    ...     pt.solve(3.0, f=1.5)
    ... except pt.InvalidInputError as error:
    ...     print(error)
    f must lie in (0, 1], got 1.5: f is the fraction of examples kept after pruning.
    """


class ScoreError(InvalidInputError):
    """A score file cannot be read, or its scores cannot be used.

    Examples
    --------
    >>> import perceptron_theory as pt
    >>> try:
    ...     pt.Scores([0.1, float("nan")], "harder")
    ... except pt.ScoreError as error:
    ...     print(error)
    scores must be finite, got nan at index 1 (1 of 2 are not) in scores: remove or impute these examples.
    """


class OutputError(PerceptronTheoryError, OSError):
    """Results cannot be written where they were asked for."""


class KeepListError(PerceptronTheoryError):
    """The files of a keep-list are not whole, were changed, or do not belong together."""
