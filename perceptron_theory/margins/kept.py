"""What the rest of the theory sees of the data: a kept measure along the probe."""

import math
from typing import NamedTuple

import numpy as np

from perceptron_theory.compiling import kernel
from perceptron_theory.gaussian import FloatArray


class KeptMeasure(NamedTuple):
    """Kept data along the probe, flipped by label: the only form in which equations see it.

    Either a density, 2 phi(m) k(m) scale on the intervals, or the atoms that lie in them.
    """

    intervals: FloatArray
    """Where everything is kept, or k is smooth: rows (lo, hi), shape (n, 2)."""
    keep: FloatArray
    """Chebyshev coefficients of the keep probability on each interval, shape (n, degree + 1) or (0, 0) for 1.

    Of atoms, one coefficient: the share of an interval that is kept.
    """
    atoms: FloatArray
    """Measured examples: signed margins, strictly ascending, and their unpruned weights, shape (2, n)."""
    cells: FloatArray
    """The same weights on the Legendre points of nested halves of the atoms (`atom_cells`)."""
    edges: FloatArray
    """Single atoms at a threshold of the rule and what is kept of them, shape (2, n)."""
    conditional: bool
    """True if weights are those of the signed margin (g is then normalised on its half line)."""
    scale: float
    """1 / f."""


@kernel
def gaussian_window(z_lo: float, z_hi: float, f: float) -> KeptMeasure:
    """Gaussian data with z_lo < |z| < z_hi, a fraction `f` of all."""
    # Beyond this the density has fallen by 1e-17 from the inner edge of the window.
    z_hi = min(z_hi, math.sqrt(z_lo * z_lo + 80.0))
    intervals = np.array([[-z_hi, -z_lo], [z_lo, z_hi]]) if z_lo > 0.0 else np.array([[-z_hi, z_hi]])
    none = np.empty((2, 0))
    table = np.empty((0, 0))
    return KeptMeasure(intervals, table, none, table, none, False, 1.0 / f)
