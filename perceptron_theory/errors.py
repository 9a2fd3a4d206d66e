"""What can go wrong, by name. Every message says what is wrong, the value, and what to do next."""


class PerceptronTheoryError(Exception):
    """Base class of all errors raised on purpose by this package."""


class InvalidInputError(PerceptronTheoryError, ValueError):
    """An argument lies outside its range, or arguments contradict each other."""


class ScoreError(InvalidInputError):
    """A score file cannot be read, or its scores cannot be used."""


class OutputError(PerceptronTheoryError, OSError):
    """Results cannot be written where they were asked for."""
