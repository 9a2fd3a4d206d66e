"""What turning the teacher away from the probe changes, for a student that stands still.

In the basis of the probe an example is (m, g) with g > a = -m cot(theta), and the angle enters through that cut alone:
da / d theta = m / sin(theta)^2. So the average of any F changes by what sits on the cut, the teacher's boundary A = 0,
where B = m / sin(theta) and the gap is u = k - delta B:

    d E[F | m] / d theta = -(m / sin^2) phi(a) F(a)                                     labels follow the model
    d E[F | m] / d theta =  (m / sin^2) phi(a) / Phi(-a) (E[F | m] - F(a))              measured signed margins

and for Gaussian data with phi(m) phi(a) = phi(0) phi(B) to -(2 phi(0) / f) int dB phi(B) k(B sin(theta)) B F(0, B). The
response to changed averages does not ask for the basis: on the boundary A x = 0 and B x is B times x.
"""

import math
from itertools import pairwise

import numpy as np
from scipy.special import ndtr

from perceptron_theory.gaussian import INV_SQRT_2PI, NODES, TAIL, WEIGHTS, FloatArray, inverse_survival_weight
from perceptron_theory.margins.frame import Frame
from perceptron_theory.margins.kept import KeptMeasure
from perceptron_theory.students.max_margin.sensitivity import example_moments

#: Nodes of a panel, which spans at most this many widths of the sharpest Gaussian in it: rounding is reached.
_ORDER = 40
_PANEL = 6.0


@np.errstate(under="ignore")  # tails vanish
def turned_window(measure: KeptMeasure, x: Frame, alpha: float) -> FloatArray:
    """d/d theta of E[x^2], E[A x], E[B x], P(x > 0) on a window of Gaussian data, theta > 0."""
    amplification = 1.0 + alpha * (1.0 + x.k * x.k + x.d * x.d)
    reach = math.sqrt(TAIL * TAIL + 2.0 * math.log(amplification))
    total = np.zeros(4)
    for low, high in np.clip(measure.intervals / x.sin, -reach, reach):
        B, weights = _boundary_nodes(low, high, x)
        total -= (weights * np.exp(-0.5 * B * B) * B) @ _boundary_moments(x.k - x.d * B, B)
    return np.asarray(2.0 * INV_SQRT_2PI**2 * measure.scale * total)


@np.errstate(under="ignore")  # tails vanish
def turned_atoms(m: FloatArray, weights: FloatArray, conditional: bool, x: Frame, alpha: float) -> FloatArray:
    """The same for measured margins `m` with weights as in `KeptMeasure`, theta > 0."""
    a = -m * x.cos / x.sin
    rate = weights * m / (x.sin * x.sin)
    on_cut = _boundary_moments(_boundary_gaps(m, x), m / x.sin)
    if conditional:
        hazard = np.array([inverse_survival_weight(float(cut)) for cut in a])
        return np.asarray((rate * hazard) @ (example_moments(x, alpha, m) - on_cut))
    return np.asarray(-INV_SQRT_2PI * (rate * np.exp(-0.5 * a * a)) @ on_cut)


def _boundary_gaps(m: FloatArray, x: Frame) -> FloatArray:
    """Gaps u where A = 0, from the better conditioned basis (`boundary_gap`)."""
    if abs(x.c) < abs(x.d):
        return np.asarray(x.k0 - x.p * (m - x.m0) + x.c * m * x.cos / x.sin)
    return np.asarray(x.k - x.d * m / x.sin)


def _boundary_moments(u: FloatArray, B: FloatArray) -> FloatArray:
    """E_h[x^2], E_h[A x] = 0, E_h[B x] and P(x > 0) at A = 0, shape (n, 4)."""
    below, density = ndtr(u), INV_SQRT_2PI * np.exp(-0.5 * u * u)
    first = u * below + density
    return np.stack([u * first + below, np.zeros_like(u), B * first, below], axis=-1)


def _boundary_nodes(low: float, high: float, x: Frame) -> tuple[FloatArray, FloatArray]:
    """Nodes and weights along the boundary, finer where noise can bring the field to the margin."""
    width = 1.0 / math.hypot(1.0, x.d)
    wedge = np.array([-TAIL, TAIL]) / abs(x.d) + x.k / x.d if x.d != 0.0 else np.array([low, high])
    ends = np.unique(np.clip([low, *wedge, high], low, high))
    nodes, weights = [np.empty(0)], [np.empty(0)]
    for lo, hi in pairwise(ends.tolist()):
        sharp = wedge[0] < 0.5 * (lo + hi) < wedge[1]
        panels = math.ceil((hi - lo) / (_PANEL * (width if sharp else 1.0)))
        half = 0.5 * (hi - lo) / panels
        centres = lo + half * (2.0 * np.arange(panels) + 1.0)
        nodes.append((centres[:, None] + half * NODES[_ORDER, :_ORDER]).ravel())
        weights.append(np.tile(half * WEIGHTS[_ORDER, :_ORDER], panels))
    return np.concatenate(nodes), np.concatenate(weights)
