"""theta = 0, and unpruned data, where every theta is alike: from three equations to one.

At theta = 0 the direction beside the teacher is noise and delta = 0. Without pruning A is half normal and more can
be integrated. The typical student then overlaps with the teacher as with its like, R = q (Gyorgyi and Tishby 1990),
and the max-margin student follows from its margin k alone (Opper, Kinzel, Kleinz and Nehl 1990).
"""

from __future__ import annotations

from functools import cache

import sympy as sp

from perceptron_theory.derivation import max_margin, version_space
from perceptron_theory.derivation.averages import Average, by_parts
from perceptron_theory.derivation.bayes_optimal import OVERLAPS, equations
from perceptron_theory.derivation.evidence import FIELDS, SPREADS, evidence_density
from perceptron_theory.derivation.gap import GapMoment
from perceptron_theory.derivation.gaussian_functions import G, as_density, named, phi
from perceptron_theory.derivation.symbols import A, B, Z, Z_m, alpha, delta, f, h, k, m, q, r, t

#: Field of an example in units of its width, and the Gaussian variable orthogonal to it.
y, z = sp.symbols("y z", real=True)
s = sp.Symbol("s", positive=True)

#: The pair (A, h) turned so that y points along the field: r A + t h = s y with s^2 = r^2 + t^2.
TURNED = {A: (r * y + t * z) / s, h: (t * y - r * z) / s}
#: R = q in units of sqrt(1 - q): r, t, and the width s of the field r A + t h.
EQUAL = {r: q / sp.sqrt(1 - q), t: sp.sqrt(q), s: sp.sqrt(q) / sp.sqrt(1 - q)}


def beside() -> tuple[sp.Expr, sp.Expr]:
    """(V3) and (M3) at theta = 0, both sides on the left and over delta: negative for k >= 0, so delta = 0.

    B is a standard normal variable that nothing else depends on. The first is alpha E[G'] - (1 + k alpha E[G]) / D,
    and G' is negative.

    Examples
    --------
    >>> from perceptron_theory.derivation.perfect_metric import beside
    >>> beside()[1]
    -k/(delta**2 + r**2 + 1) - Average(Phi(-A*r - B*delta + k))/Average(GapMoment(1, -A*r - B*delta + k))
    """
    V3 = version_space.equations()["V3"]
    M3 = max_margin.over_noise(max_margin.equations()["M3"])
    first, second = (sp.expand(by_parts(e.lhs - e.rhs, B) / delta) for e in (V3, M3))
    return first, second


@cache
def unpruned_integrands() -> tuple[sp.Expr, sp.Expr]:
    """Left sides of (V1) and (V2) over alpha, without pruning and margin, as integrals over y: their integrands.

    With (A, h) `TURNED`, all that is left of A > 0 is a cut of z at -r y / t.

    Examples
    --------
    >>> from perceptron_theory.derivation.perfect_metric import unpruned_integrands
    >>> unpruned_integrands()[0]
    2*G(s*y)**2*Phi(r*y/t)*phi(y)
    """
    bound = sp.Symbol("bound", real=True)

    def rest(weight: sp.Expr) -> sp.Expr:
        explicit = sp.expand(weight) * phi(z).rewrite(sp.erfc)
        integral = sum(named(sp.integrate(term, (z, -bound, sp.oo))) for term in sp.Add.make_args(sp.expand(explicit)))
        return sp.sympify(integral).subs(bound, r * y / t)

    return (
        2 * phi(y) * G(s * y) ** 2 * rest(sp.S.One),
        sp.expand(2 * phi(y) * G(s * y) * rest(TURNED[A])),
    )


def equal_overlaps() -> tuple[sp.Expr, sp.Expr]:
    """The same at R = q: (V1), and what (V2) over sqrt(1 - q) has more: an odd function of y, which integrates to 0.

    The right sides are q and q too: both equations are one.

    Examples
    --------
    >>> from perceptron_theory.derivation.perfect_metric import equal_overlaps
    >>> equal_overlaps()[1]
    2*sqrt(q)*y*phi(y)*phi(sqrt(q)*y/sqrt(1 - q))/sqrt(1 - q)
    """
    first, second = (as_density(integrand.subs(EQUAL)) for integrand in unpruned_integrands())
    return first, sp.expand(sp.simplify(second / sp.sqrt(1 - q) - first))


