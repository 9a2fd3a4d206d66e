"""Solves (M1)-(M3) for one kept measure, and for arrays of problems.

A guess, guarded coarse steps, full fine steps; continuation in ln alpha stands behind them. Every
solution is solved once more with a finer quadrature.
"""

import math

from perceptron_theory.compiling import inner_kernel, kernel
from perceptron_theory.gaussian import COARSE, FINE, VERIFY, FloatArray
from perceptron_theory.margins.frame import Frame, frame_at
from perceptron_theory.margins.kept import KeptMeasure, gaussian_window
from perceptron_theory.students.max_margin.equations import (
    kept_mass,
    measured_error,
    moments,
    overlaps,
)
from perceptron_theory.students.max_margin.guess import first_guess, gap_origin, wrong_side_load
from perceptron_theory.students.max_margin.pinned import pinned_to_probe
from perceptron_theory.students.max_margin.steps import (
    COARSE_GOAL,
    advance,
    approach,
    newton_step,
    polish,
    safe_fraction,
)

#: Below this no alpha in double precision tells the probe from the teacher.
_THETA_RESOLVED = 1e-100
#: A student this much smaller than its guess still carries the rounding errors of the guess in its second basis.
_OVERSHOT = 1e-3


@inner_kernel
def continuation(measure: KeptMeasure, alpha: float, theta: float, m0: float) -> tuple[Frame, float, float]:
    """Follow the solution in ln alpha, with a secant predictor, from where a guess suffices."""
    current = alpha
    x = first_guess(measure, current, theta, m0)
    multiplier = -1.0
    error = math.inf
    while not error < COARSE_GOAL and current > 1e-6:
        current *= 0.25
        x = first_guess(measure, current, theta, m0)
        x, multiplier, error = approach(measure, current, x)
    stride = math.log(2.0)
    old = x
    old_stride = 0.0
    while current < alpha and error < math.inf:
        target = min(alpha, current * math.exp(stride))
        taken = math.log(target / current)
        trial = x
        if old_stride > 0.0:
            # ln k, ln r and delta / r vary slowly with ln alpha.
            power = taken / old_stride
            k = x.k * (x.k / old.k) ** power
            r = x.r * (x.r / old.r) ** power
            d = r * (x.d / x.r + power * (x.d / x.r - old.d / old.r))
            trial = frame_at(k, r, d, m0, theta)
        trial, trial_multiplier, trial_error = approach(measure, target, trial)
        if trial_error < COARSE_GOAL:
            old = x
            old_stride = taken
            x = trial
            multiplier = trial_multiplier
            error = trial_error
            current = target
            stride = min(1.5 * stride, math.log(4.0))
        else:
            stride *= 0.4
            if stride < 1e-4:
                error = math.inf
    return x, multiplier, error


@kernel
def solve_measure(measure: KeptMeasure, alpha: float, theta: float) -> tuple[Frame, float, float]:
    """Max-margin student on a kept measure: (student, residual, quadrature_error).

    `quadrature_error` is the larger relative change of test error and margin when the equations
    are re-evaluated by a rule of higher order and solved again (one Newton step).
    """
    if theta < _THETA_RESOLVED:
        theta = 0.0
    m0 = gap_origin(measure)
    guess = first_guess(measure, alpha, theta, m0)
    x, multiplier, error = approach(measure, alpha, guess)
    if abs(x.r) < _OVERSHOT * abs(guess.r):
        x = frame_at(x.k, x.r, x.d, m0, theta)
    if error < COARSE_GOAL:
        x, multiplier, error = polish(measure, alpha, x, multiplier)
    if not error < 1e-9:
        x, multiplier, error = continuation(measure, alpha, theta, m0)
        if error < COARSE_GOAL:
            x, multiplier, error = polish(measure, alpha, x, multiplier)
    if not math.isfinite(error):
        return x, error, math.inf
    s = moments(measure, x, alpha, VERIFY)
    step = newton_step(s, x, alpha, multiplier)
    before = overlaps(x)
    after = overlaps(advance(x, step, safe_fraction(x, step)))
    change = max(abs(after[0] / before[0] - 1.0), abs(after[3] / before[3] - 1.0))
    if not (step.ok and math.isfinite(change)):
        change = math.inf
    return x, error, change


@inner_kernel
def _write(x: Frame, error: float, change: float, out: FloatArray) -> None:
    """One row of results: test_error, R, rho, kappa, residual, quadrature_error."""
    out[0], out[1], out[2], out[3] = overlaps(x)
    out[4] = error
    out[5] = change


@kernel
def solve_windows(
    alpha: FloatArray,
    theta: FloatArray,
    z_lo: FloatArray,
    z_hi: FloatArray,
    f: FloatArray,
    out: FloatArray,
) -> None:
    """Gaussian data, keeping z_lo < |z| < z_hi: one row of `out` (columns of `_write`) per point."""
    for i in range(alpha.size):
        measure = gaussian_window(z_lo[i], z_hi[i], f[i])
        x, error, change = solve_measure(measure, alpha[i], theta[i])
        _write(x, error, change, out[i])


@kernel
def screen_kept(
    measure: KeptMeasure, unpruned: KeptMeasure, alpha: FloatArray, theta: FloatArray, out: FloatArray
) -> None:
    """Test errors by the coarse rule, to about 1e-3: enough to see where a search should look. Inf if none."""
    m0 = gap_origin(measure)
    for i in range(alpha.size):
        x, _, error = approach(measure, alpha[i], first_guess(measure, alpha[i], theta[i], m0))
        if not error < COARSE_GOAL:
            out[i] = math.inf
        elif unpruned.intervals.shape[0] > 0:
            out[i] = measured_error(unpruned, x, alpha[i], COARSE)
        else:
            out[i] = overlaps(x)[0]


@kernel
def solve_kept(
    measure: KeptMeasure,
    unpruned: KeptMeasure,
    alpha: FloatArray,
    theta: FloatArray,
    out: FloatArray,
) -> None:
    """Any kept measure; the test error is that on `unpruned` unless it is empty (Gaussian inputs)."""
    m0 = gap_origin(measure)
    for i in range(alpha.size):
        if pinned_to_probe(measure, alpha[i], theta[i], m0):
            # kappa = m0, student = probe, up to terms of order 1 / k.
            out[i, 0] = theta[i] / math.pi
            out[i, 1] = math.cos(theta[i])
            out[i, 2] = 1.0
            out[i, 3] = m0
            out[i, 4] = 0.0
            out[i, 5] = 5.0 * math.sqrt(alpha[i] * wrong_side_load(measure, theta[i], m0)[1])
            if unpruned.intervals.shape[0] > 0:
                out[i, 0] = wrong_side_load(unpruned, theta[i], 1.0)[0]
            continue
        x, error, change = solve_measure(measure, alpha[i], theta[i])
        # A kept measure has mass 1; a quadrature that lost or doubled examples shows here.
        change = max(change, abs(kept_mass(measure, theta[i])[0] - 1.0))
        _write(x, error, change, out[i])
        if unpruned.intervals.shape[0] > 0:
            fine = measured_error(unpruned, x, alpha[i], FINE)
            check = measured_error(unpruned, x, alpha[i], VERIFY)
            out[i, 0] = check
            out[i, 5] = max(change, abs(fine / check - 1.0))
