"""The angle between the scoring probe and the truth, with an interval; here from the error rate of the probe."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import betainc, betaincc

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.validation import number_array, one_number, whole_number

FloatArray = npt.NDArray[np.float64]

#: Radians: an interval that reaches below is said to start at 0.
SMALLEST: Final = 1e-9


@dataclass(frozen=True)
class AngleEstimate:
    """An angle measured from data.

    Attributes
    ----------
    theta : float
        Angle between probe and truth, radians, in [0, pi/2].
    low, high : float
        Interval, radians: 0 <= low <= theta <= high <= pi/2. Either side misses the true angle in at most
        a fraction (1 - level) / 2 of all data sets, if the assumption holds.
    level : float
        Confidence level of the interval.
    assumption : str
        What has to hold, in one sentence.
    method : str
        What was measured.

    Examples
    --------
    >>> from perceptron_theory.scores.angle import AngleEstimate
    >>> print(AngleEstimate(0.5, 0.4, 0.6, 0.95, "all is well", "a guess"))
    theta = 28.65 degrees (0.5 rad), 95 % interval 22.92 to 34.38 degrees (0.4 to 0.6 rad), from a guess; assumes: \
all is well
    """

    theta: float
    low: float
    high: float
    level: float
    assumption: str
    method: str

    def __str__(self) -> str:
        theta, low, high = np.rad2deg([self.theta, self.low, self.high])
        return (
            f"theta = {theta:.4g} degrees ({self.theta:.4g} rad), {100 * self.level:g} % interval {low:.4g} to "
            f"{high:.4g} degrees ({self.low:.4g} to {self.high:.4g} rad), from {self.method}; "
            f"assumes: {self.assumption}"
        )


def theta_from_error_rate(
    errors: npt.ArrayLike, n: npt.ArrayLike, *, label_noise: npt.ArrayLike = 0.0, level: npt.ArrayLike = 0.95
) -> AngleEstimate:
    """Angle of the probe from its error rate on held-out examples.

    A probe at angle theta is wrong on a fraction eps = theta / pi: Sheppard's law for the signs of two
    Gaussian fields (Sheppard, Phil. Trans. A 192, 101, 1899), in the probe model of Sorscher et al.
    (arXiv:2206.14486). Of labels flipped with probability p it contradicts eps (1 - 2p) + p. The
    interval is the exact binomial one (Clopper and Pearson, Biometrika 26, 404, 1934), carried over to theta.

    Parameters
    ----------
    errors, n : int
        Wrong labels, 0 to n, among n >= 1 examples that the probe was not trained on. With more than
        two classes take one class against the rest.
    label_noise : float
        Known fraction p of labels that are flipped, in [0, 1/2).
    level : float
        Confidence level, in [1/2, 1).

    Returns
    -------
    AngleEstimate
        In radians. If the error rate lies beyond its range by no more than chance allows, theta is the
        end of the range and so is one end of the interval.

    Raises
    ------
    InvalidInputError
        If an argument lies outside its range, or if there are more errors than guessing makes, or
        fewer than the label noise makes, by more than chance allows.

    Examples
    --------
    >>> from perceptron_theory.scores.angle import theta_from_error_rate
    >>> estimate = theta_from_error_rate(100, 1000)
    >>> round(estimate.theta, 4), round(estimate.low, 4), round(estimate.high, 4)
    (0.3142, 0.2579, 0.3779)
    """
    count, of = counts("errors", errors, n)
    noise, confidence = _label_noise(label_noise), confidence_level(level)

    def rate(theta: float) -> FloatArray:
        return np.array(theta / math.pi * (1.0 - 2.0 * noise) + noise)

    def close(theta: float) -> float:
        return float(at_most(count, of, rate(theta)))

    if not close(0.0) >= 0.5 * (1.0 - confidence):
        raise InvalidInputError(
            f"errors must not be fewer than label_noise alone makes, got {count} of {of} at label_noise={noise:g}: "
            "give the noise of these labels."
        )
    low, high = angle_interval(
        apart=lambda theta: float(at_least(count, of, rate(theta))),
        close=close,
        level=confidence,
        contradiction=f"the probe is worse than chance, wrong on {count} of {of} examples: are its labels swapped?",
    )
    theta = math.pi * min(max((count / of - noise) / (1.0 - 2.0 * noise), 0.0), 0.5)
    flips = f", and a fraction {noise:g} of the labels is flipped at random" if noise else ""
    return AngleEstimate(
        theta,
        low,
        high,
        confidence,
        assumption="held-out examples of two classes (or one against the rest) are drawn independently, and the "
        f"fields of probe and truth are Gaussian without offset{flips}",
        method=f"the error rate, {count} of {of}",
    )


def angle_interval(
    *, apart: Callable[[float], float], close: Callable[[float], float], level: float, contradiction: str
) -> tuple[float, float]:
    """Angles that neither tail of the data contradicts.

    Parameters
    ----------
    apart, close : callable
        Probability, given theta, of data that show probe and truth as far apart as observed or
        further (rising with theta), and of data that show them as close or closer (falling).
    level : float
        Confidence level.
    contradiction : str
        What to say if the data show them further apart than even pi/2 allows.

    Returns
    -------
    low, high : float
        Radians, in [0, pi/2].

    Raises
    ------
    InvalidInputError
        If even pi/2 is too close.

    Examples
    --------
    >>> import math
    >>> from perceptron_theory.scores.angle import angle_interval
    >>> low, high = angle_interval(
    ...     apart=math.sin, close=lambda theta: 1 - math.sin(theta), level=0.9, contradiction="never"
    ... )
    >>> round(math.sin(low), 6), round(math.sin(high), 6)
    (0.05, 0.95)
    """
    tail, right = 0.5 * (1.0 - level), 0.5 * math.pi
    if not apart(right) >= tail:
        raise InvalidInputError(contradiction)
    low = 0.0 if apart(SMALLEST) >= tail else crossing(apart, tail)
    high = right if close(right) >= tail else crossing(close, tail)
    return low, high


def crossing(function: Callable[[float], float], value: float) -> float:
    """Angle in [SMALLEST, pi/2] where a monotone function takes a value that lies between its ends."""
    return float(brentq(lambda theta: function(theta) - value, SMALLEST, 0.5 * math.pi, xtol=1e-15, rtol=1e-12))


def at_least(count: int, n: int, rate: FloatArray) -> FloatArray:
    """Probability of `count` or more hits among n, for any n (scipy's binomial tails stop at 2^31)."""
    return np.asarray(betainc(count, n - count + 1, rate), dtype=np.float64) if count else np.ones_like(rate)


def at_most(count: int, n: int, rate: FloatArray) -> FloatArray:
    """Probability of `count` or fewer hits among n."""
    return np.asarray(betaincc(count + 1, n - count, rate), dtype=np.float64) if count < n else np.ones_like(rate)


def counts(name: str, count: npt.ArrayLike, n: npt.ArrayLike) -> tuple[int, int]:
    """A count and what it is out of, both checked."""
    of = whole_number("n", n, 1, "n is the number of examples")
    hits = whole_number(name, count, 0, f"{name} counts examples")
    if hits > of:
        raise InvalidInputError(f"{name} must be at most n={of}, got {hits}: {name} counts examples among the n.")
    return hits, of


def confidence_level(level: npt.ArrayLike) -> float:
    """In [1/2, 1)."""
    meaning = "level is the confidence of the interval, such as 0.95"
    value = one_number("level", number_array("level", level, meaning))
    if not 0.5 <= value < 1.0:
        raise InvalidInputError(f"level must lie in [1/2, 1), got {value:g}: {meaning}.")
    return value


def _label_noise(label_noise: npt.ArrayLike) -> float:
    meaning = "label_noise is the known fraction of flipped labels"
    value = one_number("label_noise", number_array("label_noise", label_noise, meaning))
    if not 0.0 <= value < 0.5:
        raise InvalidInputError(f"label_noise must lie in [0, 1/2), got {value:g}: {meaning}.")
    return value
