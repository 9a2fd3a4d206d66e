"""Many examples: only those beside the teacher's boundary still teach, and errors fall as prefactor / alpha.

There the student is nearly the teacher, r -> infinity, and an example at A = (smallest kept A) + a / r counts where a
is of order one. Its field then depends on a and the noise alone, and the kept data enter by their density `rho0` at
that place. Rules that ignore the label keep as much on either side of B = 0 there, so delta -> 0. Without pruning
alpha times the error tends to 0.5005 (max-margin; Opper, Kinzel, Kleinz and Nehl 1990), 0.6247 (Gibbs; Gyorgyi and
Tishby 1990) and 0.4417 (Bayes point; Opper and Haussler 1991); pruning divides them by the relative density.
"""

from __future__ import annotations

from functools import cache

import sympy as sp

from perceptron_theory.derivation import max_margin, overlaps
from perceptron_theory.derivation.gap import GapMoment
from perceptron_theory.derivation.gaussian_functions import G, Phi, as_density, phi
from perceptron_theory.derivation.numerics import integral, number, root
from perceptron_theory.derivation.symbols import B, alpha, delta, f, gamma, k, r, t, theta

#: Density of the kept data in A beside the teacher's boundary (or beside the gap that pruning left there).
rho0 = sp.Symbol("rho_0", positive=True)
#: Smallest kept A, distance from it in units of 1 / r, and field of an example.
start = sp.Symbol("A_0", nonnegative=True)
a, v = sp.symbols("a v", real=True)
#: J, the integral of phi^2 / Phi.
OVERLAP_INTEGRAL = sp.Symbol("J", positive=True)


def beyond(p: int, weight: int) -> sp.Expr:
    """Integral of a^weight M_p(k - a) over a > 0; by parts, as M_p is the slope of M_(p+1) / (p + 1).

    Examples
    --------
    >>> from perceptron_theory.derivation.large_alpha import beyond
    >>> beyond(2, 0), beyond(1, 1)
    (GapMoment(3, k)/3, GapMoment(3, k)/6)
    """
    if weight == 0:
        return GapMoment(p + 1, k) / (p + 1)
    return weight * beyond(p + 1, weight - 1) / (p + 1)


def margin_condition() -> sp.Expr:
    """(M2) at large r, times a factor: an equation for k, the margin in units of what is left over behind the gap.

    On the left A is start + a / r, on the right k is r start + k; what is of order 1 / r must agree.

    Examples
    --------
    >>> from perceptron_theory.derivation.large_alpha import margin_condition
    >>> margin_condition()
    k**3*Phi(k) + k**2*phi(k) - phi(k)
    """
    M2 = max_margin.equations()["M2"]
    right = M2.rhs.subs(delta, 0).subs(k, r * start + k)
    excess = sp.limit(sp.expand(r * sp.together(right - start)), r, sp.oo)
    return sp.expand(3 * (excess * beyond(1, 0) - beyond(1, 1)).rewrite(Phi))


@cache
def max_margin_prefactor() -> sp.Expr:
    """Limit of alpha test_error, max-margin student, as a function of rho0 and of the root k of `margin_condition`.

    Examples
    --------
    >>> from perceptron_theory.derivation.large_alpha import max_margin_prefactor
    >>> max_margin_prefactor()
    1/(pi*rho_0*(k*Phi(k) + phi(k)))
    """
    # (M1): alpha rho0 / r times the integral over a is 1.
    slope = beyond(2, 0).rewrite(Phi)
    # A multiple of what is zero leaves less to write.
    return _tail(overlaps.max_margin(), rho0 * sp.factor(sp.expand(slope - margin_condition() / 3)))


def _tail(cosine: sp.Expr, slope: sp.Expr) -> sp.Expr:
    """Limit of alpha times the error of a student with this overlap, r = slope alpha, delta = 0."""
    error = overlaps.test_error(cosine.subs(delta, 0))
    speed = sp.Symbol("c", positive=True)
    return sp.limit(alpha * error.subs(r, speed * alpha), alpha, sp.oo).subs(speed, slope)


