"""The steps of the symbolic derivation, each checked by other means: larger matrices, other variables, integrals."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import sympy as sp
from scipy.integrate import quad
from scipy.special import ndtr
from scipy.stats import norm

from perceptron_theory.derivation import bayes_optimal, evidence, max_margin, overlaps, replicas, version_space
from perceptron_theory.derivation.averages import Average, by_parts
from perceptron_theory.derivation.evidence_nodes import evidence_nodes
from perceptron_theory.derivation.gap import Gap, GapMoment
from perceptron_theory.derivation.gaussian_functions import G, Phi, as_ratio, phi, slope_of_ratio
from perceptron_theory.derivation.kept_nodes import Sharpness, kept_nodes, window_margins
from perceptron_theory.derivation.numerics import Nodes, evaluate, number
from perceptron_theory.derivation.symbols import (
    A,
    B,
    D,
    R,
    alpha,
    d,
    delta,
    f,
    g,
    h,
    k,
    kappa,
    m,
    n,
    q,
    r,
    t,
    theta,
    u,
    w_g,
    w_m,
)

#: A version space in both sets of variables.
OVERLAPS = {q: 0.7, R: 0.6, d: -0.3, kappa: 0.2, alpha: 1.7}
UNITS = {
    r: 0.6 / np.sqrt(0.3),
    delta: -0.3 / np.sqrt(0.3),
    t: np.sqrt(0.25 / 0.3),
    k: 0.2 / np.sqrt(0.3),
    D: 1 / 0.3,
    alpha: 1.7,
}


def some_data(noise: float) -> Nodes:
    """Easy data of a poor metric."""
    sharpness = Sharpness.of(2.0, 2.0, 0.8)
    return kept_nodes(window_margins(0.5, np.inf, 0.6, 0.8, sharpness), 0.8, sharpness, noise)


@pytest.mark.parametrize("replica_number", [1, 2, 4, 5])
def test_determinant_of_replicas(replica_number: int) -> None:
    explicit = replicas.overlap_matrix(replica_number).det()
    assert sp.expand(explicit - replicas.overlap_determinant().subs(n, replica_number)) == 0


def test_no_replicas_have_one_state() -> None:
    """Both limits n -> 0 rest on it."""
    assert sp.simplify(replicas.overlap_determinant().subs(n, 0)) == 1
    assert bayes_optimal.overlap_determinant().subs(n, 0) == 1


def test_volume_of_overlaps() -> None:
    """Entropic part: the typical ln of a random student's density at overlap R is ln(1 - R^2) / 2 per parameter."""
    assert sp.simplify(replicas.entropic_part().subs({q: R**2, d: 0}) - sp.log(1 - R**2) / 2) == 0


def test_ratio_and_its_slope() -> None:
    assert slope_of_ratio() == 0
    x = sp.Symbol("x", real=True)
    assert as_ratio(sp.log(Phi(x)).diff(x, 2) - G(x).diff(x)).expand() == 0


def test_entropy_in_both_sets_of_variables() -> None:
    nodes = some_data(2.0)
    new = evaluate({"S": version_space.entropy()}, UNITS, nodes)["S"]
    old = evaluate({"S": replicas.free_energy()}, OVERLAPS, nodes)["S"]
    # Rounding.
    assert new == pytest.approx(old, abs=1e-14)
    assert number(version_space.inverse_gap(), UNITS) == pytest.approx(UNITS[D], rel=1e-14)


def test_equations_are_the_gradient() -> None:
    """(V1)-(V3) against derivatives of the free energy in q, R and d, by the chain rule, off the saddle point."""
    nodes = some_data(2.0)
    free = {v.name: sp.diff(replicas.free_energy(), v) for v in (q, R, d)}
    new = {v.name: e for v, e in version_space.gradient().items()}
    sides = {name: e.lhs - e.rhs for name, e in version_space.equations().items()}
    noise = {"by parts": by_parts(version_space.gradient()[t], h)}
    slope = evaluate(free, OVERLAPS, nodes)
    found = evaluate(new | sides | noise, UNITS, nodes)
    # q = 1 - 1 / D and R = r / sqrt(D), with dD = 2 r dr + 2 delta ddelta + 2 t dt.
    for v, along in (("r", r), ("delta", delta), ("t", t)):
        change = 2 * UNITS[along] / UNITS[D]
        expected = slope["q"] * change / UNITS[D]
        expected += slope["R"] * ((v == "r") / np.sqrt(UNITS[D]) - OVERLAPS[R] * change / 2)
        expected += slope["d"] * ((v == "delta") / np.sqrt(UNITS[D]) - OVERLAPS[d] * change / 2)
        # Rounding of terms of order 1.
        assert found[v] == pytest.approx(expected, abs=1e-13)
    assert found["V2"] == pytest.approx(found["r"], abs=1e-13)
    assert found["V3"] == pytest.approx(found["delta"], abs=1e-13)
    # Integration by parts changes no value.
    assert found["by parts"] == pytest.approx(found["t"], abs=1e-13)
    along = sum(UNITS[v] * found[v.name] for v in (r, delta, t))
    assert -found["V1"] == pytest.approx(along + found["t"] / UNITS[t], abs=1e-13)
    assert min(abs(found[name]) for name in ("V1", "V2", "V3")) > 0.01


