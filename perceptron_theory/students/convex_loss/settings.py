"""Losses and labels as kernels take them."""

from __future__ import annotations

import math

from perceptron_theory.labels import Labels
from perceptron_theory.students.convex_loss import proximal
from perceptron_theory.students.convex_loss.equations import LOGISTIC_LINK, PROBIT, Setting

_CODES = {
    "logistic": proximal.LOGISTIC,
    "hinge": proximal.HINGE,
    "square": proximal.SQUARE,
    "squared-hinge": proximal.SQUARED_HINGE,
}


def setting(loss: str, labels: Labels, reweight: bool = False) -> Setting:
    """Setting at alpha_prune = 1 and theta = 0."""
    link = LOGISTIC_LINK if labels.link == "logistic" else PROBIT
    slope = math.inf if labels.slope is None else float(labels.slope)
    return Setting(_CODES[loss], reweight, float(labels.flip), link, slope, 1.0, 1.0, 0.0)
