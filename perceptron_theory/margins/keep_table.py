"""A keep probability as piecewise Chebyshev series, so that compiled code can evaluate it anywhere."""

from __future__ import annotations

import itertools
import math

import numpy as np
import numpy.typing as npt
from numpy.polynomial import chebyshev

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.margins.selection import KeepProbability

FloatArray = npt.NDArray[np.float64]

_DEGREE = 15
#: Beyond nine standard deviations a Gaussian margin has probability 1e-19.
_SPAN = 9.3
#: Pieces narrower than this hide an unlisted jump.
_NARROWEST = 1e-5
#: Features of k wider than this are seen.
_RESOLUTION = 0.002
#: Series are accepted when their last coefficients have fallen below this.
_TAIL = 1e-13
#: Step of the second look at k, in which a narrower feature may still be missed.
_SECOND_LOOK = 2e-4


def tabulate(rule: KeepProbability) -> tuple[FloatArray, FloatArray]:
    """(intervals, coefficients) of k(m) between its breakpoints; pieces with k = 0 are left out.

    Bisects until the Chebyshev coefficients decay to rounding.
    """
    inner = {float(b) for b in rule.breakpoints if -_SPAN < b < _SPAN}
    # Split at 0, the probe's decision boundary, where kinks such as |m| are most common.
    edges = sorted({-_SPAN, 0.0, _SPAN} | inner)
    todo = list(itertools.pairwise(edges))[::-1]
    points = np.cos(np.pi * (np.arange(_DEGREE + 1) + 0.5) / (_DEGREE + 1))
    intervals: list[tuple[float, float]] = []
    coefficients: list[FloatArray] = []
    while todo:
        lo, hi = todo.pop()
        values = rule(0.5 * (lo + hi) + 0.5 * (hi - lo) * points)
        series = np.asarray(chebyshev.chebfit(points, values, _DEGREE), dtype=np.float64)
        # Off the Chebyshev points and off round numbers, as dense as the resolution promised.
        check = np.linspace(-0.9973, 0.9971, 7 + int((hi - lo) / _RESOLUTION))
        between = rule(0.5 * (lo + hi) + 0.5 * (hi - lo) * check)
        error = np.max(np.abs(chebyshev.chebval(check, series) - between))
        if np.max(np.abs(series[-2:])) <= _TAIL and error <= 10 * _TAIL:
            if np.any(between > 0.0):
                intervals.append((lo, hi))
                coefficients.append(series)
        elif hi - lo < _NARROWEST:
            raise InvalidInputError(
                f"k(m) is not smooth near m = {0.5 * (lo + hi):.6g}: list the margins where it jumps or has a kink "
                "in KeepProbability(k, breakpoints=[...])."
            )
        else:
            middle = 0.5 * (lo + hi)
            todo += [(middle, hi), (lo, middle)]
    if not intervals:
        raise InvalidInputError("the keep probability is 0 for every margin: a rule must keep something.")
    return np.array(intervals), np.array(coefficients)


def overlooked(rule: KeepProbability) -> float:
    """Gaussian mean of |k(m) - series|, by a second rule of many more points: what the series do not see of k.

    It bounds what is missing from the fraction kept at every angle, as the density of a signed margin is at most
    2 phi(m).
    """
    intervals, coefficients = tabulate(rule)
    # A step that shares no divisor with the points of the first look.
    m = np.arange(-_SPAN, _SPAN, _SECOND_LOOK / 1.0173)
    missed = rule(m)
    for (low, high), series in zip(intervals, coefficients, strict=True):
        inside = slice(*np.searchsorted(m, (low, high)))
        missed[inside] -= chebyshev.chebval((2.0 * m[inside] - low - high) / (high - low), series)
    missed[np.isin(m, rule.breakpoints)] = 0.0  # at a jump k has either value
    return float(np.abs(missed) @ np.exp(-0.5 * m * m) * (m[1] - m[0])) * math.sqrt(2.0 / math.pi)
