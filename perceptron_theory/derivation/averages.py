"""An average over examples and noise, as a symbol.

It knows three things: it is linear, it can be differentiated with respect to parameters, and what is multiplied by a
Gaussian variable can be integrated by parts.
"""

from __future__ import annotations

import sympy as sp

from perceptron_theory.derivation.symbols import RANDOM


class Average(sp.Function):  # type: ignore[misc]
    """Average over the kept examples and over noise: over all symbols in `symbols.RANDOM`.

    Parameters (all other symbols) are taken out of it, sums are taken apart.

    Examples
    --------
    >>> from perceptron_theory.derivation.averages import Average
    >>> from perceptron_theory.derivation.gaussian_functions import G
    >>> from perceptron_theory.derivation.symbols import A, B, h, r, t
    >>> Average((A + r) * G(t * h))
    r*Average(G(h*t)) + Average(A*G(h*t))
    >>> Average(3)
    3
    """

    @classmethod
    def eval(cls, integrand: sp.Expr) -> sp.Expr | None:
        """Sums of parameters times averages, if it is not one average already."""
        expanded = sp.expand_mul(integrand, deep=False)
        if expanded.is_Add:
            return sp.Add(*(cls(term) for term in expanded.args))
        parameters, rest = expanded.as_independent(*RANDOM, as_Add=False)
        if rest == 1:
            return parameters
        return None if parameters == 1 else parameters * cls(rest)

    def _eval_derivative(self, parameter: sp.Symbol) -> sp.Expr:
        return Average(self.args[0].diff(parameter))

    def _eval_is_extended_real(self) -> bool:
        return True

    def _latex(self, printer: sp.printing.latex.LatexPrinter, exp: str | None = None) -> str:
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\left\langle {printer._print(self.args[0])} \right\rangle{power}"


def by_parts(expression: sp.Expr, noise: sp.Symbol) -> sp.Expr:
    """The same with E[x F(x)] = E[F'(x)] where `noise` x ~ N(0, 1) is a factor of what is averaged.

    `noise` must be independent of everything else in the average.

    Examples
    --------
    >>> from perceptron_theory.derivation.averages import Average, by_parts
    >>> from perceptron_theory.derivation.gaussian_functions import phi
    >>> from perceptron_theory.derivation.symbols import A, h
    >>> by_parts(Average(h * phi(h + A)), h)
    -Average(A*phi(A + h)) - Average(h*phi(A + h))
    """

    def rule(integrand: sp.Expr) -> sp.Expr:
        powers = dict(factor.as_base_exp() for factor in sp.Mul.make_args(integrand))
        if powers.get(noise, 0) == 0:
            return Average(integrand)
        return Average((integrand / noise).diff(noise))

    return expression.replace(Average, rule)
