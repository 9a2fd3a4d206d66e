"""How much the prototype metric depends on its number of prototypes, beside how much it depends on chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from scipy.stats import spearmanr

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.metrics.embeddings import Embeddings
from perceptron_theory.metrics.prototypes import prototype_distance
from perceptron_theory.progress import track
from perceptron_theory.validation import whole_number


class RobustnessInK(NamedTuple):
    """Rank correlations of prototype scores with those at a reference k.

    Attributes
    ----------
    k : ndarray of int64, shape (K,)
        Numbers of prototypes.
    k_reference : int
        The number they are compared with.
    spearman : ndarray, shape (K, seeds)
        Spearman's coefficient with the reference, one column per seed; in [-1, 1]. The reference has a seed of its
        own, so that the row of k = k_reference shows what the seed alone does.
    """

    k: npt.NDArray[np.int64]
    k_reference: int
    spearman: npt.NDArray[np.float64]


def robustness_in_k(
    embeddings: Embeddings,
    k: Sequence[int],
    k_reference: int,
    *,
    seeds: int = 3,
    device: str | torch.device | None = None,
    progress: bool = False,
) -> RobustnessInK:
    """Spearman correlation of the prototype scores at each k with those at a reference k.

    Parameters
    ----------
    embeddings : Tensor or ndarray, shape (n, d)
        As for `prototype_distance`; n >= 3.
    k : sequence of int
        Numbers of prototypes.
    k_reference : int
        Number of prototypes to compare with.
    seeds : int
        >= 1. Each k is fitted with seeds 1 ... `seeds`; the reference with seed 0.
    device : str or torch.device, optional
        Where to compute. Default: where a tensor is; the CPU for an array.
    progress : bool
        Show progress bars on what takes longer than two seconds.

    Returns
    -------
    RobustnessInK
        A correlation for each k and seed.

    Raises
    ------
    InvalidInputError
        If a number lies outside its range, or embeddings are not usable.

    Notes
    -----
    Sorscher et al. 2022, arXiv:2206.14486, appendix E, look at the error after pruning; this looks at the scores.

    Examples
    --------
    >>> import torch
    >>> points = torch.randn(200, 3, generator=torch.Generator().manual_seed(0))
    >>> found = robustness_in_k(points, [4, 8], 8, seeds=2)
    >>> found.spearman.shape
    (2, 2)
    """
    if len(k) == 0:
        raise InvalidInputError("k must hold at least one number of prototypes, got none: give a list, such as [10].")
    repeats = range(1, 1 + whole_number("seeds", seeds, 1, "seeds is the number of repetitions of each k"))

    def scores(number: int, seed: int) -> npt.NDArray[np.float32]:
        found = prototype_distance(embeddings, number, seed=seed, device=device, progress=progress)
        return np.asarray(found.scores.cpu())

    reference = scores(k_reference, 0)
    cells = track([(number, seed) for number in k for seed in repeats], "robustness in k", progress)
    rank_correlations = [float(spearmanr(scores(*cell), reference).statistic) for cell in cells]
    return RobustnessInK(np.asarray(k), k_reference, np.reshape(rank_correlations, (len(k), len(repeats))))
