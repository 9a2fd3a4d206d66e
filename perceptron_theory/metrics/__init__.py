"""How hard an example is, from what a training run leaves behind: small functions of torch tensors.

Every function is for tensors on any device. ``Scores(el2n(...).cpu().numpy(), HIGHER_IS["el2n"])`` takes one to the
theory and to keep-lists; `HIGHER_IS` has the direction of each.
"""

from perceptron_theory.extras import require

require("torch", "metrics are functions of torch tensors")

from perceptron_theory.metrics.centroids import CentroidReport, inspect_centroids  # noqa: E402
from perceptron_theory.metrics.chance import random_scores  # noqa: E402
from perceptron_theory.metrics.directions import HIGHER_IS  # noqa: E402
from perceptron_theory.metrics.ensembles import active_learning, ensemble_entropy, fraction_right  # noqa: E402
from perceptron_theory.metrics.error_norms import el2n, grand_last_layer  # noqa: E402
from perceptron_theory.metrics.kmeans import Assignment, KMeansFit, assign, fit_kmeans  # noqa: E402
from perceptron_theory.metrics.output_margins import area_under_margin, margin  # noqa: E402
from perceptron_theory.metrics.prototypes import (  # noqa: E402
    Prototypes,
    prototype_distance,
    supervised_prototype_distance,
)
from perceptron_theory.metrics.robustness import RobustnessInK, robustness_in_k  # noqa: E402
from perceptron_theory.metrics.subsets import InfluenceScores, influence, memorization  # noqa: E402
from perceptron_theory.metrics.tensors import Given  # noqa: E402
from perceptron_theory.metrics.training_history import Forgetting, forgetting  # noqa: E402

__all__ = [
    "HIGHER_IS",
    "Assignment",
    "CentroidReport",
    "Forgetting",
    "Given",
    "InfluenceScores",
    "KMeansFit",
    "Prototypes",
    "RobustnessInK",
    "active_learning",
    "area_under_margin",
    "assign",
    "el2n",
    "ensemble_entropy",
    "fit_kmeans",
    "forgetting",
    "fraction_right",
    "grand_last_layer",
    "influence",
    "inspect_centroids",
    "margin",
    "memorization",
    "prototype_distance",
    "random_scores",
    "robustness_in_k",
    "supervised_prototype_distance",
]
