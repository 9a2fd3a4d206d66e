"""k-means: what it finds, how it reads files, and what it says of useless centroids."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch_devices import DEVICES

from perceptron_theory import metrics
from perceptron_theory.metrics import embeddings as reading

Vectors = npt.NDArray[np.float32]


@pytest.fixture(params=DEVICES)
def device(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def clusters(n: int, d: int, k: int, spread: float) -> Vectors:
    """Points around k random directions, of all lengths; point i belongs to direction i mod k."""
    rng = np.random.default_rng(0)
    points = np.tile(rng.normal(size=(k, d)), (n // k, 1)) + spread * rng.normal(size=(n, d))
    return np.asarray(points * rng.uniform(0.1, 10.0, size=(n, 1)), np.float32)


def test_separate_clusters_are_found(device: str) -> None:
    points = clusters(2000, 20, 10, 0.1)
    fit = metrics.fit_kmeans(points, 10, seed=0, device=device)
    nearest, distance = metrics.assign(points, fit.centroids, device=device)
    pairs = set(zip(nearest.tolist(), np.arange(2000) % 10, strict=True))
    assert len(pairs) == 10
    assert fit.converged
    # Mean 2 (1 - cos) at noise 0.1 per coordinate is about 0.1^2.
    assert fit.inertia == pytest.approx(2.0 * float(distance.double().mean()), rel=1e-5)  # float32 means
    assert fit.inertia < 0.015


def test_one_centroid_is_the_mean_direction() -> None:
    points = clusters(500, 6, 1, 0.5)
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    mean = unit.mean(axis=0)
    fit = metrics.fit_kmeans(points, 1, seed=0)
    # float32 sums of 500 unit vectors.
    np.testing.assert_allclose(fit.centroids[0].numpy(), mean / np.linalg.norm(mean), atol=1e-6)


def test_a_local_minimum_is_reached() -> None:
    """At the end, every centroid is the mean direction of its examples, and every example is with the nearest."""
    points = np.random.default_rng(1).normal(size=(400, 5))
    fit = metrics.fit_kmeans(points, 4, seed=0)
    nearest = metrics.assign(points, fit.centroids).nearest.numpy()
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    for j in range(4):
        mean = unit[nearest == j].sum(axis=0)
        # Iterations end when inertia, about 1, falls by less than 1e-4 of itself; it falls by what centroids gain.
        assert fit.centroids[j].numpy() @ mean / np.linalg.norm(mean) > 1 - 1e-3


def test_the_seed_decides() -> None:
    points = np.random.default_rng(2).normal(size=(500, 5))
    one, again, other = (metrics.fit_kmeans(points, 7, seed=seed, sample=100).centroids for seed in (3, 3, 4))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_a_pass_over_all_examples_makes_good_for_a_small_sample() -> None:
    points = clusters(8000, 20, 40, 1.0)

    def inertia(sample: int, passes: int) -> float:
        fit = metrics.fit_kmeans(points, 40, seed=0, sample=sample, passes=passes)
        return float(metrics.assign(points, fit.centroids).distance.mean())

    best, rough, better = inertia(8000, 0), inertia(400, 0), inertia(400, 1)
    # Fixed before looking: a pass removes at least half of the excess.
    assert better - best < 0.5 * (rough - best)


def test_files_are_read_in_chunks_like_memory(tmp_path: Path, device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    points = clusters(3000, 16, 10, 0.3)
    np.save(tmp_path / "embeddings.npy", points)
    file = np.load(tmp_path / "embeddings.npy", mmap_mode="r")
    raw = np.memmap(tmp_path / "embeddings.npy", np.float32, mode="c", offset=128, shape=(3000, 16))
    whole = metrics.prototype_distance(torch.from_numpy(points), 10, seed=0, sample=500, device=device)
    monkeypatch.setattr(reading, "CHUNK", 1000)
    for same in (file, raw, raw[:], np.asfortranarray(points), points.astype(">f4"), torch.from_numpy(points)):
        found = metrics.prototype_distance(same, 10, seed=0, sample=500, device=device)
        assert torch.equal(found.nearest, whole.nearest)
        # Sums of float32 in another order.
        np.testing.assert_allclose(found.scores.cpu(), whole.scores.cpu(), rtol=1e-4, atol=1e-7)
    np.testing.assert_array_equal(np.load(tmp_path / "embeddings.npy"), points)


def test_changes_to_a_private_map_are_kept(tmp_path: Path) -> None:
    np.save(tmp_path / "embeddings.npy", clusters(100, 4, 2, 0.1))
    private = np.load(tmp_path / "embeddings.npy", mmap_mode="c")
    private[:] = np.array([1.0, 0.0, 0.0, 0.0])
    metrics.assign(private, torch.eye(4))
    np.testing.assert_array_equal(private[:, 0], 1.0)


def test_embeddings_are_left_as_they_were() -> None:
    points = torch.from_numpy(clusters(100, 4, 2, 0.1))
    before = points.clone()
    metrics.prototype_distance(points, 2, seed=0)
    metrics.supervised_prototype_distance(points, torch.zeros(100, dtype=torch.int64))
    assert torch.equal(points, before)


def test_small_distances_keep_their_digits() -> None:
    """1 - cos = 5e-9 here, below the rounding of a cosine in float32."""
    point = torch.tensor([[1.0, 1e-4]])
    found = metrics.assign(point, torch.tensor([[1.0, 0.0]])).distance
    assert float(found) == pytest.approx(5e-9, rel=1e-3)  # the square of a number with 7 - 4 digits


def test_lengths_from_the_smallest_to_the_largest() -> None:
    """Squares of these overflow and vanish in float32."""
    points = torch.tensor([[3e30, 4e30], [3e-30, 4e-30], [0.6, 0.8]])
    found = metrics.assign(points, torch.tensor([[0.6, 0.8]])).distance
    assert float(found.max()) < 1e-13


def test_more_centroids_than_different_examples_are_reported() -> None:
    points = np.repeat(np.eye(3), 20, axis=0)
    found = metrics.prototype_distance(points, 5, seed=0)
    assert len(found.report.dead) == len(found.report.duplicates) == 2
    assert sorted(found.report.sizes.tolist()) == [0, 0, 20, 20, 20]
    assert float(found.scores.max()) < 1e-12
    assert "2 dead, 2 like an earlier one" in str(found.report)


def test_duplicates_are_found_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perceptron_theory.metrics.centroids.CHUNK", 1)
    directions = torch.eye(4)[[0, 1, 0, 2, 1, 0]]
    report = metrics.inspect_centroids(directions, torch.zeros(3, dtype=torch.int64))
    assert report.duplicates.tolist() == [2, 4, 5]
    assert report.dead.tolist() == [1, 2, 3, 4, 5]


def test_an_empty_centroid_moves_to_the_farthest_example() -> None:
    """Two examples far apart from 200 that coincide: three centroids, each must end up with its own."""
    points = np.vstack([np.tile([1.0, 0.0, 0.0], (200, 1)), [[0.0, 1.0, 0.0]], [[0.0, 0.0, 1.0]]])
    for seed in range(10):
        found = metrics.prototype_distance(points, 3, seed=seed)
        assert sorted(found.report.sizes.tolist()) == [1, 1, 200], seed


def resident_pages(path: Path) -> int:
    """Bytes of the file that this process has in its page tables."""
    found, inside = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if "-" in line.split()[0]:
            inside = line.endswith(str(path))
        elif inside and line.startswith("Rss:"):
            found += int(line.split()[1]) * 1024
    return found


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="counts pages as Linux does")
def test_pages_of_a_file_are_given_back(tmp_path: Path) -> None:
    path = tmp_path / "embeddings.npy"
    np.save(path, np.ones((20_000, 256), np.float32) + np.eye(1, 256, dtype=np.float32))
    file = np.load(path, mmap_mode="r")
    float(file.sum())
    assert resident_pages(path) > 15e6  # of 20 MB: the measurement sees them
    metrics.assign(file, torch.eye(256)[:2])
    gc.collect()
    assert resident_pages(path) < 1e6


HELD = """
import sys, threading, time
from pathlib import Path
import numpy as np
from perceptron_theory.metrics import embeddings, fit_kmeans, kmeans

embeddings.CHUNK = kmeans.CHUNK = 2**20

def held():
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["RssAnon"].split()[0]) / 1024

largest = [0.0]

def look():
    while True:
        largest[0] = max(largest[0], held())
        time.sleep(0.002)

table = np.load(sys.argv[1], mmap_mode="r")
fit_kmeans(table[:8192], 256, seed=0, sample=1000)
before = held()
threading.Thread(target=look, daemon=True).start()
fit_kmeans(table, 256, seed=0, sample=1000)
print(largest[0] - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="counts memory as Linux does")
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """In MB: a chunk is 4, the sample 1, the file 200. Keeping small results of each chunk held 140 more."""
    rows = np.random.default_rng(0).standard_normal((1000, 256), dtype=np.float32)
    np.save(tmp_path / "embeddings.npy", np.tile(rows, (200, 1)))
    command = [sys.executable, "-c", HELD, str(tmp_path / "embeddings.npy")]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    # Ten chunks: points, their scaled copy, products and differences, and what the allocator keeps.
    assert float(found.stdout) < 60.0
