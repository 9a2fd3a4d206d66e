"""The gap of a support vector: positive part of a field, and its moments over Gaussian noise."""

from __future__ import annotations

from functools import cache

import sympy as sp

from perceptron_theory.derivation.gaussian_functions import Phi, named, phi
from perceptron_theory.derivation.symbols import h, u


class Gap(sp.Function):  # type: ignore[misc]
    """Positive part, max(x, 0)."""

    def _latex(self, printer: sp.printing.latex.LatexPrinter, exp: str | None = None) -> str:
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\left({printer._print(self.args[0])}\right)_{{\!+}}{power}"


class GapMoment(sp.Function):  # type: ignore[misc]
    """E[(u - h)_+^p] over h ~ N(0, 1), as a function of p and u.

    `rewrite(Phi)` does the integral. The derivative of the p-th moment is p times the one before.

    Examples
    --------
    >>> from perceptron_theory.derivation.gap import GapMoment
    >>> from perceptron_theory.derivation.gaussian_functions import Phi
    >>> from perceptron_theory.derivation.symbols import u
    >>> GapMoment(2, u).rewrite(Phi)
    u**2*Phi(u) + u*phi(u) + Phi(u)
    >>> GapMoment(2, u).diff(u)
    2*GapMoment(1, u)
    """

    @classmethod
    def eval(cls, p: sp.Integer, gap: sp.Expr) -> sp.Expr | None:
        """The 0-th moment is Phi."""
        return Phi(gap) if p == 0 else None

    def fdiff(self, argindex: int = 2) -> sp.Expr:
        """Derivative with respect to u."""
        p, gap = self.args
        return p * GapMoment(p - 1, gap)

    def _eval_rewrite_as_Phi(self, p: sp.Integer, gap: sp.Expr, **hints: object) -> sp.Expr:
        return moment(int(p)).subs(u, gap)

    def _eval_is_positive(self) -> bool:
        return True

    def _latex(self, printer: sp.printing.latex.LatexPrinter, exp: str | None = None) -> str:
        p, gap = self.args
        power = "" if exp is None else f"^{{\\,{exp}}}"
        return rf"M_{{{p}}}{power}\left({printer._print(gap)}\right)"


@cache
def moment(p: int) -> sp.Expr:
    """Integral of (u - h)^p phi(h) over h < u.

    One factor u - h is taken out; with h integrated by parts, M_p = u M_(p-1) + (p - 1) M_(p-2).

    Examples
    --------
    >>> from perceptron_theory.derivation.gap import moment
    >>> moment(1)
    u*Phi(u) + phi(u)
    """
    if p <= 1:
        density = phi(h).rewrite(sp.erfc)
        mass, mean = (named(sp.integrate(factor * density, (h, -sp.oo, u))) for factor in (1, h))
        return mass if p == 0 else u * mass - mean
    return sp.expand(u * moment(p - 1) + (p - 1) * moment(p - 2))
