"""Every place where a smooth function changes sign on a grid of intervals, for many functions at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import elementwise

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

#: (x, index of the function) -> (value, size below which the value means nothing); any shape.
Gap = Callable[[FloatArray, IntArray], tuple[FloatArray, FloatArray]]

#: Part of the bracket over which the slope at a root is taken.
_SLOPE_STEP = 1e-3
#: Where a point of the scan is unknown: how far beside the next attempt is, in steps, and how many there are.
_NUDGE = 0.1
_NUDGES = 3


@dataclass(frozen=True)
class Crossings:
    """Sign changes of n functions.

    Attributes
    ----------
    x, error : ndarray, shape (n, most found for one function)
        Roots in ascending order, NaN behind the last; and how far each may be off, given what the
        function can resolve.
    count : ndarray of int, shape (n,)
        Number of roots.
    first_sign, last_sign : ndarray of int, shape (n,)
        Sign at the first and the last grid point where there is one; both 0 if the function is
        nowhere distinguishable from zero.
    failed : ndarray of bool, shape (n,)
        The function is unknown around a grid point or at a root: roots may be missing.
    """

    x: FloatArray
    error: FloatArray
    count: IntArray
    first_sign: IntArray
    last_sign: IntArray
    failed: npt.NDArray[np.bool_]


def find_crossings(gap: Gap, grid: FloatArray, accuracy: float = 1e-13) -> Crossings:
    """Scan each row of `grid`, look at turning points for a hidden pair of roots, refine every sign change.

    A value that is not resolved has no sign and is passed over; where it is unknown, a point a tenth of
    a step beside takes its place, in at most three attempts. Two roots closer than the grid are
    found if they lie beside a local extremum of the scanned values; other structure finer than the
    grid is not seen.

    Parameters
    ----------
    gap : callable
        The functions; NaN where unknown.
    grid : ndarray, shape (n, m)
        Where to look, ascending along each row.
    accuracy : float
        Asked of a root, absolute; what the function can resolve often limits it sooner.
    """
    n, m = grid.shape
    row = np.broadcast_to(np.arange(n)[:, None], (n, m))
    grid, value, resolution = _scan(gap, grid, row)
    sign = _sign(value, resolution)
    failed = np.asarray(~np.isfinite(value).all(axis=1))
    # Every scanned point and every turning point, in ascending order within each function.
    turned_x, turned_row, turned_sign = _turning_points(gap, grid, value, sign)
    flat_x, flat_row, flat_sign = (
        np.concatenate(pair)
        for pair in ((grid.ravel(), turned_x), (row.ravel(), turned_row), (sign.ravel(), turned_sign))
    )
    order = np.lexsort((flat_x, flat_row))
    order = order[flat_sign[order] != 0]
    flat_x, flat_row, flat_sign = flat_x[order], flat_row[order], flat_sign[order]
    change = np.flatnonzero((flat_sign[1:] != flat_sign[:-1]) & (flat_row[1:] == flat_row[:-1]))
    at = flat_row[change]
    x, error = _refine(gap, flat_x[change], flat_x[change + 1], at, accuracy)
    failed[at[~np.isfinite(error)]] = True
    count = np.bincount(at, minlength=n)
    rank = np.arange(at.size) - np.repeat(np.cumsum(count) - count, count)
    shape = (n, max(1, int(count.max(initial=0))))
    roots, errors = np.full(shape, np.nan), np.full(shape, np.nan)
    roots[at, rank], errors[at, rank] = x, error
    first, last = np.zeros(n, dtype=np.intp), np.zeros(n, dtype=np.intp)
    # The first of a row overwrites what follows it, the last what precedes it.
    first[flat_row[::-1]] = flat_sign[::-1]
    last[flat_row] = flat_sign
    return Crossings(roots, errors, count, first, last, failed)


def _scan(gap: Gap, grid: FloatArray, row: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Grid, values and resolutions; failures of certificates are isolated, and a point beside is as good."""
    value, resolution = gap(grid, row)
    step = np.diff(grid, axis=1)
    beside = _NUDGE * np.concatenate([step, -step[:, -1:]], axis=1)
    grid = grid.copy()
    for _ in range(_NUDGES):
        unknown = np.nonzero(~np.isfinite(value))
        if unknown[0].size == 0:
            break
        grid[unknown] += beside[unknown]
        value[unknown], resolution[unknown] = gap(grid[unknown], row[unknown])
    return grid, value, resolution


def _sign(value: FloatArray, resolution: FloatArray) -> IntArray:
    """Sign where the value is resolved, else 0; NaN has none."""
    return np.where(np.abs(value) > resolution, np.sign(value), 0.0).astype(np.intp)


@np.errstate(under="ignore")  # products with values next to a root vanish
def _turning_points(
    gap: Gap, grid: FloatArray, value: FloatArray, sign: IntArray
) -> tuple[FloatArray, IntArray, IntArray]:
    """Where |value| has a local minimum that may dip through zero between grid points: (x, row, sign)."""
    height = np.abs(value)
    inner, left, right = height[:, 1:-1], height[:, :-2], height[:, 2:]
    one_sign = (sign[:, 1:-1] == sign[:, :-2]) & (sign[:, 1:-1] == sign[:, 2:]) & (sign[:, 1:-1] != 0)
    # A parabola through three points dips at most an eighth of its rise; a plateau of rounding is left alone.
    dips = (inner <= left) & (inner <= right) & (inner < np.maximum(left, right) - inner)
    row, j = np.nonzero(one_sign & dips)
    if row.size == 0:
        return np.empty(0), np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)

    def towards_zero(x: FloatArray, row: IntArray, side: FloatArray) -> FloatArray:
        return side * gap(x, row)[0]

    bracket = (grid[row, j], grid[row, j + 1], grid[row, j + 2])
    side = sign[row, j + 1].astype(np.float64)
    found = elementwise.find_minimum(towards_zero, bracket, args=(row, side), tolerances={"xrtol": 1e-6})
    x, row = found.x[found.success], row[found.success]
    return x, row, _sign(*gap(x, row))


@np.errstate(under="ignore")  # products with values next to a root vanish
def _refine(
    gap: Gap, left: FloatArray, right: FloatArray, row: IntArray, accuracy: float
) -> tuple[FloatArray, FloatArray]:
    """Roots between points of opposite sign, and their errors: resolution over slope."""
    if row.size == 0:
        return np.empty(0), np.empty(0)

    def value(x: FloatArray, row: IntArray) -> FloatArray:
        return gap(x, row)[0]

    found = elementwise.find_root(
        value,
        (left, right),
        args=(row,),
        tolerances={"xatol": accuracy, "xrtol": 0.0, "fatol": 0.0, "frtol": 0.0},
    )
    x = np.where(found.success, found.x, left)
    step = _SLOPE_STEP * (right - left)
    slope = (gap(x + step, row)[0] - gap(x - step, row)[0]) / (2.0 * step)
    error = accuracy + gap(x, row)[1] / np.abs(slope)
    return np.where(found.success, x, np.nan), np.where(found.success, error, np.nan)
