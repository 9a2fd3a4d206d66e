"""Numbers from the derived expressions: averages over given nodes, integrals over a line, roots.

scipy's special functions stand for the Gaussian ones; sympy's `lambdify` compiles what is averaged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import sympy as sp
from scipy.optimize import brentq
from scipy.special import erfcx, log_ndtr, ndtr

from perceptron_theory.derivation.averages import Average
from perceptron_theory.derivation.gaussian_functions import G, Phi, phi

FloatArray = npt.NDArray[np.float64]
Values = dict[sp.Symbol, float]
#: Arguments in order, and a function of them.
_Compiled = tuple[tuple[sp.Symbol, ...], Callable[..., list[Any]]]

#: Numbers evaluated at a time: more would leave the processor's cache.
_BLOCK = 100_000
#: Break points for integrals over the line: integrands are as smooth as Gaussians of any width from 1e-4 to 1, at 0.
_BREAKS = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0, 12.0)
#: Gauss-Legendre nodes between two of them: 9 standard deviations take 30.
_ORDER = 48


class Nodes(NamedTuple):
    """Nodes of an average over examples and over noise that is independent of them."""

    examples: dict[sp.Symbol, FloatArray]
    """Values of the symbols that describe an example, shape (n,)."""
    weights: FloatArray
    """Shape (n,)."""
    noise: dict[sp.Symbol, FloatArray]
    """Values of a symbol that is the same for all examples, shape (n_noise,); may be empty."""
    noise_weights: FloatArray
    """Shape (n_noise,), [1.0] without noise."""


class log_Phi(sp.Function):  # type: ignore[misc]
    """ln Phi, for arguments at which Phi itself would underflow."""


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "phi": lambda x: np.exp(-0.5 * np.square(x)) / np.sqrt(2 * np.pi),
    "Phi": ndtr,
    "log_Phi": log_ndtr,
    # erfcx is infinite where Phi is 1 to rounding and phi underflows: G is then 0.
    "G": lambda x: np.sqrt(2 / np.pi) / erfcx(-np.asarray(x) / np.sqrt(2)),
    "Gap": lambda x: np.maximum(x, 0.0),
}


@cache
def compiled(expressions: tuple[sp.Expr, ...]) -> _Compiled:
    """Arguments, in order, and the numerical function of several expressions, without quotients of underflows."""

    def logarithm(x: sp.Expr) -> sp.Expr:
        return log_Phi(x.args[0]) if isinstance(x, Phi) else sp.log(x)

    def ratio(one_over: sp.Pow) -> sp.Expr:
        return G(one_over.base.args[0]) / phi(one_over.base.args[0])

    accurate = [
        sp.sympify(e)
        .replace(sp.log, logarithm)
        .rewrite(Phi)
        .replace(lambda x: x.is_Pow and isinstance(x.base, Phi) and x.exp == -1, ratio)
        for e in expressions
    ]
    arguments = tuple(sorted(set().union(*(e.free_symbols for e in accurate)), key=str))
    return arguments, sp.lambdify(arguments, accurate, [_FUNCTIONS, "numpy"], cse=True)


def number(expression: sp.Expr, values: Values) -> float:
    """Value of an expression without averages.

    Examples
    --------
    >>> from perceptron_theory.derivation.gaussian_functions import G, Phi, phi
    >>> from perceptron_theory.derivation.numerics import number
    >>> from perceptron_theory.derivation.symbols import u
    >>> number(2 * Phi(u), {u: 0.0})
    1.0
    """
    arguments, function = compiled((expression,))
    return float(function(*(values[x] for x in arguments))[0])


def averages(integrands: tuple[sp.Expr, ...], values: Values, nodes: Nodes) -> FloatArray:
    """Averages of several expressions over the same nodes."""
    arguments, function = compiled(integrands)
    total = np.zeros(len(integrands))
    step = max(1, _BLOCK // nodes.noise_weights.size)
    for start in range(0, nodes.weights.size, step):
        block = slice(start, start + step)
        at: dict[sp.Symbol, Any] = {**values, **nodes.noise}
        at |= {symbol: column[block, None] for symbol, column in nodes.examples.items()}
        weights = nodes.weights[block]
        shape = (weights.size, nodes.noise_weights.size)
        for i, value in enumerate(function(*(at[x] for x in arguments))):
            total[i] += (weights @ np.broadcast_to(value, shape)) @ nodes.noise_weights
    return total


def evaluate(expressions: Mapping[str, sp.Expr], values: Values, nodes: Nodes) -> dict[str, float]:
    """Values of expressions that hold averages.

    Examples
    --------
    >>> import numpy as np
    >>> from perceptron_theory.derivation.averages import Average
    >>> from perceptron_theory.derivation.numerics import Nodes, evaluate
    >>> from perceptron_theory.derivation.symbols import A, alpha
    >>> coin = Nodes({A: np.array([-1.0, 3.0])}, np.array([0.5, 0.5]), {}, np.array([1.0]))
    >>> evaluate({"mean": alpha * Average(A), "spread": Average(A**2)}, {alpha: 2.0}, coin)
    {'mean': 2.0, 'spread': 5.0}
    """
    integrands, letters, (arguments, function) = _prepared(tuple(map(sp.sympify, expressions.values())))
    results = averages(integrands, values, nodes) if integrands else ()
    known = {**values, **dict(zip(letters, results, strict=True))}
    numbers = function(*(known[x] for x in arguments))
    return {name: float(value) for name, value in zip(expressions, numbers, strict=True)}


@cache
def _prepared(expressions: tuple[sp.Expr, ...]) -> tuple[tuple[sp.Expr, ...], tuple[sp.Symbol, ...], _Compiled]:
    """What is averaged, the letters that stand for the averages, and the function of these."""
    found = sorted(set().union(*(e.atoms(Average) for e in expressions)), key=str)
    letters = tuple(sp.Symbol(f"average_{i}") for i in range(len(found)))
    known = dict(zip(found, letters, strict=True))
    return tuple(x.args[0] for x in found), letters, compiled(tuple(e.xreplace(known) for e in expressions))


def integral(expression: sp.Integral, values: Values) -> float:
    """Value of an integral over the line, or over the half line, of something that falls as a Gaussian does.

    Examples
    --------
    >>> import sympy as sp
    >>> from perceptron_theory.derivation.gaussian_functions import phi
    >>> from perceptron_theory.derivation.numerics import integral
    >>> from perceptron_theory.derivation.symbols import A
    >>> round(integral(sp.Integral(A**2 * phi(A), (A, 0, sp.oo)), {}), 12)
    0.5
    """
    ((variable, low, _),) = expression.limits
    ends = np.array([0.0, *_BREAKS])
    if low != 0:
        ends = np.array([*-ends[:0:-1], *ends])
    nodes, weights = np.polynomial.legendre.leggauss(_ORDER)
    half = 0.5 * np.diff(ends)[:, None]
    at: dict[sp.Symbol, Any] = {**values, variable: 0.5 * (ends[1:] + ends[:-1])[:, None] + half * nodes}
    arguments, function = compiled((expression.function,))
    return float(np.sum(half * weights * function(*(at[x] for x in arguments))[0]))


def root(equation: sp.Expr, unknown: sp.Symbol, bracket: tuple[float, float], values: Values) -> float:
    """Root of an expression that may hold integrals over the line.

    Examples
    --------
    >>> from perceptron_theory.derivation.gaussian_functions import G, Phi, phi
    >>> from perceptron_theory.derivation.numerics import root
    >>> from perceptron_theory.derivation.symbols import u
    >>> round(root(Phi(u) - 0.975, u, (0.0, 3.0), {}), 6)
    1.959964
    """
    integrals = tuple(equation.atoms(sp.Integral))
    letters = {e: sp.Symbol(f"integral_{i}") for i, e in enumerate(integrals)}

    def left(x: float) -> float:
        at = {**values, unknown: x}
        return number(equation.xreplace(letters), at | {letter: integral(e, at) for e, letter in letters.items()})

    return float(brentq(left, *bracket, xtol=1e-15, rtol=1e-14))
