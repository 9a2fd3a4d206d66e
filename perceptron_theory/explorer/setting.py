"""What the controls of the page say, checked, and as the library wants it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from perceptron_theory.convex_loss import LOSSES, ConvexLoss, Loss
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.labels import Labels
from perceptron_theory.margins.selection import NAMED_RULES, Band, FractionRule
from perceptron_theory.validation import kept_fraction, number_array, one_number, positive

#: The Bayes-optimal student is left out: a point takes up to 7 s, a curve minutes. So is the best penalty of a loss:
#: its curve takes 2 s, its frontier half a minute.
STUDENTS: Final = ("max-margin", "gibbs", "bayes-point", *LOSSES)
SELECTIONS: Final = (*NAMED_RULES, "band")

_WORDS: Final = ("selection", "student")


@dataclass(frozen=True)
class Setting:
    """One position of all controls.

    Parameters
    ----------
    theta_deg : float
        Angle between probe and teacher, degrees, in [0, 90].
    f : float
        Fraction kept, in (0, 1].
    alpha_tot : float
        Examples before pruning per parameter, > 0.
    ceiling : float
        Most examples before pruning per parameter that a frontier may use, > 0.
    selection : {"hard", "easy", "random", "band"}
        Which examples are kept.
    lower : float
        Quantile of |z| at which a band starts, in [0, 1).
    student : str
        "max-margin", "gibbs", "bayes-point" or the name of a loss.
    lam, flip : float
        Penalty of a loss, >= 0, and the share of wrong labels that it sees, in [0, 1/2).

    Raises
    ------
    InvalidInputError
        If one of them lies outside its range.

    Examples
    --------
    >>> setting = Setting(alpha_tot=20.0, f=0.25)
    >>> setting.alpha_prune, setting.rule.name, setting.trained
    (5.0, 'hard', 'max-margin')
    """

    theta_deg: float = 10.0
    f: float = 0.3
    alpha_tot: float = 10.0
    ceiling: float = 100.0
    selection: str = "hard"
    lower: float = 0.1
    student: str = "max-margin"
    lam: float = 0.1
    flip: float = 0.0

    def __post_init__(self) -> None:
        _one_of("selection", self.selection, SELECTIONS)
        _one_of("student", self.student, STUDENTS)
        for name in NUMBERS:
            object.__setattr__(self, name, one_number(name, number_array(name, getattr(self, name), "it is a slider")))
        if not 0.0 <= self.theta_deg <= 90.0:
            raise InvalidInputError(
                f"theta must lie in [0, 90] degrees, got {self.theta_deg:g}: it is the angle between probe and teacher."
            )
        kept_fraction("f", self.f)
        positive("alpha_tot", self.alpha_tot, "alpha_tot is the number of examples before pruning per parameter")
        positive("alpha_tot_max", self.ceiling, "alpha_tot_max is the size of the pool per parameter")
        Band(self.lower)
        ConvexLoss("logistic", self.lam)
        Labels(self.flip)

    @classmethod
    def of(cls, given: object) -> Setting:
        """The setting that a page sent; what a choice does not use is put to its default, so that equals are equal.

        Raises
        ------
        InvalidInputError
            If it is none.
        """
        names = {field.name for field in dataclasses.fields(cls)}
        if not isinstance(given, Mapping) or set(given) != names:
            raise InvalidInputError(
                f"a setting needs {', '.join(sorted(names))}, got something else: load the page again."
            )
        setting = cls(**cast(Mapping[str, Any], given))
        unused: list[str] = [] if setting.selection == "band" else ["lower"]
        unused += [] if setting.loses else ["lam", "flip"]
        return dataclasses.replace(setting, **{name: getattr(cls, name) for name in unused})

    @property
    def theta(self) -> float:
        """Angle between probe and teacher, radians."""
        return math.radians(self.theta_deg)

    @property
    def alpha_prune(self) -> float:
        """Examples kept per parameter."""
        return self.f * self.alpha_tot

    @property
    def rule(self) -> FractionRule:
        """Which examples are kept."""
        return Band(self.lower) if self.selection == "band" else NAMED_RULES[self.selection]

    @property
    def loses(self) -> bool:
        """Whether the student minimises a loss."""
        return self.student in LOSSES

    @property
    def quick(self) -> bool:
        """Whether a curve takes no time: the max-margin student; others get coarser graphs."""
        return self.student == "max-margin"

    @property
    def trained(self) -> str | ConvexLoss:
        """Who is trained."""
        return ConvexLoss(cast(Loss, self.student), self.lam) if self.loses else self.student

    @property
    def labels(self) -> Labels:
        """How labels come about."""
        return Labels(self.flip) if self.loses else Labels()


#: Controls that are numbers.
NUMBERS: Final = tuple(field.name for field in dataclasses.fields(Setting) if field.name not in _WORDS)


def _one_of(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise InvalidInputError(f"unknown {name} {value!r}: use one of {', '.join(allowed)}.")
