"""Solves (C1)-(C4) for one kept measure.

By continuation in lam, from a penalty so strong that the student is one step of gradient descent, down to the one
asked for; where lam vanishes and the kept data can be fitted, in alpha, from so few examples that they hardly notice
each other.
Each start is next to its only solution, and paths are followed by small steps with the residual of all four equations:
false roots, which small penalties with small fractions have, are not met. (Continuation in f is not needed.)
"""

import math

import numpy as np

from perceptron_theory.gaussian import COARSE, FINE, VERIFY, FloatArray, inner_kernel, kernel
from perceptron_theory.margins.frame import frame_at
from perceptron_theory.margins.kept import KeptMeasure
from perceptron_theory.students.convex_loss.equations import (
    EMPTY,
    Setting,
    Sums,
    Weights,
    averages,
    with_alpha,
    with_angle,
    with_loss,
)
from perceptron_theory.students.convex_loss.newton import jacobian, moved, newton, residuals, solved
from perceptron_theory.students.convex_loss.proximal import LOGISTIC, SIGN, SQUARE, SQUARED_HINGE
from perceptron_theory.students.max_margin.equations import measured_error

_GOAL = 1e-13
#: On the way, with the coarse rule.
_PATH_GOAL = 1e-4
#: A penalty so much stronger than the data leaves the student at the gradient.
_STRONG = 30.0
#: Few examples per parameter, where fits hardly notice each other.
_DILUTE = 0.01
_STRIDE = 1.0
_LONGEST_STRIDE = 2.5
#: Where a vanishing penalty is approached from, relative to alpha: beside the threshold only so weak a one is near.
_NEARLY_NONE = 1e-8
#: The path of the best penalty ends here, relative to alpha, or where the error does not change any more.
_WEAKEST = 1e-9
_LEVEL = 1e-8
_SEARCH_STRIDE = 1.5
#: In ln(lam): brackets wider than this are narrowed with the coarse rule.
_NARROW = 0.02


@inner_kernel
def _predicted(w: Weights, old: Weights, power: float) -> Weights:
    """Secant in p / s, c / s, ln s and ln V."""
    s = w.s * (w.s / old.s) ** power
    r, d = w.p / w.s, w.c / w.s
    V = w.V * (w.V / old.V) ** power if math.isfinite(w.V) else w.V
    return Weights(s * (r + power * (r - old.p / old.s)), s * (d + power * (d - old.c / old.s)), s, V)


@inner_kernel
def _follow(
    measure: KeptMeasure, x: Setting, w: Weights, gamma: float, start: float, end: float, over_alpha: bool
) -> tuple[Weights, float, float, Sums]:
    """Follow the solution near `w` at exp(start), of lam or of alpha, to exp(end): as `newton`, coarse."""
    at, stride = start, _STRIDE
    old, old_stride = w, 0.0
    target, trial, first = start, w, True
    S, error = EMPTY, math.inf
    while first or at != end:
        if not first:
            step = min(stride, abs(end - at))
            target = at + step if end > start else at - step
            if abs(end - target) < 1e-9 * (1.0 + abs(end)):
                target = end
            trial = _predicted(w, old, (target - at) / old_stride) if old_stride != 0.0 else w
        here = with_alpha(x, math.exp(target)) if over_alpha else x
        lam = 0.0 if over_alpha else math.exp(target)
        trial, trial_gamma, trial_error, T = newton(measure, here, trial, lam, gamma, COARSE, _PATH_GOAL)
        if trial_error <= _PATH_GOAL:
            old, old_stride = w, target - at
            w, gamma, error, at, S = trial, trial_gamma, trial_error, target, T
            if not first:
                stride = min(1.6 * stride, _LONGEST_STRIDE)
            first = False
        else:
            stride *= 0.35
            if first or stride < 1e-5:
                return w, gamma, math.inf, S
    return w, gamma, error, S


@inner_kernel
def _coarse(measure: KeptMeasure, x: Setting, mean: Sums, lam: float, fits: bool) -> tuple[Weights, float, float, Sums]:
    """Coarse solution at `lam` > 0, or where the kept data are fitted at V = infinity. `mean` has their mean."""
    if fits:
        few = min(x.alpha, _DILUTE)
        w = Weights(few * mean.mean_m, few * mean.mean_g, math.sqrt(few), math.inf)
        return _follow(measure, x, w, 1.0 - few, math.log(few), math.log(x.alpha), True)
    # Under a strong penalty the student is one step of gradient descent.
    start = max(lam, _STRONG * (1.0 + x.alpha))
    F = (0.5 if x.loss == LOGISTIC else 1.0) / start
    w = Weights(x.alpha * mean.mean_m * F, x.alpha * mean.mean_g * F, math.sqrt(x.alpha) * F, 1.0 / start)
    return _follow(measure, x, w, 0.0, math.log(start), math.log(lam), False)


