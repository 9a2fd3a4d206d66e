"""(M1)-(M3): the version space of margin kappa as it shrinks to one student, q -> 1.

Then t -> infinity, and r, delta and k grow with it: from here on they are in units of t sqrt(1 - q), which tends to the
norm s of the student outside the teacher-probe plane. The ratio G becomes the gap of a support vector. The same
equations say that kappa is maximal subject to (M1). (Opper, Kinzel, Kleinz and Nehl, J. Phys. A 23, L581 (1990);
pruned along a probe Sorscher et al., NeurIPS 2022, arXiv:2206.14486, appendix A.)
"""

from __future__ import annotations

from functools import cache

import sympy as sp

from perceptron_theory.derivation import version_space
from perceptron_theory.derivation.averages import Average
from perceptron_theory.derivation.gap import Gap, GapMoment
from perceptron_theory.derivation.gaussian_functions import G
from perceptron_theory.derivation.symbols import A, B, D, alpha, delta, h, k, r, t

#: Gap of an example before noise.
GAP = k - r * A - delta * B


def limit_of_ratio() -> sp.Piecewise:
    """Limit of G(-t y) / t as t -> infinity: the positive part of y.

    Examples
    --------
    >>> from perceptron_theory.derivation.max_margin import limit_of_ratio
    >>> limit_of_ratio()
    Piecewise((y, y > 0), (0, True))
    """
    size = sp.Symbol("y", positive=True)
    above, below = (sp.limit((G(-t * y) / t).rewrite(sp.erfc), t, sp.oo) for y in (size, -size))
    y = sp.Symbol("y", real=True)
    return sp.Piecewise((above.subs(size, y), y > 0), (below, True))


def _limit(residual: sp.Expr, power: int) -> sp.Expr:
    """Limit of a residual over t^power as t -> infinity."""
    scaled = residual.subs(D, version_space.inverse_gap())
    scaled = scaled.subs({r: t * r, delta: t * delta, k: t * k}, simultaneous=True)
    scaled = scaled.replace(G, lambda x: t * Gap(sp.expand(-x / t)))
    # Averages do not depend on t any more.
    letters = {average: sp.Dummy(positive=True) for average in scaled.atoms(Average)}
    limit = sp.limit(sp.together(scaled.xreplace(letters) / t**power), t, sp.oo)
    return sp.expand(limit.xreplace({letter: average for average, letter in letters.items()}))


@cache
def equations() -> dict[str, sp.Equality]:
    """(M1)-(M3), each the limit of one of (V1)-(V3).

    Examples
    --------
    >>> from perceptron_theory.derivation.max_margin import equations
    >>> equations()["M1"]
    Eq(alpha*Average(Gap(-A*r - B*delta - h + k)**2), 1)
    >>> equations()["M2"]
    Eq(Average(A*Gap(-A*r - B*delta - h + k))/Average(Gap(-A*r - B*delta - h + k)), k*r/(delta**2 + r**2 + 1))
    """
    V = version_space.equations()
    first, second, third = (
        _limit(V[name].lhs - V[name].rhs, power) for name, power in (("V1", 2), ("V2", 1), ("V3", 1))
    )
    x = Gap(GAP - h)
    slack = alpha * Average(x)
    return {
        "M1": sp.Eq(alpha * Average(x**2), sp.expand(alpha * Average(x**2) - first)),
        "M2": sp.Eq(Average(A * x) / Average(x), sp.factor(sp.expand(Average(A * x) / Average(x) - second / slack))),
        "M3": sp.Eq(Average(B * x) / Average(x), sp.factor(sp.expand(Average(B * x) / Average(x) - third / slack))),
    }


def over_noise(expression: sp.Expr) -> sp.Expr:
    """The same with the average over h done: the p-th power of a gap becomes `GapMoment(p, u)`.

    Examples
    --------
    >>> from perceptron_theory.derivation.max_margin import equations, over_noise
    >>> over_noise(equations()["M1"])
    Eq(alpha*Average(GapMoment(2, -A*r - B*delta + k)), 1)
    """
    expression = expression.replace(
        lambda e: e.is_Pow and isinstance(e.base, Gap), lambda e: GapMoment(e.exp, e.base.args[0] + h)
    )
    return expression.replace(Gap, lambda x: GapMoment(1, x + h))


def margin() -> sp.Expr:
    """Margin kappa of a unit student: the norm to divide by is sqrt(1 + r^2 + delta^2).

    Examples
    --------
    >>> from perceptron_theory.derivation.max_margin import margin
    >>> margin()
    k/sqrt(delta**2 + r**2 + 1)
    """
    return k / sp.sqrt(1 + r**2 + delta**2)


def stationary_margin(v: sp.Symbol) -> sp.Expr:
    """Slope of kappa along v (r or delta) on the surface (M1), over that along k: (M2) or (M3).

    Where the margin is maximal it vanishes.

    Examples
    --------
    >>> from perceptron_theory.derivation.max_margin import stationary_margin
    >>> from perceptron_theory.derivation.symbols import r
    >>> str(stationary_margin(r)).replace("GapMoment(1, -A*r - B*delta + k)", "x")
    '-k*r/(delta**2 + r**2 + 1) + Average(A*x)/Average(x)'
    """
    surface = Average(GapMoment(2, GAP))
    # Along the surface k changes by dk = -(d surface / dv) / (d surface / dk) dv.
    slope = -sp.diff(surface, v) / sp.diff(surface, k)
    return slope + sp.simplify(sp.diff(margin(), v) / sp.diff(margin(), k))


def mean_gap() -> sp.Equality:
    """Combination k - r (M2) - delta (M3): E[u x] / E[x] = k / (1 + r^2 + delta^2), with u the gap before noise.

    When the student tends to the probe this is not implied by what (M2) and (M3) are to rounding. In it
    u M_1(u) = M_2(u) - M_0(u).

    Examples
    --------
    >>> from perceptron_theory.derivation.max_margin import mean_gap
    >>> mean_gap().rhs
    k/(delta**2 + r**2 + 1)
    """
    M = equations()
    weighted = Average(GapMoment(2, GAP)) - Average(GapMoment(0, GAP))
    return sp.Eq(weighted / Average(GapMoment(1, GAP)), sp.factor(k - r * M["M2"].rhs - delta * M["M3"].rhs))
