"""The angle of a cheap metric to a trusted one, from the rank correlation of their scores."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtr

from perceptron_theory.errors import ScoreError
from perceptron_theory.scores.angle import SMALLEST, AngleEstimate, angle_interval, confidence_level, crossing
from perceptron_theory.scores.angle_rank_law import RankTable
from perceptron_theory.scores.scores import Scores

IntArray = npt.NDArray[np.intp]

#: Neighbouring scores share a group beyond this many: data and law are grouped alike, so that nothing is biased.
_GROUPS: Final = 64
#: Fewer examples are too few for a rank correlation to be normal.
_FEWEST: Final = 50

_ASSUMPTION: Final = (
    "the trusted metric is the truth, both metrics order independently drawn examples by their distance to a "
    "boundary, the fields of which are Gaussian without offset, and equal scores come from rounding"
)


def theta_from_rank_correlation(cheap: Scores, trusted: Scores, *, level: npt.ArrayLike = 0.95) -> AngleEstimate:
    """Angle of a cheap metric to a trusted one, taken for the truth, from how alike they order the examples.

    In the probe model of Sorscher et al. (arXiv:2206.14486) the cheap metric orders by |z| and the trusted
    one by |A|, A = cos(theta) z + sin(theta) g: their rank correlation (Spearman) falls from 1 at theta = 0 to 0 at
    pi/2, by a law derived in `perceptron_theory.scores.angle_rank_law`. Theta is where the law meets the
    observed value; its interval holds the angles at which the observed value lies within the normal
    quantiles of the law's own mean and standard deviation.

    Equal scores share the mean of their ranks. Ties lower the correlation of two metrics that agree (half of all
    scores equal: 0.94 at theta = 0), so the law is taken with the same ties. Examples are matched by their
    ids, which are their positions where none are given.

    The interval is about sampling, not about metrics that are unlike the model: on CIFAR-10 two readings of one
    softmax, of which one has half of its values rounded to 1, lie at 0.52 and 0.45 from the same consistency scores.

    Parameters
    ----------
    cheap, trusted : Scores
        Two metrics on the same examples, at least 50. If the trusted one errs too, theta is the
        angle between them.
    level : float
        Confidence level, in [1/2, 1).

    Returns
    -------
    AngleEstimate
        In radians. A correlation of 0 or less by no more than chance gives theta = pi/2. Below theta = 20 / n sample
        ranks are coarse and the interval too short: at 10 / n one of level 0.95 covers in 92 % of data sets.

    Raises
    ------
    ScoreError
        If ids differ, or examples are too few.
    InvalidInputError
        If an argument lies outside its range, or if the orders are opposite beyond chance.

    Examples
    --------
    >>> import numpy as np, perceptron_theory as pt
    >>> from perceptron_theory.scores.angle_ranks import theta_from_rank_correlation
    >>> z, g = np.random.default_rng(0).standard_normal((2, 1000))
    >>> trusted = pt.Scores(np.abs(z + g * np.tan(0.5)), higher_is="easier")
    >>> estimate = theta_from_rank_correlation(pt.Scores(np.abs(z), higher_is="easier"), trusted)
    >>> estimate.low < 0.5 < estimate.high
    True
    """
    confidence = confidence_level(level)
    table = rank_table(cheap, trusted)
    correlation = f"{table.correlation:.4g} of {table.n:,} examples"

    low, high = angle_interval(
        apart=lambda theta: float(ndtr(table.standardised(theta))),
        close=lambda theta: float(ndtr(-table.standardised(theta))),
        level=confidence,
        contradiction=f"the two metrics order the examples in opposite ways, with rank correlation {correlation}: "
        "check higher_is of both.",
    )
    return AngleEstimate(_theta(table), low, high, confidence, _ASSUMPTION, f"the rank correlation, {correlation}")


def _theta(table: RankTable) -> float:
    """Where the mean of the law is the observed covariance, or the end of the range."""
    if table.covariance >= table.prediction(SMALLEST).mean:
        return 0.0
    if table.covariance <= table.prediction(0.5 * math.pi).mean:
        return 0.5 * math.pi
    return crossing(lambda theta: table.prediction(theta).mean, table.covariance)


def rank_table(cheap: Scores, trusted: Scores) -> RankTable:
    """Examples counted by the groups of both scores."""
    order = _matched(cheap, trusted)
    if order.size < _FEWEST:
        raise ScoreError(
            f"a rank correlation needs at least {_FEWEST} examples, got {order.size} in {cheap.source}: "
            "score more examples."
        )
    rows, columns = _groups(cheap), _groups(trusted)[order]
    shape = int(rows.max()) + 1, int(columns.max()) + 1
    return RankTable(np.bincount(rows * shape[1] + columns, minlength=shape[0] * shape[1]).reshape(shape))


def _matched(cheap: Scores, trusted: Scores) -> IntArray:
    """Position in `trusted` of each example of `cheap`."""
    names = [np.arange(scores.n) if scores.ids is None else scores.ids for scores in (cheap, trusted)]
    order = pd.Index(names[1]).get_indexer(pd.Index(names[0]))
    missing = np.flatnonzero(order < 0)
    if missing.size:
        raise ScoreError(
            f"both metrics must score the same examples, but {missing.size} of the {cheap.n} in {cheap.source}, "
            f"such as id {names[0].tolist()[missing[0]]!r}, are not in {trusted.source}: "
            "give the same ids (or none) to both."
        )
    if cheap.n != trusted.n:
        raise ScoreError(
            f"both metrics must score the same examples, got {cheap.n} in {cheap.source} and {trusted.n} in "
            f"{trusted.source}: drop those that only one has."
        )
    return np.asarray(order, dtype=np.intp)


def _groups(scores: Scores) -> IntArray:
    """Group of each example, numbered from the hardest; equal scores are never divided."""
    _, value, counts = np.unique(-scores.difficulty, return_inverse=True, return_counts=True)
    middle = (np.cumsum(counts) - 0.5 * counts) / scores.n
    _, group = np.unique(np.floor(_GROUPS * middle), return_inverse=True)
    return np.asarray(group[value], dtype=np.intp)
