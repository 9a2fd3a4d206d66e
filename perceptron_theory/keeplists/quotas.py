"""How many examples are kept, and how many of each class at least: whole numbers only, no example is looked at."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.validation import check_plain, kept_fraction, number_array, one_number, whole_number

IntArray = npt.NDArray[np.int64]


def kept_count(n: int, f: float) -> int:
    """Number of examples kept: f n, rounded to the nearest whole number (half to even), at least 1.

    Parameters
    ----------
    n : int
        Number of examples, >= 1.
    f : float
        Fraction to keep, in (0, 1]. A whole 1 means what 1.0 means: all of them.

    Returns
    -------
    int
        In [1, n].

    Raises
    ------
    InvalidInputError
        If `n` or `f` lies outside its range.

    Examples
    --------
    >>> kept_count(1000, 0.3), kept_count(1000, 1), kept_count(10, 0.001)
    (300, 1000, 1)
    """
    size = whole_number("n", n, 1, "it is the number of examples")
    return max(1, round(one_number("f", kept_fraction("f", f)) * size))


def staying_count(n: int, kept: int, random_share: float) -> int:
    """Of `kept` examples, how many the rule keeps when a share of them is random: kept (1 - e + e kept / n), rounded.

    Parameters
    ----------
    n, kept : int
        Number of examples, and how many of them are kept; 1 <= kept <= n.
    random_share : float
        e, in [0, 1].

    Returns
    -------
    int
        In [0, kept].

    Notes
    -----
    An example then has k = (1 - e) [rule keeps it] + e f: Ayed and Hayou, arXiv:2302.06960.

    Examples
    --------
    >>> staying_count(1000, 200, 0.5)
    120
    """
    return round(kept * (1.0 - random_share + random_share * kept / n))


def class_floors(sizes: npt.ArrayLike, kept: int, share: float = 0.5) -> IntArray:
    """Examples that each class keeps whatever their scores: a share of the equal share, never more than it has.

    Of the `kept` examples, floor(share kept) are divided equally over the classes. What a small class cannot take
    goes to the others, and what is left of an equal division, one each, to the first classes that have more. So no
    floor falls when `kept` rises, and one rises at most.

    Parameters
    ----------
    sizes : array_like of int, shape (n_classes,)
        Examples in each class, >= 0.
    kept : int
        Examples kept in all, in [0, sum of sizes].
    share : float
        In [0, 1]: 0 for no floors, 1 for classes as equal as their sizes allow.

    Returns
    -------
    ndarray of int64, shape (n_classes,)

    Raises
    ------
    InvalidInputError
        If an argument lies outside its range.

    Notes
    -----
    Half of the equal share is the floor that Sorscher et al. (NeurIPS 2022, arXiv:2206.14486) put under classes.

    Examples
    --------
    >>> class_floors([100, 100, 3], kept=60).tolist()
    [14, 13, 3]
    """
    n = _class_sizes(sizes)
    k = whole_number("kept", kept, 0, "it is the number of examples kept in all")
    if k > n.sum():
        raise InvalidInputError(f"kept must be at most the {n.sum()} examples there are, got {k}: keep fewer.")
    total = math.floor(_exact(floor_share(share)) * k)
    level = _water_level(n, total)
    floors = np.minimum(n, level)
    able = np.flatnonzero(n > level)
    floors[able[: total - int(floors.sum())]] += 1
    return floors


def floor_share(share: float) -> float:
    """`share` as a number in [0, 1].

    Raises
    ------
    InvalidInputError
        If it is not.

    Examples
    --------
    >>> floor_share(0.5)
    0.5
    """
    meaning = "it is the share of k / (number of classes) that each class keeps at least"
    value = one_number("class_floor", number_array("class_floor", share, meaning))
    if not 0.0 <= value <= 1.0:
        raise InvalidInputError(f"class_floor must lie in [0, 1], got {value:g}: {meaning}.")
    return value


def _class_sizes(sizes: npt.ArrayLike) -> IntArray:
    """Sizes as a vector of whole numbers."""
    check_plain("sizes", sizes)
    n = np.asarray(sizes)
    if n.ndim != 1 or n.size == 0 or n.dtype.kind not in "iu" or n.min() < 0:
        raise InvalidInputError(f"sizes must be a vector of whole numbers >= 0, got {sizes!r}: count each class.")
    return n.astype(np.int64)


def _exact(share: float) -> Fraction:
    """The number as it is written: 0.29 of 100 is 29, which floating point would round down to 28."""
    return Fraction(repr(share))


def _water_level(sizes: IntArray, total: int) -> int:
    """Largest whole number that, as a floor for all, asks for at most `total` examples; at most the largest class."""
    ascending = np.sort(sizes)
    # Examples asked for when the floor is the size of the i-th smallest class.
    asked = np.cumsum(ascending) + ascending * np.arange(sizes.size - 1, -1, -1)
    full = int(np.searchsorted(asked, total, side="right"))
    if full == sizes.size:
        return int(ascending[-1])
    return int(total - ascending[:full].sum()) // (sizes.size - full)
