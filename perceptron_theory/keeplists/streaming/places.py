"""Places in an order of examples, and what one reading of a table says about a bracket of places.

Counts and samples of pieces of a table add up to those of the table, in any order and wherever they were taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
UIntArray = npt.NDArray[np.uint64]
BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]
Chosen = IntArray | Codes | BoolArray | slice

_SIGN = np.uint64(1 << 63)


def sortable(values: FloatArray) -> UIntArray:
    """Whole numbers in the order of finite numbers; -0 and 0 share one.

    Parameters
    ----------
    values : ndarray of float64

    Returns
    -------
    ndarray of uint64, same shape

    Examples
    --------
    >>> import numpy as np
    >>> keys = sortable(np.array([-2.0, -0.0, 0.0, 1e-300, 3.0]))
    >>> np.argsort(keys, kind="stable").tolist(), bool(keys[1] == keys[2])
    ([0, 1, 2, 3, 4], True)
    """
    bits = (values + 0.0).view(np.uint64)  # -0.0 + 0.0 is 0.0
    return np.where(bits & _SIGN, ~bits, bits | _SIGN)


def from_sortable(key: np.uint64) -> float:
    """The number of a key.

    Examples
    --------
    >>> import numpy as np
    >>> from_sortable(sortable(np.array([-2.5]))[0])
    -2.5
    """
    bits = np.array(key ^ _SIGN if key & _SIGN else ~key, dtype=np.uint64)
    return float(bits.view(np.float64))


@dataclass(frozen=True)
class Places:
    """Places in an order: by key, then by tie breaker, then by row, all ascending.

    Attributes
    ----------
    key, tie : ndarray of uint64, shape (n,)
    row : ndarray of uint64, shape (n,)
        Row number + 1, so that no example lies at place (0, 0, 0).

    Examples
    --------
    >>> import numpy as np
    >>> one = Places(*np.array([[5], [1], [2]], dtype=np.uint64))
    >>> bool(one.later_than(Places.first(1))[0]), bool(one.later_than(Places.last(1))[0])
    (True, False)
    """

    key: UIntArray
    tie: UIntArray
    row: UIntArray

    @classmethod
    def first(cls, n: int) -> Places:
        """`n` times the place before all examples."""
        return cls(*np.zeros((3, n), dtype=np.uint64))

    @classmethod
    def last(cls, n: int) -> Places:
        """`n` times the place after all examples."""
        return cls(*np.full((3, n), np.iinfo(np.uint64).max))

    @classmethod
    def joined(cls, parts: Sequence[Places]) -> Places:
        """One after the other."""
        return cls(*(np.concatenate(words) for words in zip(*(part.words for part in parts), strict=True)))

    @property
    def words(self) -> tuple[UIntArray, UIntArray, UIntArray]:
        """Key, tie breaker and row."""
        return self.key, self.tie, self.row

    @property
    def size(self) -> int:
        """Number of places."""
        return int(self.key.size)

    def __getitem__(self, chosen: Chosen) -> Places:
        return Places(*(word[chosen] for word in self.words))

    def later_than(self, other: Places) -> BoolArray:
        """Which of these places come after those of `other`, one by one or all after one."""
        later: BoolArray = self.row > other.row
        for mine, its in ((self.tie, other.tie), (self.key, other.key)):
            later = (mine > its) | ((mine == its) & later)
        return later

    def where(self, chosen: BoolArray, other: Places) -> Places:
        """These places where `chosen`, those of `other` elsewhere."""
        return Places(*(np.where(chosen, mine, its) for mine, its in zip(self.words, other.words, strict=True)))

    def ordered(self) -> IntArray:
        """Indices that put them in order."""
        order = np.argsort(self.key)  # several times faster than a sort by three keys
        key = self.key[order]
        same = key[1:] == key[:-1]
        tied = np.zeros(self.size, dtype=bool)
        tied[1:] |= same
        tied[:-1] |= same
        among = order[tied]
        order[tied] = among[np.lexsort((self.row[among], self.tie[among], self.key[among]))]
        return order


@dataclass(frozen=True)
class Tally:
    """What a reading says about the brackets of each class: after `low`, up to and with `high`.

    Attributes
    ----------
    below, inside : ndarray of int64, shape (C,)
        Examples up to the low end, and inside.
    codes : ndarray of int32, shape (drawn,)
        Classes of the sample.
    sample : Places
        Those of the examples inside that were drawn.
    """

    below: IntArray
    inside: IntArray
    codes: Codes
    sample: Places

    @classmethod
    def total(cls, parts: Sequence[Tally]) -> Tally:
        """Of all pieces, in any order."""
        return cls(
            np.sum([part.below for part in parts], axis=0),
            np.sum([part.inside for part in parts], axis=0),
            np.concatenate([part.codes for part in parts]),
            Places.joined([part.sample for part in parts]),
        )