@pytest.mark.parametrize("p", [0, 1, 2, 3, 4])
def test_gap_moments(p: int) -> None:
    explicit = GapMoment(p, u).rewrite(Phi)
    for at in (-3.0, -0.4, 0.0, 1.7):
        direct, _ = quad(lambda x, at=at: (at - x) ** p * norm.pdf(x), at - 12.0, at, epsabs=0.0, epsrel=1e-13)
        # Rounding of terms that cancel by up to 1e3 at u = -3.
        assert number(explicit, {u: at}) == pytest.approx(direct, rel=1e-11)
    assert sp.expand(explicit.diff(u) - GapMoment(p, u).diff(u).rewrite(Phi)) == 0


def test_zero_temperature_limit_of_numbers() -> None:
    """(V1)-(V3) of a version space that has nearly shrunk, against (M1)-(M3): the rest is of order 1 / t^2."""
    student = {r: 1.5, delta: 0.4, k: 0.7, alpha: 2.0}
    M = max_margin.equations()
    x = Average(Gap(max_margin.GAP - h))
    limits = {
        "V1": M["M1"].lhs - M["M1"].rhs,
        "V2": alpha * x * (M["M2"].lhs - M["M2"].rhs),
        "V3": alpha * x * (M["M3"].lhs - M["M3"].rhs),
    }
    averaged = {name: max_margin.over_noise(e) for name, e in limits.items()}
    sharpness = Sharpness.of(1.5, 0.4, 0.8)
    margins = window_margins(0.5, np.inf, 0.6, 0.8, sharpness)
    limit = evaluate(averaged, student, kept_nodes(margins, 0.8, sharpness))
    large = 60.0
    scaled = {v: large * student[v] for v in (r, delta, k)} | {t: large, alpha: 2.0}
    scaled[D] = number(version_space.inverse_gap(), scaled)
    near = evaluate(
        {name: e.lhs - e.rhs for name, e in version_space.equations().items()},
        scaled,
        kept_nodes(margins, 0.8, sharpness, large),
    )
    for name, power in (("V1", 2), ("V2", 1), ("V3", 1)):
        # 1 / t^2 = 2.8e-4, times numbers of order 1.
        assert near[name] / large**power == pytest.approx(limit[name], abs=2e-3)
        assert abs(limit[name]) > 1e-2


def test_margin_is_maximal() -> None:
    """The variational principle gives (M2) and (M3)."""
    M = {name: max_margin.over_noise(e) for name, e in max_margin.equations().items()}
    for v, name in ((r, "M2"), (delta, "M3")):
        assert sp.simplify(max_margin.stationary_margin(v) - M[name].lhs + M[name].rhs) == 0


def test_mean_gap_is_a_combination() -> None:
    """k - r (M2) - delta (M3), and u M_1 = M_2 - M_0."""
    M = {name: max_margin.over_noise(e) for name, e in max_margin.equations().items()}
    gap = max_margin.mean_gap()
    first = Average(GapMoment(1, max_margin.GAP))
    combination = k - r * M["M2"].lhs - delta * M["M3"].lhs
    weighted = Average(max_margin.GAP * GapMoment(1, max_margin.GAP))
    assert sp.expand(combination * first - weighted) == 0
    assert sp.expand(u * GapMoment(1, u).rewrite(Phi) - (GapMoment(2, u) - GapMoment(0, u)).rewrite(Phi)) == 0
    moments = Average(GapMoment(2, max_margin.GAP)) - Average(Phi(max_margin.GAP))
    assert sp.expand(gap.lhs * first - moments) == 0


@pytest.mark.parametrize("frames", [2, 4])
def test_determinant_of_frames(frames: int) -> None:
    Q = dict(zip(bayes_optimal.OVERLAPS, (sp.Rational(3, 7), -sp.Rational(1, 5), sp.Rational(2, 11)), strict=True))
    explicit = bayes_optimal.overlap_matrix(frames).subs(Q).det()
    assert explicit == bayes_optimal.overlap_determinant().subs(Q).subs(n, frames - 1)


