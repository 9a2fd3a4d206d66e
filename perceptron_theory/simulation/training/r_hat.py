"""Whether several Markov chains tell the same story."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

FloatArray = npt.NDArray[np.float64]


def split_r_hat(draws: FloatArray) -> float:
    """Rank-normalised split R-hat of one number: 1 if chains agree in place and in spread.

    The larger of the values for the draws and for their distances from the median (Vehtari, Gelman, Simpson,
    Carpenter, Buerkner 2021, Bayesian Analysis 16, 667, section 4; each chain is split in two, so that a drift
    shows). For chains of independent draws it exceeds 1 by about one over the number of draws in half a chain.

    Parameters
    ----------
    draws : ndarray, shape (chains, n)
        At least 2 chains of at least 4 draws.

    Returns
    -------
    float
        At least about 1; infinite if every half chain stands still at a place of its own.
    """
    return max(_r_hat(_rank_normalised(draws)), _r_hat(_rank_normalised(np.abs(draws - np.median(draws)))))


def _rank_normalised(draws: FloatArray) -> FloatArray:
    """Normal scores of the ranks among all draws (section 4.1 there); equal draws share their mean rank."""
    _, place, counts = np.unique(draws, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - 0.5 * (counts - 1)
    return np.asarray(ndtri((ranks[place.reshape(draws.shape)] - 0.375) / (draws.size + 0.25)))


def _r_hat(draws: FloatArray) -> float:
    """Split R-hat (section 3.1 there)."""
    n = draws.shape[1] // 2
    halves = np.concatenate([draws[:, :n], draws[:, -n:]])
    within = float(halves.var(axis=1, ddof=1).mean())
    between = float(halves.mean(axis=1).var(ddof=1))
    if within == 0.0:
        return 1.0 if between == 0.0 else math.inf
    return math.sqrt((n - 1) / n + between / within)
