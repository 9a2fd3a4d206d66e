"""How any quantity of a solved max-margin student answers to a change of its kept data: the adjoint of (M1)-(M3).

The optimality conditions W + lambda grad N = 0, N = 0 of `steps`, with their symmetric matrix K, answer to changed
averages alpha E[x^2], alpha E[A x], alpha E[B x], alpha P(x > 0) by (dW, d lambda) = -K^-1 (lambda d grad N, dN)
(`sensitivity` has the changes of N and grad N). With y = K^-1 (slope, 0), slope the gradient in W of what is asked for,
that quantity changes by -(lambda y_W . d grad N + y_N dN): one number for each of the four averages.
"""

import math
from typing import NamedTuple

import numpy as np

from perceptron_theory.compiling import kernel
from perceptron_theory.gaussian import FINE, FloatArray
from perceptron_theory.margins.frame import Frame
from perceptron_theory.margins.kept import KeptMeasure
from perceptron_theory.students.max_margin.equations import Moments, moments


class Response(NamedTuple):
    """d eps of one more example = x2 E[x^2|m] + Ax E[A x|m] + Bx E[B x|m] + one P(x > 0|m)."""

    x2: float
    Ax: float
    Bx: float
    one: float


@kernel
def averages(measure: KeptMeasure, x: Frame, alpha: float) -> Moments:
    """Averages over a measure for a student at `x`, by the fine rule."""
    return moments(measure, x, alpha, FINE)


def error_student(x: Frame) -> Frame:
    """The same student asked for no margin: its gap is x > 0 where it gives the wrong label (`measured_error`)."""
    return x._replace(k=0.0, k0=-x.p * x.m0)


def gaussian_slope(x: Frame) -> FloatArray:
    """Gradient in W = (r, delta, 1) / k of the test error on Gaussian inputs, atan2(sqrt(1 + delta^2), r) / pi."""
    across = math.hypot(x.d, 1.0)
    return np.array([-across, x.r * x.d / across, x.r / across]) * x.k / (math.pi * (x.r * x.r + across * across))


def measured_slope(unpruned: KeptMeasure, x: Frame, alpha: float) -> FloatArray:
    """The same of the test error on measured data, E[Phi(-(r A + delta B))]."""
    s = averages(unpruned, error_student(x), alpha)
    # E[A phi(u)] = E[A x] - E[A u 1(x > 0)], and x = (r, delta) / S moves with S as well.
    along_r, along_d = s.uA - s.Ax, s.uB - s.Bx
    return np.array([along_r, along_d, -(x.r * along_r + x.d * along_d)]) * x.k


def response_of(s: Moments, x: Frame, alpha: float, slope: FloatArray) -> Response:
    """Answer of a quantity with gradient `slope` in W to one more unit of each average.

    Parameters
    ----------
    s : Moments
        Averages over the kept data at the solution.
    x : Frame
        The solution.
    alpha : float
        alpha_prune.
    slope : ndarray, shape (3,)
        Gradient in W.

    Returns
    -------
    Response
        d quantity / d (alpha E[x^2]), and so on.
    """
    S = 1.0 / x.k
    W = np.array([x.r * S, x.d * S, S])
    # grad N at nu = sqrt(alpha E[x^2]) = 1, and the Hessian of `newton_step`.
    along = 1.0 - alpha * s.one
    grad_nu = np.array([-alpha * s.Ax, -alpha * s.Bx, -along])
    hessian = alpha * np.array([[s.AA, s.AB, s.uA], [s.AB, s.BB, s.uB], [s.uA, s.uB, s.uu]])
    hessian -= np.outer(grad_nu, grad_nu)
    multiplier = -float(W @ W) / float(W @ grad_nu)
    K = np.zeros((4, 4))
    K[:3, :3] = np.eye(3) + multiplier / S * hessian
    K[:3, 3] = K[3, :3] = grad_nu
    y = _solve_scaled(K, np.append(slope, 0.0), x.sin == 0.0)
    # grad N + (0, 0, 1) has alpha P(x > 0) as its last component.
    outward = multiplier * float(y[:3] @ (grad_nu + np.array([0.0, 0.0, 1.0])))
    x2 = 0.5 * (outward - S * float(y[3]))
    return Response(x2, multiplier * float(y[0]), multiplier * float(y[1]), -multiplier * float(y[2]))


def _solve_scaled(K: FloatArray, slope: FloatArray, perfect: bool) -> FloatArray:
    """K^-1 slope, rows and columns scaled alike as in `newton_step`. With a perfect metric W_d stays 0."""
    if perfect:
        K[1, :] = K[:, 1] = 0.0
        K[1, 1] = 1.0
        slope[1] = 0.0
    scales = np.ones(4)
    scales[:3] = 1.0 / np.sqrt(np.diag(K)[:3])
    scales[3] = 1.0 / np.max(np.abs(K[3, :3]) * scales[:3])
    return np.asarray(scales * np.linalg.solve(K * np.outer(scales, scales), scales * slope))
