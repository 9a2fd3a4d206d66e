"""Where to start: the dilute limit, the laws of large alpha, and what they need to know of the data."""

import math

import numpy as np

from perceptron_theory.compiling import inner_kernel
from perceptron_theory.gaussian import FINE, INV_SQRT_2PI, inverse_survival_weight, pdf_cdf
from perceptron_theory.margins.frame import Frame, frame_at
from perceptron_theory.margins.kept import KeptMeasure
from perceptron_theory.margins.nodes import margin_nodes
from perceptron_theory.students.max_margin.equations import kept_mass


@inner_kernel
def gap_origin(measure: KeptMeasure) -> float:
    """Smallest positive kept margin: the field of the student is measured from there."""
    smallest = math.inf
    for j in range(measure.intervals.shape[0]):
        if measure.intervals[j, 1] > 0.0:
            smallest = min(smallest, max(measure.intervals[j, 0], 0.0))
    for j in range(measure.edges.shape[1]):
        if measure.edges[0, j] > 0.0:
            smallest = min(smallest, measure.edges[0, j])
    return smallest if math.isfinite(smallest) else 0.0


@inner_kernel
def boundary_density(measure: KeptMeasure, theta: float, m0: float) -> float:
    """Density of kept data on the teacher's boundary A = 0, relative to unpruned Gaussian data.

    Sets the error at large alpha, where only the data next to the boundary still teach.
    """
    at_rest = frame_at(1.0, 0.0, 0.0, m0, theta)
    q, w, bound, count = margin_nodes(measure, at_rest, 1.0, FINE)
    total = 0.0
    if at_rest.sin > 0.0:
        for i in range(bound):
            a = (m0 + q[i]) * at_rest.cos / at_rest.sin
            if measure.conditional:
                total += w[i] * inverse_survival_weight(-a)
            else:
                total += w[i] * INV_SQRT_2PI * math.exp(-0.5 * a * a)
        return total / at_rest.sin / (2.0 * INV_SQRT_2PI)
    width = 0.0
    for i in range(measure.intervals.shape[0]):
        width = max(width, measure.intervals[i, 1])
    width = min(0.2, width)
    for i in range(count):
        if m0 + q[i] < width:
            total += w[i]
    return total / width / (2.0 * INV_SQRT_2PI) if width > 0.0 else 0.0


@inner_kernel
def weight_at_gap(measure: KeptMeasure, m0: float) -> float:
    """Kept weight of the atom at the smallest positive margin; 0 for a density."""
    if measure.atoms.shape[1] == 0:
        return 0.0
    weight = 0.0
    nearly = m0 * (1.0 + 4e-12)  # intervals around a lone atom are a little wider than it
    i = np.searchsorted(measure.atoms[0], m0)
    for j in range(measure.intervals.shape[0]):
        if i < measure.atoms.shape[1] and measure.intervals[j, 0] <= measure.atoms[0, i] <= nearly:
            weight = measure.atoms[1, i]
            if measure.keep.shape[0] > 0:
                weight *= measure.keep[j, 0]
    for j in range(measure.edges.shape[1]):
        if m0 <= measure.edges[0, j] <= nearly:
            weight = measure.edges[1, j]
    return weight * measure.scale


@inner_kernel
def wrong_side_load(measure: KeptMeasure, theta: float, m0: float) -> tuple[float, float]:
    """Data that the probe gets wrong: (P(m < 0), E[(1 + |m| / m0)^2; m < 0]), the price of following it."""
    at_rest = frame_at(1.0, 0.0, 0.0, m0, theta)
    q, w, bound, count = margin_nodes(measure, at_rest, 1.0, FINE)
    mass = 0.0
    load = 0.0
    for i in range(count):
        m = m0 + q[i]
        if m < 0.0:
            weight = w[i]
            if i < bound and not measure.conditional:
                weight *= pdf_cdf(m * at_rest.cos / at_rest.sin)[1]
            mass += weight
            load += weight * (1.0 - m / m0) ** 2
    return mass, load


@inner_kernel
def first_guess(measure: KeptMeasure, alpha: float, theta: float, m0: float) -> Frame:
    """Student from the dilute limit (alpha < 3) or from the large-alpha laws.

    Data next to the teacher's boundary pin the student to the teacher, r = 0.64 alpha times their
    density. Data with a gap at m0 > 0 and (almost) nothing beyond it on the wrong side pull it to
    the probe instead, until the few examples that the probe gets wrong cost more than the gap gains.
    """
    if alpha < 3.0:
        _, A, B = kept_mass(measure, theta)
        r = math.sqrt(alpha) * A
        d = math.sqrt(alpha) * B
        p = r * math.cos(theta) + d * math.sin(theta)
        return frame_at(alpha**-0.5 + p * m0, r, d, m0, theta)
    r = 0.64 * alpha * boundary_density(measure, theta, m0)
    if m0 > 0.0:
        k = 0.66 + 0.64 * alpha * m0
        k0 = 0.66
        load = alpha * wrong_side_load(measure, theta, m0)[1]
        at_gap = alpha * weight_at_gap(measure, m0)
        if at_gap > 2.0 and load > 0.0:
            # Examples at the gap alone exceed the capacity: k0 < 0, and only the load limits k.
            k = 1.0 / math.sqrt(2.0 * load)
            k0 = -1.0 - math.log(at_gap) / 4.0
        elif load * k * k > 1.0:
            k = 1.0 / math.sqrt(load)
            k0 = -1.5
        if k > 1.0 or r < 1.0:
            p = (k - k0) / m0
            return frame_at(k, p * math.cos(theta), p * math.sin(theta), m0, theta)
    return frame_at(0.66, max(r, 1.0), 0.0, m0, theta)
