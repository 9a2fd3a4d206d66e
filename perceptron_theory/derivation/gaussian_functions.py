"""Density, distribution function and their ratio of a standard normal variable, as sympy functions.

sympy would write them with exp and erfc. Under their own names equations stay readable, and numbers stay accurate
in the tails.
"""

from __future__ import annotations

import sympy as sp


class phi(sp.Function):  # type: ignore[misc]
    r"""Density of N(0, 1).

    Examples
    --------
    >>> import sympy as sp
    >>> from perceptron_theory.derivation.gaussian_functions import Phi, phi
    >>> x = sp.Symbol("x", real=True)
    >>> Phi(x).diff(x), phi(x).diff(x)
    (phi(x), -x*phi(x))
    """

    @classmethod
    def eval(cls, x: sp.Expr) -> sp.Expr | None:
        """It is even."""
        return cls(-x) if x.could_extract_minus_sign() else None

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """Derivative, -x phi."""
        return -self.args[0] * self

    def _eval_is_positive(self) -> bool:
        return True

    def _eval_rewrite_as_erfc(self, x: sp.Expr, **hints: object) -> sp.Expr:
        return sp.exp(-(x**2) / 2) / sp.sqrt(2 * sp.pi)

    def _latex(self, printer: sp.printing.latex.LatexPrinter, exp: str | None = None) -> str:
        return _named(r"\varphi", self, printer, exp)


class Phi(sp.Function):  # type: ignore[misc]
    """Distribution function of N(0, 1)."""

    @classmethod
    def eval(cls, x: sp.Expr) -> sp.Expr | None:
        """Values at 0 and at both ends."""
        return {sp.S.Zero: sp.Rational(1, 2), sp.oo: sp.S.One, -sp.oo: sp.S.Zero}.get(x)

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """Derivative, phi."""
        return phi(self.args[0])

    def _eval_is_positive(self) -> bool:
        return True

    def _eval_rewrite_as_erfc(self, x: sp.Expr, **hints: object) -> sp.Expr:
        return sp.erfc(-x / sp.sqrt(2)) / 2

    def _latex(self, printer: sp.printing.latex.LatexPrinter, exp: str | None = None) -> str:
        return _named(r"\Phi", self, printer, exp)


class G(sp.Function):  # type: ignore[misc]
    """phi / Phi, the derivative of ln Phi."""

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """Derivative, -G (x + G); see `slope_of_ratio`."""
        return -self * (self.args[0] + self)

    def _eval_is_positive(self) -> bool:
        return True

    def _eval_rewrite_as_erfc(self, x: sp.Expr, **hints: object) -> sp.Expr:
        return phi(x).rewrite(sp.erfc) / Phi(x).rewrite(sp.erfc)

    def _latex(self, printer: sp.printing.latex.LatexPrinter, exp: str | None = None) -> str:
        return _named("G", self, printer, exp)


def _named(name: str, of: sp.Function, printer: sp.printing.latex.LatexPrinter, exp: str | None) -> str:
    """Name, power if any, and argument."""
    power = "" if exp is None else f"^{{{exp}}}"
    return rf"{name}{power}\left({printer._print(of.args[0])}\right)"


def as_ratio(expression: sp.Expr) -> sp.Expr:
    """The same with phi = G Phi: what is a ratio of the two becomes G.

    Examples
    --------
    >>> import sympy as sp
    >>> from perceptron_theory.derivation.gaussian_functions import Phi, as_ratio
    >>> x = sp.Symbol("x", real=True)
    >>> as_ratio(sp.log(Phi(x)).diff(x))
    G(x)
    """
    return expression.replace(phi, lambda x: G(x) * Phi(x))


def as_density(expression: sp.Expr) -> sp.Expr:
    """The same with G = phi / Phi."""
    return expression.replace(G, lambda x: phi(x) / Phi(x))


def named(expression: sp.Expr) -> sp.Expr:
    """What sympy integrated, with phi and Phi for exp(-x^2 / 2), erf and erfc.

    Examples
    --------
    >>> import sympy as sp
    >>> from perceptron_theory.derivation.gaussian_functions import named, phi
    >>> x, u = sp.symbols("x u", real=True)
    >>> named(sp.integrate((x * phi(x)).rewrite(sp.erfc), (x, u, sp.oo)))
    phi(u)
    """

    def density(exponent: sp.Expr) -> sp.Expr:
        return sp.sqrt(2 * sp.pi) * phi(sp.sqrt(sp.expand(-2 * exponent)))

    expression = expression.replace(sp.erf, lambda z: 2 * Phi(sp.sqrt(2) * z) - 1)
    expression = expression.replace(sp.erfc, lambda z: 2 * Phi(-sp.sqrt(2) * z))
    expression = expression.replace(sp.exp, density).replace(sp.Abs, lambda x: x)
    # Phi(-u) = 1 - Phi(u)
    expression = expression.replace(Phi, lambda x: 1 - Phi(-x) if x.could_extract_minus_sign() else Phi(x))
    return sp.expand(expression)


def slope_of_ratio() -> sp.Expr:
    """G' + G (x + G) with G = phi / Phi: zero, which is what `G.fdiff` rests on."""
    x = sp.Symbol("x", real=True)
    ratio = as_density(G(x))
    return sp.simplify(ratio.diff(x) + ratio * (x + ratio))
