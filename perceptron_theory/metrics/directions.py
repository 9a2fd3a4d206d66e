"""What a high value of each metric means."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

#: `higher_is` of `perceptron_theory.Scores`, by the name of the function and, where it returns several, of the field.
HIGHER_IS: Mapping[str, Literal["harder", "easier", "keep"]] = MappingProxyType(
    {
        "active_learning": "keep",
        "area_under_margin": "easier",
        "el2n": "harder",
        "ensemble_entropy": "harder",
        "forgetting": "harder",
        "fraction_right": "easier",
        "grand_last_layer": "harder",
        "influence_max": "keep",
        "influence_sum_abs": "keep",
        "margin": "easier",
        "memorization": "harder",
        "prototype_distance": "harder",
        "random_scores": "keep",
        "supervised_prototype_distance": "harder",
    }
)
