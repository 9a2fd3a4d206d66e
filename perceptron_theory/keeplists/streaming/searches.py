"""The k-th example of an order, found by reading its table a few times; nothing is sorted but a sample.

A search brackets the example between two places. A reading counts exactly the examples below and inside the bracket
and draws some of those inside; they narrow the bracket, to five standard deviations on either side of where they put
the example. Once a bracket holds few examples all of them are drawn, and the answer is exact. A bracket that missed is
seen by its counts and opened again: chance decides how often the table is read, never what is found.

After R. W. Floyd and R. L. Rivest, "Expected time bounds for selection", Communications of the ACM 18, 165 (1975).
Exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np

from perceptron_theory.keeplists.streaming.places import BoolArray, Codes, FloatArray, IntArray, Places, Tally

#: Examples drawn by a reading, 28 bytes each; brackets that hold fewer are sorted.
SAMPLE: Final = 2**22

_DEVIATIONS: Final = 5.0


@dataclass(frozen=True)
class Search:
    """Brackets, after `low` up to and with `high`; the answer is where they meet.

    Attributes
    ----------
    low, high : Places
        One per class, or one for all.
    expected : ndarray
        Examples that each bracket should hold.
    sizes : ndarray of int64, shape (C,)
        Examples of each class in the table.
    """

    low: Places
    high: Places
    expected: FloatArray
    sizes: IntArray

    @property
    def solved(self) -> bool:
        """Whether every bracket is closed."""
        return not self.high.later_than(self.low).any()

    def rate(self, readings: int) -> float:
        """Share of the examples inside to be drawn, after so many readings; 1 once they are few.

        Two readings are common, four are much. After more the sample grows, so that brackets close for certain.
        """
        return min(1.0, SAMPLE * 2.0 ** max(0, readings - 4) / max(1.0, float(self.expected.sum())))

    def narrowed(self, tally: Tally) -> Self:
        """The search after a reading."""
        raise NotImplementedError

    def _missed(self, before: BoolArray, below: IntArray, beyond: BoolArray, after: IntArray) -> Self:
        """Opened again: brackets that lie too high reach down to the first place, those too low up to the last."""
        C = self.low.size
        low = Places.first(C).where(before, self.high.where(beyond, self.low))
        high = self.low.where(before, Places.last(C).where(beyond, self.high))
        return replace(self, low=low, high=high, expected=np.where(before, below, np.where(beyond, after, 0.0)))


@dataclass(frozen=True)
class RankSearch(Search):
    """In each class, the example of a given rank among its own.

    Attributes
    ----------
    rank : ndarray of int64, shape (C,)
        From 0, the place before all, to the size of the class.

    Examples
    --------
    Three examples, read once:

    >>> import numpy as np
    >>> places = Places(*np.array([[30, 10, 20], [0, 0, 0], [1, 2, 3]], dtype=np.uint64))
    >>> search = RankSearch.start(rank=np.array([2]), sizes=np.array([3]))
    >>> found = search.narrowed(Tally(np.array([0]), np.array([3]), np.zeros(3, dtype=np.int32), places))
    >>> found.solved, int(found.low.key[0])
    (True, 20)
    """

    rank: IntArray

    @classmethod
    def start(cls, rank: IntArray, sizes: IntArray) -> RankSearch:
        """Nothing is known but the sizes of the classes."""
        low = Places.first(rank.size)
        return cls(low, low.where(rank == 0, Places.last(rank.size)), np.where(rank == 0, 0.0, sizes), sizes, rank)

    def narrowed(self, tally: Tally) -> Self:
        """The search after a reading."""
        rank = self.rank - tally.below
        rest = self.sizes - tally.below - tally.inside
        opened = self._missed(rank < 0, tally.below, rank > tally.inside, rest)
        low, high, expected = opened.low, opened.high.where(rank != 0, opened.low), opened.expected
        drawn = np.bincount(tally.codes, minlength=rank.size)
        by_class, ends = np.argsort(tally.codes, kind="stable"), np.cumsum(drawn)
        for c in np.flatnonzero((rank > 0) & (rank <= tally.inside)).tolist():
            sample = tally.sample[by_class[ends[c] - drawn[c] : ends[c]]]
            sample = sample[sample.ordered()]
            first, last = _ends(int(rank[c]), int(drawn[c]), int(tally.inside[c]))
            _put(low, c, sample, first)
            _put(high, c, sample, last)
            expected[c] = (last - first) * tally.inside[c] / max(drawn[c], 1)
        return replace(self, low=low, high=high, expected=expected)


def _ends(rank: int, drawn: int, inside: int) -> tuple[int, int]:
    """Indices in an ordered sample between which an example lies, -1 and `drawn` for the ends of the bracket."""
    if drawn == inside:
        return rank - 1, rank - 1
    share = rank / inside
    spread = _DEVIATIONS * math.sqrt(max(drawn * share * (1.0 - share), 1.0))
    return max(-1, int(drawn * share - spread) - 2), min(drawn, int(drawn * share + spread) + 2)


def _put(places: Places, index: int, sample: Places, at: int) -> None:
    """Move one place to an example of the sample, if there is such."""
    if 0 <= at < sample.size:
        for word, values in zip(places.words, sample.words, strict=True):
            word[index] = values[at]


@dataclass(frozen=True)
class CommonSearch(Search):
    """The place up to which all classes together keep a number of examples, where each keeps its floor at least.

    The sum over classes of max(floor_c, examples of class c up to the place) is to be `kept`.

    Attributes
    ----------
    floors : ndarray of int64, shape (C,)
        At most the size of each class.
    kept : int
        From the sum of the floors to the number of examples.

    Examples
    --------
    Of classes 0 and 1, where the latter keeps one at least; the examples come in the order 0, 0, 1, 0:

    >>> import numpy as np
    >>> places = Places(*np.array([[1, 2, 3, 4], [0, 0, 0, 0], [1, 2, 3, 4]], dtype=np.uint64))
    >>> search = CommonSearch.start(np.array([0, 1]), kept=2, sizes=np.array([3, 1]))
    >>> reading = Tally(np.array([0, 0]), np.array([3, 1]), np.array([0, 0, 1, 0], dtype=np.int32), places)
    >>> int(search.narrowed(reading).low.key[0])
    1
    """

    floors: IntArray
    kept: int

    @classmethod
    def start(cls, floors: IntArray, kept: int, sizes: IntArray) -> CommonSearch:
        """Nothing is known but the sizes of the classes."""
        high = Places.first(1) if kept == floors.sum() else Places.last(1)
        return cls(Places.first(1), high, np.array([float(sizes.sum())]), sizes, floors, kept)

    def narrowed(self, tally: Tally) -> Self:
        """The search after a reading."""
        at_low = int(np.maximum(self.floors, tally.below).sum())
        at_high = int(np.maximum(self.floors, tally.below + tally.inside).sum())
        below, inside = tally.below.sum(keepdims=True), tally.inside.sum(keepdims=True)
        before, beyond = np.array([self.kept < at_low]), np.array([self.kept > at_high])
        opened = self._missed(before, below, beyond, self.sizes.sum() - below - inside)
        if before or beyond:
            return opened
        if self.kept == at_low:
            return replace(opened, high=opened.low)
        order = tally.sample.ordered()
        sample, codes = tally.sample[order], tally.codes[order]
        drawn = np.bincount(codes, minlength=self.sizes.size)
        weights = tally.inside / np.maximum(drawn, 1)
        kept = at_low + np.cumsum(self._gains(tally.below, codes, drawn, weights))
        spread = self._spread(tally, drawn, weights)
        last = int(np.searchsorted(kept, self.kept + spread))
        first = last if spread == 0.0 else int(np.searchsorted(kept, self.kept - spread, side="right")) - 1
        _put(opened.low, 0, sample, first)
        _put(opened.high, 0, sample, last)
        expected = weights[codes[max(first, 0) : last + 1]].sum(keepdims=True)
        return replace(opened, expected=expected)

    def _gains(self, below: IntArray, codes: Codes, drawn: IntArray, weights: FloatArray) -> FloatArray:
        """What each example of the ordered sample adds to the number kept: nothing, within the floor of its class."""
        by_class = np.argsort(codes, kind="stable")
        before = np.empty(codes.size)
        before[by_class] = np.arange(codes.size) - (np.cumsum(drawn) - drawn)[codes[by_class]]
        up_to = below[codes] + weights[codes] * before
        floors = self.floors[codes]
        return np.asarray(np.maximum(floors, up_to + weights[codes]) - np.maximum(floors, up_to))

    def _spread(self, tally: Tally, drawn: IntArray, weights: FloatArray) -> float:
        """How far the numbers kept, estimated from a sample, may be off; 0 if it is no sample but all."""
        if (drawn == tally.inside).all():
            return 0.0
        errors = 0.5 * weights * np.sqrt(drawn)  # at most, where half of the class is below
        # Noise lifts the larger of two numbers that are close: by 0.4 standard deviations at most.
        near = (tally.below < self.floors) & (self.floors < tally.below + tally.inside)
        return float(_DEVIATIONS * np.sqrt(np.sum(errors**2)) + 0.4 * errors[near].sum() + 2.0 * weights.max())
