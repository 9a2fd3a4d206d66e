"""Ties where a rule stops keeping: how many examples share the score, and how many of them were kept."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


class Threshold(NamedTuple):
    """The score at which a rule stops keeping.

    Attributes
    ----------
    score : float
        The last score that the rule keeps.
    tied : int
        Examples of this score.
    kept : int
        How many of them are kept.
    """

    score: float
    tied: int
    kept: int


def thresholds(values: FloatArray, by_rule: BoolArray, kept: BoolArray) -> tuple[Threshold, ...]:
    """Scores that border on what the rule drops, or are dropped in part; ascending.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Scores.
    by_rule : ndarray of bool, shape (n,)
        What the rule keeps.
    kept : ndarray of bool, shape (n,)
        What is kept in the end.

    Returns
    -------
    tuple of Threshold
        Empty if the rule keeps all or nothing.

    Examples
    --------
    >>> import numpy as np
    >>> kept = np.array([False, True, True, False])
    >>> thresholds(np.array([0.1, 0.9, 0.5, 0.5]), kept, kept)
    (Threshold(score=0.5, tied=2, kept=1),)
    """
    score, group, tied = np.unique(values, return_inverse=True, return_counts=True)
    in_rule = np.bincount(group, by_rule, minlength=score.size)
    in_part = (in_rule > 0) & (in_rule < tied)
    whole, none = in_rule == tied, in_rule == 0
    beside = np.zeros(score.size, dtype=bool)
    beside[1:] |= whole[1:] & none[:-1]
    beside[:-1] |= whole[:-1] & none[1:]
    in_the_end = np.bincount(group, kept, minlength=score.size)
    return tuple(Threshold(float(score[i]), int(tied[i]), int(in_the_end[i])) for i in np.flatnonzero(in_part | beside))
