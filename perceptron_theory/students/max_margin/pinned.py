"""The student that is the probe itself: s = 0, where (M1)-(M3) have no finite solution."""

import math

import numpy as np

from perceptron_theory.compiling import inner_kernel
from perceptron_theory.gaussian import FINE, pdf_cdf
from perceptron_theory.margins.kept import KeptMeasure
from perceptron_theory.margins.nodes import ORTHOGONAL_CAPACITY, orthogonal_nodes
from perceptron_theory.students.max_margin.guess import weight_at_gap, wrong_side_load

#: A student that follows the probe has 1 / k = O(sqrt(load)): at this load the limit 1 / k = 0 is good to 5e-10.
_PINNED_LOAD = 1e-20


@inner_kernel
def _boundary_cost(a: float, conditional: bool) -> float:
    """Least E[(-c g - h)_+^2] over c, for g > a.

    1 / cost is the capacity: how many examples per dimension can be classified by what the probe does not see.
    """
    t = np.empty(ORTHOGONAL_CAPACITY)
    v = np.empty(ORTHOGONAL_CAPACITY)
    c = 0.0
    cost = 0.0
    for _ in range(50):
        count = orthogonal_nodes(a, -c * a, c, conditional, FINE, t, v)
        cost = slope = curvature = 0.0
        for i in range(count):
            g = a + t[i]
            density, below = pdf_cdf(-c * g)
            first = -c * g * below + density
            cost += v[i] * (-c * g * first + below)
            slope -= v[i] * g * first
            curvature += v[i] * g * g * below
        step = -slope / curvature
        # Beyond this the rest is separable by g itself and the least cost is 0.
        if not (math.isfinite(step) and c < 1e3):
            return 0.0
        c += step
        if abs(step) < 1e-9 * (1.0 + abs(c)):
            break
    return cost


@inner_kernel
def pinned_to_probe(measure: KeptMeasure, alpha: float, theta: float, m0: float) -> bool:
    """True if the student is the probe itself (s = 0), which only atoms can bring about.

    Examples that all lie at the margin m0 and cannot be classified by their other coordinates
    (alpha_prune times their weight exceeds the capacity) leave no way to a larger margin than m0. On
    the wrong side (almost) nothing may be kept.
    """
    # The least cost is at most 1/2, its value at c = 0.
    if m0 == 0.0 or alpha * weight_at_gap(measure, m0) < 2.0:
        return False
    if alpha * wrong_side_load(measure, theta, m0)[1] > _PINNED_LOAD:
        return False
    cost = 0.5
    if theta > 0.0:
        cost = _boundary_cost(-m0 * math.cos(theta) / math.sin(theta), measure.conditional)
    return alpha * weight_at_gap(measure, m0) * cost >= 1.0
