"""Prefactors of the power laws in which learning curves end, and the smallest fraction worth keeping."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.optimize import elementwise
from scipy.special import erf, erfc, erfinv, gammainc

from perceptron_theory.analyses.outer_product import OuterProduct
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.labelled import dataset
from perceptron_theory.margins.distributions import GaussianMargins
from perceptron_theory.margins.selection import KeepProbability, QuantileRule, Selection, as_selection
from perceptron_theory.problem import Problem
from perceptron_theory.solving.saddle_point import solve
from perceptron_theory.validation import one_number, positive, probe_angle

FloatArray = npt.NDArray[np.float64]

#: Where the error of unpruned data has reached its law: the correction is of order 1 / alpha^2.
_FAR_OUT = 1e7
#: Beyond 38 standard deviations nothing is left in double precision.
_LARGEST_GAMMA = 38.0
#: In units of sin(theta): both conditions are far from met.
_SMALLEST_GAMMA = 1e-6


def tail_prefactor(
    f: npt.ArrayLike, theta: npt.ArrayLike = 0.0, *, selection: str | Selection = "hard"
) -> npt.NDArray[np.float64]:
    """Limit of test_error * alpha_prune for alpha_prune -> infinity at fixed `f` and `theta`, Gaussian data.

    Far out only data at the teacher's boundary matter, so the prefactor is that of unpruned data,
    0.500489, over the density of kept data there. The probe sees that boundary with a spread of
    sin(theta): for the rule that keeps gamma_lo < |z| < gamma_hi,

        density = [erf(gamma_hi / (sqrt(2) sin(theta))) - erf(gamma_lo / (sqrt(2) sin(theta)))] / f,

    and at theta = 0 phi(gamma_lo) / (phi(0) f), since the gap below gamma_lo is the student's margin.
    For hard pruning at theta > 0 it falls monotonically to 0.500489 sin(theta) as f -> 0.

    Parameters
    ----------
    f : array_like
        Fraction kept, in (0, 1].
    theta : array_like
        Probe angle in radians, in [0, pi/2].
    selection : {"hard", "easy", "random"} or Band
        Which examples are kept.

    Returns
    -------
    ndarray
        Broadcast shape of `f` and `theta`; a number for numbers. inf where the kept density underflows:
        easy examples and a good probe, whose error stalls at theta / pi beyond any size.

    Raises
    ------
    InvalidInputError
        If an argument lies outside its range.

    Examples
    --------
    >>> import numpy as np, perceptron_theory as pt
    >>> pt.tail_prefactor([1.0, 0.3, 1e-3], np.deg2rad(10)).round(4).tolist()
    [0.5005, 0.1542, 0.0869]
    """
    rule = as_selection(selection)
    if isinstance(rule, KeepProbability):
        raise InvalidInputError(
            "selection must be a rule with a free f, got a KeepProbability: solve at large alpha_prune instead."
        )
    problem = Problem.of(1.0, f, theta, rule)
    kept, sine = problem.f, np.sin(problem.theta)
    if not isinstance(rule, QuantileRule):
        return np.asarray(np.full(problem.shape, _unpruned()))[()]
    windows = [GaussianMargins().window(rule, float(value)) for value in kept.ravel()]
    low, high = np.moveaxis(np.array(windows).reshape(*kept.shape, 2), -1, 0) / np.sqrt(2.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        # Each form keeps its digits where the other loses them.
        seen = np.where(low < sine, erf(high / sine) - erf(low / sine), erfc(low / sine) - erfc(high / sine))
        density = np.where(sine > 0.0, seen, np.exp(-(low**2))) / kept
        return np.asarray(_unpruned() / density)[()]


def smallest_useful_f(theta: npt.ArrayLike, *, excess: float = 0.1) -> xr.Dataset:
    """Smallest fraction of hard examples worth keeping at large sizes: the exact answer and the rule of thumb.

    The exact theory has no wall: the prefactor of `tail_prefactor` falls monotonically to its floor,
    0.500489 sin(theta), as f -> 0. What can be asked for is the f at which it comes within a stated
    fraction of the floor; keeping less gains no more than that. The rule of thumb is where the kept
    data spread along the probe as far as the probe is off, Var(z | |z| < gamma) = sin(theta)^2, which
    gives the 24 % (10 degrees) and 46 % (20 degrees) of Sorscher et al. (NeurIPS 2022,
    arXiv:2206.14486). At a finite size the best f is that of `pareto_frontier`.

    Parameters
    ----------
    theta : array_like
        Probe angle in radians, in [0, pi/2]: a number or a vector.
    excess : float
        How far above its floor the prefactor may be, relatively, > 0.

    Returns
    -------
    xarray.Dataset
        On dimension "theta" (if it is a vector), the fractions `f_exact` and `f_rule_of_thumb`, both 0 at
        theta = 0 (ever less is ever better), and `prefactor_excess_rule_of_thumb`, how far above the
        floor the rule of thumb leaves the prefactor, relatively (NaN at theta = 0). `f_exact` is 1 where unpruned data
        already come within `excess`.

    Raises
    ------
    InvalidInputError
        If an argument lies outside its range.

    Examples
    --------
    >>> import numpy as np, perceptron_theory as pt
    >>> smallest = pt.smallest_useful_f(np.deg2rad([10, 20]))
    >>> smallest.f_rule_of_thumb.round(3).values.tolist()
    [0.238, 0.456]
    >>> smallest.f_exact.round(3).values.tolist()
    [0.108, 0.222]
    """
    sweep = OuterProduct.of(theta=theta)
    (angle,) = (probe_angle(values) for values in sweep.points())
    above = one_number(
        "excess", positive("excess", excess, "excess is a relative distance of the prefactor to its floor")
    )
    sine = np.sin(angle)

    def spread(log_gamma: FloatArray, sine: FloatArray) -> FloatArray:
        half_square = 0.5 * np.exp(2.0 * log_gamma)
        variance = gammainc(1.5, half_square) / gammainc(0.5, half_square)
        return np.asarray(np.log(variance / sine**2))

    def prefactor(log_gamma: FloatArray, sine: FloatArray) -> FloatArray:
        return np.asarray(_above_floor(np.exp(log_gamma), sine) - np.log1p(above))

    exact, rule = _fraction(prefactor, sine), _fraction(spread, sine)
    fields = {
        "f_exact": exact,
        "f_rule_of_thumb": rule,
        "prefactor_excess_rule_of_thumb": np.expm1(_above_floor(np.sqrt(2.0) * erfinv(rule), sine)),
    }
    variables = {name: sweep.shaped(field) for name, field in fields.items()}
    return dataset(variables, sweep.coordinates, {"selection": "hard", "excess": above})


def _above_floor(gamma: FloatArray, sine: FloatArray) -> FloatArray:
    """Logarithm of the prefactor of |z| < gamma over its floor: 0 as gamma -> 0, -ln sin(theta) for all data."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.log(erf(gamma / np.sqrt(2.0)) / erf(gamma / (np.sqrt(2.0) * sine)) / sine))


def _fraction(condition: Callable[[FloatArray, FloatArray], FloatArray], sine: FloatArray) -> FloatArray:
    """Fraction at which a condition, increasing in ln gamma, becomes 0; 1 if it never does, 0 at theta = 0."""
    f = np.where(sine > 0.0, 1.0, 0.0)
    high = np.log(_LARGEST_GAMMA)
    at = np.flatnonzero(sine > 0.0)
    at = at[condition(np.full(at.shape, high), sine[at]) > 0.0]
    if at.size:
        low = np.log(_SMALLEST_GAMMA * sine[at])
        found = elementwise.find_root(condition, (low, np.full_like(low, high)), args=(sine[at],))
        f[at] = np.where(found.success, erf(np.exp(found.x) / np.sqrt(2.0)), np.nan)
    return f


@cache
def _unpruned() -> float:
    """Limit of test_error * alpha of unpruned data (Opper and Kinzel: maximal stability)."""
    return float(solve(_FAR_OUT, 1.0).test_error) * _FAR_OUT
