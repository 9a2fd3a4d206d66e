"""(V1)-(V3): where the entropy of the version space is stationary.

In units of sqrt(1 - q) the overlaps are r, delta and t, the margin is k, and D = 1 / (1 - q). All that is averaged
then depends on one field x = r A + delta B + t h - k, and G = phi / Phi. What students of the version space err is
in `overlaps`.
"""

from __future__ import annotations

from functools import cache

import sympy as sp

from perceptron_theory.derivation.averages import Average, by_parts
from perceptron_theory.derivation.gaussian_functions import G, as_ratio
from perceptron_theory.derivation.replicas import field_noise, free_energy
from perceptron_theory.derivation.symbols import A, B, D, R, alpha, d, delta, h, k, kappa, q, r, t

_UNITS = {q: 1 - 1 / D, R: r / sp.sqrt(D), d: delta / sp.sqrt(D), kappa: k / sp.sqrt(D)}
#: Field of an example in units of sqrt(1 - q), as it enters Phi.
FIELD = r * A + delta * B + t * h - k


@cache
def inverse_gap() -> sp.Expr:
    """D = 1 / (1 - q) in the new variables, from t^2 (1 - q) = shared noise.

    Examples
    --------
    >>> from perceptron_theory.derivation.version_space import inverse_gap
    >>> inverse_gap()
    delta**2 + r**2 + t**2 + 1
    """
    shared, own = field_noise()
    (solution,) = sp.solve((shared / own).subs(_UNITS) - t**2, D)
    return sp.expand(solution)


def in_units(expression: sp.Expr) -> sp.Expr:
    """Expression in q, R, d and kappa, written with D, r, delta, t and k.

    Examples
    --------
    >>> import sympy as sp
    >>> from perceptron_theory.derivation.symbols import R, d, q
    >>> from perceptron_theory.derivation.version_space import in_units
    >>> in_units(sp.sqrt(q - R**2 - d**2) / sp.sqrt(1 - q))
    t
    """

    def shorter(square: sp.Expr) -> sp.Expr:
        return sp.expand(sp.expand(square).subs(delta**2, D - 1 - r**2 - t**2))

    expression = expression.subs(_UNITS)
    expression = expression.replace(
        lambda e: e.is_Pow and e.exp == sp.Rational(1, 2), lambda e: sp.sqrt(shorter(e.base))
    )
    return sp.expand(sp.expand_log(shorter(expression)))


@cache
def entropy() -> sp.Expr:
    """S(t, r, delta); k stands for kappa sqrt(D), and D for its value.

    Examples
    --------
    >>> from perceptron_theory.derivation.version_space import entropy
    >>> entropy()
    alpha*Average(log(Phi(A*r + B*delta + h*t - k))) + t**2/2 - log(D)/2
    """
    return in_units(free_energy())


@cache
def gradient() -> dict[sp.Symbol, sp.Expr]:
    """Derivatives of S along r, delta and t, at a fixed margin kappa.

    Examples
    --------
    >>> from perceptron_theory.derivation.symbols import r
    >>> from perceptron_theory.derivation.version_space import gradient
    >>> gradient()[r]
    alpha*Average(A*G(A*r + B*delta + h*t - k)) - alpha*k*r*Average(G(A*r + B*delta + h*t - k))/D - r/D
    """
    explicit = entropy().subs(k, kappa * sp.sqrt(D)).subs(D, inverse_gap())
    return {v: _short(as_ratio(sp.diff(explicit, v))) for v in (r, delta, t)}


def _short(expression: sp.Expr) -> sp.Expr:
    """D for its value and k for kappa sqrt(D)."""
    return sp.expand(expression.subs(inverse_gap(), D).subs(kappa, k / sp.sqrt(D)))


@cache
def equations() -> dict[str, sp.Equality]:
    """(V1)-(V3), from the stationarity of S.

    (V2) and (V3) are the derivatives along r and delta. (V1) is the derivative along (r, delta, t) plus that along
    t over t in which h was integrated by parts: in their sum all but two terms cancel.

    Examples
    --------
    >>> from perceptron_theory.derivation.version_space import equations
    >>> equations()["V1"]
    Eq(alpha*Average(G(A*r + B*delta + h*t - k)**2), t**2)
    >>> equations()["V2"].rhs
    r*(alpha*k*Average(G(A*r + B*delta + h*t - k)) + 1)/D
    """
    slope = gradient()
    along = sum((v * slope[v] for v in (r, delta, t)), sp.S.Zero)
    noise = by_parts(slope[t], h) / t
    # D stands for 1 + r^2 + delta^2 + t^2 in `along`.
    difference = sp.expand(sp.expand(along + noise).subs(delta**2, D - 1 - r**2 - t**2))
    G2, AG, BG = (alpha * Average(factor * G(FIELD)) for factor in (G(FIELD), A, B))
    return {
        "V1": sp.Eq(G2, sp.expand(difference + G2)),
        "V2": sp.Eq(AG, sp.factor(AG - slope[r])),
        "V3": sp.Eq(BG, sp.factor(BG - slope[delta])),
    }


def gain() -> sp.Expr:
    """Entropy lost with one more example per parameter, at the extremum: -dS / dalpha."""
    return -sp.diff(entropy(), alpha)
