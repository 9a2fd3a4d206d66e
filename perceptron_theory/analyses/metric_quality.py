"""How good a metric must be for pruning to pay."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import xarray as xr

from perceptron_theory.analyses.crossings import Crossings, find_crossings
from perceptron_theory.analyses.error_ratio import log_ratio
from perceptron_theory.analyses.outer_product import OuterProduct
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.labelled import dataset
from perceptron_theory.margins.distributions import Margins
from perceptron_theory.margins.selection import KeepProbability, Selection, as_selection
from perceptron_theory.problem import Problem
from perceptron_theory.solving.saddle_point import solve
from perceptron_theory.solving.solution import Solution
from perceptron_theory.validation import number_array, one_number, positive

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

#: Angles scanned: 0, then log-spaced (what f = 1e-6 can tell apart begins at 1e-6), then evenly spaced.
#: At pi/2 the probe tells nothing and every rule is random: that tie is no answer.
_ANGLES = np.concatenate(
    [
        [0.0],
        np.geomspace(1e-9, 0.1, 60, endpoint=False),
        np.linspace(0.1, 1.53, 40),
        np.pi / 2 - np.geomspace(0.03, 1e-3, 4),
    ]
)


def required_theta(
    alpha_tot: npt.ArrayLike,
    f: npt.ArrayLike,
    *,
    reference: str = "random",
    within: float = 0.0,
    selection: str | Selection = "hard",
    margins: Margins | None = None,
) -> xr.Dataset:
    """Largest angle of the probe at which pruning `alpha_tot` to the fraction `f` pays.

    It pays where test_error <= (1 + `within`) test_error of the reference. The answer is the
    largest theta such that every better metric pays as well.

    Parameters
    ----------
    alpha_tot, f : array_like
        Examples before pruning per parameter, and the fraction kept: numbers or vectors.
    reference : {"random", "all"}
        A random subset of the same size, f alpha_tot; or all alpha_tot examples, against which
        `within` says what error the saving may cost.
    within : float
        Relative amount by which the error may exceed that of the reference, >= 0.
    selection : {"hard", "easy"} or Band
        Which examples are kept.
    margins : GaussianMargins or MeasuredMargins, optional
        Distribution along the probe, at every angle. Default: Gaussian. Measured margins must be
        unsigned: signed ones say themselves what theta is.

    Returns
    -------
    xarray.Dataset
        On dimensions "alpha_tot" and "f" (those given as vectors):

        `theta_required`
            The angle in radians; pi/2 if any metric pays, NaN if there is none.
        `theta_required_error`
            How far it may be off, in radians, given what certified errors resolve.
        `crossings`
            Number of angles below pi/2 where pruning begins or ceases to pay.
        `outcome`
            "found"; "several" (it pays again for worse metrics; the first crossing is reported);
            "any metric"; "none" (not even theta = 0 pays: too few examples for f, or `within` too
            small); "tied" (equal at every angle: f = 1 against random); "failed" (a point of the
            search did: crossings may be missing).
        `test_error`, `test_error_reference`
            At `theta_required`.

    Raises
    ------
    InvalidInputError
        If an argument lies outside its range.

    Examples
    --------
    >>> import numpy as np, perceptron_theory as pt
    >>> required = pt.required_theta([5.0, 20.0, 100.0], f=0.2)
    >>> required.outcome.values.tolist()
    ['none', 'found', 'found']
    >>> np.rad2deg(required.theta_required).round(1).values.tolist()
    [nan, 17.4, 52.1]
    """
    rule = as_selection(selection)
    if isinstance(rule, KeepProbability):
        raise InvalidInputError("selection must be a rule with a free f, got a KeepProbability: it decides f itself.")
    if reference not in ("random", "all"):
        raise InvalidInputError(
            f"reference must be 'random' or 'all', got {reference!r}: it is what pruning must match."
        )
    allowed = np.log1p(_not_negative(within))
    sweep = OuterProduct.of(alpha_tot=alpha_tot, f=f)
    positive("alpha_tot", alpha_tot, "alpha_tot is the number of examples before pruning per parameter")
    total, fraction = sweep.points()
    Problem.of(total, fraction, 0.0, rule, margins)

    def solutions(theta: FloatArray, at: IntArray) -> tuple[Solution, Solution]:
        # A random subset is distributed like all data, whatever the fraction.
        size = (fraction[at] if reference == "random" else 1.0) * total[at]
        return (
            solve(fraction[at] * total[at], fraction[at], theta, selection=rule, margins=margins, throw=False),
            solve(size, 1.0, theta, selection="random", margins=margins, throw=False),
        )

    def gap(theta: FloatArray, at: IntArray) -> tuple[FloatArray, FloatArray]:
        value, noise = log_ratio(*solutions(theta, at))
        return value - allowed, noise

    found = find_crossings(gap, np.broadcast_to(_ANGLES, (total.size, _ANGLES.size)))
    outcome = _outcome(found)
    angle = np.where(outcome == "any metric", np.pi / 2, found.x[:, 0])
    angle[~np.isin(outcome, ("found", "several", "any metric"))] = np.nan
    # Where there is none: any angle, of which nothing is reported.
    pruned, unpruned = solutions(np.where(np.isfinite(angle), angle, np.pi / 2), np.arange(total.size))
    fields = {
        "theta_required": angle,
        "theta_required_error": np.where(outcome == "any metric", 0.0, found.error[:, 0]),
        "test_error": pruned.test_error,
        "test_error_reference": unpruned.test_error,
    }
    variables = {name: sweep.shaped(np.where(np.isfinite(angle), field, np.nan)) for name, field in fields.items()}
    variables |= {"crossings": sweep.shaped(found.count), "outcome": sweep.shaped(outcome)}
    named = {"selection": rule.name, "reference": reference, "within": float(np.expm1(allowed))}
    return dataset(variables, sweep.coordinates, named)


def _not_negative(within: float) -> float:
    meaning = "within is the relative amount by which the error may exceed that of the reference"
    value = one_number("within", number_array("within", within, meaning))
    if not 0.0 <= value < np.inf:
        raise InvalidInputError(f"within must be at least 0 and finite, got {value:g}: {meaning}.")
    return value


def _outcome(found: Crossings) -> npt.NDArray[np.str_]:
    outcome = np.select(
        [found.failed, found.first_sign == 0, found.first_sign > 0, found.count == 0, found.count == 1],
        ["failed", "tied", "none", "any metric", "found"],
        "several",
    )
    return outcome.astype("<U10")
