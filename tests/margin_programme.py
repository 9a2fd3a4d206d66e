"""The max-margin student as a convex programme, in plain numpy, on small data: what tests compare the package with.

With W = (r, delta, 1) / k the student minimises |W|^2 / 2 subject to N(W) <= 0,

    N(W) = sqrt(alpha E[(1 - W_r A - W_d B - S h)_+^2]) - S.

N is one line here, averaged over nodes of the derivation; its slopes are those of its analytic continuation into the
complex plane.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

import perceptron_theory as pt
from perceptron_theory.derivation.kept_nodes import Sharpness, kept_nodes, measured_margins, window_margins
from perceptron_theory.derivation.numerics import Nodes
from perceptron_theory.derivation.symbols import A, B
from perceptron_theory.margins.frame import Frame
from perceptron_theory.margins.kept import KeptMeasure, gaussian_window

FloatArray = npt.NDArray[np.float64]


class Data(NamedTuple):
    """Kept data in the package's form and as nodes."""

    measure: KeptMeasure
    theta: float
    #: Smallest positive kept margin.
    m0: float
    nodes: Nodes

    def student(self, k: float, r: float, delta: float) -> Frame:
        return frame(k, r, delta, self.m0, self.theta)

    def excess(self, size: float, w: npt.NDArray[Any]) -> Any:
        """N at real or complex W."""
        S = w[2]
        y = 1.0 - w[0] * self.nodes.examples[A] - w[1] * self.nodes.examples[B]
        squared = (y * y + S * S) * ndtr(y / S) + y * S * np.exp(-0.5 * (y / S) ** 2) / np.sqrt(2.0 * np.pi)
        return np.sqrt(size * (self.nodes.weights @ squared)) - S

    def gradient(self, size: float, w: FloatArray) -> FloatArray:
        """Imaginary parts a tiny step off the real axis: no difference, no lost digits."""
        return np.array([self.excess(size, w + 1e-30j * e).imag for e in np.eye(3)]) / 1e-30

    def hessian(self, size: float, w: FloatArray) -> FloatArray:
        """Differences of fourth order."""
        step = 1e-3 * w[2]
        at = [[self.gradient(size, w + j * step * e) for e in np.eye(3)] for j in (-2, -1, 1, 2)]
        return np.asarray((np.array([1, -8, 8, -1]) @ np.array(at).reshape(4, 9)).reshape(3, 3) / (12 * step))


def frame(k: float, r: float, delta: float, m0: float, theta: float) -> Frame:
    """A student in both bases, by a rotation."""
    p, c = np.array([[np.cos(theta), np.sin(theta)], [np.sin(theta), -np.cos(theta)]]) @ [r, delta]
    return Frame(k, r, delta, float(p), float(c), float(k - p * m0), m0, math.cos(theta), math.sin(theta))


def scaled(x: Frame) -> FloatArray:
    return np.array([x.r, x.d, 1.0]) / x.k


def window(low: float, high: float, theta: float) -> Data:
    f = float(_mass(high) - _mass(low))
    sharpness = Sharpness.of(5.0, 3.0, theta)
    return Data(
        gaussian_window(low, high, f),
        theta,
        low,
        kept_nodes(window_margins(low, high, f, theta, sharpness), theta, sharpness),
    )


def _mass(z: float) -> float:
    return math.erf(z / math.sqrt(2.0))


def atoms(theta: float) -> Data:
    values, weights = np.array([0.3, 0.5, 1.1, -0.2, 2.0]), np.array([1.0, 2.0, 0.5, 0.3, 1.0])
    measure = pt.MeasuredMargins(values, weights, signed=True).unpruned(theta)
    sharpness = Sharpness.of(5.0, 3.0, theta)
    return Data(measure, theta, 0.3, kept_nodes(measured_margins(values, weights), theta, sharpness, 0.0, True))


DATA = {
    "measured": atoms(0.6),
    "perfect": window(0.0, 0.5, 0.0),
    "hard": window(0.0, 0.7, 0.4),
    "easy": window(0.8, 1.2, 1.1),
}
