"""Steps towards a solution of (M1)-(M3): sequential quadratic steps on a convex programme.

With the margin scaled to 1 the student is W = (W_r, W_d, S) = (r, delta, 1) / k and the equations are
the optimality conditions of

    minimise |W|^2 / 2   subject to   N(W) = sqrt(alpha E[(1 - W_r A - W_d B - S h)_+^2]) - S <= 0.

N is convex, so the solution is unique and a step with the exact Hessian of the Lagrangian is always
well posed. A penalty line search makes it safe from afar.
"""

import math
from typing import NamedTuple

import numpy as np

from perceptron_theory.compiling import inner_kernel
from perceptron_theory.gaussian import COARSE, FINE, FloatArray
from perceptron_theory.margins.frame import Frame, moved
from perceptron_theory.margins.kept import KeptMeasure
from perceptron_theory.students.max_margin.equations import Moments, moments, residual

#: Newton stops here: rounding in the moments is of this order.
_RESIDUAL_GOAL = 2e-14
#: The coarse rule is left for the fine one at this residual; both are then in the quadratic regime.
COARSE_GOAL = 1e-3
_COARSE_STEPS = 25
_FINE_STEPS = 14


class Step(NamedTuple):
    """An increment of (k, r, delta), and what the line search needs to know about it."""

    dWr: float
    dWd: float
    dWs: float
    multiplier: float
    excess: float
    ok: bool


@inner_kernel
def _solve_linear(A: FloatArray) -> bool:
    """Solve the 4 x 4 system A[:, :4] x = A[:, 4] in place; x replaces the last column.

    Gaussian elimination with partial pivoting; False if singular or not finite.
    """
    for i in range(4):
        pivot = i
        for j in range(i + 1, 4):
            if abs(A[j, i]) > abs(A[pivot, i]):
                pivot = j
        if not (abs(A[pivot, i]) > 0.0 and math.isfinite(A[pivot, i])):
            return False
        if pivot != i:
            for j in range(5):
                A[i, j], A[pivot, j] = A[pivot, j], A[i, j]
        for j in range(i + 1, 4):
            factor = A[j, i] / A[i, i]
            for column in range(i, 5):
                A[j, column] -= factor * A[i, column]
    for i in range(3, -1, -1):
        for j in range(i + 1, 4):
            A[i, 4] -= A[i, j] * A[j, 4]
        A[i, 4] /= A[i, i]
        if not math.isfinite(A[i, 4]):
            return False
    return True


@inner_kernel
def newton_step(s: Moments, x: Frame, alpha: float, multiplier: float) -> Step:
    """Newton step on W + lambda grad N = 0, N = 0. A negative `multiplier` asks for its best estimate."""
    nu = math.sqrt(alpha * s.x2)
    gr = -alpha * s.Ax / nu
    gd = -alpha * s.Bx / nu
    hrr = alpha * s.AA / nu - gr * gr / nu
    hrd = alpha * s.AB / nu - gr * gd / nu
    hdd = alpha * s.BB / nu - gd * gd / nu
    # N = S (nu(k, r, delta) - 1) is the perspective of nu: its gradient and Hessian follow from
    # those of nu by (k, r, delta) = (1, W_r, W_d) / S.
    # Contractions with (k, r, delta) are averages with u = k - r A - delta B, which unlike their terms
    # stay of order 1 when s is small; E[u x] = E[x^2] - E[one].
    along = nu - alpha * s.one / nu
    gs = alpha * s.one / nu - 1.0
    hrs = -alpha * s.uA / nu - gr * along / nu
    hds = -alpha * s.uB / nu - gd * along / nu
    hss = alpha * s.uu / nu - along * along / nu
    S = 1.0 / x.k
    W = (x.r * S, x.d * S, S)
    g = (gr, gd, gs)
    if multiplier < 0.0:
        # Project stationarity on W itself: scaling W up is what relaxes the constraint.
        outward = W[0] * gr + W[1] * gd + W[2] * gs
        multiplier = -(W[0] * W[0] + W[1] * W[1] + W[2] * W[2]) / outward if outward < 0.0 else 0.0
    scale = multiplier / S
    A = np.zeros((4, 5))
    A[0, 0] = 1.0 + scale * hrr
    A[0, 1] = A[1, 0] = scale * hrd
    A[0, 2] = A[2, 0] = -scale * hrs
    A[1, 1] = 1.0 + scale * hdd
    A[1, 2] = A[2, 1] = -scale * hds
    A[2, 2] = 1.0 + scale * hss
    for i in range(3):
        A[i, 3] = A[3, i] = g[i]
        A[i, 4] = -(W[i] + multiplier * g[i])
    excess = S * (nu - 1.0)
    A[3, 4] = -excess
    # Scale rows and columns alike: W spans many orders of magnitude when s is small.
    scales = np.empty(4)
    largest = 0.0
    for i in range(3):
        if not A[i, i] > 0.0:
            return Step(0.0, 0.0, 0.0, multiplier, excess, False)
        scales[i] = 1.0 / math.sqrt(A[i, i])
        largest = max(largest, abs(g[i] * scales[i]))
    scales[3] = 1.0 / largest
    for i in range(4):
        for j in range(4):
            A[i, j] *= scales[i] * scales[j]
        A[i, 4] *= scales[i]
    ok = _solve_linear(A)
    return Step(
        A[0, 4] * scales[0],
        A[1, 4] * scales[1],
        A[2, 4] * scales[2],
        max(multiplier + A[3, 4] * scales[3], 1e-3 * multiplier),
        excess,
        ok,
    )


