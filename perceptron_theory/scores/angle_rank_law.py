"""What the model says about the rank correlation of two scores at an angle, ties included."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri, owens_t

FloatArray = npt.NDArray[np.float64]

#: In place of sin(0): ratios stay finite.
_TINY: Final = 1e-150
#: Relative error of a covariance: some thousand cells, each to machine precision.
_ROUNDING: Final = 1e-13


class Prediction(NamedTuple):
    """Mean and standard deviation of `RankTable.covariance` at an angle."""

    mean: float
    deviation: float


class RankTable:
    """Examples counted by two scores, each in ordered groups, and what the model says about the covariance of ranks.

    Along the probe the score is |z|, along the truth |A| with A = cos(theta) z + sin(theta) g, both cut into groups
    at the observed quantiles. The chance of lying beyond two cuts is that of four Gaussian quadrants, closed
    in Owen's T (Ann. Math. Statist. 27, 1075, 1956). An example of a group has the mean rank of the group.

    Parameters
    ----------
    counts : ndarray of int, shape (k, l)
        Examples in group i of the one score and group j of the other, both in rising order of |z|; at least two
        groups each, none empty.

    Notes
    -----
    Without ties the correlation of ranks (Spearman) is

        rho_S(theta) = (48 / pi^2) * integral of arcsin(sin t / cos 2t) over t in [0, arcsin(cos(theta) / 2)] :

    rho_S = 3 E[sgn(|z1| - |z2|) sgn(|A1| - |A3|)] has four signs of Gaussian variables, sgn(|a| - |b|) =
    sgn(a - b) sgn(a + b), and its derivative with respect to their common correlation r = cos(theta) / 2 (Price's
    theorem) fixes two of them at 0 and leaves Sheppard's arcsine, here of r / (1 - 2 r^2), for the other two.

    Examples
    --------
    >>> import numpy as np
    >>> from perceptron_theory.scores.angle_rank_law import RankTable
    >>> table = RankTable(np.array([[40, 10], [10, 40]]))
    >>> [round(table.prediction(theta).mean / table.covariance, 3) for theta in (0.0, 0.39, 1.5)]
    [1.667, 1.009, 0.003]
    """

    def __init__(self, counts: npt.NDArray[np.intp]) -> None:
        self.n = int(counts.sum())
        self._row, self._column = _Groups(counts.sum(axis=1)), _Groups(counts.sum(axis=0))
        self.covariance = float(self._row.rank @ (counts / self.n) @ self._column.rank)
        self._predictions: dict[float, Prediction] = {}
        mean, self._concordance = self._moments(_Cells(self._row, self._column, 0.0))
        self._reference = mean

    @property
    def correlation(self) -> float:
        """Spearman's coefficient of the grouped scores."""
        return self.covariance / math.sqrt(self._row.variance * self._column.variance)

    def prediction(self, theta: float) -> Prediction:
        """Mean and standard deviation of `covariance` over data sets of n examples.

        The mean has a term of order 1/n: the covariance of sample ranks counts pairs as well as triples of examples
        (Moran, Biometrika 35, 203, 1948). With ties the term is interpolated, so that it vanishes at theta = 0 and
        is exact without ties and for two groups alike. At theta = 0 pairs and triples cancel, because ranks agree
        whatever the sample. The deviation is that of the empirical copula, which does not feel the cuts move; in a
        small sample it grows like what the mean lacks to full agreement, which sampling confirms to 6 % at
        theta = 20 / n.
        """
        if theta not in self._predictions:
            cells = _Cells(self._row, self._column, theta)
            mean, concordance = self._moments(cells)
            pairs = 0.25 * (concordance - self._concordance * mean / self._reference) / self.n
            lack = self._reference - mean
            growth = 1.0 - pairs / lack if lack > _ROUNDING * self._reference else 1.0
            deviation = growth * math.sqrt(max(self._influence_variance(cells), 0.0) / self.n)
            self._predictions[theta] = Prediction(mean + pairs, deviation)
        return self._predictions[theta]

    def standardised(self, theta: float) -> float:
        """How many standard deviations the observed covariance lies above the mean at theta."""
        mean, deviation = self.prediction(theta)
        above = self.covariance - mean
        # At small angles nothing may cross a cut: both are then 0 but for rounding.
        return above / max(deviation, _TINY) if abs(above) > _ROUNDING * self._reference else 0.0

    @np.errstate(under="ignore")  # far from the diagonal cells are empty
    def _moments(self, cells: _Cells) -> tuple[float, float]:
        """Covariance of ranks, and concordant less discordant pairs (Kendall), in an infinite sample."""
        excess = cells.beyond - np.outer(self._row.beyond, self._column.beyond)
        covariance = self._row.steps @ excess[1:-1, 1:-1] @ self._column.steps
        B = cells.beyond
        same_side = B[1:, 1:] + (1.0 - B[:-1, :1] - B[:1, :-1] + B[:-1, :-1])
        other_side = (B[1:, :1] - B[1:, :-1]) + (B[:1, 1:] - B[:-1, 1:])
        return float(covariance), float(np.sum(cells.probability * (same_side - other_side)))

    @np.errstate(under="ignore")  # far from the diagonal cells are empty
    def _influence_variance(self, cells: _Cells) -> float:
        """Variance over examples of what one of them adds to the covariance, cuts following the quantiles."""
        row, column = self._row, self._column
        along_row = _cumulated(row.steps * (cells.given_row @ column.steps))
        along_column = _cumulated(column.steps * (row.steps @ cells.given_column))
        influence = np.outer(row.rank - row.rank[0], column.rank - column.rank[0])
        influence -= along_row[:, None] + along_column[None, :]
        mean = np.sum(cells.probability * influence)
        return float(np.sum(cells.probability * (influence - mean) ** 2))


