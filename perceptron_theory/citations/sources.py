"""Which publications stand behind a student, a preset, a metric, a question: keys of the bibliography, by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from perceptron_theory.citations.entries import BIBLIOGRAPHY

Keys = tuple[str, ...]

#: The paper whose theory this package computes: the model, the max-margin student, pruning by margin.
PAPER: Final = "sorscher2022"

_VERSION_SPACE = (PAPER, "gardner1988", "gyorgyi1990")
_CONVEX = (PAPER, "thrampoulidis2018", "mignacco2020")
_EL2N = ("paul2021",)
_FORGETTING = ("toneva2019",)
_MEMORIZATION = ("feldman2020",)
_INFLUENCE = (PAPER, "feldman2020")
_SELECTED = (PAPER, "chitta2022")
_PROTOTYPES = (PAPER, "caron2020")

#: Of `solve` and `simulate`.
STUDENTS: Final[Mapping[str, Keys]] = MappingProxyType(
    {
        "max-margin": (PAPER,),
        "gibbs": _VERSION_SPACE,
        "bayes-point": _VERSION_SPACE,
        "bayes-optimal": (PAPER, "aubin2018"),
        "logistic": _CONVEX,
        "hinge": _CONVEX,
        "square": _CONVEX,
        "squared-hinge": _CONVEX,
    }
)

#: Functions of `perceptron_theory.presets`.
PRESETS: Final[Mapping[str, Keys]] = MappingProxyType(
    {
        "surrogate-sampling": ("kolossov2024",),
        "surrogate-rule": ("kolossov2024",),
        "curated-labels": ("askarihemmat2025", "dohmatob2026"),
        "curated-labels-unlimited": ("askarihemmat2025", "dohmatob2026"),
        "verified-labels": ("feng2025",),
        "verification-breakdown": ("feng2025",),
        "randomised-rule": ("ayed2023",),
    }
)

#: Functions of `perceptron_theory.metrics`, as `HIGHER_IS` names them, and published files of scores.
METRICS: Final[Mapping[str, Keys]] = MappingProxyType(
    {
        "active-learning": _SELECTED,
        "area-under-margin": ("pleiss2020",),
        "el2n": _EL2N,
        "ensemble-entropy": ("beluch2018", "chitta2022"),
        "forgetting": _FORGETTING,
        "fraction-right": ("meding2022",),
        "grand-last-layer": _EL2N,
        "influence-max": _INFLUENCE,
        "influence-sum-abs": _INFLUENCE,
        "margin": ("bartlett2017",),
        "memorization": _MEMORIZATION,
        "prototype-distance": _PROTOTYPES,
        "random-scores": (PAPER,),
        "supervised-prototype-distance": (PAPER,),
        "ddd": ("meding2022",),
        "el2n-1-model": _EL2N,
        "el2n-20-models": _EL2N,
        **{f"random-{seed}": (PAPER,) for seed in range(100, 105)},
        "self-supervised-prototypes": _PROTOTYPES,
        "supervised-prototypes": (PAPER,),
    }
)

#: Public functions with sources of their own.
QUESTIONS: Final[Mapping[str, Keys]] = MappingProxyType(
    {
        "information-gain": _VERSION_SPACE,
        "paper-information-gain": (PAPER,),
        "calibrate": (PAPER, "paule1982"),
        "compare-models": (PAPER, "paule1982", "caballero2023"),
        "theta-from-error-rate": (PAPER, "sheppard1899"),
        "theta-from-agreement": (PAPER, "sheppard1899"),
        "theta-from-fields": (PAPER, "sheppard1899"),
        "theta-from-rank-correlation": (PAPER,),
    }
)

#: All names that can be cited.
NAMES: Final[Mapping[str, Keys]] = MappingProxyType(
    {**STUDENTS, **PRESETS, **METRICS, **QUESTIONS, **{key.replace("_", "-"): (key,) for key in BIBLIOGRAPHY}}
)


def lines(keys: Iterable[str]) -> str:
    """References as the attributes of a dataset hold them.

    Examples
    --------
    >>> lines(STUDENTS["max-margin"])
    'Sorscher et al., NeurIPS 2022, arXiv:2206.14486'
    """
    return "; ".join(BIBLIOGRAPHY[key].line for key in keys)
