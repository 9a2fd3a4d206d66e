"""What is asked of a selection, checked before anything is read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from perceptron_theory.analyses.policies.policy import Policy
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.keeplists.hashing import hash_ids
from perceptron_theory.keeplists.preference import Rule, as_rule
from perceptron_theory.keeplists.quotas import floor_share
from perceptron_theory.margins.selection import Band, FractionRule
from perceptron_theory.validation import kept_fraction, number_array, one_number


@dataclass(frozen=True)
class Settings:
    """What is to be kept of a table; see `select_stream`."""

    rule: FractionRule
    f: float
    random_share: float
    class_floor: float | None
    seed: int


def checked(
    f: float, mode: str | Rule, random_share: float, class_floor: float | None, labels: str | None, seed: int
) -> Settings:
    """Settings that can be had without the whole table in memory.

    Raises
    ------
    InvalidInputError
        If one lies outside its range, or they do not go together.

    Examples
    --------
    >>> checked(0.3, "hard", 0.0, None, None, 0)
    Settings(rule=Hard(), f=0.3, random_share=0.0, class_floor=None, seed=0)
    """
    rule = as_rule(mode)
    if isinstance(rule, Policy):
        raise InvalidInputError("a policy needs all scores in memory: use read_scores and select, or a Band here.")
    meaning = "it is the share of the kept examples that is random"
    share = one_number("random_share", number_array("random_share", random_share, meaning))
    if not 0.0 <= share <= 1.0:
        raise InvalidInputError(f"random_share must lie in [0, 1], got {share:g}: {meaning}.")
    if class_floor is not None:
        class_floor = floor_share(class_floor)
        _check_floor(class_floor, rule, share, labels)
    hash_ids(np.zeros(1, dtype=np.int64), seed)  # refuses what is no seed
    return Settings(rule, one_number("f", kept_fraction("f", f)), share, class_floor, int(seed))


def _check_floor(class_floor: float, rule: FractionRule, share: float, labels: str | None) -> None:
    """Whether floors go with the rest."""
    if labels is None:
        raise InvalidInputError(
            f"class_floor={class_floor:g} needs the class of every example: name the column of labels, or leave it out."
        )
    if isinstance(rule, Band) or share:
        other = "a band" if isinstance(rule, Band) else "a random share"
        raise InvalidInputError(
            f"class_floor={class_floor:g} together with {other} needs all scores in memory: use read_scores and "
            "select, or leave one of the two out."
        )
