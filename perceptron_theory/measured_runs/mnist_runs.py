"""One student, one seed: probes, pools, what is kept of them, and the test error of the student trained on that."""

from __future__ import annotations

import gzip
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.keeplists.selecting import select
from perceptron_theory.margins.selection import Band
from perceptron_theory.measured_runs.measured_run import Run
from perceptron_theory.measured_runs.mnist_students import Outputs, logistic, network, softmax
from perceptron_theory.scores.scores import Scores

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

SIZES: Final = (250, 600, 1500, 3600, 9000, 22000, 55000)
#: Of the pool that is kept; beside them 1, all of it.
FRACTIONS: Final = (0.1, 0.2, 0.4, 0.7)
#: Quantile of |z| at which the band starts.
BAND_LOWER: Final = 0.05
RULES: Final[dict[str, str | Band]] = {"hard": "hard", "easy": "easy", f"band:{BAND_LOWER}": Band(BAND_LOWER)}
#: Images that train a probe.
PROBES: Final = {"early": 250, "late": 5000}


class Task(NamedTuple):
    """What is learned, by whom, and on how many seeds."""

    name: str
    train: Callable[[FloatArray, IntArray, int], Outputs]
    classes: Callable[[IntArray], IntArray]
    metric: str
    n_seeds: int


TASKS: Final = {
    "logistic": Task("odd_even", logistic, lambda digit: digit % 2, "distance", 5),
    "softmax": Task("ten_classes", softmax, lambda digit: digit, "second_class", 5),
    "network": Task("ten_classes", network, lambda digit: digit, "second_class", 3),
}


class Images(NamedTuple):
    """Inputs (n, 188) and digits (n,), for training and for testing."""

    x: FloatArray
    digit: IntArray
    test_x: FloatArray
    test_digit: IntArray


class Choice(NamedTuple):
    """One way to prune, and the positions in the pool that it keeps."""

    f: float
    selection: str
    probe: str
    metric: str
    kept: IntArray


def read_images(folder: Path) -> Images:
    """Inputs as all students see them.

    Raises
    ------
    InvalidInputError
        If a file is not there.
    """
    try:
        with np.load(folder / "train_images.npz") as file:
            x, digit = _coarse(file["x"]), file["y"].astype(np.int64)
        test_x, test_digit = (
            np.frombuffer(gzip.decompress((folder / f"t10k-{name}-ubyte.gz").read_bytes()), np.uint8, offset=start)
            for name, start in (("images-idx3", 16), ("labels-idx1", 8))
        )
    except FileNotFoundError as missing:
        raise InvalidInputError(f"images not found, got {missing.filename}: give the folder of MNIST.") from None
    varies, mean = x.std(axis=0) > 0.0, x.mean(axis=0)
    x, test = ((images - mean)[:, varies] for images in (x, _coarse(test_x.reshape(-1, 28, 28))))
    size = math.sqrt(np.mean(x**2))
    return Images(x / size, digit, test / size, test_digit.astype(np.int64))


def _coarse(images: npt.NDArray[np.uint8]) -> FloatArray:
    return np.asarray(images.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)).reshape(-1, 196))


class Experiment:
    """A student and a seed: the order of the images and the probes.

    Parameters
    ----------
    images : Images
        All of them.
    student : str
        A key of `TASKS`.
    seed : int
        Of everything that is random.
    """

    def __init__(self, images: Images, student: str, seed: int) -> None:
        self.images, self.student, self.seed, self.task = images, student, seed, TASKS[student]
        self.y, self.test_y = (self.task.classes(digit) for digit in (images.digit, images.test_digit))
        self.order = np.random.default_rng(seed).permutation(len(images.digit))
        self.probes = {probe: self.trained(self.order[:n]) for probe, n in PROBES.items()}

    def trained(self, rows: IntArray) -> Outputs:
        """The student trained on these training images."""
        return self.task.train(self.images.x[rows], self.y[rows], self.seed)

    def test_error(self, outputs: Outputs) -> float:
        """Fraction of the test images that are classified wrongly."""
        return float(np.mean(outputs(self.images.test_x).argmax(axis=1) != self.test_y))

    def pool(self, n_total: int) -> IntArray:
        """Training images before pruning; none of them trained a probe."""
        return self.order[PROBES["late"] :][:n_total]

    def runs(self, n_total: int) -> Iterator[Run]:
        """All runs on the pool of this size."""
        pool, task, n_test = self.pool(n_total), self.task, self.test_y.size
        for f, selection, probe, metric, kept in self.choices(pool):
            error = self.test_error(self.trained(pool[kept]))
            yield Run(
                n_total, kept.size, f, selection, error, self.seed, task.name, self.student, probe, metric, n_test
            )

    def choices(self, pool: IntArray) -> Iterator[Choice]:
        """What to keep of a pool: by no probe, then by each."""
        scores = {probe: self.scores(outputs, pool) for probe, outputs in self.probes.items()}
        for f in (*FRACTIONS, 1.0):
            yield Choice(f, "random", "any", "random", select(scores["late"], f, mode="random", seed=self.seed).indices)
        for probe, of_pool in scores.items():
            for name, rule in RULES.items():
                for f in FRACTIONS:
                    yield Choice(f, name, probe, self.task.metric, select(of_pool, f, mode=rule).indices)

    def scores(self, probe: Outputs, pool: IntArray) -> Scores:
        """How much the class that the probe chooses stands above the second; labels are not looked at."""
        ranked = np.sort(probe(self.images.x[pool]), axis=1)
        return Scores(ranked[:, -1] - ranked[:, -2], higher_is="easier")

    def probe_facts(self) -> Iterator[dict[str, Any]]:
        """What the probes are worth, compared with the student trained on all of the largest pool."""
        x = self.images.test_x
        best = self.trained(self.pool(SIZES[-1]))(x)
        for probe, trained in self.probes.items():
            error, outputs = self.test_error(trained), trained(x)
            differs = float(np.mean(outputs.argmax(axis=1) != best.argmax(axis=1)))
            facts = {"student": self.student, "seed": self.seed, "probe": probe, "n_images": PROBES[probe]}
            facts |= {"test_error": error, "disagreement_with_full": differs}
            if self.task.name == "odd_even":
                facts |= {"theta_from_error": math.pi * error, "theta_to_full": _angle(outputs[:, 1], best[:, 1])}
            yield facts


def _angle(first: FloatArray, second: FloatArray) -> float:
    return float(np.arccos(first @ second / np.sqrt((first @ first) * (second @ second))))
