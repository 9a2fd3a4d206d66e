"""How hard the training images of CIFAR-10 are, by networks that were trained on all of them for a short time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import torch

from perceptron_theory.measured_runs.cifar_batches import DeviceImages
from perceptron_theory.measured_runs.cifar_students import Outputs, Recipe, network_outputs, train
from perceptron_theory.metrics import HIGHER_IS, el2n, prototype_distance
from perceptron_theory.scores.readers.translation import translated
from perceptron_theory.scores.scores import Direction

#: What a high score means, by the name of its column.
METRICS: Final[dict[str, Direction]] = {"el2n": HIGHER_IS["el2n"], "prototype": HIGHER_IS["prototype_distance"]}
#: Seeds of the networks start here, so that no student has the weights of one.
FIRST_SEED: Final = 1000


@dataclass(frozen=True)
class Scoring:
    """What scores are made of.

    Attributes
    ----------
    networks : int
        Networks that EL2N is averaged over, >= 1.
    steps : int
        Steps that each is trained for; else like a student.
    prototypes : int
        Centroids of the features of the first network: one per class, as in Sorscher et al. 2022, arXiv:2206.14486.
    """

    networks: int = 4
    steps: int = 500
    prototypes: int = 10


def measure_scores(
    images: DeviceImages, test: DeviceImages, recipe: Recipe, scoring: Scoring
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Scores of all images, and what the networks were worth.

    Parameters
    ----------
    images : DeviceImages
        To be scored; the networks are trained on them.
    test : DeviceImages
        On which the networks are tested.
    recipe : Recipe
        Of the students.
    scoring : Scoring
        How many networks, trained for how long.

    Returns
    -------
    table : DataFrame
        Columns index, label (int64), el2n and prototype (float32), a row per image.
    facts : dict
        Test error of each network, a line on the centroids, and the seconds that all took.
    """
    start = time.perf_counter()
    outputs, errors = [], []
    for of_images, error in _networks(images, test, replace(recipe, steps=scoring.steps), scoring.networks):
        outputs.append(of_images)
        errors.append(error)
        print(f"network {len(errors)} of {scoring.networks} for scores: test error {error:.4f}", flush=True)
    # On a GPU sums come in the order of the moment.
    found = prototype_distance(outputs[0].features.cpu(), scoring.prototypes, seed=FIRST_SEED)
    norms = el2n(torch.stack([one.logits for one in outputs]), images.label, given="logits")
    scores = {"el2n": norms, "prototype": found.scores}
    table = pd.DataFrame({"index": np.arange(len(images), dtype=np.int64), "label": images.label.cpu().numpy()})
    table = table.assign(**{name: values.float().cpu().numpy() for name, values in scores.items()})
    seconds = round(time.perf_counter() - start, 1)
    return table, {"test_errors": errors, "centroids": str(found.report), "seconds": seconds}


def read_score_table(path: Path) -> pd.DataFrame:
    """The table as it was written.

    Raises
    ------
    ScoreError
        If the file is damaged.
    """
    with translated(path, "parquet file", "delete the folder's files and measure again"):
        return pd.read_parquet(path, engine="pyarrow", page_checksum_verification=True)


def _networks(images: DeviceImages, test: DeviceImages, recipe: Recipe, n: int) -> Iterator[tuple[Outputs, float]]:
    """Outputs of each network for the images, and its test error."""
    for seed in range(FIRST_SEED, FIRST_SEED + n):
        network = train(images, np.arange(len(images)), recipe, seed)
        yield network_outputs(network, images), network_outputs(network, test).error(test.label)
