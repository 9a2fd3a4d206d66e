"""How the test error of a student with a convex loss answers to any change: the adjoint of (C1)-(C4).

The residuals e of (C1)-(C4) vanish at y = (p, c, ln s, ln V), or gamma in the place of ln V where V is infinite. What
changes them by de at fixed y moves the student by dy = -J^-1 de, J the Jacobian of `newton`, and the test error by
-z . de, where J^T z = d eps / dy. Data enter e through alpha times four averages, E[h F], E[F^2], E[m F] and E[g F]:
four numbers q, parts of z, say what any example does.

Averages are linear in the probability of a turned label: their derivative in it is the difference to those of labels
drawn by a coin, over 1/2 - flip. lam enters through gamma = lam V alone. Where V is infinite, 1 / V = lam / gamma
begins to count: F is that of the limit times 1 - 1 / V for the two losses with a square, and does not change for the
hinge.
"""

import math

import numpy as np

from perceptron_theory.compiling import inner_kernel, kernel
from perceptron_theory.gaussian import FINE, FloatArray
from perceptron_theory.margins.frame import frame_at
from perceptron_theory.margins.kept import KeptMeasure
from perceptron_theory.students.convex_loss.best_penalty import first_step
from perceptron_theory.students.convex_loss.equations import (
    Setting,
    Sums,
    Weights,
    averages,
    with_alpha,
    with_angle,
    with_loss,
)
from perceptron_theory.students.convex_loss.newton import jacobian, newton, solved
from perceptron_theory.students.convex_loss.proximal import HINGE, LOGISTIC, SQUARE, SQUARED_HINGE
from perceptron_theory.students.convex_loss.turning import label_free, turned_window
from perceptron_theory.students.max_margin.equations import moments

#: Residual to which a student is brought before it is asked, and with which it is.
_GOAL = 1e-12
_ENOUGH = 1e-10
#: A first guess of gamma, in which the equations are linear.
_GAMMA = 0.5

#: Columns of `convex_slopes`.
COLUMNS = 14


@kernel
def seen_as(x: Setting, w: Weights) -> Setting:
    """What fits all data (V infinite) is the same for all losses that ask for a margin (`solve_convex`)."""
    if math.isinf(w.V) and x.loss != SQUARE:
        return with_loss(x, SQUARED_HINGE)
    return x


@inner_kernel
def _student(measure: KeptMeasure, x: Setting, w: Weights, lam: float) -> tuple[Weights, float, float, float, Sums]:
    """Student near `w`, its lam, gamma, residual and averages; the first step of descent if lam is infinite."""
    if math.isinf(lam):
        w = first_step(measure, x, FINE)
        return w, 1.0 / w.V, 1.0, 0.0, averages(measure, x, w, FINE)
    w, gamma, residual, S = newton(measure, x, w, lam, _GAMMA, FINE, _GOAL)
    return w, lam, gamma, residual, S


@inner_kernel
def _error_slope(unpruned: KeptMeasure, w: Weights, x: Setting, theta: float, slope: FloatArray) -> float:
    """Test error, and in `slope` its derivatives with respect to p, c and ln s."""
    r = (w.p * x.cos + w.c * x.sin) / w.s
    d = (w.p * x.sin - w.c * x.cos) / w.s
    if unpruned.intervals.shape[0] == 0:
        across = math.hypot(1.0, d)
        error = math.atan2(across, r) / math.pi
        size = math.pi * (r * r + across * across)
        along_r, along_d = -across / size, r * d / (across * size)
    else:
        # The mass where the noise is below u = -(r A + d B); E[A phi(u)] = E[A x] - E[A u 1(x > 0)], `measured_slope`.
        wrong = moments(unpruned, frame_at(0.0, r, d, 0.0, theta), x.alpha, FINE)
        error = wrong.one
        along_r, along_d = wrong.uA - wrong.Ax, wrong.uB - wrong.Bx
    slope[0] = (along_r * x.cos + along_d * x.sin) / w.s
    slope[1] = (along_r * x.sin - along_d * x.cos) / w.s
    slope[2] = -(r * along_r + d * along_d)
    return error


