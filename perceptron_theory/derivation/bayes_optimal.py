"""(B1): where the evidence of the student that knows the pruning rule is stationary.

The posterior is over frames (u, v), the probe and the direction beside it in the teacher-probe plane. Frames drawn
from it and the true one are statistically the same (Nishimori): n of them and the truth are n + 1 replicas of which
any two have the 2 x 2 overlap matrix Q. What is known of an example is its evidence Z, a function of the field that the
posterior mean predicts (module `evidence`). (Matrix-valued inference: Aubin et al., NeurIPS 2018, arXiv:1806.05451.)
"""

from __future__ import annotations

from functools import cache

import sympy as sp

from perceptron_theory.derivation.averages import Average
from perceptron_theory.derivation.evidence import FIELDS, SPREADS, gaussian, matrix
from perceptron_theory.derivation.symbols import Z as EVIDENCE
from perceptron_theory.derivation.symbols import Z_g, Z_m, alpha, n, theta

#: Entries of Q along the probe, mixed, and beside it.
OVERLAPS = sp.symbols("Q_mm Q_mg Q_gg", real=True)


def overlap_matrix(frames: int) -> sp.Matrix:
    """Overlaps of a number of frames: the unit matrix on the diagonal, Q elsewhere.

    Examples
    --------
    >>> from perceptron_theory.derivation.bayes_optimal import overlap_matrix
    >>> overlap_matrix(2)[:2, :]
    Matrix([
    [1, 0, Q_mm, Q_mg],
    [0, 1, Q_mg, Q_gg]])
    """
    Q = matrix(OVERLAPS)
    return sp.Matrix(sp.BlockMatrix([[sp.eye(2) if i == j else Q for j in range(frames)] for i in range(frames)]))


def overlap_determinant() -> sp.Expr:
    """Determinant of the overlaps of n + 1 frames: n times that of 1 - Q, and once that of 1 + n Q.

    Frames differ in n combinations, on each of which the matrix acts as 1 - Q; on their sum it acts as
    1 - Q + (n + 1) Q.

    Examples
    --------
    >>> from perceptron_theory.derivation.bayes_optimal import overlap_determinant, overlap_matrix
    >>> from perceptron_theory.derivation.symbols import n
    >>> (overlap_determinant().subs(n, 2) - overlap_matrix(3).det()).expand()
    0
    """
    Q = matrix(OVERLAPS)
    return (sp.eye(2) - Q).det() ** n * (sp.eye(2) + n * Q).det()


@cache
def entropic_part() -> sp.Expr:
    """Limit of ln(det) / 2n: [ln det(1 - Q) + tr Q] / 2.

    Examples
    --------
    >>> from perceptron_theory.derivation.bayes_optimal import entropic_part
    >>> entropic_part()
    Q_gg/2 + Q_mm/2 + log(Q_gg*Q_mm - Q_gg - Q_mg**2 - Q_mm + 1)/2
    """
    return sp.expand(sp.diff(sp.log(overlap_determinant()), n).subs(n, 0) / 2)


def energetic_part() -> sp.Expr:
    """Limit of ln(E[Z^(n + 1)]) / n with E[Z] = 1: given the predicted field, n + 1 frames are independent.

    Examples
    --------
    >>> from perceptron_theory.derivation.bayes_optimal import energetic_part
    >>> energetic_part()
    Average(Z*log(Z))
    """
    return sp.diff(sp.log(Average(EVIDENCE ** (n + 1))), n).subs(n, 0).subs(Average(EVIDENCE), 1)


def free_energy() -> sp.Expr:
    """Evidence per parameter, as a function of Q; to be extremised."""
    return entropic_part() + alpha * energetic_part()


def heat_equation(i: int, j: int) -> sp.Expr:
    """Derivative of a Gaussian density with respect to its covariance: the second one with respect to the field.

    Returns what is left of dN / dC_ij - d2N / dw_i dw_j (1 / 2 of the latter if i = j): zero. It holds for the density
    N(w; 0, Q) of predicted fields and for the posterior N((m, g); w, C), hence for Z.
    """
    density = gaussian(FIELDS, matrix(SPREADS))
    entry = matrix(SPREADS)[i, j]
    curvature = sp.diff(density, FIELDS[i], FIELDS[j]) / (2 if i == j else 1)
    return sp.simplify(sp.diff(density, entry) / density - curvature / density)


def slope_of_energetic_part(i: int, j: int) -> sp.Expr:
    """Derivative of E[Z ln Z] with respect to Q_ij, as an average over fields.

    Q is the covariance of the field, and C = 1 - Q that of the posterior, in Z. By the heat equation the first
    gives half the curvature of Z ln Z (integrated by parts twice), the second takes off half that of Z times
    the derivative of Z ln Z; an entry off the diagonal counts twice.

    Examples
    --------
    >>> from perceptron_theory.derivation.bayes_optimal import slope_of_energetic_part
    >>> slope_of_energetic_part(0, 0)
    Average(Z_m**2/Z)/2
    >>> slope_of_energetic_part(0, 1)
    Average(Z_g*Z_m/Z)
    """
    evidence = sp.Function("Z", positive=True)(*FIELDS)
    weight = sp.Rational(1, 2) if i == j else sp.S.One
    of_field = weight * sp.diff(evidence * sp.log(evidence), FIELDS[i], FIELDS[j])
    value = sp.Symbol("value", positive=True)
    slope = sp.diff(value * sp.log(value), value).subs(value, evidence)
    of_posterior = slope * weight * sp.diff(evidence, FIELDS[i], FIELDS[j])
    integrand = sp.expand(of_field - of_posterior)
    for field, letter in zip(FIELDS, (Z_m, Z_g), strict=True):
        integrand = integrand.subs(sp.diff(evidence, field), letter)
    return Average(integrand.subs(evidence, EVIDENCE))


@cache
def equations() -> dict[str, sp.Equality]:
    """(B1), Q (1 - Q)^-1 = alpha E[grad Z grad Z^T / Z], entry by entry: mm, mg, gg.

    Examples
    --------
    >>> from perceptron_theory.derivation.bayes_optimal import equations
    >>> equations()["mg"].rhs
    alpha*Average(Z_g*Z_m/Z)
    """
    mm, mg, gg = OVERLAPS
    volume = (1 - mm) * (1 - gg) - mg**2
    found = {}
    for name, i, j in (("mm", 0, 0), ("mg", 0, 1), ("gg", 1, 1)):
        # An entry off the diagonal occurs twice in Q.
        factor = 2 if i == j else 1
        prior = -factor * sp.diff(entropic_part(), matrix(OVERLAPS)[i, j])
        found[name] = sp.Eq(
            sp.expand(sp.simplify(prior * volume)) / volume, factor * alpha * slope_of_energetic_part(i, j)
        )
    return found


@cache
def teacher_cosine() -> sp.Expr:
    """Overlap of the posterior mean of the teacher with the teacher, R = sqrt(t.Q t).

    The mean Q t of t in the frame has this as its length, and t.Q t as its overlap with the truth.
    """
    t = sp.Matrix([sp.cos(theta), sp.sin(theta)])
    return sp.sqrt((t.T * matrix(OVERLAPS) * t)[0])


@cache
def probe_cosine() -> sp.Expr:
    """Overlap of the posterior mean of the teacher with the probe, rho = t.Q u / R."""
    t = sp.Matrix([sp.cos(theta), sp.sin(theta)])
    return (t.T * matrix(OVERLAPS))[0] / teacher_cosine()
