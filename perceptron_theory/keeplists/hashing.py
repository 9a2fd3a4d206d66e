"""A number for every example that depends on its id alone: ties and random subsets come out alike everywhere."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pandas.util import hash_array

UIntArray = npt.NDArray[np.uint64]


def hash_ids(ids: npt.NDArray[np.generic], seed: int = 0) -> UIntArray:
    """64 bits per id, the same on every machine and in every chunk of a table.

    Parameters
    ----------
    ids : ndarray of int64, or of str as objects
        Names of the examples, or their positions.
    seed : int
        >= 0; another seed gives numbers that have nothing to do with the first.

    Returns
    -------
    ndarray of uint64, same shape

    Examples
    --------
    >>> import numpy as np
    >>> bool((hash_ids(np.arange(3)) == hash_ids(np.arange(5))[:3]).all())
    True
    """
    first = hash_array(np.asarray(ids), categorize=False)
    return hash_array(first ^ hash_array(np.array([seed], dtype=np.uint64)), categorize=False)
