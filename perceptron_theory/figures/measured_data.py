"""Measured scores behind some figures; not part of the package: looked for beside the checkout.

The folder is that of the environment variable ``PERCEPTRON_THEORY_DATA``, else ``shared/data`` beside the checkout. In
it are scores of CIFAR-10 (Jiang et al. 2021, c-score; Northcutt, Jiang and Chuang 2021, cross-validated softmax; the
repository 260D, forgetting) and of MNIST, and images of MNIST (LeCun et al. 1998). Figures keep what they measure of
them: histograms, correlations, counts.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.scores.scores import Direction, Scores

VARIABLE: Final = "PERCEPTRON_THEORY_DATA"

#: Directions as documented with the files.
_CIFAR10: Final[dict[str, tuple[str, Direction]]] = {
    "c-score": ("cscore", "easier"),
    "EL2N": ("el2n_cv", "harder"),
    "p(true)": ("ptrue_cv", "easier"),
    "margin": ("margin_cv", "easier"),
    "forgetting": ("forgetting_260D", "harder"),
    "max loss increase": ("maxlossinc_260D", "harder"),
}
_MNIST: Final[dict[str, tuple[str, Direction]]] = {
    "forgetting": ("mnist_forgetting", "harder"),
    "max loss increase": ("mnist_maxlossinc", "harder"),
}


class DataNotFoundError(InvalidInputError):
    """Measured data that a figure needs are not on this machine."""


def folder() -> Path:
    """Where the data lie.

    Raises
    ------
    DataNotFoundError
        If they do not.
    """
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    place = Path(os.environ.get(VARIABLE, beside))
    if not (place / "scores").is_dir():
        raise DataNotFoundError(
            f"measured data not found in {place}: this figure needs them; set {VARIABLE} to their folder."
        )
    return place


def cifar10() -> dict[str, Scores]:
    """Scores of the 50,000 training images, with labels."""
    return _scores("cifar10_train.npz", _CIFAR10)


def mnist() -> dict[str, Scores]:
    """Scores of the 60,000 training images, with labels."""
    return _scores("mnist_train.npz", _MNIST)


def mnist_images() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Training images as rows of pixels in [0, 1], and their digits."""
    with np.load(folder() / "images" / "mnist" / "train_images.npz") as file:
        images, digits = file["x"], file["y"]
    return images.reshape(len(images), -1) / 255.0, digits.astype(np.int64)


def _scores(name: str, metrics: dict[str, tuple[str, Direction]]) -> dict[str, Scores]:
    with np.load(folder() / "scores" / name) as file:
        return {
            metric: Scores(file[key], direction, f"{name}:{key}", labels=file["label"], metric=metric)
            for metric, (key, direction) in metrics.items()
        }
