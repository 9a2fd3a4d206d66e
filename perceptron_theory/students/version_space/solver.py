"""Solves (V1)-(V3) for one kept measure: from no data to alpha, then from no margin to kappa."""

import math

from perceptron_theory.compiling import inner_kernel, kernel
from perceptron_theory.gaussian import COARSE, FINE, INV_SQRT_2PI, VERIFY, FloatArray
from perceptron_theory.margins.frame import frame_at
from perceptron_theory.margins.kept import KeptMeasure
from perceptron_theory.students.max_margin.equations import kept_mass, measured_error
from perceptron_theory.students.max_margin.guess import gap_origin
from perceptron_theory.students.max_margin.solver import solve_measure
from perceptron_theory.students.version_space.equations import Volume, averages, entropy, inverse_gap
from perceptron_theory.students.version_space.newton import moved, newton, newton_step, residuals_at

_GOAL = 1e-13
#: On the way, with the coarse rule.
_PATH_GOAL = 1e-4
#: So few examples per parameter cut the version space independently.
_DILUTE = 0.01
#: r of the Gibbs over that of the max-margin student at large alpha: 0.72064 / 0.63600.
_RATIO = 1.133
_OVER_ALPHA = 0.0
_OVER_KAPPA = 1.0
_STRIDE = 0.7
_LONGEST_STRIDE = 2.0


@inner_kernel
def _dilute(measure: KeptMeasure, alpha: float, theta: float) -> Volume:
    """Version space of few examples: each cuts it once, at random."""
    _, A, B = kept_mass(measure, theta)
    G = 2.0 * INV_SQRT_2PI
    return Volume(alpha * G * A, alpha * G * B, math.sqrt(alpha) * G, 0.0)


@inner_kernel
def _plentiful(measure: KeptMeasure, alpha: float, theta: float) -> Volume:
    """Guess for many examples, from the max-margin student: their ratio without pruning (t is then 1).

    For data so hard that the path from few examples breaks at Cover's capacity, where all changes at once.
    """
    x, _, _ = solve_measure(measure, alpha, theta)
    return Volume(_RATIO * x.r, _RATIO * x.d, 1.5, 0.0)


@inner_kernel
def _predicted(x: Volume, old: Volume, power: float) -> Volume:
    """Secant in ln r, ln t and delta / r."""
    r = x.r * (x.r / old.r) ** power
    ratio = x.d / x.r
    return Volume(r, r * (ratio + power * (ratio - old.d / old.r)), x.t * (x.t / old.t) ** power, x.kappa)


@inner_kernel
def _along(path: float, at: float, alpha: float, kappa_max: float) -> tuple[float, float]:
    """(alpha, kappa) on a path: over ln alpha without a margin, or over -ln(1 - kappa / kappa_max) at fixed alpha."""
    if path == _OVER_ALPHA:
        return math.exp(at), 0.0
    return alpha, -kappa_max * math.expm1(-at)


@inner_kernel
def _follow(
    measure: KeptMeasure,
    v: Volume,
    path: float,
    start: float,
    end: float,
    alpha: float,
    theta: float,
    m0: float,
    kappa_max: float,
) -> tuple[Volume, float]:
    """Follow the solution from `start`, where it is `v`, to `end`: (volume, residual, infinite if lost)."""
    at = start
    stride = _STRIDE
    old, old_stride = v, 0.0
    error = 0.0
    while at < end:
        target = min(end, at + stride)
        if end - target < 1e-9 * abs(end):
            target = end
        trial = _predicted(v, old, (target - at) / old_stride) if old_stride > 0.0 else v
        here, kappa = _along(path, target, alpha, kappa_max)
        trial = Volume(trial.r, trial.d, trial.t, kappa)
        trial, trial_error = newton(measure, trial, here, theta, m0, COARSE, _PATH_GOAL)
        if trial_error < _PATH_GOAL:
            old, old_stride = v, target - at
            v, error, at = trial, trial_error, target
            stride = min(1.6 * stride, _LONGEST_STRIDE)
        else:
            stride *= 0.35
            if stride < 1e-5:
                return v, math.inf
    return v, error


