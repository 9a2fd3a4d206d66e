"""The penalty of the smallest test error.

Penalties are tried from strong to weak along the path of solutions; every interval over whose ends the slope of the
error turns from rising to falling holds a minimum, which is a root of the slope. Beside these the two ends compete: no
penalty, and one so strong that the student is its first step of gradient descent.
"""

import math

from perceptron_theory.compiling import inner_kernel
from perceptron_theory.gaussian import COARSE, FINE
from perceptron_theory.margins.kept import KeptMeasure
from perceptron_theory.students.convex_loss.continuation import PATH_GOAL, STRONG, coarse, follow
from perceptron_theory.students.convex_loss.equations import Setting, Sums, Weights, averages
from perceptron_theory.students.convex_loss.newton import newton
from perceptron_theory.students.convex_loss.proximal import HINGE
from perceptron_theory.students.convex_loss.unpruned_error import error_of, log_error_slope

#: The path ends here, relative to alpha, or where the error does not change any more.
_WEAKEST = 1e-9
_LEVEL = 1e-8
_STRIDE = 1.0
_SHORT_STRIDE = 0.1
_MOST_TRIALS = 120
#: Share of the parameters that examples at the kink determine, below which a hinge counts as straight.
_FEW = 0.1
#: Brackets in ln(lam) are narrowed to this with the coarse rule.
_NARROW = 0.02
#: A minimum is found when its bracket, or the slope of ln(error), is so small.
_FOUND = 1e-9
#: By which an end must beat a minimum between, relatively.
_WORTHWHILE = 1e-9
#: Susceptibility, relative to alpha, under which fields do not matter beside 1.
_FIRST_STEP = 1e-12


@inner_kernel
def first_step(measure: KeptMeasure, x: Setting, level: float) -> Weights:
    """Student under a penalty so strong that only the slope of the loss at 0 matters."""
    V = _FIRST_STEP / (1.0 + x.alpha)
    S = averages(measure, x, Weights(0.0, 0.0, V, V), level)
    return Weights(x.alpha * S.m, x.alpha * S.g, math.sqrt(x.alpha * S.F2), V)


@inner_kernel
def _slope_at(
    measure: KeptMeasure, unpruned: KeptMeasure, x: Setting, w: Weights, at: float, theta: float, level: float
) -> tuple[Weights, float]:
    """Student at the penalty exp(at), from one nearby, and the slope of ln(error); NaN if it is lost."""
    goal = 1e-7 if level == COARSE else 1e-11
    w, _, error, S = newton(measure, x, w, math.exp(at), 0.0, level, goal)
    if not error <= PATH_GOAL:
        return w, math.nan
    return w, log_error_slope(unpruned, x, w, math.exp(at), S, theta)


@inner_kernel
def _minimum(
    measure: KeptMeasure,
    unpruned: KeptMeasure,
    x: Setting,
    w: Weights,
    theta: float,
    low: float,
    f_low: float,
    high: float,
    f_high: float,
) -> tuple[Weights, float]:
    """Root of the slope between `low`, where it falls, and `high`, by the Illinois rule: coarse, then fine."""
    level, at = COARSE, low
    first_low, first_high = low, high
    for _ in range(100):
        at = low + (high - low) * f_low / (f_low - f_high)
        w, f = _slope_at(measure, unpruned, x, w, at, theta, level)
        if math.isnan(f):
            return w, math.nan
        if level == FINE and (abs(f) < _FOUND or high - low < _FOUND):
            break
        if level == COARSE and (abs(f) < 1e-3 * _NARROW or high - low < _NARROW):
            # The fine rule has its root nearby: take a bracket that holds it.
            level, reach = FINE, 0.5 * _NARROW
            middle = at
            low, high = middle, middle
            f_low, f_high = 1.0, -1.0
            while f_low > 0.0 and low > first_low:
                low = max(middle - reach, first_low)
                w, f_low = _slope_at(measure, unpruned, x, w, low, theta, level)
                reach *= 4.0
            reach = 0.5 * _NARROW
            while f_high <= 0.0 and high < first_high:
                high = min(middle + reach, first_high)
                w, f_high = _slope_at(measure, unpruned, x, w, high, theta, level)
                reach *= 4.0
            if not (f_low <= 0.0 and f_high > 0.0):
                at = low if f_low > 0.0 else high
                break
            continue
        if f > 0.0:
            high, f_high, f_low = at, f, 0.5 * f_low
        else:
            low, f_low, f_high = at, f, 0.5 * f_high
    w, _, _, _ = newton(measure, x, w, math.exp(at), 0.0, FINE, 1e-11)
    return w, at


@inner_kernel
def best_penalty(
    measure: KeptMeasure, unpruned: KeptMeasure, x: Setting, mean: Sums, theta: float
) -> tuple[Weights, float]:
    """Student of the smallest test error, and its lam.

    lam is 0 or infinite where the error is least at that end, NaN if the path is lost.
    """
    at = math.log(STRONG * (1.0 + x.alpha))
    last = math.log(_WEAKEST * (1.0 + x.alpha))
    w, gamma, residual, S = coarse(measure, x, mean, math.exp(at), False)
    if not residual <= PATH_GOAL:
        return w, math.nan
    best = first_step(measure, x, FINE)
    best_lam, least = math.inf, error_of(unpruned, best, x, theta, FINE)
    slope = log_error_slope(unpruned, x, w, math.exp(at), S, theta)
    share = min(1.0, x.alpha)
    for _ in range(_MOST_TRIALS):
        # A hinge is straight far from its kink: under strong penalties the error is level, with a faint dip at the end.
        straight = x.loss == HINGE and 1.0 - math.exp(at) * w.V < _FEW * share
        target = at - (_SHORT_STRIDE if straight else _STRIDE)
        trial, gamma, residual, S = follow(measure, x, w, gamma, at, target, False)
        if straight:
            trial, gamma, residual, S = newton(measure, x, trial, math.exp(target), gamma, FINE, 1e-11)
        if not residual <= PATH_GOAL:
            return w, math.nan
        trial_slope = log_error_slope(unpruned, x, trial, math.exp(target), S, theta)
        if slope > 0.0 and trial_slope <= 0.0 and max(slope, -trial_slope) > _LEVEL:
            found, where = _minimum(measure, unpruned, x, trial, theta, target, trial_slope, at, slope)
            value = error_of(unpruned, found, x, theta, FINE)
            if not math.isnan(where) and value < least:
                best, best_lam, least = found, math.exp(where), value
        w, at, slope = trial, target, trial_slope
        if at <= last or (abs(slope) < _LEVEL and not straight):
            break
    w, _, residual, _ = newton(measure, x, w, math.exp(at), 0.0, FINE, 1e-11)
    if residual <= PATH_GOAL and error_of(unpruned, w, x, theta, FINE) < least * (1.0 - _WORTHWHILE):
        return w, 0.0
    return best, best_lam
