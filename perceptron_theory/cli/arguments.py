"""Command-line values as the library wants them."""

from __future__ import annotations

import math

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.margins.selection import NAMED_RULES, Band, FractionRule


def angle(theta_deg: float) -> float:
    """Degrees to radians, range checked in degrees."""
    if not 0.0 <= theta_deg <= 90.0:
        raise InvalidInputError(
            f"--theta-deg must lie in [0, 90], got {theta_deg:g}: it is the angle between probe and teacher in degrees."
        )
    return math.radians(theta_deg)


def rule(selection: str) -> FractionRule:
    """Selection from its name or from band:Q."""
    if selection.startswith("band:"):
        try:
            lower = float(selection.removeprefix("band:"))
        except ValueError:
            raise InvalidInputError(
                f"--selection band:Q needs a number Q, got {selection!r}: for example band:0.1."
            ) from None
        return Band(lower)
    if selection not in NAMED_RULES:
        raise InvalidInputError(
            f"unknown --selection {selection!r}: use {', '.join(NAMED_RULES)}, or band:Q with a quantile Q of |z|."
        )
    return NAMED_RULES[selection]
