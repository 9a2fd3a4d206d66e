"""The best keep probability at a given budget."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from perceptron_theory.analyses.policies.descent import Candidate, Descent
from perceptron_theory.analyses.policies.optimality import best_response
from perceptron_theory.analyses.policies.policy import GAP_TOLERANCE, Policy, report
from perceptron_theory.analyses.policies.windows import MarginAxis
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.margins.selection import Band
from perceptron_theory.validation import kept_fraction, number_array, one_number, positive, probe_angle

FloatArray = npt.NDArray[np.float64]

#: Windows of mass f whose lower ends are tried, evenly spaced in mass.
_TRIALS: Final = 33
#: Below this many examples per parameter no rule differs from another in double precision.
_LEAST_KEPT: Final = 1e-300
#: Errors this close, relatively, are equal but for rounding.
_SAME: Final = 1e-12


def optimal_policy(alpha_tot: float, f: float, theta: float = 0.0, *, label_aware: bool = False) -> Policy:
    """Keep probability k(m) that minimises the test error when a fraction `f` of the pool is kept.

    At an optimum examples are kept where their influence (see `influence`) lies below a threshold and dropped where
    it lies above. The influence is an analytic function of the margin, constant only for a useless probe, so k is 0
    or 1, on a few windows. Their edges are found by descent with the exact gradient from several starts: single
    windows everywhere on the axis (hard and easy among them), both tails, and the best response to random data; for
    a policy that sees labels also the best one that does not. The error is not convex in k. What is certified is that
    no policy of the same budget is better at first order (`Policy.optimality_gap`); that none is better at all is
    searched for, not proved. Below f = 1e-6 edges in the tail lose their digits, which the gap and the status then
    show.

    Parameters
    ----------
    alpha_tot : float
        Examples in the pool per parameter, > 0 and finite.
    f : float
        Fraction to keep, in (0, 1].
    theta : float
        Angle between probe and teacher in radians, in [0, pi/2].
    label_aware : bool
        If False the policy sees only the distance |z| to the probe's boundary, if True the signed margin m, whose
        negative values are the examples that the probe gets wrong. The same at theta = 0, where there are none.

    Returns
    -------
    Policy
        With `k`, `windows`, `solution`, `optimality_gap`, the `errors` of simpler rules and a `status`.

    Raises
    ------
    InvalidInputError
        If an argument is not one number or lies outside its range.

    Notes
    -----
    Given alpha_prune a larger pool never hurts, since it allows every policy of a smaller one: the best fraction above
    a floor f_min is f_min, and ``optimal_policy(alpha_prune / f_min, f_min)`` is the best policy under unlimited data
    with that floor. Without one the best error at theta = 0 is 0 at every alpha_prune. Below 2 the easiest examples
    teach the teacher: a student that sees only margins m has eps = arctan(u / m) / pi with
    alpha_prune ((1 + u^2) Phi(u) + u phi(u)) = 1, u > 0, which falls to 0 as m grows; above 2, the capacity, examples
    at any one margin leave no student but the probe. The question of an optimal policy, and that it beats exponential
    decay of the error, is from Sorscher et al. (NeurIPS 2022, arXiv:2206.14486), appendix A.8, of which this much is
    recalled, not read; the derivation and the method are this package's own.

    Examples
    --------
    Small pools want easy examples, larger ones harder:

    >>> import perceptron_theory as pt
    >>> for alpha_tot in (2.0, 8.0, 30.0):
    ...     policy = pt.optimal_policy(alpha_tot, f=0.3, theta=0.2)
    ...     print(policy.windows.round(2).tolist(), f"{policy.test_error:.4f}", policy.status.name)
    [[1.02, 2.72]] 0.2068 STATIONARY
    [[0.59, 1.14]] 0.0928 STATIONARY
    [[0.0, 0.39]] 0.0180 STATIONARY
    """
    if label_aware is not True and label_aware is not False:
        raise InvalidInputError(f"label_aware must be True or False, got {label_aware!r}: may the policy see labels?")
    pool, fraction, angle = _checked(alpha_tot, f, theta)
    descent = Descent(MarginAxis(angle, False), pool, fraction)
    bands = [descent.one_window(start) for start in _trial_minima(descent)]
    best_band = min(bands, key=lambda band: band.error)
    starts = [found.quantiles for found in bands] + _other_starts(descent)
    found = bands + [descent.minimum(start) for start in starts]
    if MarginAxis(angle, label_aware).signed:
        descent = Descent(MarginAxis(angle, label_aware), pool, fraction)
        unlabelled = [descent.axis.mass(_both_signs(candidate.windows)) for candidate in (_best(found), *bands)]
        starts = unlabelled + _trial_minima(descent) + _other_starts(descent)
        found = [candidate for start in starts for candidate in (descent.candidate(start), descent.minimum(start))]
    return report(descent.axis, _best(found), _band(best_band), pool, fraction, label_aware)


def _checked(alpha_tot: float, f: float, theta: float) -> tuple[float, float, float]:
    meaning = "alpha_tot is the size of the pool per parameter"
    pool = one_number("alpha_tot", number_array("alpha_tot", alpha_tot, meaning))
    if pool == math.inf:
        raise InvalidInputError(
            "alpha_tot must be finite, got inf: with unlimited data the least error is 0 at theta = 0; set a floor "
            "f_min on the fraction kept and pass alpha_tot = alpha_prune / f_min."
        )
    positive("alpha_tot", pool, meaning)
    fraction = one_number("f", kept_fraction("f", f))
    if pool * fraction < _LEAST_KEPT:
        raise InvalidInputError(
            f"alpha_tot * f must be at least {_LEAST_KEPT:g}, got {pool:g} * {fraction:g}: it is the number of "
            "examples kept per parameter."
        )
    return pool, fraction, one_number("theta", probe_angle(theta))


def _trial_minima(descent: Descent) -> list[FloatArray]:
    """Single windows: the local minima of the error among them, and both ends.

    Evenly spaced in mass, and each half as far from an end as the one before, down to the mass of a window.
    """
    most = 1.0 - descent.f
    near = descent.f * 0.5 ** np.arange(math.floor(math.log2(descent.f)), 1)
    near = near[near < most]
    lows = np.unique(np.concatenate([np.linspace(0.0, most, _TRIALS), near, most - near]))
    trials = np.column_stack([lows, np.minimum(lows + descent.f, 1.0)])
    errors = np.array([descent.error(trial) for trial in trials])
    padded = np.pad(errors, 1, constant_values=math.inf)
    chosen = (errors <= padded[:-2]) & (errors < padded[2:])
    chosen[[0, -1]] = True
    return list(trials[chosen])


def _other_starts(descent: Descent) -> list[FloatArray]:
    """Both tails in equal parts, and the best response to random data."""
    half = 0.5 * descent.f
    random = descent.axis.sensitivity_of_random(descent.alpha_tot * descent.f)
    return [np.array([[0.0, half], [1.0 - half, 1.0]]), best_response(descent.axis, random, descent.f)]


def _band(candidate: Candidate) -> Band:
    """A single window of |z| as a rule; 1 - lower must not round to less than is kept."""
    lower, upper = candidate.quantiles[0]
    return Band(float(lower if upper < 1.0 else np.nextafter(lower, 0.0)))


def _both_signs(windows: FloatArray) -> FloatArray:
    """Windows of |m| as windows of m."""
    return np.concatenate([-windows[::-1, ::-1], windows])


def _best(found: list[Candidate]) -> Candidate:
    """Least error; among equals one that is stationary, with fewer windows."""
    least = min(candidate.error for candidate in found)
    equal = [candidate for candidate in found if candidate.error <= least * (1.0 + _SAME)]
    stationary = [candidate for candidate in equal if candidate.optimality.gap <= GAP_TOLERANCE] or equal
    return min(stationary, key=lambda candidate: (len(candidate.windows), candidate.optimality.gap))
