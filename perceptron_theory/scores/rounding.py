"""Whole numbers that float64 would round: two scores that differ would become tied."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perceptron_theory.errors import ScoreError

#: float64 holds every whole number up to this one, and not the next.
LARGEST_WHOLE: Final = 2**53


def score_array(given: npt.ArrayLike, source: str) -> npt.NDArray[Any]:
    """Scores as an array of the type that numpy gives them, none of them rounded by it.

    Raises
    ------
    ScoreError
        If one is a whole number beyond 2^53, be it in a list beside fractions.
    ValueError
        If they are ragged.

    Examples
    --------
    >>> score_array([0.5, 2**53], "a list").tolist()
    [0.5, 9007199254740992.0]
    """
    values = np.asarray(given)
    if values.dtype.kind in "iu" and values.size:
        check_whole([int(values.min()), int(values.max())], source)
    elif isinstance(given, list | tuple) and values.dtype.kind in "fO":
        # numpy makes floats of whole numbers beside fractions, and objects of those beyond 2^64.
        check_whole((int(value) for value in given if isinstance(value, Integral)), source)
    return values


def check_whole(numbers: Iterable[int], source: str) -> None:
    """Refuse whole numbers beyond 2^53.

    Raises
    ------
    ScoreError
        If there is one.
    """
    for number in numbers:
        if abs(number) > LARGEST_WHOLE:
            shown = number if abs(number) < 2**64 else "one with more digits than int64 holds"
            raise ScoreError(
                f"integer scores beyond 2^53 would be rounded into ties, got {shown} in {source}: rescale them."
            )
