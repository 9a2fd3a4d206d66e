"""What gathers at the ends of a set of scores: sentinels, pile-ups, and the rounding of float16."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

#: More examples than this share of all at one end are a pile-up.
PILE_UP_SHARE = 0.01
#: Fewer levels than this can lie on the grid of float16 by chance: 0, 0.25, ..., 1.
_FLOAT16_LEVELS = 100


@dataclass(frozen=True)
class Sentinel:
    """A score that stands for something else, such as 200 for "never learned" (forgetting scores).

    Attributes
    ----------
    value : float
        The score.
    count : int
        Examples that have it.
    share : float
        Their fraction of all.
    next_value : float
        The score nearest to it.
    """

    value: float
    count: int
    share: float
    next_value: float

    def __str__(self) -> str:
        return f"{self.value:g}: {self.count:,} examples ({self.share:.2%}), next score {self.next_value:g}"


@dataclass(frozen=True)
class PileUp:
    """More than 1 % of the examples at one end of the scores, sentinels apart.

    Attributes
    ----------
    value : float
        Lowest or highest score.
    count : int
        Examples that have it.
    share : float
        Their fraction of all.
    end : {"lowest", "highest"}
        Which end.
    """

    value: float
    count: int
    share: float
    end: Literal["lowest", "highest"]

    def __str__(self) -> str:
        return f"{self.end} score {self.value:g}: {self.count:,} examples ({self.share:.1%})"


def find_sentinels(distinct: FloatArray, counts: npt.NDArray[np.int64]) -> tuple[tuple[Sentinel, ...], slice]:
    """Scores at an end that are far from all others and shared by many.

    A rule of this package: ten examples or more have it (one in a hundred, at least two, of less than
    a thousand), and the gap to the next score is as wide as all other scores together and more than
    twice as wide as any gap among them. The second half keeps scores of few levels, 0, 1/2, 1, from
    counting. Repeated until none is left, for files with one at either end.

    Parameters
    ----------
    distinct : ndarray
        Scores, ascending, each once.
    counts : ndarray of int
        Examples that have each.

    Returns
    -------
    sentinels : tuple of Sentinel
        Lowest first.
    rest : slice
        Where the other scores lie in `distinct`.

    Examples
    --------
    >>> sentinels, rest = find_sentinels(np.array([0.0, 1, 2, 3, 200]), np.array([500, 300, 100, 60, 40]))
    >>> print(sentinels[0], "| rest:", rest.start, rest.stop)
    200: 40 examples (4.00%), next score 3 | rest: 0 4
    """
    n = int(counts.sum())
    many = max(2, min(10, n // 100))
    first, last = 0, distinct.size
    low: list[Sentinel] = []
    high: list[Sentinel] = []
    while last - first > 2:
        if counts[last - 1] >= many and _stands_apart(distinct[first:last]):
            last -= 1
            high.insert(0, _sentinel(distinct, counts, last, last - 1))
        elif counts[first] >= many and _stands_apart(-distinct[first:last][::-1]):
            first += 1
            low.append(_sentinel(distinct, counts, first - 1, first))
        else:
            break
    return (*low, *high), slice(first, last)


def _stands_apart(ascending: FloatArray) -> bool:
    """Whether the last of at least three ascending numbers is far from the others."""
    rest = ascending[:-1]
    # Halved, so that scores of both signs near the largest float do not overflow.
    gap = 0.5 * ascending[-1] - 0.5 * rest[-1]
    return bool(gap >= 0.5 * rest[-1] - 0.5 * rest[0] and gap > 2.0 * np.diff(0.5 * rest).max())


def _sentinel(distinct: FloatArray, counts: npt.NDArray[np.int64], at: int, beside: int) -> Sentinel:
    count = int(counts[at])
    return Sentinel(float(distinct[at]), count, count / int(counts.sum()), float(distinct[beside]))


def find_pile_ups(distinct: FloatArray, counts: npt.NDArray[np.int64], n: int) -> tuple[PileUp, ...]:
    """Ends of the scores that more than 1 % of n examples share.

    Examples
    --------
    >>> for pile_up in find_pile_ups(np.array([0.2, 0.6, 1.0]), np.array([1, 53, 46]), 100):
    ...     print(pile_up)
    highest score 1: 46 examples (46.0%)
    """
    lowest = PileUp(float(distinct[0]), int(counts[0]), float(counts[0] / n), "lowest")
    highest = PileUp(float(distinct[-1]), int(counts[-1]), float(counts[-1] / n), "highest")
    return tuple(end for end in (lowest, highest) if end.share > PILE_UP_SHARE and end.count > 1)


def is_float16(distinct: FloatArray) -> bool:
    """Whether scores were rounded to float16 (11 bits): near 1, what differs by less than 0.0005 is tied.

    True if every score is a float16 exactly, at least a hundred differ, and some are not whole.

    Examples
    --------
    >>> grid = np.linspace(0.0, 1.0, 1000)
    >>> is_float16(grid), is_float16(np.unique(grid.astype(np.float16)).astype(float))
    (False, True)
    """
    if distinct.size < _FLOAT16_LEVELS or np.abs(distinct).max() > np.finfo(np.float16).max:
        return False
    with np.errstate(under="ignore"):  # the smallest become 0 in float16, and are seen to differ
        exact = distinct.astype(np.float16).astype(np.float64) == distinct
    return bool(exact.all() and (distinct != np.round(distinct)).any())
