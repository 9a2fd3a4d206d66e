"""The embedded default: scores this project measured on scikit-learn's bundled digits."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from perceptron_theory.scores.scores import Scores

MARGINS_FILE = "digits_margins.csv"
FACTS_FILE = "digits_facts.json"


@dataclass(frozen=True)
class DigitsFacts:
    """What was measured along with the margins (`perceptron_theory.scores.measure_digits`).

    Attributes
    ----------
    n_probe : int
        Images the probe was trained on.
    theta_to_full : float
        Angle of the probe's field to that of a student trained on all images, measured over the
        images; radians.
    full_error : float
        Error rate of that student on all images, which it was trained on.
    """

    n_probe: int
    theta_to_full: float
    full_error: float


def digits_scores() -> Scores:
    """Signed margins of 1,597 images of digits, odd against even, along a linear probe that has not seen them.

    The probe was trained on 200 others, which are left out: it fits them better than what it has not seen, and its
    angle would come out too small. Made by ``python -m perceptron_theory.scores.measure_digits`` from the data set
    bundled with scikit-learn (Alpaydin and Kaynak, UCI, CC BY 4.0).

    Returns
    -------
    Scores
        With higher_is = "easier"; ids are the positions of the images in the data set.

    Examples
    --------
    >>> import perceptron_theory as pt
    >>> scores = pt.digits_scores()
    >>> print(f"{scores.n} images, theta = {scores.theta_from_errors():.4f}")
    1597 images, theta = 0.3128
    """
    text = files("perceptron_theory.scores").joinpath("data", MARGINS_FILE).read_text(encoding="utf-8")
    image, _, margin, trained_on = np.loadtxt(text.splitlines(), delimiter=",", skiprows=1, unpack=True)
    unseen = trained_on == 0.0
    return Scores(margin[unseen], "easier", "scikit-learn digits, odd or even", ids=image[unseen].astype(np.int64))


def digits_facts() -> DigitsFacts:
    """What was measured along with `digits_scores`."""
    text = files("perceptron_theory.scores").joinpath("data", FACTS_FILE).read_text(encoding="utf-8")
    return DigitsFacts(**json.loads(text))
