"""Newton's method for (C1)-(C4), in (p, c, ln s) and ln V, or gamma where V is infinite."""

import math

import numpy as np

from perceptron_theory.compiling import inner_kernel
from perceptron_theory.gaussian import FloatArray
from perceptron_theory.margins.kept import KeptMeasure
from perceptron_theory.students.convex_loss.equations import Setting, Sums, Weights, averages

#: Largest change of ln s and ln V, and of p and c relative to the student's length, in one step.
_LONGEST = 2.0
_STEPS = 40
_HALVINGS = 12


@inner_kernel
def gamma_of(w: Weights, lam: float, gamma: float) -> float:
    """Product lam V, or `gamma` itself where V is infinite."""
    return lam * w.V if math.isfinite(w.V) else gamma


@inner_kernel
def residuals(S: Sums, x: Setting, w: Weights, gamma: float, out: FloatArray) -> float:
    """(C1)-(C4), right minus left, each relative to the scale of its terms; the largest."""
    a = x.alpha
    out[0] = 1.0 + a * S.h / w.s - gamma
    out[1] = a * S.F2 / (w.s * w.s) - 1.0
    out[2] = (a * S.m - gamma * w.p) / (a * S.abs_m) if S.abs_m > 0.0 else 0.0
    out[3] = (a * S.g - gamma * w.c) / (a * S.abs_F) if x.sin > 0.0 else 0.0
    largest = max(max(abs(out[0]), abs(out[1])), max(abs(out[2]), abs(out[3])))
    return largest if math.isfinite(out[0] + out[1] + out[2] + out[3]) else math.inf


@inner_kernel
def jacobian(S: Sums, x: Setting, w: Weights, lam: float, gamma: float) -> FloatArray:
    """Derivatives of `residuals` with respect to (p, c, ln s, ln V or gamma)."""
    a, s = x.alpha, w.s
    finite = math.isfinite(w.V)
    J = np.zeros((4, 4))
    J[0, 0], J[0, 1], J[0, 2] = a * S.h_p / s, a * S.h_c / s, a * S.h_s - a * S.h / s
    J[0, 3] = a * S.h_V / s - gamma if finite else -1.0
    s2 = s * s
    J[1, 0], J[1, 1], J[1, 2] = a * S.F2_p / s2, a * S.F2_c / s2, a * S.F2_s / s - 2.0 * a * S.F2 / s2
    J[1, 3] = a * S.F2_V / s2 if finite else 0.0
    J[2, 0], J[2, 1], J[2, 2] = a * S.m_p - gamma, a * S.m_c, a * S.m_s * s
    J[2, 3] = a * S.m_V - gamma * w.p if finite else -w.p
    J[3, 0], J[3, 1], J[3, 2] = a * S.m_c, a * S.g_c - gamma, a * S.g_s * s
    J[3, 3] = a * S.g_V - gamma * w.c if finite else -w.c
    if S.abs_m > 0.0:
        J[2] /= a * S.abs_m
    else:
        # No example has a component along the probe: p stays 0.
        J[2] = 0.0
        J[:, 0] = 0.0
        J[2, 0] = 1.0
    if x.sin > 0.0:
        J[3] /= a * S.abs_F
    else:
        J[3] = 0.0
        J[:, 1] = 0.0
        J[3, 1] = 1.0
    return J


@inner_kernel
def solved(J: FloatArray, right: FloatArray) -> FloatArray:
    """J^-1 right by elimination with pivots, which compiles faster than LAPACK's; NaN if there is none."""
    A, x = J.copy(), right.copy()
    for k in range(4):
        pivot = k
        for i in range(k + 1, 4):
            if abs(A[i, k]) > abs(A[pivot, k]):
                pivot = i
        if not abs(A[pivot, k]) > 0.0:
            x[:] = math.nan
            return x
        for j in range(4):
            A[k, j], A[pivot, j] = A[pivot, j], A[k, j]
        x[k], x[pivot] = x[pivot], x[k]
        for i in range(k + 1, 4):
            factor = A[i, k] / A[k, k]
            for j in range(k, 4):
                A[i, j] -= factor * A[k, j]
            x[i] -= factor * x[k]
    for k in range(3, -1, -1):
        for j in range(k + 1, 4):
            x[k] -= A[k, j] * x[j]
        x[k] /= A[k, k]
    return x


@inner_kernel
def moved(w: Weights, gamma: float, step: FloatArray, share: float) -> tuple[Weights, float]:
    """Student after a step, and gamma where V is infinite."""
    V, g = w.V, gamma
    if math.isfinite(V):
        V *= math.exp(share * step[3])
    else:
        g += share * step[3]
    return Weights(w.p + share * step[0], w.c + share * step[1], w.s * math.exp(share * step[2]), V), g


@inner_kernel
def newton(
    measure: KeptMeasure, x: Setting, w: Weights, lam: float, gamma: float, level: float, goal: float
) -> tuple[Weights, float, float, Sums]:
    """Solution near `w`: (student, gamma, residual, averages). Steps that do not reduce the residual are shortened."""
    e = np.zeros(4)
    S = averages(measure, x, w, level)
    gamma = gamma_of(w, lam, gamma)
    error = residuals(S, x, w, gamma, e)
    trial_e = np.zeros(4)
    for _ in range(_STEPS):
        if error <= goal or not error < math.inf:
            break
        step = solved(jacobian(S, x, w, lam, gamma), -e)
        length = math.sqrt(w.p * w.p + w.c * w.c + w.s * w.s)
        largest = max(abs(step[2]), max(abs(step[0]), abs(step[1])) / length)
        if math.isfinite(w.V):
            largest = max(largest, abs(step[3]))
        if not largest < math.inf:
            break
        share = min(1.0, _LONGEST / largest) if largest > 0.0 else 1.0
        better = False
        for _ in range(_HALVINGS):
            trial, trial_gamma = moved(w, gamma, step, share)
            trial_gamma = gamma_of(trial, lam, trial_gamma)
            trial_S = averages(measure, x, trial, level)
            trial_error = residuals(trial_S, x, trial, trial_gamma, trial_e)
            if trial_error < error * (1.0 - 0.1 * share):
                better = True
                break
            share *= 0.4
        if not better:
            break
        w, gamma, S, error = trial, trial_gamma, trial_S, trial_error
        e[:] = trial_e
    return w, gamma, error, S
