"""Solves (C1)-(C4) for one kept measure, at a penalty or at the best one, and finds what can be separated."""

import math

import numpy as np

from perceptron_theory.compiling import kernel
from perceptron_theory.gaussian import COARSE, FINE, VERIFY, FloatArray
from perceptron_theory.margins.kept import KeptMeasure
from perceptron_theory.students.convex_loss.best_penalty import best_penalty, first_step
from perceptron_theory.students.convex_loss.continuation import PATH_GOAL, coarse
from perceptron_theory.students.convex_loss.equations import (
    Setting,
    Weights,
    averages,
    with_alpha,
    with_angle,
    with_loss,
)
from perceptron_theory.students.convex_loss.newton import jacobian, moved, newton, residuals, solved
from perceptron_theory.students.convex_loss.proximal import SIGN, SQUARE, SQUARED_HINGE
from perceptron_theory.students.convex_loss.unpruned_error import error_of

_GOAL = 1e-13
#: Where a vanishing penalty is approached from, relative to alpha: beside the threshold only so weak a one is near.
_NEARLY_NONE = 1e-8


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
            w, penalty = best_penalty(measure, unpruned, x, mean, theta[i])
        if lam[i] >= 0.0 or penalty == 0.0:
            fits = penalty == 0.0 and alpha[i] < (1.0 if x.loss == SQUARE else threshold[i])
            if fits and x.loss != SQUARE:
                # What fits all data with the smallest norm is the same for all losses that ask for a margin.
                x = with_loss(x, SQUARED_HINGE)
            some = penalty if penalty > 0.0 else _NEARLY_NONE * (1.0 + alpha[i])
            w, gamma, error, _ = coarse(measure, x, mean, some, fits)
        out[i, 7], out[i, 8], out[i, 9] = penalty, math.inf, math.inf
        if not error <= PATH_GOAL or math.isnan(penalty):
            continue
        if math.isinf(penalty):
            w, finer, error = first_step(measure, x, FINE), first_step(measure, x, VERIFY), 0.0
            S = averages(measure, x, w, VERIFY)
        else:
            w, gamma, error, _ = newton(measure, x, w, penalty, gamma, FINE, _GOAL)
            S = averages(measure, x, w, VERIFY)
            residuals(S, x, w, gamma, e)
            finer, _ = moved(w, gamma, solved(jacobian(S, x, w, penalty, gamma), -e), 1.0)
        out[i, 8] = error
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
        out[i, 3] = 0.0 if math.isinf(penalty) else norm
        out[i, 4] = 0.0 if math.isinf(penalty) else w.V
        out[i, 5] = S.error
        out[i, 6] = S.loss
        out[i, 9] = change
