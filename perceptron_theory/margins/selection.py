"""Rules that decide which examples are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.validation import check_plain, number_array, one_number

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class QuantileRule:
    """Keep the examples between two quantiles of |z|; quantile 0 is the hardest example.

    Labels are not looked at: |z| is the distance to the probe's decision boundary.
    """

    name: ClassVar[str]

    def window(self, f: float) -> tuple[float, float]:
        """Quantiles of |z| between which a fraction `f` is kept."""
        raise NotImplementedError

    def largest_f(self) -> float:
        """Largest fraction this rule can keep."""
        return 1.0


@dataclass(frozen=True)
class Hard(QuantileRule):
    """Keep the fraction f closest to the probe's decision boundary (smallest |z|).

    Examples
    --------
    >>> import perceptron_theory as pt
    >>> pt.Hard().window(0.3)
    (0.0, 0.3)
    """

    name: ClassVar[str] = "hard"

    def window(self, f: float) -> tuple[float, float]:
        """Quantiles (0, f)."""
        return 0.0, f


@dataclass(frozen=True)
class Easy(QuantileRule):
    """Keep the fraction f farthest from the probe's decision boundary (largest |z|).

    Examples
    --------
    >>> import perceptron_theory as pt
    >>> pt.Easy().window(0.3)
    (0.7, 1.0)
    """

    name: ClassVar[str] = "easy"

    def window(self, f: float) -> tuple[float, float]:
        """Quantiles (1 - f, 1)."""
        return 1.0 - f, 1.0


@dataclass(frozen=True)
class Band(QuantileRule):
    """Keep |z| between the quantiles `lower` and `lower` + f.

    ``Band(0.0)`` is `Hard`. Dropping the hardest few per cent, which are often label errors, and
    keeping the next ones is ``Band(0.05)``.

    Parameters
    ----------
    lower : float
        Quantile of |z| at which the band starts, in [0, 1).

    Examples
    --------
    >>> import perceptron_theory as pt
    >>> pt.Band(0.05).window(0.3)
    (0.05, 0.35)
    """

    lower: float
    name: ClassVar[str] = "band"

    def __post_init__(self) -> None:
        one_number(
            "Band.lower", number_array("Band.lower", self.lower, "it is the quantile of |z| where the band starts")
        )
        if not 0.0 <= self.lower < 1.0:
            raise InvalidInputError(
                f"Band.lower must lie in [0, 1), got {self.lower!r}: it is the quantile of |z| where the band starts."
            )

    def window(self, f: float) -> tuple[float, float]:
        """Quantiles (lower, lower + f)."""
        if f > self.largest_f() * (1.0 + 1e-12):
            raise InvalidInputError(
                f"f must be at most {self.largest_f():g} for a band that starts at quantile {self.lower:g}, got {f:g}: "
                "start the band lower or keep less."
            )
        return self.lower, min(self.lower + f, 1.0)

    def largest_f(self) -> float:
        """1 - lower."""
        return 1.0 - self.lower


@dataclass(frozen=True)
class Random:
    """Keep a random fraction f: the kept data are distributed like all data.

    Examples
    --------
    >>> import perceptron_theory as pt
    >>> bool(pt.solve(3.0, 0.3, selection=pt.Random()).test_error == pt.solve(3.0, 1.0).test_error)
    True
    """

    name: ClassVar[str] = "random"

    def largest_f(self) -> float:
        """Largest fraction this rule can keep."""
        return 1.0


@dataclass(frozen=True)
class KeepProbability:
    """Keep an example of signed margin m with probability k(m): any rule, label-aware or not.

    The fraction kept follows from the rule, f = E[k(m)]. Even functions ignore the label; negative
    margins are the examples that the probe gets wrong.

    Parameters
    ----------
    k : callable
        Maps an array of signed margins to probabilities in [0, 1], same shape.
    breakpoints : sequence of float
        Margins where k jumps or has a kink. Others are refused where they are seen. On Gaussian data a feature of k
        narrower than 0.002 may be missed by the equations; the certificate then says `Status.INACCURATE`, unless the
        feature is narrower than 0.0002.

    Examples
    --------
    Keep what the probe gets right with a margin below 1:

    >>> import perceptron_theory as pt
    >>> rule = pt.KeepProbability(lambda m: (m > 0) & (m < 1.0), breakpoints=[0.0, 1.0])
    >>> solution = pt.solve(alpha_prune=3.0, theta=0.2, selection=rule)
    >>> bool(solution.converged)
    True
    """

    k: Callable[[FloatArray], npt.ArrayLike]
    breakpoints: Sequence[float] = ()
    name: ClassVar[str] = "keep probability"

    def __post_init__(self) -> None:
        if not callable(self.k):
            raise InvalidInputError(f"k must be a function of the signed margin, got {self.k!r}.")
        points = number_array("breakpoints", self.breakpoints, "breakpoints are margins where k jumps")
        if points.ndim != 1:
            raise InvalidInputError(
                f"breakpoints must be a list of margins, got {self.breakpoints!r}: put the number in a list."
            )
        if not np.isfinite(points).all():
            raise InvalidInputError(
                f"breakpoints must be finite, got {self.breakpoints!r}: list margins where k jumps."
            )

    def __call__(self, m: FloatArray) -> FloatArray:
        """k(m), checked to be probabilities."""
        value = self.k(m)
        check_plain("k", value)
        value = np.asarray(value)
        if value.shape != m.shape or value.dtype.kind not in "biuf":
            raise InvalidInputError(
                f"k must map an array of margins to real numbers of the same shape, got {value.dtype} of shape "
                f"{value.shape} for shape {m.shape}: write it with numpy functions."
            )
        value = value.astype(np.float64)
        inside = (value >= 0.0) & (value <= 1.0)
        if not inside.all():
            at = float(m[~inside].flat[0])
            raise InvalidInputError(
                f"k must return probabilities in [0, 1], got {float(value[~inside].flat[0]):g} at margin {at:g}: "
                "scale or clip it."
            )
        return value


#: Rules whose fraction kept is free.
FractionRule = QuantileRule | Random
Selection = FractionRule | KeepProbability

NAMED_RULES: dict[str, FractionRule] = {"hard": Hard(), "easy": Easy(), "random": Random()}


def as_selection(selection: str | Selection) -> Selection:
    """Selection rule from its name, or itself."""
    if isinstance(selection, str) and selection in NAMED_RULES:
        return NAMED_RULES[selection]
    if isinstance(selection, (QuantileRule, Random, KeepProbability)):
        return selection
    raise InvalidInputError(
        f"unknown selection {selection!r}: use 'hard', 'easy', 'random', Band(lower) or KeepProbability(k)."
    )
