"""How fast the test error falls: the local exponent d ln(test_error) / d ln(alpha_prune)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.differentiate import derivative

from perceptron_theory.analyses.outer_product import OuterProduct
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.labelled import dataset
from perceptron_theory.margins.distributions import Margins
from perceptron_theory.margins.selection import KeepProbability, Selection, as_selection
from perceptron_theory.problem import Problem
from perceptron_theory.solving.saddle_point import solve
from perceptron_theory.solving.solution import Status

FloatArray = npt.NDArray[np.float64]

#: An exponent is certified if its error estimate is at most this.
EXPONENT_TOLERANCE = 1e-6
#: Differences start at this step in ln alpha and are refined until their change is below the goal.
_STEP = 0.25
_GOAL = 1e-9
_REFINEMENTS = 12


def local_exponent(
    alpha_prune: npt.ArrayLike,
    f: npt.ArrayLike | None = None,
    theta: npt.ArrayLike = 0.0,
    *,
    along: str = "f",
    selection: str | Selection = "hard",
    margins: Margins | None = None,
) -> xr.Dataset:
    """Local exponent d ln(test_error) / d ln(alpha_prune) of learning curves; -1 is the law 1/alpha.

    Differences of order 8 of certified solves in ln(alpha_prune), refined until two of them agree.

    Parameters
    ----------
    alpha_prune, f, theta
        As in `learning_curve`: numbers or vectors, which form an outer product.
    along : {"f", "alpha_tot"}
        What is held while alpha_prune grows: the fraction kept, or the pool, of which a growing
        fraction f = alpha_prune / alpha_tot is then kept. At f = 1, where a pool is exhausted, the
        derivative is the one from below.
    selection, margins
        As in `solve`.

    Returns
    -------
    xarray.Dataset
        On dimensions "alpha_prune", "f", "theta" (those given as vectors): `exponent`; its error
        estimate `exponent_error`; `test_error`; and `status`, "inaccurate" where the estimate exceeds
        1e-6 (a test error with a kink, or of exactly 0: measured data).

    Raises
    ------
    InvalidInputError
        If an argument lies outside its range, or a `KeepProbability`, which decides f, is to be
        followed along "alpha_tot".

    Examples
    --------
    >>> import perceptron_theory as pt
    >>> slope = pt.local_exponent([3.0, 1000.0], f=[0.2, 1.0], theta=0.1)
    >>> slope.exponent.round(3).values.tolist()
    [[-1.845, -0.752], [-1.0, -1.0]]
    """
    if along not in ("f", "alpha_tot"):
        raise InvalidInputError(f"along must be 'f' or 'alpha_tot', got {along!r}: it is what is held fixed.")
    rule = as_selection(selection)
    if isinstance(rule, KeepProbability) and along == "alpha_tot":
        raise InvalidInputError(
            "along must be 'f' for a keep probability, got 'alpha_tot': the rule itself decides the fraction kept."
        )
    axes = {"alpha_prune": alpha_prune} | ({} if f is None else {"f": f}) | {"theta": theta}
    sweep = OuterProduct.of(**axes)
    points = dict(zip(axes, sweep.points(), strict=True))
    problem = Problem.of(points["alpha_prune"], points.get("f"), points["theta"], rule, margins)
    exponent, error = log_slope(problem, np.full(problem.shape, along == "alpha_tot"))
    at = solve(problem.alpha_prune, points.get("f"), problem.theta, selection=rule, margins=margins, throw=False)
    fields = {"test_error": at.test_error, **certified(exponent, error, at.status)}
    return dataset(
        {name: sweep.shaped(field) for name, field in fields.items()},
        sweep.coordinates,
        {"selection": rule.name, "along": f"fixed {along}", "exponent_tolerance": EXPONENT_TOLERANCE},
    )


def log_slope(problem: Problem, pool_fixed: npt.NDArray[np.bool_]) -> tuple[FloatArray, FloatArray]:
    """Derivative of ln(test_error) in ln(alpha_prune) and its error estimate, for a vector of problems.

    Parameters
    ----------
    problem : Problem
        Where.
    pool_fixed : ndarray of bool
        Hold alpha_tot there, not f.
    """
    rule, margins = problem.selection, problem.margins
    most = 1.0 if isinstance(rule, KeepProbability) else rule.largest_f()

    def log_error(
        shift: FloatArray, alpha: FloatArray, f: FloatArray, theta: FloatArray, moves: FloatArray
    ) -> FloatArray:
        fraction = None if isinstance(rule, KeepProbability) else np.minimum(f * np.exp(moves * shift), most)
        s = solve(alpha * np.exp(shift), fraction, theta, selection=rule, margins=margins, throw=False)
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(s.test_error))

    # No more than everything can be kept: the step from below.
    exhausted = pool_fixed & (problem.f * np.exp(_STEP) > most)
    with np.errstate(invalid="ignore"):
        found = derivative(
            log_error,
            np.zeros(problem.shape),
            args=(problem.alpha_prune, problem.f, problem.theta, pool_fixed.astype(np.float64)),
            initial_step=_STEP,
            step_direction=np.where(exhausted, -1, 0),
            tolerances={"atol": _GOAL, "rtol": 0.0},
            maxiter=_REFINEMENTS,
        )
    return found.df, found.error


def certified(
    exponent: FloatArray, error: FloatArray, status: npt.NDArray[np.int8]
) -> dict[str, npt.NDArray[np.generic]]:
    """Exponents as fields of a dataset: NaN with a status where the error estimate is too large."""
    sharp = error <= EXPONENT_TOLERANCE
    return {
        "exponent": np.where(sharp, exponent, np.nan),
        "exponent_error": error,
        "status": np.where(sharp | (status != Status.CONVERGED), status, np.int8(Status.INACCURATE)).astype(np.int8),
    }