@cache
def equal_sides() -> tuple[sp.Expr, sp.Expr]:
    """(V1) and (V2) at large r and t = 1, both divided by alpha rho0 / r: their integrands over the field v = a + h.

    With x = a + t h, (V1) is alpha rho0 / r times the average of G^2 over a and h, equal to t^2, and (V2) that of
    a G, equal to 1 (D tends to r^2). The second integrand exceeds the first by v phi(v), which integrates to 0: t = 1.

    Examples
    --------
    >>> from perceptron_theory.derivation.large_alpha import equal_sides
    >>> equal_sides()
    (phi(v)**2/Phi(v), v*phi(v) + phi(v)**2/Phi(v))
    """
    # Over a > 0 at fixed v, a = v - h with h < v: a gap.
    zeroth, first = (GapMoment(p, v).rewrite(Phi) for p in (0, 1))
    return as_density(G(v) ** 2 * zeroth), sp.expand(as_density(G(v) * first))


@cache
def version_space_prefactors() -> tuple[sp.Expr, sp.Expr]:
    """Limits of alpha test_error of Gibbs student and Bayes point, with J = int phi^2 / Phi; their ratio is sqrt(2).

    Examples
    --------
    >>> from perceptron_theory.derivation.large_alpha import version_space_prefactors
    >>> version_space_prefactors()
    (sqrt(2)/(pi*J*rho_0), 1/(pi*J*rho_0))
    """
    slope = rho0 * OVERLAP_INTEGRAL
    gibbs, bayes = (_tail(cosine.subs(t, 1), slope) for cosine in (overlaps.gibbs(), overlaps.bayes_point()))
    return gibbs, bayes


@cache
def boundary_density(rule: str) -> sp.Expr:
    """rho0 for theta > 0, of the data kept by |m| < gamma ("hard") or |m| > gamma ("easy"), or of all ("random").

    At A = 0 the probe sees m = B sin(theta).

    Examples
    --------
    >>> from perceptron_theory.derivation.large_alpha import boundary_density
    >>> boundary_density("random")
    sqrt(2)/sqrt(pi)
    """
    edge = gamma / sp.sin(theta)
    x = sp.Symbol("x", positive=True)
    low, high = {"hard": (-x, x), "easy": (x, sp.oo), "random": (-sp.oo, sp.oo)}[rule]
    seen = sp.integrate(phi(B).rewrite(sp.erfc), (B, low, high)) * (2 if rule == "easy" else 1)
    kept = 1 if rule == "random" else f
    return sp.simplify(2 * phi(0).rewrite(sp.erfc) * seen.subs(x, edge) / kept)


def gap_density(rule: str) -> sp.Expr:
    """rho0 at theta = 0, where what is kept starts at A = 0 ("hard", "random") or gamma ("easy").

    Examples
    --------
    >>> from perceptron_theory.derivation.large_alpha import gap_density
    >>> gap_density("easy")
    2*phi(gamma)/f
    """
    if rule == "easy":
        return 2 * phi(gamma) / f
    return 2 * phi(0).rewrite(sp.erfc) / (1 if rule == "random" else f)


def constants() -> dict[str, float]:
    """Prefactors of unpruned data.

    Examples
    --------
    >>> from perceptron_theory.derivation.large_alpha import constants
    >>> {name: round(value, 6) for name, value in constants().items()}
    {'max-margin': 0.500489, 'gibbs': 0.624658, 'bayes-point': 0.4417}
    """
    density = boundary_density("random")
    gibbs, bayes = version_space_prefactors()
    first, _ = equal_sides()
    J = integral(sp.Integral(first, (v, -sp.oo, sp.oo)), {})
    margin = root(margin_condition(), k, (0.1, 1.0), {})
    return {
        "max-margin": number(max_margin_prefactor().subs(rho0, density), {k: margin}),
        "gibbs": number(gibbs.subs(rho0, density), {OVERLAP_INTEGRAL: J}),
        "bayes-point": number(bayes.subs(rho0, density), {OVERLAP_INTEGRAL: J}),
    }
