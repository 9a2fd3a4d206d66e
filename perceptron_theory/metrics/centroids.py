"""Centroids that stand for nothing, or for the same as another: a k that is too large shows here."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from perceptron_theory.metrics.embeddings import CHUNK

#: Centroids are the same if 1 - cosine is below this: a few rounding errors of float32.
SAME = 1e-6


@dataclass(frozen=True)
class CentroidReport:
    """How many examples each centroid has, and which could be left out.

    Attributes
    ----------
    sizes : Tensor of int64, shape (k,)
        Examples nearest to each centroid.
    dead : Tensor of int64
        Numbers of the centroids that no example is nearest to.
    duplicates : Tensor of int64
        Numbers of the centroids with the direction of one before them.
    """

    sizes: Tensor
    dead: Tensor
    duplicates: Tensor

    def __str__(self) -> str:
        return (
            f"{len(self.sizes):,} centroids with {int(self.sizes.min()):,} to {int(self.sizes.max()):,} examples; "
            f"{len(self.dead):,} dead, {len(self.duplicates):,} like an earlier one"
        )


def inspect_centroids(centroids: Tensor, nearest: Tensor) -> CentroidReport:
    """Report on the centroids of a k-means.

    Parameters
    ----------
    centroids : Tensor, shape (k, d)
        Unit vectors, as `fit_kmeans` gives them.
    nearest : Tensor of int64, shape (n,)
        Number of the nearest centroid of each example, as `assign` gives it.

    Returns
    -------
    CentroidReport

    Examples
    --------
    >>> import torch
    >>> centroids = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    >>> print(inspect_centroids(centroids, torch.tensor([0, 0, 1])))
    3 centroids with 0 to 2 examples; 1 dead, 1 like an earlier one
    """
    sizes = nearest.bincount(minlength=len(centroids))
    dead = torch.nonzero(sizes == 0).squeeze(1)
    return CentroidReport(sizes, dead, _duplicates(centroids))


def _duplicates(centroids: Tensor) -> Tensor:
    step = max(1, CHUNK // len(centroids))
    found = []
    for start in range(0, len(centroids), step):
        cosines = centroids[start : start + step] @ centroids.T
        found.append((cosines > 1.0 - SAME).tril(start - 1).any(dim=1))
    return torch.nonzero(torch.cat(found)).squeeze(1)
