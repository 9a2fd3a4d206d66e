"""Distance to prototypes: examples far from what is typical are hard."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from perceptron_theory.metrics.centroids import CentroidReport, inspect_centroids
from perceptron_theory.metrics.embeddings import Embeddings, UnitRows, unit_vectors
from perceptron_theory.metrics.kmeans import assign, fit_kmeans
from perceptron_theory.metrics.tensors import integer_labels


class Prototypes(NamedTuple):
    """Distances to the nearest prototype, and the prototypes.

    Attributes
    ----------
    scores : Tensor of float32, shape (n,)
        1 - cosine to the nearest prototype; in [0, 2].
    nearest : Tensor of int64, shape (n,)
        Number of the nearest prototype.
    centroids : Tensor of float32, shape (k, d)
        The prototypes, unit vectors.
    report : CentroidReport
        Sizes of the clusters; dead and duplicate centroids.
    """

    scores: Tensor
    nearest: Tensor
    centroids: Tensor
    report: CentroidReport


def prototype_distance(
    embeddings: Embeddings,
    k: int,
    *,
    seed: int,
    sample: int | None = None,
    passes: int = 1,
    device: str | torch.device | None = None,
    progress: bool = False,
) -> Prototypes:
    """1 - cosine to the nearest of k centroids of the embeddings (self-supervised prototypes).

    High scores mean hard examples (``HIGHER_IS["prototype_distance"] == "harder"``). Needs no labels, and no
    training beyond the network that embeds. Costs one product n x d x k for the scores, as much again for
    every pass over all examples, and the fit to the sample.

    Parameters
    ----------
    embeddings : Tensor or ndarray, shape (n, d)
        In memory or in a file (`numpy.memmap`), which is read in chunks.
    k : int
        Number of prototypes, in 1 ... n. The source takes 1000 for ImageNet, and finds a factor of 10 either way
        harmless; see `robustness_in_k`.
    seed : int
        >= 0.
    sample : int, optional
        Examples that k-means is fitted to; see `fit_kmeans`.
    passes : int
        Iterations over all examples after that; see `fit_kmeans`.
    device : str or torch.device, optional
        Where to compute. Default: where a tensor is; the CPU for an array.
    progress : bool
        Show progress bars on what takes longer than two seconds.

    Returns
    -------
    Prototypes
        With `scores`, `nearest`, `centroids` and `report`.

    Raises
    ------
    InvalidInputError
        If k, sample or passes lies outside its range, or embeddings are not usable.

    Notes
    -----
    Sorscher et al. 2022, arXiv:2206.14486, in the embedding of a self-supervised
    network (SwAV, Caron et al. 2020, arXiv:2006.09882).

    Examples
    --------
    >>> import torch
    >>> embeddings = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    >>> found = prototype_distance(embeddings, 1, seed=0)
    >>> found.scores.argsort().tolist()
    [2, 0, 1, 3]
    >>> print(found.report)
    1 centroids with 4 to 4 examples; 0 dead, 0 like an earlier one
    """
    fit = fit_kmeans(embeddings, k, seed=seed, sample=sample, passes=passes, device=device, progress=progress)
    nearest, distance = assign(embeddings, fit.centroids, device=device, progress=progress)
    return Prototypes(distance, nearest, fit.centroids, inspect_centroids(fit.centroids, nearest))


def supervised_prototype_distance(
    embeddings: Embeddings,
    labels: Tensor,
    *,
    device: str | torch.device | None = None,
    progress: bool = False,
) -> Tensor:
    """1 - cosine to the mean direction of the example's own class (supervised prototypes).

    A high distance means a hard example (``HIGHER_IS["supervised_prototype_distance"] == "harder"``). Costs the
    network that embeds, and two passes over the embeddings.

    Parameters
    ----------
    embeddings : Tensor or ndarray, shape (n, d)
        In memory or in a file (`numpy.memmap`), which is read in chunks.
    labels : Tensor, shape (n,)
        Integers.
    device : str or torch.device, optional
        Where to compute. Default: where a tensor is; the CPU for an array.
    progress : bool
        Show progress bars on what takes longer than two seconds.

    Returns
    -------
    Tensor of float32, shape (n,)
        In [0, 2].

    Raises
    ------
    InvalidInputError
        If embeddings or labels are not usable.

    Notes
    -----
    Sorscher et al. 2022, arXiv:2206.14486.

    Examples
    --------
    >>> import torch
    >>> embeddings = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
    >>> supervised_prototype_distance(embeddings, torch.tensor([0, 0, 0]))
    tensor([0.1056, 0.1056, 0.5528])
    """
    rows = UnitRows(embeddings, device)
    names, of_class = torch.unique(integer_labels(labels, rows.n), return_inverse=True)
    of_class = of_class.to(rows.device)
    sums = torch.zeros((len(names), rows.d), device=rows.device)
    for at, points in rows.chunks(1, "class means", progress):
        sums.index_add_(0, of_class[at], points)
    means = unit_vectors(sums, lambda at: f"the mean of class {int(names[at])}")
    distance = torch.empty(rows.n, device=rows.device)
    for at, points in rows.chunks(1, "distances to class means", progress):
        # 1 - cosine of unit vectors, without cancellation.
        distance[at] = 0.5 * (points - means[of_class[at]]).square_().sum(dim=1)
    return distance