def test_bayes_optimal_steps() -> None:
    assert [bayes_optimal.heat_equation(i, j) for i, j in ((0, 0), (0, 1), (1, 1))] == [0, 0, 0]
    Q = evidence.matrix(bayes_optimal.OVERLAPS)
    left = Q * (sp.eye(2) - Q).inv()
    for (i, j), e in zip(((0, 0), (0, 1), (1, 1)), bayes_optimal.equations().values(), strict=True):
        assert sp.simplify(e.lhs - left[i, j]) == 0


def test_bayes_optimal_equations_are_the_gradient() -> None:
    """(B1) against differences of the derived free energy in the entries of Q, off the saddle point."""
    window, kept, angle, step = (0.0, 0.6), 0.45, 0.7, 1e-3

    def at(Q: npt.NDArray[np.float64]) -> dict[str, float]:
        values = dict(zip(bayes_optimal.OVERLAPS, Q[[0, 0, 1], [0, 1, 1]], strict=True)) | {alpha: 1.5}
        sides = {name: e.rhs - e.lhs for name, e in bayes_optimal.equations().items()}
        nodes = evidence_nodes(np.eye(2) - Q, window, kept, angle)
        return evaluate({"S": bayes_optimal.free_energy()} | sides, values, nodes)

    Q = np.array([[0.5, -0.2], [-0.2, 0.3]])
    found = at(Q)
    # An entry off the diagonal moves two; on it, S has the slope of half the difference of the sides.
    for name, direction, share in (
        ("mm", [[1, 0], [0, 0]], 0.5),
        ("mg", [[0, 1], [1, 0]], 1.0),
        ("gg", [[0, 0], [0, 1]], 0.5),
    ):
        S = [at(Q + j * step * np.array(direction))["S"] for j in (-2, -1, 1, 2)]
        difference = (S[0] - 8 * S[1] + 8 * S[2] - S[3]) / (12 * step)
        # Differences of order 4: 1e-12 times a fifth derivative of order 1e2.
        assert share * found[name] == pytest.approx(difference, abs=1e-9)
        assert abs(difference) > 0.01


def test_evidence_density_is_an_integral_over_g() -> None:
    C = dict(zip(evidence.SPREADS, (0.5, -0.2, 0.4), strict=True))
    at = {m: -0.3, w_m: 0.2, w_g: 0.6, theta: 0.7, f: 0.3} | C
    joint = evidence.gaussian((m - w_m, g - w_g), evidence.matrix(evidence.SPREADS))
    # 18 widths beyond the edge; 200 nodes integrate a Gaussian over 18 widths to rounding.
    x, w = np.polynomial.legendre.leggauss(200)
    edge = 0.3 / np.tan(0.7)
    values = [number(2 / f * joint, at | {g: edge + 6.0 * (1.0 + point)}) for point in x]
    assert number(evidence.evidence_density(), at) == pytest.approx(6.0 * float(w @ values), rel=1e-13)
    for v, slope in zip((w_m, w_g), evidence.evidence_slopes(), strict=True):
        step = 1e-3
        there = [number(evidence.evidence_density(), at | {v: at[v] + j * step}) for j in (-2, -1, 1, 2)]
        # Differences of order 4: 1e-12 times a fifth derivative of order 10.
        difference = (there[0] - 8 * there[1] + 8 * there[2] - there[3]) / (12 * step)
        assert number(slope, at) == pytest.approx(difference, abs=1e-10)


def test_overlaps_and_angles() -> None:
    """Two fields of unit variance with this correlation differ in sign as often as the formula says."""
    values = {r: 1.3, delta: -0.4, t: 0.8}
    for cosine in (overlaps.max_margin(), overlaps.gibbs(), overlaps.bayes_point()):
        R_value = number(cosine, values)
        ratio = R_value / np.sqrt(1 - R_value**2)
        direct, _ = quad(lambda x, c=ratio: 2 * norm.pdf(x) * ndtr(-c * x), 0.0, 12.0, epsabs=0.0, epsrel=1e-13)
        # What the quadrature was asked for, with a margin.
        assert number(overlaps.test_error(cosine), values) == pytest.approx(direct, rel=1e-12)
    assert phi(u).rewrite(sp.erfc).subs(u, 0) == 1 / sp.sqrt(2 * sp.pi)
    assert Average(A * B + r) == r + Average(A * B)
