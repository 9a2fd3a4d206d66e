"""Evidence of one example for the student that knows the pruning rule, at the field its posterior mean predicts.

With a fraction f kept by the probability k(m), an example of fields (m, g) along the probe and beside it has the
likelihood l(m, g) = (2 / f) k(m) [m cos(theta) + g sin(theta) > 0]. Given the predicted field w the fields are Gaussian
of mean w and covariance C = 1 - Q, and Z(w) is the average of l over them.
"""

from __future__ import annotations

from functools import cache

import sympy as sp

from perceptron_theory.derivation.gaussian_functions import named, phi
from perceptron_theory.derivation.symbols import f, g, m, theta, w_g, w_m

#: Entries of C along the probe, mixed, and beside it.
SPREADS = sp.symbols("C_mm C_mg C_gg", real=True)
FIELDS = (w_m, w_g)


def matrix(entries: tuple[sp.Symbol, ...]) -> sp.Matrix:
    """Symmetric 2 x 2 matrix."""
    mm, mg, gg = entries
    return sp.Matrix([[mm, mg], [mg, gg]])


def gaussian(x: tuple[sp.Expr, sp.Expr], covariance: sp.Matrix) -> sp.Expr:
    """Density of a centred Gaussian pair."""
    vector = sp.Matrix(x)
    square = (vector.T * covariance.inv() * vector)[0]
    return sp.exp(-square / 2) / (2 * sp.pi * sp.sqrt(covariance.det()))


def beside_given_along() -> tuple[sp.Expr, sp.Expr]:
    """Mean and variance of g given m under the posterior: where its log density is largest, and how curved it is.

    Examples
    --------
    >>> from perceptron_theory.derivation.evidence import beside_given_along
    >>> beside_given_along()[1]
    C_gg - C_mg**2/C_mm
    """
    log = sp.expand_log(sp.log(gaussian((m - w_m, g - w_g), matrix(SPREADS))), force=True)
    (centre,) = sp.solve(sp.diff(log, g), g)
    return sp.expand(centre), sp.expand(sp.simplify(-1 / sp.diff(log, g, 2)))


@cache
def evidence_density(perfect: bool = False) -> sp.Expr:
    """Density z(m) of the evidence, Z = int dm k(m) z(m): the integral over g is done.

    `perfect` is theta = 0: then A = m, and what is kept has m > 0.

    Examples
    --------
    >>> from perceptron_theory.derivation.evidence import evidence_density
    >>> evidence_density(perfect=True)
    2*phi((m - w_m)/sqrt(C_mm))/(sqrt(C_mm)*f)
    """
    mm, _, _ = SPREADS
    along = phi((m - w_m) / sp.sqrt(mm)) / sp.sqrt(mm)
    if perfect:
        return 2 * along / f
    centre, variance = beside_given_along()
    # g = centre + sqrt(variance) y exceeds -m cot(theta) where y is above minus this:
    edge = (centre + m * sp.cos(theta) / sp.sin(theta)) / sp.sqrt(variance)
    x, y = sp.symbols("x y", real=True)
    return 2 / f * along * named(sp.integrate(phi(y).rewrite(sp.erfc), (y, -x, sp.oo))).subs(x, edge)


@cache
def evidence_slopes(perfect: bool = False) -> tuple[sp.Expr, sp.Expr]:
    """Derivatives of the evidence density along the two fields."""
    density = evidence_density(perfect)
    return sp.diff(density, w_m), sp.diff(density, w_g)