class _Groups:
    """One score in groups: mean ranks in [-1/2, 1/2], their steps, and the cuts between them as |z|."""

    def __init__(self, counts: npt.NDArray[np.intp]) -> None:
        share = counts / counts.sum()
        below = np.concatenate([[0.0], np.cumsum(share)[:-1], [1.0]])
        self.beyond = 1.0 - below
        self.rank = below[:-1] + 0.5 * share - 0.5
        self.steps = np.diff(self.rank)
        self.variance = float(share @ self.rank**2)
        self.cuts = -ndtri(0.5 * self.beyond[1:-1])


class _Cells:
    """The model's table at an angle.

    `beyond` at two cuts (with 0 and infinity), `probability` of the cells between them, and the
    probability of lying beyond the one cut given that the other score lies on its own.
    """

    def __init__(self, row: _Groups, column: _Groups, theta: float) -> None:
        h, k = row.cuts[:, None], column.cuts[None, :]
        R, s = math.cos(theta), max(math.sin(theta), _TINY)
        lack = 2.0 * math.sin(0.5 * theta) ** 2  # 1 - R: h - R h keeps its digits
        near_row, near_column = (k - h) + lack * h, (h - k) + lack * k
        corners = owens_t(h, near_row / (h * s)) + owens_t(h, (k + R * h) / (h * s))
        corners += owens_t(k, near_column / (k * s)) + owens_t(k, (h + R * k) / (k * s))
        self.beyond = np.zeros((row.beyond.size, column.beyond.size))
        self.beyond[:, 0], self.beyond[0, :] = row.beyond, column.beyond
        self.beyond[1:-1, 1:-1] = row.beyond[1:-1, None] + column.beyond[None, 1:-1] - 2.0 * corners
        self.probability = np.diff(np.diff(self.beyond, axis=0), axis=1)
        self.given_row = ndtr(-near_row / s) + ndtr((-R * h - k) / s)
        self.given_column = ndtr(-near_column / s) + ndtr((-R * k - h) / s)


def _cumulated(steps: FloatArray) -> FloatArray:
    return np.concatenate([[0.0], np.cumsum(steps)])
