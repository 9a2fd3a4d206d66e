"""A student in the plane of teacher and probe, in both bases at once."""

import math
from typing import NamedTuple

from perceptron_theory.compiling import inner_kernel


class Frame(NamedTuple):
    """A student in both bases; each coordinate carries its own rounding error (see `moved`)."""

    k: float
    """Margin over the norm orthogonal to the plane, kappa / s."""
    r: float
    """R / s, along the teacher."""
    d: float
    """Orthogonal to the teacher in the plane, over s."""
    p: float
    """rho / s, along the probe."""
    c: float
    """Orthogonal to the probe in the plane, over s."""
    k0: float
    """k - p m0: the margin left over at m0."""
    m0: float
    """Smallest kept margin that matters; keeps u exact when the data leave a wide gap."""
    cos: float
    sin: float


@inner_kernel
def frame_at(k: float, r: float, d: float, m0: float, theta: float) -> Frame:
    """Student with coordinates (k, r, d) in the teacher basis."""
    cos = math.cos(theta)
    sin = math.sin(theta)
    p = r * cos + d * sin
    return Frame(k, r, d, p, r * sin - d * cos, k - p * m0, m0, cos, sin)


@inner_kernel
def moved(x: Frame, dk: float, dr: float, dd: float) -> Frame:
    """Student after an increment.

    Both bases and the shifted margin are advanced by their own increments. When s tends to 0 some of
    them are small differences of large ones; recomputing those would cost the digits that Newton's
    last steps have just won.
    """
    dp = dr * x.cos + dd * x.sin
    dc = dr * x.sin - dd * x.cos
    return Frame(x.k + dk, x.r + dr, x.d + dd, x.p + dp, x.c + dc, x.k0 + dk - dp * x.m0, x.m0, x.cos, x.sin)


@inner_kernel
def field_gap(x: Frame, offset: float) -> float:
    """Gap u = k - (field without noise) at margin m0 + `offset` and g = 0."""
    return x.k0 - x.p * offset


@inner_kernel
def boundary_gap(x: Frame, offset: float) -> float:
    """Gap u on the teacher's boundary A = 0 at margin m0 + `offset` (theta > 0), from the better conditioned basis."""
    m = x.m0 + offset
    if abs(x.c) < abs(x.d):
        return field_gap(x, offset) + x.c * m * x.cos / x.sin
    return x.k - x.d * m / x.sin
