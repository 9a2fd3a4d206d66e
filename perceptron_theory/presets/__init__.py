"""Theories of data selection from the literature, as settings of `solve`: one published model in one module."""

from perceptron_theory.presets.curated_labels import curated_labels, curated_labels_unlimited
from perceptron_theory.presets.randomised_rule import randomised_rule
from perceptron_theory.presets.surrogate_sampling import surrogate_rule, surrogate_sampling
from perceptron_theory.presets.verified_labels import verification_breakdown, verified_labels

__all__ = [
    "curated_labels",
    "curated_labels_unlimited",
    "randomised_rule",
    "surrogate_rule",
    "surrogate_sampling",
    "verification_breakdown",
    "verified_labels",
]
