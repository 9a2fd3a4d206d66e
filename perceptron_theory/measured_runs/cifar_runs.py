"""Which runs there are on CIFAR-10, in which order; what one of them keeps, and the test error that comes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.keeplists.selecting import select
from perceptron_theory.measured_runs.cifar_batches import DeviceImages
from perceptron_theory.measured_runs.cifar_scores import METRICS, Scoring
from perceptron_theory.measured_runs.cifar_students import Recipe, network_outputs, train
from perceptron_theory.measured_runs.measured_run import Run
from perceptron_theory.scores.scores import Scores

IntArray = npt.NDArray[np.int64]

TASK: Final = "ten_classes"
STUDENT: Final = "resnet18"
#: Name of the networks that scores come from.
PROBE: Final = "short"


@dataclass(frozen=True)
class Settings:
    """All that the table depends on but the images and the seeds.

    Attributes
    ----------
    sizes : tuple of int
        Images in a pool, ascending.
    fractions : tuple of float
        Of the pool that is kept, ascending, in (0, 1); beside them 1, all of it.
    rules : tuple of str
        Which images are kept, beside random ones.
    recipe : Recipe
        Of the students.
    scoring : Scoring
        Of the scores.
    """

    sizes: tuple[int, ...] = (2000, 4000, 8000, 16000, 32000, 50000)
    fractions: tuple[float, ...] = (0.1, 0.2, 0.4, 0.7)
    rules: tuple[str, ...] = ("hard", "easy")
    recipe: Recipe = field(default_factory=Recipe)
    scoring: Scoring = field(default_factory=Scoring)


class Cell(NamedTuple):
    """What tells a run from all others; the fields are columns of the table."""

    seed: int
    n_total: int
    f: float
    selection: str
    metric: str

    def __str__(self) -> str:
        by = "" if self.metric == "random" else f" by {self.metric}"
        return f"seed {self.seed}, {self.f:g} of {self.n_total} images, {self.selection}{by}"


def cells(settings: Settings, n_seeds: int) -> Iterator[Cell]:
    """All runs: one seed after the other, small pools first, and of a pool small fractions first.

    Examples
    --------
    >>> for cell in cells(Settings(sizes=(2000,), fractions=(0.1,), rules=("hard",)), n_seeds=1):
    ...     print(cell)
    seed 0, 0.1 of 2000 images, random
    seed 0, 0.1 of 2000 images, hard by el2n
    seed 0, 0.1 of 2000 images, hard by prototype
    seed 0, 1 of 2000 images, random
    >>> len(list(cells(Settings(), n_seeds=3)))
    378
    """
    for seed in range(n_seeds):
        for n_total in settings.sizes:
            for f in settings.fractions:
                yield Cell(seed, n_total, f, "random", "random")
                for metric in METRICS:
                    yield from (Cell(seed, n_total, f, rule, metric) for rule in settings.rules)
            yield Cell(seed, n_total, 1.0, "random", "random")


class Experiment:
    """Images, their scores, and how students are trained.

    Parameters
    ----------
    images, test : DeviceImages
        To be chosen from, and to be tested on.
    scores : DataFrame
        Columns el2n and prototype, a row per image.
    settings : Settings
        Of all runs.

    Raises
    ------
    InvalidInputError
        If a pool is larger than all images, or scores are not one per image.
    """

    def __init__(self, images: DeviceImages, test: DeviceImages, scores: pd.DataFrame, settings: Settings) -> None:
        if max(settings.sizes) > len(images):
            raise InvalidInputError(
                f"pools must have at most as many images as there are, got {max(settings.sizes)} of {len(images)}: "
                "choose smaller ones, or give all images."
            )
        if len(scores) != len(images):
            raise InvalidInputError(
                f"scores must be one per image, got {len(scores)} for {len(images)}: delete them, to have them "
                "measured again."
            )
        self._images, self._test, self._scores, self._settings = images, test, scores, settings

    def run(self, cell: Cell) -> Run:
        """Train a student on what is kept, and test it."""
        kept = self.kept(cell)
        network = train(self._images, kept, self._settings.recipe, cell.seed)
        error = network_outputs(network, self._test).error(self._test.label)
        probe = "any" if cell.metric == "random" else PROBE
        return Run(
            n_total=cell.n_total,
            n_kept=kept.size,
            f=cell.f,
            selection=cell.selection,
            test_error=error,
            seed=cell.seed,
            task=TASK,
            student=STUDENT,
            probe=probe,
            metric=cell.metric,
            n_test=len(self._test),
        )

    def kept(self, cell: Cell) -> IntArray:
        """The images of the pool that a run keeps; classes are not balanced."""
        pool = self.pool(cell.seed, cell.n_total)
        # Random choices look at no score.
        metric = cell.metric if cell.metric in METRICS else "el2n"
        values = self._scores[metric].to_numpy(dtype=np.float64)[pool]
        scores = Scores(values, METRICS[metric], ids=pool)
        return pool[select(scores, cell.f, mode=cell.selection, seed=cell.seed).indices]

    def pool(self, seed: int, n_total: int) -> IntArray:
        """Images before pruning: pools of one seed contain one another."""
        return np.random.default_rng(seed).permutation(len(self._images))[:n_total]