@inner_kernel
def advance(x: Frame, step: Step, fraction: float) -> Frame:
    """Student after `fraction` of a step in W, which S must survive positive."""
    S = 1.0 / x.k
    dS = fraction * step.dWs
    new = S + dS
    dk = -x.k * dS / new
    dr = (fraction * step.dWr - x.r * dS) / new
    dd = (fraction * step.dWd - x.d * dS) / new
    return moved(x, dk, dr, dd)


@inner_kernel
def safe_fraction(x: Frame, step: Step) -> float:
    """Largest fraction (at most 1) of a step that leaves S above a tenth of its value."""
    S = 1.0 / x.k
    if S + step.dWs > 0.1 * S:
        return 1.0
    return -0.9 * S / step.dWs


@inner_kernel
def _half_norm2(x: Frame) -> float:
    return 0.5 * (1.0 + x.r * x.r + x.d * x.d) / (x.k * x.k)


@inner_kernel
def approach(measure: KeptMeasure, alpha: float, x: Frame) -> tuple[Frame, float, float]:
    """Bring a crude guess into the quadratic regime with the coarse rule: (student, multiplier, residual)."""
    multiplier = -1.0
    s = moments(measure, x, alpha, COARSE)
    error = residual(s, x, alpha)
    for _ in range(_COARSE_STEPS):
        if error < COARSE_GOAL:
            break
        if not (s.x2 > 0.0 and s.x > 0.0):
            return x, multiplier, math.inf
        step = newton_step(s, x, alpha, multiplier)
        if not step.ok:
            return x, multiplier, math.inf
        penalty = 2.0 * step.multiplier
        before = _half_norm2(x) + penalty * max(step.excess, 0.0)
        fraction = safe_fraction(x, step)
        for _ in range(12):
            trial = advance(x, step, fraction)
            s = moments(measure, trial, alpha, COARSE)
            trial_error = residual(s, trial, alpha)
            if trial_error < 0.5 * error:
                break
            after = _half_norm2(trial) + penalty * max((math.sqrt(alpha * s.x2) - 1.0) / trial.k, 0.0)
            if math.isfinite(after) and after < before and s.x > 0.0:
                break
            fraction *= 0.4
        x = trial
        error = trial_error
        multiplier = step.multiplier
    return x, multiplier, error


@inner_kernel
def polish(measure: KeptMeasure, alpha: float, x: Frame, multiplier: float) -> tuple[Frame, float, float]:
    """Full Newton steps until the residual stops falling: (student, multiplier, residual)."""
    s = moments(measure, x, alpha, FINE)
    error = residual(s, x, alpha)
    for _ in range(_FINE_STEPS):
        if error < _RESIDUAL_GOAL or not math.isfinite(error):
            break
        step = newton_step(s, x, alpha, multiplier)
        if not step.ok:
            break
        trial = advance(x, step, safe_fraction(x, step))
        s = moments(measure, trial, alpha, FINE)
        trial_error = residual(s, trial, alpha)
        if error < 1e-9 and not trial_error < 0.5 * error:
            if trial_error < error:
                x, error, multiplier = trial, trial_error, step.multiplier
            break
        x, error, multiplier = trial, trial_error, step.multiplier
    return x, multiplier, error