def unpruned_overlap() -> sp.Equality:
    """The scalar equation of unpruned data, for q = R of the Gibbs student.

    Examples
    --------
    >>> from perceptron_theory.derivation.perfect_metric import unpruned_overlap
    >>> unpruned_overlap().rhs
    q
    """
    first, _ = equal_overlaps()
    return sp.Eq(alpha * sp.Integral(first, (y, -sp.oo, sp.oo)), q)


def unpruned_evidence() -> sp.Equality:
    """(B1) on unpruned data, along the teacher: with Q = q it is `unpruned_overlap`, over 1 - q.

    The posterior of the student that knows the rule is then the version space.
    """
    density = evidence_density(perfect=True).subs(f, 1)
    width = sp.sqrt(SPREADS[0])
    # Integral over m > 0 of a Gaussian around w: in units of its width from -w / width on.
    x = sp.Symbol("x", real=True)
    scaled = sp.expand(density.subs(m, FIELDS[0] + width * x) * width)
    evidence = named(sp.integrate(scaled.rewrite(sp.erfc), (x, -FIELDS[0] / width, sp.oo)))
    field = sp.sqrt(q) * y
    values = {Z: evidence, Z_m: sp.diff(evidence, FIELDS[0])}
    gradient = equations()["mm"]
    (average,) = gradient.rhs.atoms(Average)
    integrand = average.args[0].subs(values).subs(FIELDS[0], field).subs(SPREADS[0], 1 - q)
    left = gradient.lhs.subs({OVERLAPS[0]: q, OVERLAPS[1]: 0, OVERLAPS[2]: 0})
    return sp.Eq(alpha * sp.Integral(phi(y) * integrand, (y, -sp.oo, sp.oo)), sp.cancel(left * (1 - q)) / (1 - q))


def unpruned_r() -> sp.Equality:
    """Component r of the max-margin student of unpruned data, from its margin k.

    A is half normal: integrating A M_1(k - r A) by parts leaves a term at A = 0. With it, (M1), (M2) and `mean_gap`
    are linear in the averages of M_0, M_1 and M_2.

    Examples
    --------
    >>> from perceptron_theory.derivation.perfect_metric import unpruned_r
    >>> unpruned_r()
    Eq(r, sqrt(2)*alpha*GapMoment(1, k)/sqrt(pi))
    """
    zeroth, first, second = (Average(GapMoment(p, k - r * A)) for p in range(3))
    at_boundary = 2 * phi(0).rewrite(sp.erfc) * GapMoment(1, k)
    weighted = at_boundary + by_parts(Average(A * GapMoment(1, k - r * A)), A)
    M2, gap = (e.subs(delta, 0) for e in (max_margin.over_noise(max_margin.equations()["M2"]), max_margin.mean_gap()))
    conditions = (
        alpha * second - 1,
        weighted - M2.rhs * first,
        gap.lhs * first - gap.rhs * first,
    )
    letters = sp.symbols("a0 a1 a2", positive=True)
    known = dict(zip((zeroth, first, second), letters, strict=True))
    linear = [sp.expand(e).subs(known) for e in conditions]
    (value,) = sp.solve(linear, (letters[0], letters[2], GapMoment(1, k)), dict=True)
    (solution,) = sp.solve(sp.Eq(GapMoment(1, k), sp.simplify(value[GapMoment(1, k)])), r)
    return sp.Eq(r, solution)


def unpruned_margin() -> sp.Equality:
    """(M1) for unpruned data: one equation for k once r is `unpruned_r`."""
    integrand = 2 * phi(A) * GapMoment(2, k - r * A)
    return sp.Eq(alpha * sp.Integral(integrand, (A, 0, sp.oo)), 1)