@kernel
def separability(measure: KeptMeasure, x: Setting) -> float:
    """Examples per parameter up to which a student fits all kept data: 1 / min E[(-omega)_+^2] over p, c at s = 1.

    Infinite if some direction of the plane fits all. (Candes and Sur, Ann. Stat. 48, 27 (2020).)
    """
    x = with_alpha(with_loss(x, SIGN), 1.0)
    w = Weights(0.0, 0.0, 1.0, math.inf)
    S = averages(measure, x, w, FINE)
    for _ in range(200):
        # Gradient -2 (E[m F], E[g F]), Hessian -2 (E[m^2 F'], ...).
        det = S.m_p * S.g_c - S.m_c * S.m_c
        if S.m_p == 0.0:
            dp, dc = 0.0, -S.g / S.g_c
        elif x.sin > 0.0 and det > 0.0:
            dp, dc = -(S.g_c * S.m - S.m_c * S.g) / det, -(S.m_p * S.g - S.m_c * S.m) / det
        else:
            dp, dc = -S.m / S.m_p, 0.0
        share = min(1.0, (1.0 + math.hypot(w.p, w.c)) / math.hypot(dp, dc)) if dp != 0.0 or dc != 0.0 else 0.0
        better = False
        for _ in range(30):
            trial = Weights(w.p + share * dp, w.c + share * dc, 1.0, math.inf)
            T = averages(measure, x, trial, FINE)
            if T.F2 < S.F2:
                better = True
                break
            share *= 0.5
        if not better:
            break
        done = share * math.hypot(dp, dc) <= 1e-12 * (1.0 + math.hypot(w.p, w.c))
        w, S = trial, T
        if done or S.F2 < 1e-7:
            break
    return 1.0 / S.F2 if S.F2 > 1e-7 else math.inf


@inner_kernel
def _angle(w: Weights, x: Setting) -> float:
    """Angle to the teacher."""
    along = w.p * x.cos + w.c * x.sin
    across = w.p * x.sin - w.c * x.cos
    return math.atan2(math.hypot(across, w.s), along)


@inner_kernel
def error_of(unpruned: KeptMeasure, w: Weights, x: Setting, theta: float, level: float) -> float:
    """Probability of disagreeing with the sign of the teacher's field on unpruned data."""
    if unpruned.intervals.shape[0] == 0:
        return _angle(w, x) / math.pi
    r = (w.p * x.cos + w.c * x.sin) / w.s
    d = (w.p * x.sin - w.c * x.cos) / w.s
    return measured_error(unpruned, frame_at(0.0, r, d, 0.0, theta), x.alpha, level)


@inner_kernel
def _log_error_slope(unpruned: KeptMeasure, x: Setting, w: Weights, lam: float, S: Sums, theta: float) -> float:
    """Slope d ln(test error) / d ln(lam) along the solution, whose averages are S."""
    gamma = lam * w.V
    change = np.array(
        [-gamma, 0.0, -gamma * w.p / (x.alpha * max(S.abs_m, 1e-300)), -gamma * w.c / (x.alpha * S.abs_F)]
    )
    tangent = -solved(jacobian(S, x, w, lam, gamma), change)
    h = 1e-5
    up = error_of(unpruned, moved(w, gamma, tangent, h)[0], x, theta, FINE)
    down = error_of(unpruned, moved(w, gamma, tangent, -h)[0], x, theta, FINE)
    return (math.log(up) - math.log(down)) / (2.0 * h)


