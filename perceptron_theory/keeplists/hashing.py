"""A number for every example that depends on its id alone: ties and random subsets come out alike everywhere."""

from __future__ import annotations

from numbers import Integral

import numpy as np
import numpy.typing as npt
from pandas.util import hash_array

from perceptron_theory.errors import InvalidInputError, ScoreError

UIntArray = npt.NDArray[np.uint64]


def hash_ids(ids: npt.NDArray[np.generic], seed: int = 0) -> UIntArray:
    """64 bits per id, the same on every machine and in every chunk of a table.

    Parameters
    ----------
    ids : ndarray of int64, or of str as objects
        Names of the examples, or their positions.
    seed : int
        In [0, 2^63); another seed gives numbers that have nothing to do with the first.

    Returns
    -------
    ndarray of uint64, same shape

    Raises
    ------
    InvalidInputError
        If the seed is not a whole number in its range.
    ScoreError
        If an id is not text that can be written as UTF-8.

    Examples
    --------
    >>> import numpy as np
    >>> bool((hash_ids(np.arange(3)) == hash_ids(np.arange(5))[:3]).all())
    True
    """
    if isinstance(seed, bool) or not isinstance(seed, Integral) or not 0 <= seed < 2**63:
        raise InvalidInputError(f"seed must be a whole number in [0, 2^63), got {seed!r}: it names a random order.")
    try:
        first = hash_array(np.asarray(ids), categorize=False)
    except UnicodeEncodeError as error:
        raise ScoreError(f"ids must be valid text, got {error.object!r}: it cannot be written as UTF-8.") from None
    return hash_array(first ^ hash_array(np.array([seed], dtype=np.uint64)), categorize=False)
