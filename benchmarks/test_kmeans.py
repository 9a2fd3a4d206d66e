"""Prototypes beside scikit-learn's MiniBatchKMeans: ``python -m pytest benchmarks/test_kmeans.py --benchmark-only -s``.

Unit vectors in memory, the same for both; time counts from the vectors to the centroids. A fit only counts if its
inertia, over all vectors and computed alike for both, is no worse than 1 % above the other's. The two sides take
turns, so that both see the same machine; the median of the paired ratios counts. `kmeans_at_scale` does this once for
a file of 10 GB.
"""

from __future__ import annotations

import statistics
import time
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from sklearn.cluster import MiniBatchKMeans  # type: ignore[import-untyped]

from perceptron_theory.metrics import assign, fit_kmeans

Vectors = npt.NDArray[np.float32]

#: Vectors, dimension, centroids, noise to signal: fixed before looking.
CASES = [(50_000, 128, 100, 1.0), (50_000, 128, 100, 3.0), (50_000, 512, 500, 1.0)]

#: Several times the number of centroids, as its documentation asks for.
BATCH = 4096

NO_WORSE = 1.01
PAIRS = 3


def unit_vectors(n: int, d: int, clusters: int, spread: float) -> Vectors:
    rng = np.random.default_rng(0)
    points = rng.standard_normal((clusters, d), dtype=np.float32)[rng.integers(clusters, size=n)]
    points += spread * rng.standard_normal((n, d), dtype=np.float32)
    return np.asarray(points / np.linalg.norm(points, axis=1, keepdims=True))


def inertia(vectors: Vectors, centroids: torch.Tensor) -> float:
    return 2.0 * float(assign(vectors, centroids).distance.double().mean())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_against_minibatch(benchmark: Any, case: tuple[int, int, int, float]) -> None:
    n, d, k, spread = case
    vectors = unit_vectors(n, d, 2 * k, spread)
    ratios, ours, theirs = [], [], []
    for seed in range(PAIRS):
        start = time.perf_counter()
        centroids = fit_kmeans(vectors, k, seed=seed).centroids
        middle = time.perf_counter()
        model = MiniBatchKMeans(k, batch_size=BATCH, n_init=1, random_state=seed, compute_labels=False).fit(vectors)
        ratios.append((time.perf_counter() - middle) / (middle - start))
        ours.append(inertia(vectors, centroids))
        theirs.append(inertia(vectors, torch.from_numpy(model.cluster_centers_)))
    assert statistics.median(ours) < NO_WORSE * statistics.median(theirs)
    print(
        f"\n{n} x {d}, k = {k}, noise {spread:g}: {statistics.median(ratios):.1f} times faster (median of {PAIRS}), "
        f"inertia {statistics.median(ours):.4f} beside {statistics.median(theirs):.4f}"
    )
    benchmark.group = f"{n} x {d}, k = {k}, noise {spread:g}"
    benchmark.extra_info["ratio"] = statistics.median(ratios)
    benchmark.pedantic(fit_kmeans, (vectors, k), {"seed": 0}, rounds=1, iterations=1)
