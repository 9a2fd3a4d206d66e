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
    probe_error : float
        Error rate of the probe on the images it was not trained on.
    theta : float
        Angle of the probe to the truth that this error rate implies, pi times it; radians.
    theta_to_full : float
        Angle of the probe's field to that of a student trained on all images, measured over the
        images; radians.
    full_error : float
        Error rate of that student on all images, which it was trained on.
    """

    n_probe: int
    probe_error: float
    theta: float
    theta_to_full: float
    full_error: float


def digits_scores() -> Scores:
    """Signed margins of 1,797 images of digits, odd against even, along a linear probe.

    The probe was trained on 200 of them. Made by ``python -m perceptron_theory.scores.measure_digits``
    from the data set bundled with scikit-learn (Alpaydin and Kaynak, UCI, CC BY 4.0).

    Returns
    -------
    Scores
        With higher_is = "easier".

    Examples
    --------
    >>> import perceptron_theory as pt
    >>> pt.digits_scores().n
    1797
    """
    text = files("perceptron_theory.scores").joinpath("data", MARGINS_FILE).read_text(encoding="utf-8")
    margins = np.array([float(line.split(",")[2]) for line in text.splitlines()[1:]])
    return Scores(margins, "easier", "scikit-learn digits, odd or even")


def digits_facts() -> DigitsFacts:
    """What was measured along with `digits_scores`."""
    text = files("perceptron_theory.scores").joinpath("data", FACTS_FILE).read_text(encoding="utf-8")
    return DigitsFacts(**json.loads(text))
