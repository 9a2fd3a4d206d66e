"""Spherical k-means on millions of embeddings: fitted to a sample, assigned in chunks, on CPU or GPU."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.metrics.embeddings import CHUNK, Embeddings, UnitRows, unit_vectors
from perceptron_theory.metrics.lloyd import mean_directions, nearest_centroids, starting_centroids, sums_of_points
from perceptron_theory.metrics.tensors import real_tensor
from perceptron_theory.progress import track
from perceptron_theory.validation import whole_number

#: Lloyd iterations end when inertia falls by less than this, relatively, or after so many.
TOLERANCE, MAX_ITERATIONS = 1e-4, 100

#: Examples per centroid that the fit sees by default, and never fewer than.
SAMPLE_PER_CENTROID, SMALLEST_SAMPLE = 64, 2**15


@dataclass(frozen=True)
class KMeansFit:
    """Centroids, and how they were found.

    Attributes
    ----------
    centroids : Tensor of float32, shape (k, d)
        Unit vectors.
    inertia : float
        Mean squared distance of the sample's unit vectors to the nearest centroid, 2 (1 - cos), in [0, 4]; before
        passes over all examples.
    iterations : int
        Lloyd iterations on the sample.
    converged : bool
        Whether inertia had settled before the iterations ran out.
    n_sample : int
        Examples that were fitted.
    """

    centroids: Tensor
    inertia: float
    iterations: int
    converged: bool
    n_sample: int


class Assignment(NamedTuple):
    """The nearest centroid of every example.

    Attributes
    ----------
    nearest : Tensor of int64, shape (n,)
        Its number.
    distance : Tensor of float32, shape (n,)
        1 - cosine to it; in [0, 2].
    """

    nearest: Tensor
    distance: Tensor


def fit_kmeans(
    embeddings: Embeddings,
    k: int,
    *,
    seed: int,
    sample: int | None = None,
    passes: int = 1,
    device: str | torch.device | None = None,
    progress: bool = False,
) -> KMeansFit:
    """Centroids of unit vectors, by Lloyd's iterations on a random sample from a k-means++ start.

    Parameters
    ----------
    embeddings : Tensor or ndarray, shape (n, d)
        In memory or in a file; rows are normalised.
    k : int
        Number of centroids, in 1 ... n.
    seed : int
        >= 0. The same seed gives the same centroids on a CPU.
    sample : int, optional
        Examples to fit, at least k; they are in memory together, 4 d bytes each. Default: 64 k, at least 32,768, at
        most n.
    passes : int
        >= 0. Further iterations over all examples, if the sample is not all of them: one makes good most of what a
        small sample costs.
    device : str or torch.device, optional
        Where to compute. Default: where a tensor is; the CPU for an array.
    progress : bool
        Show a progress bar if it takes longer than two seconds.

    Returns
    -------
    KMeansFit
        Centroids, and how they were found.

    Raises
    ------
    InvalidInputError
        If k, sample or passes lies outside its range, or embeddings are not usable.

    Notes
    -----
    Dhillon and Modha 2001 (Machine Learning 42, 143): centroids are normalised means, nearest by cosine. Start:
    Arthur and Vassilvitskii 2007 (SODA), greedy. A centroid that loses all its examples moves to the example that is
    farthest from its own.

    Examples
    --------
    >>> import torch
    >>> fit = fit_kmeans(torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0], [0.0, 3.0]]), 2, seed=0)
    >>> fit.centroids.sort(dim=0).values.tolist(), fit.converged
    ([[0.0, 0.0], [1.0, 1.0]], True)
    """
    rows = UnitRows(embeddings, device)
    k = whole_number("k", k, 1, "k is the number of centroids")
    size = min(rows.n, max(SAMPLE_PER_CENTROID * k, SMALLEST_SAMPLE))
    if sample is not None:
        size = whole_number("sample", sample, 1, "sample is the number of examples to fit")
    if not k <= size <= rows.n:
        raise InvalidInputError(
            f"k <= sample <= n must hold, got k = {k}, sample = {size}, n = {rows.n}: a centroid needs an example."
        )
    passes = whole_number("passes", passes, 0, "passes is the number of iterations over all examples")
    generator = torch.Generator().manual_seed(whole_number("seed", seed, 0, "seed is the start of the random numbers"))
    points = rows.sample(size, generator, progress)
    fit = _fit_in_memory(points, starting_centroids(points, k, generator, progress), progress)
    del points
    centroids = fit.centroids
    for _ in range(passes if size < rows.n else 0):
        chunks = (unit for _, unit in rows.chunks(k, "k-means on all examples", progress))
        centroids = mean_directions(sums_of_points(chunks, rows.n, centroids)[0], centroids)
    return replace(fit, centroids=centroids)


def assign(
    embeddings: Embeddings,
    centroids: Tensor,
    *,
    device: str | torch.device | None = None,
    progress: bool = False,
) -> Assignment:
    """Nearest centroid of every example, and 1 - cosine to it, in one pass over the embeddings.

    Parameters
    ----------
    embeddings : Tensor or ndarray, shape (n, d)
        In memory or in a file; rows are normalised.
    centroids : Tensor, shape (k, d)
        Such as those of `fit_kmeans`; normalised.
    device : str or torch.device, optional
        Where to compute. Default: where a tensor of embeddings is; the CPU for an array.
    progress : bool
        Show a progress bar if it takes longer than two seconds.

    Returns
    -------
    Assignment
        `nearest` and `distance` of every row, in their order.

    Raises
    ------
    InvalidInputError
        If embeddings or centroids are not usable, or do not have the same d.

    Examples
    --------
    >>> import torch
    >>> found = assign(torch.tensor([[2.0, 0.0], [1.0, 1.0]]), torch.eye(2)[:1])
    >>> found.distance
    tensor([0.0000, 0.2929])
    """
    rows = UnitRows(embeddings, device)
    real = real_tensor("centroids", centroids, ("k", "d"))
    if real.shape[1] != rows.d:
        raise InvalidInputError(
            f"centroids must have the dimension of the embeddings, got {real.shape[1]} and {rows.d}: fit them to these."
        )
    directions = unit_vectors(real.to(rows.device, torch.float32), lambda at: f"centroid {at}")
    nearest = torch.empty(rows.n, dtype=torch.int64, device=rows.device)
    distance = torch.empty(rows.n, device=rows.device)
    for at, points in rows.chunks(len(directions), "nearest centroids", progress):
        nearest[at], squared = nearest_centroids(points, directions)
        distance[at] = 0.5 * squared
    return Assignment(nearest, distance)


def _fit_in_memory(points: Tensor, centroids: Tensor, progress: bool) -> KMeansFit:
    """Lloyd's iterations until inertia has settled."""
    chunks = torch.split(points, max(1, CHUNK // max(centroids.shape)))
    before = torch.inf
    for iteration in track(range(1, MAX_ITERATIONS + 1), "k-means", progress):
        sums, members, squared = sums_of_points(chunks, len(points), centroids)
        inertia = float(squared.double().mean())
        converged = not inertia < before * (1.0 - TOLERANCE)
        if converged or iteration == MAX_ITERATIONS:
            break
        empty = members == 0
        sums[empty] = points[squared.topk(int(empty.sum())).indices]
        centroids, before = mean_directions(sums, centroids), inertia
    return KMeansFit(centroids, inertia, iteration, converged, len(points))
