"""The steps of spherical k-means: a start, the nearest centroids, and the means that centroids move to."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from perceptron_theory.progress import track

#: Points per centroid that the start looks at, and never fewer than.
START_PER_CENTROID, SMALLEST_START = 8, 2**12


def nearest_centroids(points: Tensor, centroids: Tensor) -> tuple[Tensor, Tensor]:
    """Number of the nearest centroid of unit vectors, and the squared distance to it."""
    nearest = (points @ centroids.T).argmax(dim=1)
    # 2 (1 - cos) without cancellation: small distances keep their digits.
    return nearest, (points - centroids[nearest]).square_().sum(dim=1)


def sums_of_points(chunks: Iterable[Tensor], n: int, centroids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """For each centroid the sum and the number of its points; for each of n points the squared distance."""
    k = len(centroids)
    sums, members = torch.zeros_like(centroids), torch.zeros(k, dtype=torch.int64, device=centroids.device)
    # Filled in, because small results kept between large ones would pile up as holes in the memory of the process.
    distances, seen = torch.empty(n, device=centroids.device), 0
    for points in chunks:
        nearest, squared = nearest_centroids(points, centroids)
        sums.index_add_(0, nearest, points)
        members += nearest.bincount(minlength=k)
        distances[seen : seen + len(points)] = squared
        seen += len(points)
    return sums, members, distances


def mean_directions(sums: Tensor, centroids: Tensor) -> Tensor:
    """Sums as unit vectors; where there is none, or opposite points leave no direction, the centroid as it was."""
    lengths = torch.linalg.vector_norm(sums, dim=1, keepdim=True)
    return torch.where(lengths > 1e-6, sums / lengths, centroids)


def starting_centroids(points: Tensor, k: int, generator: torch.Generator, progress: bool) -> Tensor:
    """Greedy k-means++: of a few points drawn in proportion to squared distance, the one that lowers inertia most."""
    n = min(len(points), max(START_PER_CENTROID * k, SMALLEST_START))
    pool = points[torch.randperm(len(points), generator=generator)[:n].to(points.device)]
    draws = torch.rand((k, 2 + int(math.log(k))), generator=generator, dtype=torch.float64).to(points.device)
    squared = torch.full((n,), 4.0, device=points.device)
    centroids = torch.empty((k, points.shape[1]), device=points.device)
    for i in track(range(k), "starting centroids", progress):
        cumulated = squared.double().cumsum(0)
        drawn = torch.searchsorted(cumulated, draws[i] * cumulated[-1], right=True).clamp_(max=n - 1)
        away = (2.0 - 2.0 * (pool @ pool[drawn].T)).clamp_(min=0.0)
        left = torch.minimum(squared[:, None], away)
        best = left.sum(dim=0).argmin()
        centroids[i], squared = pool[drawn[best]], left[:, best]
    return centroids