@kernel
def solve_volume(
    measure: KeptMeasure, alpha: float, theta: float, m0: float, kappa: float, kappa_max: float
) -> tuple[Volume, float, float]:
    """Version space of margin `kappa` < `kappa_max`: (volume, residual, quadrature error).

    The quadrature error is the largest relative change of the Gibbs and Bayes errors and of 1 - q when the
    equations are evaluated by a rule of higher order and solved again (one Newton step).
    """
    start = min(alpha, _DILUTE)
    v, error = newton(measure, _dilute(measure, start, theta), start, theta, m0, COARSE, _PATH_GOAL)
    if error < _PATH_GOAL:
        v, error = _follow(measure, v, _OVER_ALPHA, math.log(start), math.log(alpha), alpha, theta, m0, kappa_max)
    if not error < _PATH_GOAL:
        v, error = newton(measure, _plentiful(measure, alpha, theta), alpha, theta, m0, COARSE, _PATH_GOAL)
    if error < _PATH_GOAL and kappa > 0.0:
        v, error = _follow(measure, v, _OVER_KAPPA, 0.0, -math.log1p(-kappa / kappa_max), alpha, theta, m0, kappa_max)
    if not error < _PATH_GOAL:
        return v, math.inf, math.inf
    v, error = newton(measure, Volume(v.r, v.d, v.t, kappa), alpha, theta, m0, FINE, _GOAL)
    e = residuals_at(measure, v, alpha, theta, m0, VERIFY)
    finer = moved(v, newton_step(measure, v, alpha, theta, m0, VERIFY, e), 1.0)
    change = abs(inverse_gap(v) / inverse_gap(finer) - 1.0)
    for share in (1.0, 0.0):
        change = max(change, abs(angle(v, share) / angle(finer, share) - 1.0))
    return v, error, change if math.isfinite(change) else math.inf


@inner_kernel
def angle(v: Volume, gibbs: float) -> float:
    """Angle to the teacher of a typical student (`gibbs` = 1) or of the mean of all (0)."""
    return math.atan2(math.sqrt(gibbs + v.t * v.t + v.d * v.d), v.r)


@inner_kernel
def _error(
    unpruned: KeptMeasure, v: Volume, gibbs: float, alpha: float, theta: float, m0: float, level: float
) -> float:
    """Test error of a typical student (`gibbs` = 1) or of the mean of all (0)."""
    if unpruned.intervals.shape[0] == 0:
        return angle(v, gibbs) / math.pi
    noise = math.sqrt(gibbs + v.t * v.t)
    return measured_error(unpruned, frame_at(0.0, v.r / noise, v.d / noise, m0, theta), alpha, level)


@kernel
def solve_volumes(
    measure: KeptMeasure,
    unpruned: KeptMeasure,
    alpha: FloatArray,
    theta: FloatArray,
    kappa: FloatArray,
    kappa_max: FloatArray,
    out: FloatArray,
) -> None:
    """Rows of `out`: Gibbs error, Bayes error, R, rho, q, entropy, gain, residual, quadrature error."""
    m0 = gap_origin(measure)
    for i in range(alpha.size):
        v, error, change = solve_volume(measure, alpha[i], theta[i], m0, kappa[i], kappa_max[i])
        out[i, 7] = error
        out[i, 8] = max(change, abs(kept_mass(measure, theta[i])[0] - 1.0))
        if not math.isfinite(error + change):
            continue
        length = math.sqrt(inverse_gap(v))
        s = averages(measure, v, alpha[i], theta[i], m0, VERIFY)
        for gibbs in range(2):
            fine = _error(unpruned, v, float(gibbs), alpha[i], theta[i], m0, FINE)
            check = _error(unpruned, v, float(gibbs), alpha[i], theta[i], m0, VERIFY)
            out[i, 1 - gibbs] = check
            out[i, 8] = max(out[i, 8], abs(fine / check - 1.0))
        out[i, 2] = v.r / length
        out[i, 3] = (v.r * math.cos(theta[i]) + v.d * math.sin(theta[i])) / length
        out[i, 4] = 1.0 - 1.0 / (length * length)
        out[i, 5] = entropy(s, v, alpha[i])
        out[i, 6] = -s.log
