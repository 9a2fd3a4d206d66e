"""Names of examples and of classes: ids and labels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from perceptron_theory.errors import ScoreError
from perceptron_theory.validation import check_plain

NameArray = npt.NDArray[np.generic]


def name_array(what: str, given: npt.ArrayLike, n: int, source: str) -> NameArray:
    """Ids or labels as int64, or as an object array of str; read-only.

    Parameters
    ----------
    what : {"ids", "labels"}
        What they are called in messages.
    given : array_like
        Integers or strings.
    n : int
        How many there must be.
    source : str
        Where they come from, for messages.

    Raises
    ------
    ScoreError
        If their number is wrong, or they are neither all integers nor all strings.

    Examples
    --------
    >>> name_array("ids", ["a", "b"], 2, "list").tolist()
    ['a', 'b']
    """
    check_plain(f"vector of {what} in {source}", given, ScoreError)
    try:
        names = np.asarray(given)
    except ValueError:
        raise ScoreError(f"{what} must be a vector, got a ragged list in {source}: one per score.") from None
    if names.shape != (n,):
        raise ScoreError(f"{what} must be a vector of length {n}, got shape {names.shape} in {source}: one per score.")
    kind = names.dtype.kind
    if kind == "u" and names.dtype.itemsize == 8 and int(names.max()) > np.iinfo(np.int64).max:
        raise ScoreError(f"{what} must be below 2^63, got {names.max()} in {source}: write them as strings.")
    if kind in "iu":
        names = names.astype(np.int64)
    elif kind in "UT" or (kind == "O" and pd.api.types.infer_dtype(names, skipna=False) == "string"):
        names = names.astype(object)
    else:
        mixed = sorted({type(name).__name__ for name in names.tolist()})
        raise ScoreError(
            f"{what} must be all integers or all strings, got {' and '.join(mixed)} in {source}: convert them to one."
        )
    names.setflags(write=False)
    return names


def check_unique(ids: NameArray, source: str) -> None:
    """Refuse ids that occur twice."""
    repeated = pd.Index(ids, dtype=ids.dtype).duplicated()
    if repeated.any():
        twice = ids[repeated]
        raise ScoreError(
            f"ids must all be different, got {twice.tolist()[0]!r} twice ({twice.size} repeat an earlier one) in "
            f"{source}: merge or drop the repeated examples."
        )
