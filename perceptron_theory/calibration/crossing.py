"""Where one way to prune overtakes another, as calibrated runs have it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from perceptron_theory.calibration.forecasts import log_errors
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.validation import kept_fraction, number_array, one_number

if TYPE_CHECKING:
    from perceptron_theory.calibration.calibration import Calibration

FloatArray = npt.NDArray[np.float64]

#: Sizes at which curves are compared, log-spaced; crossings are found by interpolation between them.
_SIZES: Final = 81
#: Differences of ln(error) below this are none: rules that keep everything agree.
_TIE: Final = 1e-7


class Crossing(NamedTuple):
    """Number of kept examples beyond which a rule is better.

    Attributes
    ----------
    n_kept : float
        Expected; NaN if there is none in the range, or it depends on what the runs do not tell.
    low, high : float
        At the level of the calibration, over the parameters that the runs allow; the end of the range where curves do
        not cross inside.
    run_low, run_high : float
        The same where the theory misses each of the two curves by an offset as large as its misfit.
    """

    n_kept: float
    low: float
    high: float
    run_low: float
    run_high: float


def crossing(
    calibration: Calibration, rule: str, other: str, *, pool: float | None, f: float | None, sizes: tuple[float, float]
) -> Crossing:
    """Crossing of two rules along n_kept, on one pool or at one fraction; see `Calibration.crossing`."""
    if not isinstance(sizes, Sequence) or len(sizes) != 2:
        raise InvalidInputError(f"sizes must be a pair of numbers, got {sizes!r}: the least and the most that is kept.")
    low, high = (one_number("sizes", number_array("sizes", end, "they are numbers kept")) for end in sizes)
    if not 1.0 <= low < high < math.inf:
        raise InvalidInputError(f"sizes must be 1 <= low < high, got {low:g} and {high:g}: they are numbers kept.")
    kept = np.geomspace(low, high, _SIZES)
    if pool is not None and f is None:
        total = np.full(_SIZES, one_number("pool", number_array("pool", pool, "it is the number of examples")))
    elif f is not None and pool is None:
        total = kept / one_number("f", kept_fraction("f", f))
    else:
        raise InvalidInputError(f"give either pool or f, got {pool!r} and {f!r}: one of them stays as it is.")
    if (kept > total * (1.0 + 1e-12)).any():
        raise InvalidInputError(
            f"sizes must be no more than there are, got {high:g} of {total.max():g}: they are numbers of kept examples."
        )
    both = [calibration.expected(total, kept, np.full(_SIZES, name)) for name in (rule, other)]
    place = _first(np.log(both[0] / both[1])[None, :], kept)[0] if np.isfinite(both).all() else math.nan
    drawn = [log_errors(calibration.task, calibration.draws, total, kept, np.full(_SIZES, x)) for x in (rule, other)]
    gap = drawn[0] - drawn[1]
    offset = (
        math.sqrt(2.0) * calibration.misfit * np.random.default_rng([calibration.seed, 1]).standard_normal(len(gap))
    )
    ends = [
        np.nanquantile(
            np.nan_to_num(_first(found, kept), nan=high), [0.5 - 0.5 * calibration.level, 0.5 + 0.5 * calibration.level]
        )
        for found in (gap, gap + offset[:, None])
    ]
    return Crossing(place if low < place < high else math.nan, *map(float, (*ends[0], *ends[1])))


def _first(gap: FloatArray, kept: FloatArray) -> FloatArray:
    """Where each row first falls below 0; the lower end where it begins there, NaN where it never does."""
    found = np.full(len(gap), math.nan)
    for i, row in enumerate(gap):
        below = np.flatnonzero(row < -_TIE)
        if below.size:
            k = int(below[0])
            found[i] = (
                kept[0] if k == 0 else kept[k - 1] * (kept[k] / kept[k - 1]) ** (row[k - 1] / (row[k - 1] - row[k]))
            )
    return found
