"""The kept part of a torch data set: filtered in the loader, so that no data are written again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.extras import require
from perceptron_theory.validation import whole_number

require("torch", "subsets and samplers are torch's")

from torch.utils.data import Dataset, Sampler, Subset  # noqa: E402

IntArray = npt.NDArray[np.int64]


def subset(dataset: Dataset[Any], indices: IntArray, n: int) -> Subset[Any]:
    """The examples of `dataset` at `indices`.

    Parameters
    ----------
    dataset : torch.utils.data.Dataset
        Map-style, in the order of the scores.
    indices : ndarray of int64
        Positions to keep.
    n : int
        Length that the data set must have.

    Raises
    ------
    InvalidInputError
        If it has another length, or none.

    Examples
    --------
    >>> import numpy as np, torch
    >>> data = torch.utils.data.TensorDataset(torch.arange(5))
    >>> [int(x) for (x,) in subset(data, np.array([1, 4]), n=5)]
    [1, 4]
    """
    try:
        length = len(dataset)  # type: ignore[arg-type]
    except TypeError:
        raise InvalidInputError(
            f"the data set must be map-style, got a {type(dataset).__name__} without a length: filter a stream by the "
            "ids of the keep-list."
        ) from None
    if length != n:
        raise InvalidInputError(
            f"the data set must hold the {n} examples that were scored, got {length}: pass the data set before "
            "pruning, in the order of the scores."
        )
    return Subset(dataset, indices.tolist())


class KeptSampler(Sampler[int]):
    """Positions of the kept examples, in a new order every epoch.

    For a DataLoader on the whole data set. Across processes use torch's DistributedSampler on a subset instead.

    Parameters
    ----------
    indices : ndarray of int64
        Positions to keep.
    seed : int
        Of the orders, >= 0.
    shuffle : bool
        False: in the order of `indices`, every epoch.

    Examples
    --------
    >>> import numpy as np
    >>> sampler = KeptSampler(np.array([1, 4, 5, 9]), seed=0)
    >>> first = list(sampler)
    >>> sampler.set_epoch(1)
    >>> sorted(sampler) == sorted(first), list(sampler) == first
    (True, False)
    """

    def __init__(self, indices: IntArray, seed: int = 0, shuffle: bool = True) -> None:
        self._indices = indices
        self._seed = seed
        self._shuffle = shuffle
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the order: call it before each epoch, as for a DistributedSampler.

        Parameters
        ----------
        epoch : int
            >= 0. The same epoch gives the same order.

        Raises
        ------
        InvalidInputError
            If it is no such number.
        """
        self._epoch = whole_number("epoch", epoch, 0, "it chooses the order of the examples")

    def __iter__(self) -> Iterator[int]:
        if not self._shuffle:
            return iter(self._indices.tolist())
        return iter(np.random.default_rng([self._seed, self._epoch]).permutation(self._indices).tolist())

    def __len__(self) -> int:
        return int(self._indices.size)
