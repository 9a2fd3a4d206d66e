"""From overlaps to test errors, for each student in its own variables.

Errors are written with the tangent of the angle to the teacher, which keeps its digits where the cosine R tends to 1.
"""

from __future__ import annotations

from functools import cache

import sympy as sp

from perceptron_theory.derivation.symbols import R, d, delta, r, theta
from perceptron_theory.derivation.version_space import inverse_gap


@cache
def wedge() -> sp.Expr:
    """Probability that two unit vectors at an angle psi give a Gaussian input different labels.

    In the plane of the two an input has the length l and the direction chi; labels differ in two wedges of angle psi.

    Examples
    --------
    >>> from perceptron_theory.derivation.overlaps import wedge
    >>> wedge()
    psi/pi
    """
    length, direction, psi = sp.symbols("l chi psi", positive=True)
    density = length * sp.exp(-(length**2) / 2) / (2 * sp.pi)
    return sp.expand(2 * sp.integrate(density, (length, 0, sp.oo), (direction, sp.pi / 2, sp.pi / 2 + psi)))


@cache
def test_error(cosine: sp.Expr) -> sp.Expr:
    """Error of a student with this overlap with the teacher, arccos(cosine) / pi by its tangent.

    Examples
    --------
    >>> import sympy as sp
    >>> from perceptron_theory.derivation.overlaps import test_error
    >>> test_error(1 / sp.sqrt(2))
    1/4
    """
    (psi,) = wedge().free_symbols
    return wedge().subs(psi, sp.atan(sp.sqrt(sp.factor((1 - cosine**2) / cosine**2))))


def max_margin() -> sp.Expr:
    """Overlap of a unit student with components r, delta and 1 along teacher, beside it, and out of the plane.

    Examples
    --------
    >>> from perceptron_theory.derivation.overlaps import max_margin, test_error
    >>> test_error(max_margin())
    atan(sqrt(delta**2 + 1)/r)/pi
    """
    return r / sp.sqrt(1 + r**2 + delta**2)


@cache
def gibbs() -> sp.Expr:
    """Overlap of a typical student of the version space, R = r sqrt(1 - q).

    Examples
    --------
    >>> from perceptron_theory.derivation.overlaps import gibbs, test_error
    >>> test_error(gibbs())
    atan(sqrt(delta**2 + t**2 + 1)/r)/pi
    """
    return r / sp.sqrt(inverse_gap())


@cache
def bayes_point() -> sp.Expr:
    """Overlap of the mean of the version space, which has the length sqrt(q): R / sqrt(q).

    It takes the majority vote of all students: given an input, their fields are Gaussian around the field of the mean
    (Opper and Haussler, Phys. Rev. Lett. 66, 2677 (1991)).

    Examples
    --------
    >>> from perceptron_theory.derivation.overlaps import bayes_point, test_error
    >>> test_error(bayes_point())
    atan(sqrt(delta**2 + t**2)/r)/pi
    """
    length = sp.sqrt(sp.factor(1 - 1 / inverse_gap()))
    return gibbs() / length


def with_probe() -> sp.Expr:
    """rho, the overlap with the probe, which lies at theta from the teacher in the plane.

    Examples
    --------
    >>> from perceptron_theory.derivation.overlaps import with_probe
    >>> with_probe()
    R*cos(theta) + d*sin(theta)
    """
    return R * sp.cos(theta) + d * sp.sin(theta)
