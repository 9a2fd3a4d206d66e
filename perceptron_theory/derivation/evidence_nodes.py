"""Nodes for averages over the field that the Bayes-optimal posterior predicts, with the evidence and its slopes there.

The evidence at each predicted field is an integral over the margin, by Gauss-Legendre panels. The average over fields
w ~ N(0, Q) is by equally spaced nodes: what is averaged is smooth on the whole plane.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from perceptron_theory.derivation.evidence import SPREADS, evidence_density, evidence_slopes
from perceptron_theory.derivation.kept_nodes import REACH, Margins, normal_nodes, panels
from perceptron_theory.derivation.numerics import Nodes, compiled
from perceptron_theory.derivation.symbols import Z, Z_g, Z_m, f, m, theta, w_g, w_m

FloatArray = npt.NDArray[np.float64]

#: Spacing of predicted fields over the width of the posterior. Z vanishes about 2.8 widths off the real plane, and
#: exp(-2 pi 2.8 / 0.45) = 1e-17 ...
_SPACING = 0.45
#: ... but when kept data have a gap, examples on its two sides that lie 2 x widths apart cancel at pi / 2 x widths off
#: it, where they weigh exp(-x^2 / 2): the error exp(-pi^2 / (x spacing) - x^2 / 2) is at most 1e-14.
_SPACING_OF_SIDES = 0.1
#: Fields of less evidence are impossible.
_IMPOSSIBLE = 1e-280
_BLOCK = 200_000


def evidence_nodes(C: FloatArray, window: tuple[float, float], fraction: float, angle: float) -> Nodes:
    """Nodes in Z, Z_m and Z_g for the posterior covariance C = 1 - Q and data kept with low < |z| < high.

    Examples
    --------
    >>> import numpy as np
    >>> from perceptron_theory.derivation.averages import Average
    >>> from perceptron_theory.derivation.evidence_nodes import evidence_nodes
    >>> from perceptron_theory.derivation.numerics import evaluate
    >>> from perceptron_theory.derivation.symbols import Z
    >>> all_data = evidence_nodes(np.diag([0.5, 0.8]), (0.0, 9.0), 1.0, 0.7)
    >>> round(evaluate({"mass": Average(Z)}, {}, all_data)["mass"], 12)
    1.0
    """
    two_sides = angle > 0.0 and window[0] > 0.0
    along, beside, weights = _predicted(C, angle == 0.0, _SPACING_OF_SIDES if two_sides else _SPACING)
    density = (evidence_density(angle == 0.0), *evidence_slopes(angle == 0.0))
    arguments, function = compiled(density)
    mm, mg, gg = SPREADS
    known = {mm: C[0, 0], mg: C[0, 1], gg: C[1, 1], f: fraction, theta: angle}
    margins, weight = _margins(C, window, angle)
    found = np.empty((3, along.size))
    step = max(1, _BLOCK // margins.size)
    for start in range(0, along.size, step):
        block = slice(start, start + step)
        at = {**known, m: margins, w_m: along[block, None], w_g: beside[block, None]}
        for row, value in zip(found, function(*(at[x] for x in arguments)), strict=True):
            row[block] = np.broadcast_to(value, (along[block].size, margins.size)) @ weight
    possible = found[0] > _IMPOSSIBLE
    columns = dict(zip((Z, Z_m, Z_g), found[:, possible], strict=True))
    return Nodes(columns, weights[possible], {}, np.ones(1))


def _predicted(C: FloatArray, perfect: bool, spacing: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Predicted fields along the probe and beside it, and weights: normal variables times the root of Q."""
    # Q = 1 - C has the axes of C. At theta = 0 nothing is known beside the probe.
    variances, axes = np.linalg.eigh(np.diag([C[0, 0], 1.0]) if perfect else C)
    spreads = np.sqrt(np.maximum(1.0 - variances, 0.0))
    (x, wx), (y, wy) = (
        normal_nodes(spacing * min(1.0, np.sqrt(variance) / spread)) if spread > 0.0 else (np.zeros(1), np.ones(1))
        for variance, spread in zip(variances, spreads, strict=True)
    )
    fields = axes * spreads @ np.stack(np.meshgrid(x, y, indexing="ij")).reshape(2, -1)
    return fields[0], fields[1], np.outer(wx, wy).ravel()


def _margins(C: FloatArray, window: tuple[float, float], angle: float) -> Margins:
    """Signed margins in the window and weights; at theta = 0 all are positive."""
    low, high = window[0], min(window[1], REACH + 1.0)
    sharpness = 1.0 / np.sqrt(C[0, 0])
    if angle == 0.0:
        return panels(low, high, float(sharpness))
    # A posterior example crosses A = 0 as steeply as this along m.
    left = np.sqrt(C[1, 1] - C[0, 1] ** 2 / C[0, 0])
    sharpness = float(np.hypot(sharpness, (1.0 / np.tan(angle) + C[0, 1] / C[0, 0]) / left))
    sides = [panels(low, high, sharpness), panels(-high, -low, sharpness)]
    x, w = (np.concatenate(columns) for columns in zip(*sides, strict=True))
    return np.asarray(x), np.asarray(w)