@inner_kernel
def _response(S: Sums, x: Setting, w: Weights, lam: float, gamma: float, slope: FloatArray) -> FloatArray:
    """Change of the test error per unit of alpha times E[h F], E[F^2], E[m F] and E[g F]."""
    z = solved(jacobian(S, x, w, lam, gamma).T.copy(), slope)
    q = np.zeros(4)
    q[0], q[1] = -z[0] / w.s, -z[1] / (w.s * w.s)
    if S.abs_m > 0.0:
        q[2] = -z[2] / (x.alpha * S.abs_m)
    if x.sin > 0.0:
        q[3] = -z[3] / (x.alpha * S.abs_F)
    return q


@inner_kernel
def _influence(q: FloatArray, S: Sums) -> float:
    """Change of the test error by one more example per parameter, whose averages are S."""
    return float(q[0] * S.h + q[1] * S.F2 + q[2] * S.m + q[3] * S.g)


@inner_kernel
def _by_penalty(q: FloatArray, S: Sums, x: Setting, w: Weights, gamma: float, lam: float) -> float:
    """Derivative of the test error in lam; NaN where it is infinite."""
    if math.isinf(lam):
        return 0.0
    if math.isfinite(w.V):
        return float(-w.V * (q[0] * w.s + q[2] * w.p + q[3] * w.c))
    if x.loss == HINGE:
        return 0.0
    if x.loss == LOGISTIC:
        return math.nan
    return float(-x.alpha / gamma * (_influence(q, S) + q[1] * S.F2))


@kernel
def convex_slopes(
    measure: KeptMeasure,
    both_labels: KeptMeasure,
    unpruned: KeptMeasure,
    edge: KeptMeasure,
    settings: Setting,
    alpha: FloatArray,
    theta: FloatArray,
    lam: FloatArray,
    start: FloatArray,
    out: FloatArray,
) -> None:
    """Derivatives of the test error near known students.

    Rows of `out`: d error / d alpha, influence of `edge`, d error / d lam, d error / d flip, d error / d theta on
    Gaussian data, test error, p, c, s, V, and q. Those of students that are not found stay as they are.

    Parameters
    ----------
    measure, unpruned : KeptMeasure
        Kept data, of mass 1, and all data.
    both_labels : KeptMeasure
        The kept data with margins of both signs, also where labels make one impossible.
    edge : KeptMeasure
        Examples, of mass 1, whose influence is asked for.
    settings : Setting
        Loss and labels.
    alpha, theta, lam : ndarray, shape (n,)
        The problems; an infinite lam is the first step of gradient descent.
    start : ndarray, shape (n, 4)
        p, c, s and V of the students, nearly.
    out : ndarray, shape (n, COLUMNS)
        The result.
    """
    for i in range(alpha.size):
        given = with_angle(with_alpha(settings, alpha[i]), theta[i])
        w = Weights(start[i, 0], start[i, 1], start[i, 2], start[i, 3])
        x = seen_as(given, w)
        w, penalty, gamma, residual, S = _student(measure, x, w, lam[i])
        if not residual <= _ENOUGH:
            continue
        slope = np.zeros(4)
        out[i, 5] = _error_slope(unpruned, w, x, theta[i], slope)
        q = _response(S, x, w, penalty, gamma, slope)
        coin = averages(both_labels, label_free(x), w, FINE)
        out[i, 0] = _influence(q, S)
        out[i, 1] = _influence(q, averages(edge, x, w, FINE))
        out[i, 2] = _by_penalty(q, S, given, w, gamma, lam[i])
        out[i, 3] = alpha[i] * (_influence(q, coin) - out[i, 0]) / (0.5 - x.flip)
        out[i, 4] = alpha[i] * turned_window(measure, x, w, q)
        out[i, 6], out[i, 7], out[i, 8], out[i, 9] = w.p, w.c, w.s, w.V
        out[i, 10:] = q
