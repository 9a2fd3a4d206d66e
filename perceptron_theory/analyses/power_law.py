"""Where an imperfect metric turns a frontier that falls faster than any power into a power law."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.optimize import elementwise

from perceptron_theory.analyses.crossings import find_crossings
from perceptron_theory.analyses.exponents import EXPONENT_TOLERANCE
from perceptron_theory.analyses.frontier_slope import frontier_exponent
from perceptron_theory.analyses.outer_product import OuterProduct
from perceptron_theory.labelled import dataset
from perceptron_theory.progress import track
from perceptron_theory.validation import one_number, positive, probe_angle

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

#: The frontier is searched from this alpha_prune, where it still falls slower than 1/alpha ...
_SMALLEST = 0.5
#: ... to this many times 1 / excess: the exponent is seen to come back to -1 as 3 / alpha^(3/4) or faster.
_BEYOND = 100.0
_STEP = 0.25
#: Floor on f: best fractions are seen to fall as theta / sqrt(alpha_prune) and stay far above.
_FLOOR = 1e-3


#: Accuracy of the sizes searched, in ln alpha_prune: exponents are known to 1e-6 and mostly to 1e-9 ...
_ACCURACY = 1e-9
#: ... and flat at the steepest point.
_ACCURACY_STEEPEST = 1e-4
_FIELDS = (
    "alpha_prune",
    "alpha_prune_error",
    "f",
    "alpha_tot",
    "test_error",
    "alpha_prune_start",
    "alpha_prune_steepest",
    "exponent_steepest",
    "outcome",
)


def crossover(theta: npt.ArrayLike, *, excess: float = 0.1, progress: bool = False) -> xr.Dataset:
    """Size beyond which the frontier of an imperfect metric is a power law.

    The frontier is that of hard pruning with unlimited data: the best error over f at each
    alpha_prune, with no ceiling on alpha_tot. For theta > 0 its local exponent falls from 0 to below
    -1 near alpha_prune = 2 (Cover's capacity) and comes back to -1, the exponent of 0.5005 sin(theta) /
    alpha_prune, from below. The crossover is the last size where it is -(1 + `excess`): a statement
    about the curve itself, that needs no reference curve and no pool.

    As theta -> 0, test_error / sin(theta) tends to one curve above alpha_prune = 2, and the crossover
    to a finite size (22.66 for an excess of 0.1): a better metric does not postpone the power law, it
    deepens the fall before it, and needs a larger pool, `alpha_tot` of order 42 / sin(theta). In a
    smaller pool the frontier bends earlier, because data run out.

    Parameters
    ----------
    theta : array_like
        Probe angle in radians, in [0, pi/2]: a number or a vector.
    excess : float
        How much steeper than 1/alpha counts as faster than a power law, > 0.
    progress : bool
        Show a progress bar if it takes longer than two seconds.

    Returns
    -------
    xarray.Dataset
        On dimension "theta" (if it is a vector):

        `alpha_prune`, `f`, `alpha_tot`, `test_error`
            The crossover, and the frontier there.
        `alpha_prune_error`
            Relative: how far it may be off.
        `alpha_prune_start`
            Where the exponent first is -(1 + `excess`).
        `alpha_prune_steepest`, `exponent_steepest`
            Where the frontier is steepest, and its exponent there. NaN for theta below about 1e-4, where
            the fall at Cover's capacity is too sharp for a certified derivative.
        `outcome`
            "found"; "none" where the frontier is nowhere as steep (theta above about 39 degrees for an
            excess of 0.1); "perfect metric" at theta = 0, where the error is 0 above alpha_prune = 2;
            "failed" (a point of the search did; theta below about 1e-6).

    Raises
    ------
    InvalidInputError
        If an argument lies outside its range.

    Examples
    --------
    >>> import numpy as np, perceptron_theory as pt
    >>> pt.crossover(np.deg2rad([5, 20, 60])).alpha_prune.round(2).values.tolist()
    [22.41, 18.79, nan]
    """
    sweep = OuterProduct.of(theta=theta)
    probe_angle(theta)
    (angle,) = sweep.points()
    above = one_number("excess", positive("excess", excess, "excess is how much steeper than 1/alpha counts as faster"))
    rows = [_search(float(value), above) for value in track(angle, "crossover", progress)]
    variables = {
        name: sweep.shaped(np.array([outcome if name == "outcome" else row.get(name, np.nan) for outcome, row in rows]))
        for name in _FIELDS
    }
    return dataset(variables, sweep.coordinates, {"selection": "hard", "excess": above})


def _search(theta: float, excess: float) -> tuple[str, dict[str, float]]:
    """Outcome and fields of `crossover` at one angle."""
    if theta == 0.0:
        return "perfect metric", {}
    frontier = _Frontier(theta)
    grid = np.arange(np.log(_SMALLEST), np.log(_BEYOND / excess) + _STEP, _STEP)
    steepest = frontier.steepest(grid)

    def gap(log_alpha: FloatArray, _: IntArray) -> tuple[FloatArray, FloatArray]:
        return frontier.exponent(log_alpha) + 1.0 + excess, np.full(log_alpha.shape, EXPONENT_TOLERANCE)

    found = find_crossings(gap, grid[None, :], accuracy=_ACCURACY)
    count = int(found.count[0])
    if found.failed[0] or found.first_sign[0] < 0 or found.last_sign[0] < 0:
        return "failed", {}
    if count == 0:
        return "none", steepest
    alpha = float(np.exp(found.x[0, count - 1]))
    at = frontier.at(np.array(alpha))
    return "found", steepest | {
        "alpha_prune": alpha,
        "alpha_prune_error": float(found.error[0, count - 1]),
        "f": at.f.item(),
        "alpha_tot": at.alpha_tot.item(),
        "test_error": at.test_error.item(),
        "alpha_prune_start": float(np.exp(found.x[0, 0])),
    }


class _Frontier:
    """Frontier of hard pruning at one angle, with unlimited data."""

    def __init__(self, theta: float) -> None:
        self.theta = theta

    def at(self, alpha: FloatArray) -> xr.Dataset:
        return frontier_exponent(alpha, self.theta, f_min=_FLOOR * np.sin(self.theta))

    def exponent(self, log_alpha: FloatArray) -> FloatArray:
        """Local exponent, same shape; NaN where unknown."""
        at = self.at(np.exp(log_alpha.ravel()))
        # Held by the floor it would not be the frontier with unlimited data.
        return np.where(at.active == "f_min", np.nan, at.exponent).reshape(log_alpha.shape)

    def steepest(self, grid: FloatArray) -> dict[str, float]:
        """Where the exponent is smallest; NaN if it is not seen, or so steep that it fails its certificate."""
        scan = self.exponent(grid)
        if not np.isfinite(scan).all():
            return {}
        # At an end of the grid there is no minimum: find_minimum then says so.
        at = int(np.clip(np.argmin(scan), 1, grid.size - 2))
        found = elementwise.find_minimum(
            self.exponent, tuple(grid[at - 1 : at + 2]), tolerances={"xrtol": _ACCURACY_STEEPEST}
        )
        if not found.success:
            return {}
        return {"alpha_prune_steepest": float(np.exp(found.x)), "exponent_steepest": float(found.f_x)}