@inner_kernel
def _best_penalty(
    measure: KeptMeasure, unpruned: KeptMeasure, x: Setting, mean: Sums, theta: float
) -> tuple[Weights, float]:
    """Best of all local minima of the test error over lam, from strong to weak: (student, lam).

    lam is 0 if the error is least where the penalty vanishes, NaN if the path is lost. Minima are roots of the slope,
    found by the Illinois rule.
    """
    at = math.log(_STRONG * (1.0 + x.alpha))
    last = math.log(_WEAKEST * (1.0 + x.alpha))
    w, gamma, error, S = _coarse(measure, x, mean, math.exp(at), False)
    if not error <= _PATH_GOAL:
        return w, math.nan
    best, best_lam, least = w, 0.0, math.inf
    slope = _log_error_slope(unpruned, x, w, math.exp(at), S, theta)
    while at > last:
        target = at - _SEARCH_STRIDE
        trial, gamma, error, S = _follow(measure, x, w, gamma, at, target, False)
        if not error <= _PATH_GOAL:
            return w, math.nan
        trial_slope = _log_error_slope(unpruned, x, trial, math.exp(target), S, theta)
        if slope > 0.0 and trial_slope <= 0.0:
            low, f_low, high, f_high = target, trial_slope, at, slope
            found, middle = trial, target
            for _ in range(40):
                middle = low + (high - low) * f_low / (f_low - f_high)
                rough = high - low > _NARROW
                level, goal = (COARSE, 1e-7) if rough else (FINE, 1e-11)
                found, _, error, S = newton(measure, x, found, math.exp(middle), 0.0, level, goal)
                f = _log_error_slope(unpruned, x, found, math.exp(middle), S, theta)
                if not error < _PATH_GOAL or (abs(f) < 1e-9 and not rough) or high - low < 1e-9:
                    break
                if rough and abs(f) < 1e-4:
                    # A short bracket around it; if the fine rule puts the root outside, Illinois extrapolates.
                    reach = 0.4 * _NARROW
                    low, high = max(low, middle - reach), min(high, middle + reach)
                    curvature = max((f_high - f_low) / (at - target), 1e-3)
                    f_low, f_high = f - curvature * (middle - low), f + curvature * (high - middle)
                    continue
                if f > 0.0:
                    high, f_high, f_low = middle, f, 0.5 * f_low
                else:
                    low, f_low, f_high = middle, f, 0.5 * f_high
            value = error_of(unpruned, found, x, theta, FINE)
            if value < least:
                best, best_lam, least = found, math.exp(middle), value
        w, at, slope = trial, target, trial_slope
        if abs(slope) < _LEVEL:
            break
    if error_of(unpruned, w, x, theta, FINE) < least * (1.0 - 1e-9):
        return w, 0.0
    return best, best_lam


@kernel
def solve_convex(
    measure: KeptMeasure,
    unpruned: KeptMeasure,
    settings: Setting,
    alpha: FloatArray,
    theta: FloatArray,
    lam: FloatArray,
    threshold: FloatArray,
    out: FloatArray,
) -> None:
    """Rows of `out`: error, R, rho, norm, V, training error, training loss, lam, residual, quadrature error.

    lam < 0 asks for the best. `threshold` is the separability of the kept data.
    """
    e = np.zeros(4)
    for i in range(alpha.size):
        x = with_angle(with_alpha(settings, alpha[i]), theta[i])
        penalty, gamma, error = lam[i], 0.0, 0.0
        w = Weights(0.0, 0.0, 1.0, 1.0)
        mean = averages(measure, x, w, COARSE)
        if lam[i] < 0.0:
            w, penalty = _best_penalty(measure, unpruned, x, mean, theta[i])
        if lam[i] >= 0.0 or penalty == 0.0:
            fits = penalty == 0.0 and alpha[i] < (1.0 if x.loss == SQUARE else threshold[i])
            if fits and x.loss != SQUARE:
                # What fits all data with the smallest norm is the same for all losses that ask for a margin.
                x = with_loss(x, SQUARED_HINGE)
            some = penalty if penalty > 0.0 else _NEARLY_NONE * (1.0 + alpha[i])
            w, gamma, error, _ = _coarse(measure, x, mean, some, fits)
        out[i, 7], out[i, 8], out[i, 9] = penalty, math.inf, math.inf
        if not error <= _PATH_GOAL or math.isnan(penalty):
            continue
        w, gamma, error, _ = newton(measure, x, w, penalty, gamma, FINE, _GOAL)
        S = averages(measure, x, w, VERIFY)
        out[i, 8] = error
        residuals(S, x, w, gamma, e)
        finer, _ = moved(w, gamma, solved(jacobian(S, x, w, penalty, gamma), -e), 1.0)
        value = error_of(unpruned, w, x, theta[i], VERIFY)
        change = abs(error_of(unpruned, finer, x, theta[i], VERIFY) / value - 1.0)
        change = max(change, abs(error_of(unpruned, w, x, theta[i], FINE) / value - 1.0))
        change = max(change, abs(S.one - 1.0))
        if not math.isfinite(error + change):
            continue
        norm = math.sqrt(w.p * w.p + w.c * w.c + w.s * w.s)
        out[i, 0] = value
        out[i, 1] = (w.p * x.cos + w.c * x.sin) / norm
        out[i, 2] = w.p / norm
        out[i, 3] = norm
        out[i, 4] = w.V
        out[i, 5] = S.error
        out[i, 6] = S.loss
        out[i, 9] = change
