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

from perceptron_theory.compiling import kernel
from perceptron_theory.gaussian import FINE, FloatArray
from perceptron_theory.margins.frame import Frame
from perceptron_theory.margins.kept import KeptMeasure
from perceptron_theory.students.max_margin.adjoint import Response, averages, gaussian_slope, response_of
from perceptron_theory.students.max_margin.equations import moments
from perceptron_theory.students.max_margin.solver import solve_measure


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

    @np.errstate(under="ignore")  # examples far out do next to nothing
    def labelled(self, m: FloatArray) -> FloatArray:
        """Change of the test error per example and parameter, for examples of signed margin `m`."""
        return np.asarray(example_moments(self.student, self.alpha, m) @ np.array(self.response))

    @np.errstate(under="ignore")  # far out the teacher all but never disagrees
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
    x, residual, _ = solve_measure(measure, alpha, theta)
    error = math.atan2(math.hypot(1.0, x.d), x.r) / math.pi
    if not (math.isfinite(residual) and math.isfinite(error)):
        return Sensitivity(math.nan, math.inf, x, alpha, Response(*(math.nan,) * 4))
    response = response_of(averages(measure, x, alpha), x, alpha, gaussian_slope(x))
    return Sensitivity(error, residual, x, alpha, response)
