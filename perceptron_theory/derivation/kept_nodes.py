"""Nodes for averages over the kept data, from the definition of the model; nothing is shared with the package.

Inputs are flipped by their labels. Along the probe an example has the density 2 phi(m) / f where its margin is kept;
beside it g ~ N(0, 1), restricted to g > -m cot(theta). Panels of Gauss-Legendre nodes in both, equally spaced nodes
(whose error falls exponentially for what is smooth on the whole line) in the noise.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import sympy as sp
from scipy.special import log_ndtr

from perceptron_theory.derivation.numerics import Nodes
from perceptron_theory.derivation.symbols import A, B, h

FloatArray = npt.NDArray[np.float64]
#: Margins and their weights.
Margins = tuple[FloatArray, FloatArray]

#: Gaussians end here, at a density of 1e-18 or, where the data are rare, at that fraction of the largest.
REACH = 9.0
#: Gauss-Legendre nodes per panel, and its length in widths of the sharpest Gaussian: an error of 1e-18.
_ORDER = 16
_LENGTH = 4.0
#: Spacing of the noise in the field: G has poles at +-2.8 i, so the error is exp(-2 pi 2.8 / 0.4) = 1e-19.
_SPACING = 0.4
#: Examples of less than this part of the largest weight are left out.
_NEGLIGIBLE = 1e-21


class Sharpness(NamedTuple):
    """How fast what is averaged changes: its slope in widths per unit of m, of g, and of m along A = 0."""

    along: float
    beside: float
    boundary: float

    @classmethod
    def of(cls, r: float, delta: float, theta: float) -> Sharpness:
        """For functions of the field r A + delta B that vary over a unit of it."""
        along = r * np.cos(theta) + delta * np.sin(theta)
        beside = r * np.sin(theta) - delta * np.cos(theta)
        boundary = np.hypot(1.0, delta) / np.sin(theta) if theta > 0.0 else 1.0
        return cls(float(np.hypot(1.0, along)), float(np.hypot(1.0, beside)), float(boundary))


def panels(low: float, high: float, sharpness: float) -> Margins:
    """Gauss-Legendre nodes and weights on equal panels.

    Examples
    --------
    >>> from perceptron_theory.derivation.kept_nodes import panels
    >>> x, w = panels(0.0, 2.0, 1.0)
    >>> round(float(w @ x**2), 12)
    2.666666666667
    """
    count = max(1, int(np.ceil((high - low) * sharpness / _LENGTH)))
    x, w = np.polynomial.legendre.leggauss(_ORDER)
    half = 0.5 * (high - low) / count
    middles = low + half * (2 * np.arange(count) + 1)
    return (middles[:, None] + half * x).ravel(), np.tile(half * w, count)


def window_margins(low: float, high: float, f: float, theta: float, sharpness: Sharpness) -> Margins:
    """Signed margins with low < |m| < high, of density 2 phi(m) / f; at theta = 0 all are positive."""
    high = min(high, float(np.hypot(low, REACH)))
    # Where the cut at A = 0 matters; examples that the probe gets wrong are all there.
    cut = REACH * np.tan(theta)
    pieces = [
        (max(low, min(cut, high)), high, sharpness.along),
        (low, min(cut, high), max(sharpness.along, sharpness.boundary)),
        (-min(cut, high), -low, max(sharpness.along, sharpness.boundary)),
    ]
    found = [panels(*piece) for piece in pieces if piece[1] > piece[0]]
    m, w = (np.concatenate(columns) for columns in zip(*found, strict=True))
    return m, w * 2.0 * np.exp(-0.5 * m * m) / (np.sqrt(2.0 * np.pi) * f)


def kept_nodes(margins: Margins, theta: float, sharpness: Sharpness, t: float = 0.0, known: bool = False) -> Nodes:
    """Nodes in A, B and, for t > 0, in the noise h of weight t in the field.

    `known` is for measured margins whose sign is that of the label: g then has weight 1 on its half line.

    Examples
    --------
    >>> from perceptron_theory.derivation.averages import Average
    >>> from perceptron_theory.derivation.kept_nodes import Sharpness, kept_nodes, window_margins
    >>> from perceptron_theory.derivation.numerics import evaluate
    >>> from perceptron_theory.derivation.symbols import A
    >>> smooth = Sharpness(1.0, 1.0, 3.0)
    >>> all_data = kept_nodes(window_margins(0.0, 9.0, 1.0, 0.5, smooth), 0.5, smooth)
    >>> round(evaluate({"mean": Average(A)}, {}, all_data)["mean"], 12)  # sqrt(2 / pi)
    0.797884560803
    """
    m, weights = margins
    edge = -m * np.cos(theta) / np.sin(theta) if theta > 0.0 else np.full(m.shape, -np.inf)
    start = np.maximum(edge, -REACH)
    end = np.hypot(np.maximum(edge, 0.0), REACH)
    x, w = panels(0.0, 1.0, 2.0 * REACH * sharpness.beside)
    g = start[:, None] + (end - start)[:, None] * x
    density = -0.5 * g * g - 0.5 * np.log(2.0 * np.pi)
    if known:
        density -= log_ndtr(-edge)[:, None]
    weight = (weights * (end - start))[:, None] * w * np.exp(density)
    kept = weight > _NEGLIGIBLE * weight.max()
    m = np.broadcast_to(m[:, None], g.shape)[kept]
    g = g[kept]
    examples = {A: m * np.cos(theta) + g * np.sin(theta), B: m * np.sin(theta) - g * np.cos(theta)}
    return Nodes(examples, weight[kept], *_noise(t))


def _noise(t: float) -> tuple[dict[sp.Symbol, FloatArray], FloatArray]:
    """Nodes in h, none without noise."""
    if t == 0.0:
        return {}, np.ones(1)
    nodes, weights = normal_nodes(_SPACING / max(t, 1.0))
    return {h: nodes}, weights


def normal_nodes(spacing: float) -> Margins:
    """Equally spaced nodes and weights of a standard normal variable.

    Examples
    --------
    >>> from perceptron_theory.derivation.kept_nodes import normal_nodes
    >>> x, w = normal_nodes(0.5)
    >>> round(float(w @ x**4), 12)
    3.0
    """
    steps = int(np.ceil(REACH / spacing))
    x = spacing * np.arange(-steps, steps + 1, dtype=np.float64)
    return x, np.asarray(spacing * np.exp(-0.5 * x * x) / np.sqrt(2.0 * np.pi))


def measured_margins(values: npt.ArrayLike, weights: npt.ArrayLike) -> Margins:
    """Margins of weights that sum to 1, for `kept_nodes`.

    Examples
    --------
    >>> from perceptron_theory.derivation.kept_nodes import measured_margins
    >>> measured_margins([0.5, 1.0], [1.0, 3.0])[1]
    array([0.25, 0.75])
    """
    w = np.asarray(weights, dtype=np.float64)
    return np.asarray(values, dtype=np.float64), w / w.sum()
