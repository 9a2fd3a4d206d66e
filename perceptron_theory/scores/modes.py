"""Into how many heaps scores fall."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

#: Fewer examples do not tell a second heap from chance.
LEAST_EXAMPLES = 100

_LEAST_MASS = 0.05
_VALLEY = 0.5
_TRIMMED = 0.01
_BINS_PER_BANDWIDTH = 4
_MOST_BINS = 2**16
_REACH = 6  # of the kernel, in bandwidths


def find_modes(values: FloatArray) -> tuple[float, ...]:
    """Places of the heaps of a set of scores: two or more mean bimodal.

    Maxima of a Gaussian kernel density with the rule-of-thumb bandwidth 0.9 A n^(-1/5), A the smaller
    of standard deviation and interquartile range / 1.34 (Silverman, Density Estimation, 1986,
    eq. (3.31)), but no less than the mean distance between distinct scores, so that the levels of a
    count are not taken for heaps. Two maxima are two heaps if the density between them sinks below
    half of the lower one, and each has 5 % of the examples on its side (rules of this package). The
    outer 1 % at either end is left out: it can hold no heap.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Scores, finite.

    Returns
    -------
    tuple of float
        Ascending; empty for less than 100 examples.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> two = np.concatenate([rng.normal(0, 1, 500), rng.normal(6, 1, 500)])
    >>> [round(mode) for mode in find_modes(two)], len(find_modes(two[:500]))
    ([0, 6], 1)
    """
    if values.size < LEAST_EXAMPLES:
        return ()
    scale = float(np.abs(values).max()) or 1.0  # so that squares neither overflow nor vanish
    low, high = np.quantile(values / scale, [_TRIMMED, 1.0 - _TRIMMED], method="nearest")
    inner = values[(values / scale >= low) & (values / scale <= high)] / scale
    bandwidth = _bandwidth(inner)
    if not bandwidth > 1e-12:  # all but rounding errors equal
        return (float(np.median(inner) * scale),)
    grid, density = _density(inner, bandwidth)
    return tuple(float(grid[at] * scale) for at in _separate(density))


def _bandwidth(values: FloatArray) -> float:
    """Silverman's rule, no less than the mean distance between distinct values."""
    spread = float(np.std(values))
    quartiles = np.quantile(values, [0.25, 0.75])
    between = float(quartiles[1] - quartiles[0]) / 1.34
    distinct = np.unique(values)
    step = float(distinct[-1] - distinct[0]) / max(distinct.size - 1, 1)
    return float(max(0.9 * (min(spread, between) or spread) * values.size**-0.2, step))


def _density(values: FloatArray, bandwidth: float) -> tuple[FloatArray, FloatArray]:
    """Places, and examples per bin smoothed by the kernel."""
    low, high = float(values.min()) - _REACH * bandwidth, float(values.max()) + _REACH * bandwidth
    bins = min(int((high - low) / bandwidth * _BINS_PER_BANDWIDTH), _MOST_BINS)
    counts, edges = np.histogram(values, bins, (low, high))
    width = (high - low) / bins
    reach = np.arange(-_REACH * _BINS_PER_BANDWIDTH, _REACH * _BINS_PER_BANDWIDTH + 1) * width / bandwidth
    return 0.5 * (edges[:-1] + edges[1:]), np.convolve(counts, np.exp(-0.5 * reach**2), mode="same")


def _separate(density: FloatArray) -> list[int]:
    """Maxima that deep enough valleys keep apart, with enough mass between the valleys."""
    rise = np.flatnonzero(np.diff(density) != 0.0)  # plateaus count once
    signs = np.sign(np.diff(density)[rise])
    tops = [int(rise[k]) + 1 for k in np.flatnonzero((signs[:-1] > 0) & (signs[1:] < 0))]
    while len(tops) > 1:
        cuts = [left + int(np.argmin(density[left:right])) for left, right in pairwise(tops)]
        mass = np.array([part.sum() for part in np.split(density, cuts)]) / density.sum()
        depth = [density[cut] / min(density[a], density[b]) for cut, (a, b) in zip(cuts, pairwise(tops), strict=True)]
        thin, shallow = int(np.argmin(mass)), int(np.argmax(depth))
        if depth[shallow] > _VALLEY:
            tops.remove(min(tops[shallow], tops[shallow + 1], key=lambda top: float(density[top])))
        elif mass[thin] < _LEAST_MASS:
            del tops[thin]
        else:
            break
    return tops
