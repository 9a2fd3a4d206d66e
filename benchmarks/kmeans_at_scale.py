"""Prototypes of a file of embeddings larger than memory: ``python -m benchmarks.kmeans_at_scale FOLDER``.

Writes unit vectors around random directions to FOLDER, 10.5 GB at the default size, fits k centroids and assigns
every vector: by this package (on a GPU too, if there is one) and by scikit-learn's MiniBatchKMeans, each in its own
process. Prints seconds, inertia (mean squared distance to the nearest unit centroid over all vectors, computed alike
for all), and the largest memory of the process: what it holds itself, and with the pages of the file that it looked at.

By default there are fewer directions than centroids: both programs then find them all and reach the same inertia, so
that their times compare. With more directions than centroids (``--clusters 2000``) MiniBatchKMeans ends higher.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from perceptron_theory.metrics import assign, fit_kmeans
from perceptron_theory.progress import track

Vectors = npt.NDArray[np.float32]

CHUNK = 8192


def write_vectors(path: Path, n: int, d: int, clusters: int, spread: float, seed: int) -> None:
    """Unit vectors around `clusters` random directions, whose sizes fall like 1 / rank^0.5."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((clusters, d), dtype=np.float32)
    sizes = np.arange(1, clusters + 1) ** -0.5
    table = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(n, d))
    for start in track(range(0, n, CHUNK), "writing embeddings", show=True):
        rows = min(CHUNK, n - start)
        chunk = spread * rng.standard_normal((rows, d), dtype=np.float32)
        chunk += centres[rng.choice(clusters, size=rows, p=sizes / sizes.sum())]
        chunk /= np.linalg.norm(chunk, axis=1, keepdims=True)
        table[start : start + rows] = chunk
    table.flush()


class Memory(threading.Thread):
    """Largest memory of this process, looked at twenty times a second."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.largest = {"RssAnon": 0, "VmRSS": 0}
        self.start()

    def run(self) -> None:
        while True:
            lines = Path("/proc/self/status").read_text().splitlines()
            status = dict(line.split(":", 1) for line in lines)
            for name in self.largest:
                self.largest[name] = max(self.largest[name], int(status[name].split()[0]))
            time.sleep(0.05)


def ours(vectors: Vectors, k: int, device: str) -> tuple[Vectors, float, float]:
    """Centroids, seconds to fit, seconds to assign."""
    started = time.perf_counter()
    fit = fit_kmeans(vectors, k, seed=0, device=device, progress=True)
    fitted = time.perf_counter()
    assign(vectors, fit.centroids, device=device, progress=True)
    return fit.centroids.cpu().numpy(), fitted - started, time.perf_counter() - fitted


def minibatch(vectors: Vectors, k: int, batch: int) -> tuple[Vectors, float, float]:
    """The same by scikit-learn; it does not normalise, the vectors are unit vectors already."""
    from sklearn.cluster import MiniBatchKMeans  # type: ignore[import-untyped]

    started = time.perf_counter()
    model = MiniBatchKMeans(k, batch_size=batch, n_init=1, random_state=0, compute_labels=False).fit(vectors)
    fitted = time.perf_counter()
    for start in range(0, len(vectors), CHUNK):
        model.predict(np.array(vectors[start : start + CHUNK]))
    return model.cluster_centers_, fitted - started, time.perf_counter() - fitted


def run_one(name: str, path: Path, k: int) -> dict[str, Any]:
    """One contender, in a process that does nothing else."""
    vectors = np.load(path, mmap_mode="r")
    memory = Memory()
    if name.startswith("minibatch"):
        centroids, fit, assignment = minibatch(vectors, k, int(name.split()[1]))
    else:
        centroids, fit, assignment = ours(vectors, k, name.split()[1])
    largest = dict(memory.largest)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    distance = assign(vectors, torch.from_numpy(centroids), device=device).distance
    inertia = 2.0 * float(distance.double().mean())
    return {"fit": fit, "assign": assignment, "inertia": inertia, **{key: kb / 2**20 for key, kb in largest.items()}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, help="where the embeddings are written, and removed again")
    parser.add_argument("--n", type=int, default=1_281_167)
    parser.add_argument("--d", type=int, default=2048)
    parser.add_argument("--k", type=int, default=1000)
    parser.add_argument("--clusters", type=int, default=200, help="directions that the vectors lie around")
    parser.add_argument(
        "--spread", type=float, default=1.0, help="noise to signal; cos to a direction is (1 + s^2)^-1/2"
    )
    parser.add_argument("--batch", type=int, default=10_240, help="batch size of MiniBatchKMeans")
    parser.add_argument("--keep", action="store_true", help="leave the embeddings in FOLDER")
    parser.add_argument("--contender", help=argparse.SUPPRESS)
    given = parser.parse_args()
    path = given.folder / f"embeddings_{given.n}_{given.d}.npy"
    if given.contender:
        print(json.dumps(run_one(given.contender, path, given.k)))
        return
    if not path.exists():
        write_vectors(path, given.n, given.d, given.clusters, given.spread, seed=0)
    gpu = ["ours cuda"] if torch.cuda.is_available() else []
    print(f"n = {given.n:,}, d = {given.d}, k = {given.k}, {torch.get_num_threads()} threads\n")
    print("| | fit, s | assign, s | inertia | memory, GiB | with pages of the file, GiB |\n|---|---|---|---|---|---|")
    for name in [*gpu, "ours cpu", f"minibatch {given.batch}"]:
        command = [sys.executable, "-m", "benchmarks.kmeans_at_scale", str(given.folder), "--contender", name]
        for option in ("n", "d", "k"):
            command += [f"--{option}", str(getattr(given, option))]
        found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        print(
            f"| {name} | {found['fit']:.1f} | {found['assign']:.1f} | {found['inertia']:.4f} "
            f"| {found['RssAnon']:.2f} | {found['VmRSS']:.2f} |",
            flush=True,
        )
    if not given.keep:
        path.unlink()


if __name__ == "__main__":
    main()
