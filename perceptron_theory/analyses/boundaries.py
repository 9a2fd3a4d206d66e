"""Where hard examples become the better choice: boundaries of the phase diagram, by root finding."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import xarray as xr

from perceptron_theory.analyses.crossings import Crossings, find_crossings
from perceptron_theory.analyses.error_ratio import log_ratio
from perceptron_theory.analyses.outer_product import OuterProduct
from perceptron_theory.labelled import dataset
from perceptron_theory.margins.distributions import Margins
from perceptron_theory.problem import Problem
from perceptron_theory.solving.saddle_point import solve
from perceptron_theory.solving.solution import Solution

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

#: Steps of the scan in ln alpha. Neighbouring crossings are seen to be at least 2 apart, but where they merge.
_STEP = 0.25
#: The scan starts at this alpha_prune: crossings are seen from 0.4 up.
_SMALLEST = 0.01
#: It ends this many times beyond the scales on which errors take their final order (see `_largest`).
_BEYOND = 100.0
#: Where less is pruned, the difference of the rules, of order (1 - f)^2, drowns in rounding.
_LEAST_PRUNED = 1e-6
_CERTIFICATE = ("test_error", "residual", "quadrature_error")


def hard_easy_boundary(f: npt.ArrayLike, theta: npt.ArrayLike = 0.0, *, margins: Margins | None = None) -> xr.Dataset:
    """Pool size `alpha_tot` above which keeping the hard fraction `f` beats keeping the easy one.

    Few examples are best spent on the easy, many on the hard. On Gaussian data with f < 1 and
    theta < pi/2 easy wins at small and hard at large alpha_tot, so the number of crossings is odd. It
    is one for theta <= pi/4; beyond, and for f below about 0.05, it is three: hard also wins on an
    interval where both have stalled, hard at 1/2 - theta/pi (it has learnt only what is orthogonal to
    the probe) and easy at theta/pi (it has learnt only the probe). All are reported.

    Parameters
    ----------
    f : array_like
        Fraction kept, in (0, 1]: a number or a vector.
    theta : array_like
        Probe angle in radians, in [0, pi/2]: a number or a vector.
    margins : GaussianMargins or MeasuredMargins, optional
        Distribution along the probe. Default: Gaussian.

    Returns
    -------
    xarray.Dataset
        On dimensions "f" and "theta" (those given as vectors):

        `alpha_tot`, `alpha_prune` = f alpha_tot
            The last crossing: hard wins above it, up to the largest size searched. NaN if there is none.
        `alpha_tot_error`
            Relative: how far it may be off, given what certified errors resolve.
        `alpha_tot_all`
            Every crossing in ascending order, on the further dimension "crossing", NaN behind the last.
        `crossings`
            Their number.
        `outcome`
            "found", "several" (crossings; the last is reported), "tied" (f = 1, theta = pi/2: equal
            everywhere), "hard throughout", "out of range" (hard does not win at the largest size
            searched, 100 (10 + (theta / f)^2 + 1 / (1 - f)) examples kept per parameter), or
            "failed" (a point of the search did: crossings may be missing).
        `test_error`, `residual`, `quadrature_error`
            Common test error at `alpha_tot`, and the worse of both certificates.

    Raises
    ------
    InvalidInputError
        If an argument lies outside its range.

    Examples
    --------
    >>> import perceptron_theory as pt
    >>> pt.hard_easy_boundary([0.05, 0.2, 0.5]).alpha_tot.round(2).values.tolist()
    [39.96, 10.34, 5.05]
    """
    return _boundary("easy", f, theta, margins)


def hard_random_boundary(f: npt.ArrayLike, theta: npt.ArrayLike = 0.0, *, margins: Margins | None = None) -> xr.Dataset:
    """Size above which keeping the hard fraction `f` beats a random subset of the same size.

    On Gaussian data with f < 1 and theta < pi/2 random wins at small sizes, and hard at large ones
    since it ends with more data at the teacher's boundary. One crossing is seen everywhere; near
    alpha_prune = 2 for theta = 0 and f -> 0, of order (theta / f)^2 for theta > f.

    Parameters
    ----------
    f, theta, margins
        As in `hard_easy_boundary`.

    Returns
    -------
    xarray.Dataset
        As `hard_easy_boundary`; `alpha_prune` is the size of both subsets, `alpha_tot` that of the pool.

    Raises
    ------
    InvalidInputError
        If an argument lies outside its range.

    Examples
    --------
    >>> import perceptron_theory as pt
    >>> pt.hard_random_boundary([0.05, 0.2, 0.5]).alpha_prune.round(3).values.tolist()
    [1.935, 1.76, 1.453]
    """
    return _boundary("random", f, theta, margins)


def _boundary(rival: str, f: npt.ArrayLike, theta: npt.ArrayLike, margins: Margins | None) -> xr.Dataset:
    sweep = OuterProduct.of(f=f, theta=theta)
    fraction, angle = sweep.points()
    Problem.of(1.0, fraction, angle, "hard", margins)

    def solutions(alpha: FloatArray, at: IntArray) -> tuple[Solution, Solution]:
        # A random subset is distributed like all data, whatever the fraction.
        kept = np.ones(alpha.shape) if rival == "random" else fraction[at]
        return (
            solve(alpha, fraction[at], angle[at], selection="hard", margins=margins, throw=False),
            solve(alpha, kept, angle[at], selection=rival, margins=margins, throw=False),
        )

    def gap(log_alpha: FloatArray, at: IntArray) -> tuple[FloatArray, FloatArray]:
        return log_ratio(*solutions(np.exp(log_alpha), at))

    low, high = np.log(_SMALLEST), np.log(_largest(fraction, angle))
    points = int(np.ceil((high.max() - low) / _STEP)) + 1
    found = find_crossings(gap, low + (high - low)[:, None] * np.linspace(0.0, 1.0, points))
    every, last = np.arange(fraction.size), np.maximum(found.count - 1, 0)
    alpha = np.exp(found.x[every, last])
    # Where there is none: any size, of which nothing is reported.
    pair = solutions(np.where(np.isfinite(alpha), alpha, 1.0), every)
    outcome = _outcome(found, pair[0].converged & pair[1].converged)
    fields = {
        "alpha_tot": alpha / fraction,
        "alpha_prune": alpha,
        "alpha_tot_error": found.error[every, last],
        **{name: np.maximum(*(getattr(s, name) for s in pair)) for name in _CERTIFICATE},
    }
    sound = np.isin(outcome, ("found", "several"))
    variables = {name: sweep.shaped(np.where(sound, field, np.nan)) for name, field in fields.items()}
    variables |= {"crossings": sweep.shaped(found.count), "outcome": sweep.shaped(outcome)}
    every_crossing = np.where(outcome[:, None] == "failed", np.nan, np.exp(found.x) / fraction[:, None])
    variables["alpha_tot_all"] = ((*sweep.dims, "crossing"), every_crossing.reshape(*sweep.shape, -1))
    return dataset(variables, sweep.coordinates, {"selection": f"hard against {rival}"})


def _largest(f: FloatArray, theta: FloatArray) -> FloatArray:
    """Largest alpha_prune of the search.

    Errors take their final order once the student resolves the window of what is kept, seen from the
    teacher's boundary at an angle: at alpha_prune of order (theta / f)^2; for f -> 1, of order 1 / (1 - f).
    """
    return np.asarray(_BEYOND * (10.0 + (theta / f) ** 2 + 1.0 / np.maximum(1.0 - f, _LEAST_PRUNED)))


def _outcome(found: Crossings, certified: npt.NDArray[np.bool_]) -> npt.NDArray[np.str_]:
    failed = found.failed | ((found.count > 0) & ~certified)
    outcome = np.select(
        [failed, found.last_sign == 0, found.last_sign > 0, found.count == 0, found.count == 1],
        ["failed", "tied", "out of range", "hard throughout", "found"],
        "several",
    )
    return outcome.astype("<U15")
