"""Derived equations as a notebook shows them: the letters of the page."""

from __future__ import annotations

import pytest
import sympy as sp

from perceptron_theory.derivation.averages import Average
from perceptron_theory.derivation.gap import Gap, GapMoment
from perceptron_theory.derivation.gaussian_functions import G, Phi, phi
from perceptron_theory.derivation.symbols import A, u


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (phi(u), r"\varphi\left(u\right)"),
        (Phi(u) ** 2, r"\Phi^{2}\left(u\right)"),
        (G(u), r"G\left(u\right)"),
        (Gap(u), r"\left(u\right)_{\!+}"),
        (Gap(u) ** 2, r"\left(u\right)_{\!+}^{2}"),
        (GapMoment(1, u), r"M_{1}\left(u\right)"),
        (GapMoment(2, u) ** 2, r"M_{2}^{\,2}\left(u\right)"),
        (Average(A), r"\left\langle A \right\rangle"),
        (Average(A) ** 2, r"\left\langle A \right\rangle^{2}"),
    ],
)
def test_latex(expression: sp.Expr, expected: str) -> None:
    assert sp.latex(expression) == expected
