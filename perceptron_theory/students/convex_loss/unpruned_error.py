"""The test error of a student on all data, and how it changes with the penalty."""

import math

import numpy as np

from perceptron_theory.compiling import inner_kernel
from perceptron_theory.gaussian import FINE
from perceptron_theory.margins.frame import frame_at
from perceptron_theory.margins.kept import KeptMeasure
from perceptron_theory.students.convex_loss.equations import Setting, Sums, Weights
from perceptron_theory.students.convex_loss.newton import jacobian, moved, solved
from perceptron_theory.students.max_margin.equations import measured_error


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
def log_error_slope(unpruned: KeptMeasure, x: Setting, w: Weights, lam: float, S: Sums, theta: float) -> float:
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
