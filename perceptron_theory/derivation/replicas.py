"""The replicated free energy of students that classify every kept example, and its limit n -> 0.

The volume of the version space, relative to the sphere, is to the power n a volume of n students. Its logarithm per
parameter is extensive in two parts: how many n-tuples of students have given overlaps (`entropic_part`), and how
likely one more example is classified by all of them (`energetic_part`). Replica symmetry: any two students have
overlap q, each the projections (R, d) on teacher and orthogonal direction of the teacher-probe plane. The space is
convex, so this is exact. (Gardner and Derrida, J. Phys. A 21, 271 (1988); with labels from a teacher Gyorgyi and
Tishby, in Neural Networks and Spin Glasses, World Scientific 1990; pruned along a probe Sorscher et al., NeurIPS
2022, arXiv:2206.14486.)
"""

from __future__ import annotations

from functools import cache

import sympy as sp

from perceptron_theory.derivation.averages import Average
from perceptron_theory.derivation.gaussian_functions import named, phi
from perceptron_theory.derivation.symbols import A, B, R, alpha, d, h, kappa, n, q


def overlap_matrix(replicas: int) -> sp.Matrix:
    """Overlaps of teacher, orthogonal direction and a number of students, in this order.

    Examples
    --------
    >>> from perceptron_theory.derivation.replicas import overlap_matrix
    >>> overlap_matrix(2)
    Matrix([
    [1, 0, R, R],
    [0, 1, d, d],
    [R, d, 1, q],
    [R, d, q, 1]])
    """

    def entry(i: int, j: int) -> sp.Expr:
        if i == j:
            return sp.S.One
        if min(i, j) >= 2:
            return q
        return (R, d)[min(i, j)] if max(i, j) >= 2 else sp.S.Zero

    return sp.Matrix(replicas + 2, replicas + 2, entry)


@cache
def overlap_determinant() -> sp.Expr:
    """Determinant of the overlap matrix for any number n of students.

    The matrix commutes with permutations of students: n - 1 directions in which students differ have the eigenvalue
    1 - q, and what is left acts on teacher, orthogonal direction and the normalised sum of students.

    Examples
    --------
    >>> from perceptron_theory.derivation.replicas import overlap_determinant, overlap_matrix
    >>> from perceptron_theory.derivation.symbols import n
    >>> (overlap_determinant().subs(n, 3) - overlap_matrix(3).det()).expand()
    0
    """
    root = sp.sqrt(n)
    common = sp.Matrix([[1, 0, root * R], [0, 1, root * d], [root * R, root * d, 1 - q + n * q]])
    return (1 - q) ** (n - 1) * sp.factor(common.det())


@cache
def entropic_part() -> sp.Expr:
    """Limit of ln(det) / 2n: n students have given overlaps in a volume det^(N / 2), to leading order.

    (Wishart: p Gaussian vectors in N dimensions have overlaps of density det^((N - p - 1) / 2).) The determinant
    is 1 at n = 0, so the limit is a derivative.

    Examples
    --------
    >>> from perceptron_theory.derivation.replicas import entropic_part
    >>> entropic_part()
    log(1 - q)/2 + (-R**2 - d**2 + q)/(2*(1 - q))
    """
    slope = sp.diff(sp.log(overlap_determinant()), n).subs(n, 0)
    common = sp.factor(sp.simplify(slope - sp.log(1 - q)) * (1 - q))
    return sp.log(1 - q) / 2 + sp.Rational(1, 2) * (common / (1 - q))


@cache
def field_noise() -> tuple[sp.Expr, sp.Expr]:
    """Variances of the noise that two students share on an example (A, B), and of the noise each has to itself.

    Given A and B, fields w.x have the covariance that is left of the overlaps of students (Schur complement).

    Examples
    --------
    >>> from perceptron_theory.derivation.replicas import field_noise
    >>> field_noise()
    (-R**2 - d**2 + q, 1 - q)
    """
    overlaps = overlap_matrix(2)
    across = overlaps[:2, 2:]
    left = overlaps[2:, 2:] - across.T * across
    shared = sp.expand(left[0, 1])
    return shared, sp.expand(left[0, 0] - shared)


@cache
def classified() -> sp.Expr:
    """Probability that a student classifies an example with margin kappa, given (A, B) and the shared noise h."""
    shared, own = field_noise()
    x, y = sp.symbols("x y", real=True)
    # The student's own noise y sqrt(own) must exceed what is missing to kappa.
    at_least = named(sp.integrate(phi(y).rewrite(sp.erfc), (y, -x, sp.oo)))
    return at_least.subs(x, (R * A + d * B + sp.sqrt(shared) * h - kappa) / sp.sqrt(own))


@cache
def energetic_part() -> sp.Expr:
    """Limit of ln(E[Phi^n]) / n per example: given the shared noise, n students are independent.

    Examples
    --------
    >>> from perceptron_theory.derivation.replicas import energetic_part
    >>> from perceptron_theory.derivation.symbols import R, d, kappa, q
    >>> energetic_part().subs({R: 0, d: 0, kappa: 0, q: 0})  # the first example halves the volume
    -log(2)
    """
    return sp.diff(sp.log(Average(classified() ** n)), n).subs(n, 0)


@cache
def free_energy() -> sp.Expr:
    """Entropy of the version space per parameter, S(q, R, d), to be extremised."""
    return entropic_part() + alpha * energetic_part()
