"""How the test error of the max-margin student responds to one more example: implicit function theorem.

The student minimises |W|^2 / 2 subject to N(W) <= 0 (`steps`). One more example of signed margin m, in weight
eta per parameter, adds its own averages to those of the kept data. Where sqrt(alpha E[x^2]) = 1 that changes

    N       by  S eta E[x^2 | m] / 2
    grad N  by  -eta (E[A x | m], E[B x | m], -P(x > 0 | m)) - (grad N + (0, 0, 1)) eta E[x^2 | m] / 2

and the optimality conditions W + lambda grad N = 0, N = 0, with their symmetric matrix K, answer with
(dW, d lambda) = -K^-1 (lambda d grad N, dN). With the adjoint y = K^-1 (d eps / dW, 0) the test error changes by
-(lambda y_W . d grad N + y_N dN): four numbers say what any example does.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from perceptron_theory.gaussian import FINE, FloatArray, kernel
from perceptron_theory.margins.frame import Frame
from perceptron_theory.margins.kept import KeptMeasure
from perceptron_theory.students.max_margin.equations import Moments, moments, overlaps
from perceptron_theory.students.max_margin.solver import solve_measure


class Response(NamedTuple):
    """d eps of one more example = x2 E[x^2|m] + Ax E[A x|m] + Bx E[B x|m] + one P(x > 0|m)."""

    x2: float
    Ax: float
    Bx: float
    one: float


class Sensitivity(NamedTuple):
    """A solved student and the response of its test error."""

    error: float
    """Test error on Gaussian inputs."""
    residual: float
    """Largest undamped residual of (M1)-(M3); inf if the solver failed."""
    student: Frame
    alpha: float
    """alpha_prune."""
    response: Response

    def labelled(self, m: FloatArray) -> FloatArray:
        """Change of the test error per example and parameter, for examples of signed margin `m`."""
        return np.asarray(example_moments(self.student, self.alpha, m) @ np.array(self.response))

    def unlabelled(self, z: FloatArray) -> FloatArray:
        """The same for examples at distance |z| = `z`, averaged over the two labels that the teacher may give."""
        influence = self.labelled(z)
        if self.student.sin == 0.0:
            return influence
        cot = self.student.cos / self.student.sin
        wrong = ndtr(-z * cot)
        influence = influence * ndtr(z * cot)
        seen = wrong > 0.0
        influence[seen] += wrong[seen] * self.labelled(-z[seen])
        return np.asarray(influence)


@kernel
def _solved(measure: KeptMeasure, alpha: float, theta: float) -> tuple[Frame, float, float, Moments]:
    """(student, test error, residual, averages over the kept data)."""
    x, residual, _ = solve_measure(measure, alpha, theta)
    return x, overlaps(x)[0], residual, moments(measure, x, alpha, FINE)


@kernel
def example_moments(x: Frame, alpha: float, m: FloatArray) -> FloatArray:
    """E[x^2|m], E[A x|m], E[B x|m], P(x > 0|m) of an example at each signed margin: shape (n, 4).

    NaN where the margin is negative and theta = 0, which makes it impossible.
    """
    out = np.full((m.size, 4), np.nan)
    none = np.empty((2, 0))
    edge = np.ones((2, 1))
    for i in range(m.size):
        if x.sin == 0.0 and m[i] < 0.0:
            continue
        edge[0, 0] = m[i]
        example = KeptMeasure(np.empty((0, 2)), np.empty((0, 0)), none, none, edge, True, 1.0)
        s = moments(example, x, alpha, FINE)
        out[i, 0] = s.x2
        out[i, 1] = s.Ax
        out[i, 2] = s.Bx
        out[i, 3] = s.one
    return out


def sensitivity_of(measure: KeptMeasure, alpha: float, theta: float) -> Sensitivity:
    """Max-margin student on a kept measure, and how it responds to one more example."""
    x, error, residual, s = _solved(measure, alpha, theta)
    if not (math.isfinite(residual) and math.isfinite(error)):
        return Sensitivity(math.nan, math.inf, x, alpha, Response(*(math.nan,) * 4))
    return Sensitivity(error, residual, x, alpha, _response(s, x, alpha))


def _response(s: Moments, x: Frame, alpha: float) -> Response:
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
    y = _solve_scaled(K, np.append(_error_slope(W), 0.0), x.sin == 0.0)
    # grad N + (0, 0, 1) has alpha P(x > 0) as its last component.
    outward = multiplier * float(y[:3] @ (grad_nu + np.array([0.0, 0.0, 1.0])))
    x2 = 0.5 * (outward - S * float(y[3]))
    return Response(x2, multiplier * float(y[0]), multiplier * float(y[1]), -multiplier * float(y[2]))


def _error_slope(W: FloatArray) -> FloatArray:
    """Gradient of eps = atan2(sqrt(W_d^2 + S^2), W_r) / pi."""
    across = math.hypot(W[1], W[2])
    return np.array([-across, W[0] * W[1] / across, W[0] * W[2] / across]) / (math.pi * float(W @ W))


def _solve_scaled(K: FloatArray, slope: FloatArray, perfect: bool) -> FloatArray:
    """K^-1 slope, rows and columns scaled alike as in `newton_step`. With a perfect metric W_d stays 0."""
    if perfect:
        K[1, :] = K[:, 1] = 0.0
        K[1, 1] = 1.0
    scales = np.ones(4)
    scales[:3] = 1.0 / np.sqrt(np.diag(K)[:3])
    scales[3] = 1.0 / np.max(np.abs(K[3, :3]) * scales[:3])
    return np.asarray(scales * np.linalg.solve(K * np.outer(scales, scales), scales * slope))
