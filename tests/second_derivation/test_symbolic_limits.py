"""Limits of the derived equations: perfect metric, unpruned data, many examples; their numbers against `solve`."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp
from scipy.special import ndtri

import perceptron_theory as pt
from perceptron_theory.derivation import large_alpha, max_margin, overlaps, perfect_metric
from perceptron_theory.derivation.gap import GapMoment
from perceptron_theory.derivation.gaussian_functions import G, Phi, phi
from perceptron_theory.derivation.kept_nodes import Sharpness, kept_nodes, window_margins
from perceptron_theory.derivation.numerics import compiled, evaluate, integral, number, root
from perceptron_theory.derivation.symbols import A, D, alpha, delta, f, gamma, h, k, q, r, t, theta
from perceptron_theory.derivation.version_space import inverse_gap

#: alpha_prune, errors of max-margin, Bayes point and Gibbs without pruning; 25-digit arithmetic, 12 decimals printed.
UNPRUNED = [
    (0.5, 0.328849752973, 0.322395339606, 0.409557519395),
    (5.0, 0.093827007807, 0.083935169845, 0.118006033298),
    (100.0, 0.005003991963, 0.004416386151, 0.006245612996),
]
#: Every printed digit.
PRINTED = 0.6e-12


def test_nothing_beside_a_perfect_metric() -> None:
    """(V3) and (M3) over delta keep one sign: no solution but delta = 0."""
    easy = window_margins(0.8, np.inf, 0.4, 0.0, Sharpness.of(1.0, 0.7, 0.0))
    nodes = kept_nodes(easy, 0.0, Sharpness.of(1.0, 0.7, 0.0), 0.9)
    values = {r: 1.0, delta: 0.7, t: 0.9, k: 0.3, alpha: 2.0}
    values[D] = number(inverse_gap(), values)
    first, second = perfect_metric.beside()
    found = evaluate({"V3": first}, values, nodes) | evaluate(
        {"M3": second}, values, kept_nodes(easy, 0.0, Sharpness.of(1.0, 0.7, 0.0))
    )
    assert max(found.values()) < -0.1
    s = pt.solve(2.0, 0.4, 0.0, selection="easy", student="gibbs")
    assert s.rho == pytest.approx(float(s.R), rel=1e-14)


def test_turned_pair_is_the_same_pair() -> None:
    """The rotation leaves the Gaussian weight as it is and makes y the direction of the field."""
    y, z, s = perfect_metric.y, perfect_metric.z, perfect_metric.s
    turned = {symbol: e.subs(s, sp.sqrt(r**2 + t**2)) for symbol, e in perfect_metric.TURNED.items()}
    assert sp.simplify((A**2 + h**2).subs(turned) - y**2 - z**2) == 0
    assert sp.simplify((r * A + t * h).subs(turned) - sp.sqrt(r**2 + t**2) * y) == 0
    assert sp.simplify(sp.Matrix(list(turned.values())).jacobian([y, z]).det() ** 2) == 1
    # R = q in units of sqrt(1 - q).
    width = perfect_metric.EQUAL[s] ** 2 - (r**2 + t**2).subs(perfect_metric.EQUAL)
    assert sp.simplify(width) == 0
    assert sp.simplify(inverse_gap().subs(delta, 0).subs(perfect_metric.EQUAL) - 1 / (1 - q)) == 0


def test_unpruned_students_overlap_with_the_teacher_as_with_each_other() -> None:
    """R = q: (V2) differs from (V1) by an odd integrand, and (B1) is the same equation."""
    y = perfect_metric.y
    _, odd = perfect_metric.equal_overlaps()
    assert odd != 0
    assert odd.subs(y, -y) == -odd
    scalar, evidence = perfect_metric.unpruned_overlap(), perfect_metric.unpruned_evidence()
    assert sp.simplify(evidence.rhs - scalar.rhs / (1 - q)) == 0
    ratio = evidence.lhs.args[1].function / scalar.lhs.args[1].function
    assert sp.simplify(ratio * (1 - q)) == 1
    s = pt.solve([0.3, 3.0, 30.0], 1.0, student="gibbs")
    np.testing.assert_allclose(s.R, s.q, rtol=1e-13)


@pytest.mark.parametrize(("size", "max_margin_error", "bayes_error", "gibbs_error"), UNPRUNED)
def test_unpruned_numbers(size: float, max_margin_error: float, bayes_error: float, gibbs_error: float) -> None:
    """Two scalar roots give all of the table."""
    scalar = perfect_metric.unpruned_overlap()
    overlap = root(scalar.lhs - scalar.rhs, q, (1e-6, 1 - 1e-6), {alpha: size})
    # R = q, and R / sqrt(q) for the mean of the version space.
    assert number(overlaps.test_error(q), {q: overlap}) == pytest.approx(gibbs_error, abs=PRINTED)
    assert number(overlaps.test_error(sp.sqrt(q)), {q: overlap}) == pytest.approx(bayes_error, abs=PRINTED)
    component, condition = perfect_metric.unpruned_r(), perfect_metric.unpruned_margin()
    equation = (condition.lhs - condition.rhs).subs(r, component.rhs)
    margin = root(equation, k, (0.1, 3.0), {alpha: size})
    values = {k: margin, delta: 0.0, r: number(component.rhs, {alpha: size, k: margin})}
    error = number(overlaps.test_error(overlaps.max_margin()), values)
    assert error == pytest.approx(max_margin_error, abs=PRINTED)
    s = pt.solve(size, 1.0)
    # Both sides hold to 1e-13.
    assert error == pytest.approx(float(s.test_error), rel=1e-11)
    assert number(max_margin.margin(), values) == pytest.approx(float(s.kappa), rel=1e-11)


def test_integrals_beyond_the_boundary() -> None:
    """a M_1 and M_2 over a > 0, as the moments of higher order."""
    at = 0.7
    for p, weight in ((1, 0), (1, 1), (2, 0)):
        a = large_alpha.a
        direct = integral(sp.Integral(a**weight * GapMoment(p, at - a), (a, 0, sp.oo)), {})
        # Both to rounding; the tail beyond 12 is below it.
        assert number(large_alpha.beyond(p, weight), {k: at}) == pytest.approx(direct, rel=1e-13)


def test_version_space_at_many_examples() -> None:
    """t = 1: (V1) and (V2) have the same integral, by its definition over a and h."""
    first, second = large_alpha.equal_sides()
    v = large_alpha.v
    assert sp.expand(second - first - v * phi(v)) == 0
    J = integral(sp.Integral(first, (v, -sp.oo, sp.oo)), {})
    x, w = np.polynomial.legendre.leggauss(80)
    values = {large_alpha.a: 6.0 * (x[:, None] + 1.0), h: 9.0 * x}
    weight = 54.0 * np.outer(w, w * np.exp(-40.5 * x**2)) / np.sqrt(2 * np.pi)
    arguments, function = compiled((G(large_alpha.a + h) ** 2, large_alpha.a * G(large_alpha.a + h)))
    for value in function(*(values[symbol] for symbol in arguments)):
        # 80 nodes over 18 widths.
        assert np.sum(weight * value) == pytest.approx(J, rel=1e-12)


def test_constants() -> None:
    """The published constants, and their ratio sqrt(2)."""
    gibbs, bayes = large_alpha.version_space_prefactors()
    assert sp.simplify(gibbs / bayes) == sp.sqrt(2)
    found = large_alpha.constants()
    # Printed digits: Opper et al. 1990, Gyorgyi and Tishby 1990, Opper and Haussler 1991.
    assert round(found["max-margin"], 4) == 0.5005
    assert round(found["gibbs"], 5) == 0.62466
    assert round(found["bayes-point"], 5) == 0.44170
    # A solve at 1e7, whose correction is 1e-14.
    assert found["max-margin"] == pytest.approx(float(pt.tail_prefactor(1.0)), rel=1e-12)
    for name, constant in found.items():
        # The correction falls as 1 / alpha^2.
        assert 1e5 * pt.solve(1e5, 1.0, student=name).test_error == pytest.approx(constant, rel=1e-9)
    at_margin = root(large_alpha.margin_condition(), k, (0.1, 1.0), {})
    s = pt.solve(1e6, 1.0)
    # kappa = k / r, and the error 1 / (pi r).
    assert float(s.kappa / (np.pi * s.test_error)) == pytest.approx(at_margin, rel=1e-9)


@pytest.mark.parametrize("rule", ["hard", "easy", "random"])
def test_prefactors_of_pruned_data(rule: str) -> None:
    """Constant over relative density, at random f and theta, against `tail_prefactor`."""
    rng = np.random.default_rng(5)
    constant = large_alpha.constants()["max-margin"]
    # Angles at which some easy data are left beside the boundary.
    for kept, angle in zip(rng.uniform(0.05, 0.95, 20), rng.uniform(0.3, 1.5, 20), strict=True):
        edge = -float(ndtri(0.5 * kept)) if rule == "easy" else -float(ndtri(0.5 * (1.0 - kept)))
        values = {f: float(kept), gamma: edge, theta: float(angle)}
        for density, at in ((large_alpha.boundary_density(rule), angle), (large_alpha.gap_density(rule), 0.0)):
            relative = number(density / large_alpha.boundary_density("random"), values)
            expected = constant / relative
            # 1 - erf at up to 5 deviations loses digits.
            assert float(pt.tail_prefactor(kept, at, selection=rule)) == pytest.approx(expected, rel=1e-9)


def test_hard_prefactor_is_the_formula() -> None:
    """erf(gamma / (sqrt(2) sin(theta))) / f, and at theta = 0 phi(gamma) / (phi(0) f)."""
    all_data = large_alpha.boundary_density("random")
    hard = sp.erf(gamma / (sp.sqrt(2) * sp.sin(theta))) / f
    assert sp.simplify(large_alpha.boundary_density("hard") / all_data - hard) == 0
    easy = large_alpha.gap_density("easy") / all_data
    assert sp.simplify(easy - phi(gamma) / (f * phi(0).rewrite(sp.erfc))) == 0
    prefactor = large_alpha.max_margin_prefactor()
    assert sp.simplify(prefactor * sp.pi * large_alpha.rho0 * (k * Phi(k) + phi(k))) == 1


@pytest.mark.parametrize(("rule", "angle"), [("hard", 0.3), ("hard", 0.0), ("easy", 1.2)])
@pytest.mark.parametrize("student", ["gibbs", "bayes-point"])
def test_version_spaces_of_pruned_data(student: str, rule: str, angle: float) -> None:
    """What pruning adds beside the boundary serves all students alike."""
    kept = 0.4
    edge = -float(ndtri(0.5 * kept)) if rule == "easy" else -float(ndtri(0.5 * (1.0 - kept)))
    density = large_alpha.boundary_density(rule) if angle else large_alpha.gap_density(rule)
    relative = number(density / large_alpha.boundary_density("random"), {f: kept, gamma: edge, theta: angle})
    error = pt.solve(1e5, kept, angle, selection=rule, student=student).test_error
    # The correction is of order (1 / (relative alpha))^2, with factors of 100 at most.
    assert 1e5 * float(error) == pytest.approx(large_alpha.constants()[student] / relative, rel=1e-7)
