"""What `solve` returns satisfies the derived equations, and the derived free energy is stationary there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
import sympy as sp
from scipy.optimize import brentq
from scipy.special import ndtri

import perceptron_theory as pt
from perceptron_theory.derivation import bayes_optimal, max_margin, overlaps, replicas, version_space
from perceptron_theory.derivation.evidence_nodes import evidence_nodes
from perceptron_theory.derivation.gaussian_functions import as_ratio
from perceptron_theory.derivation.kept_nodes import Sharpness, kept_nodes, window_margins
from perceptron_theory.derivation.numerics import evaluate, number
from perceptron_theory.derivation.symbols import D, R, alpha, d, delta, k, kappa, q, r, t, theta


class Case(NamedTuple):
    alpha: float
    f: float
    theta: float
    rule: str
    kappa: float = 0.0

    @property
    def window(self) -> tuple[float, float]:
        """Kept |z|, from the quantiles of the rule."""
        if self.rule == "hard":
            return 0.0, -float(ndtri(0.5 * (1.0 - self.f)))
        return -float(ndtri(0.5 * self.f)), np.inf

    def beside(self, R_value: float, rho: float) -> float:
        """Component beside the teacher in the plane, d, from both overlaps."""
        return (rho - R_value * np.cos(self.theta)) / np.sin(self.theta) if self.theta > 0.0 else 0.0


#: Students of order one: components from the overlaps then lose no digits. Residuals of `solve` are below 1e-12.
TOLERANCE = 1e-11

CASES = [
    Case(3.0, 0.3, np.deg2rad(10), "hard"),
    Case(2.0, 0.4, np.deg2rad(20), "easy"),
    Case(3.0, 0.2, 0.0, "hard"),
    Case(3.0, 0.5, 0.0, "easy"),
    Case(0.7, 0.6, 1.2, "hard"),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_max_margin(case: Case) -> None:
    s = pt.solve(case.alpha, case.f, case.theta, selection=case.rule)
    beside = case.beside(float(s.R), float(s.rho))
    out = np.sqrt(1.0 - float(s.R) ** 2 - beside**2)
    values = {r: float(s.R) / out, delta: beside / out, k: float(s.kappa) / out, alpha: case.alpha, theta: case.theta}
    sharpness = Sharpness.of(values[r], values[delta], case.theta)
    nodes = kept_nodes(window_margins(*case.window, case.f, case.theta, sharpness), case.theta, sharpness)
    M = {name: max_margin.over_noise(e) for name, e in max_margin.equations().items()}
    for name, e in evaluate({name: e.lhs - e.rhs for name, e in M.items()}, values, nodes).items():
        assert abs(e) < TOLERANCE, name
    moved = evaluate({name: e.lhs - e.rhs for name, e in M.items()}, values | {r: 1.01 * values[r]}, nodes)
    assert max(map(abs, moved.values())) > 1e-3
    error = number(overlaps.test_error(overlaps.max_margin()), values)
    assert error == pytest.approx(float(s.test_error), rel=TOLERANCE)


@pytest.mark.parametrize("case", [*CASES, Case(1.0, 0.3, 0.9, "hard", 0.1), Case(1.5, 0.7, 0.6, "easy", 0.3)], ids=str)
def test_version_space(case: Case) -> None:
    gibbs, bayes = (
        pt.solve(case.alpha, case.f, case.theta, selection=case.rule, student=student, kappa=case.kappa)
        for student in ("gibbs", "bayes-point")
    )
    beside = case.beside(float(gibbs.R), float(gibbs.rho))
    old = {q: float(gibbs.q), R: float(gibbs.R), d: beside, kappa: case.kappa, alpha: case.alpha}
    D_value = 1.0 / (1.0 - old[q])
    values = {r: old[R] * np.sqrt(D_value), delta: old[d] * np.sqrt(D_value), alpha: case.alpha, D: D_value}
    values |= {k: case.kappa * np.sqrt(D_value), t: np.sqrt((old[q] - old[R] ** 2 - old[d] ** 2) * D_value)}
    sharpness = Sharpness.of(values[r], values[delta], case.theta)
    nodes = kept_nodes(window_margins(*case.window, case.f, case.theta, sharpness), case.theta, sharpness, values[t])
    V = version_space.equations()
    for name, e in evaluate({name: e.lhs - e.rhs for name, e in V.items()}, values, nodes).items():
        assert abs(e) < TOLERANCE, name
    # In q, R and d, where the replicated free energy was written.
    slopes = {v.name: as_ratio(sp.diff(replicas.free_energy(), v)) for v in (q, R, d)}
    for name, slope in evaluate(slopes, old, nodes).items():
        # Derivatives are in units of 1 - q.
        assert abs(slope) < TOLERANCE * D_value**2, name
    assert abs(evaluate(slopes, old | {q: 0.99 * old[q]}, nodes)["q"]) > 1e-4
    S = evaluate({"S": version_space.entropy(), "gain": version_space.gain()}, values, nodes)
    assert S["S"] == pytest.approx(float(gibbs.entropy), abs=TOLERANCE)
    assert S["gain"] == pytest.approx(float(gibbs.gain), abs=TOLERANCE)
    for s, cosine in ((gibbs, overlaps.gibbs()), (bayes, overlaps.bayes_point())):
        assert number(overlaps.test_error(cosine), values) == pytest.approx(float(s.test_error), rel=TOLERANCE)
        assert number(cosine, values) == pytest.approx(float(s.R), rel=TOLERANCE)


def bayes_optimal_sides(case: Case, C: np.ndarray) -> dict[str, float]:
    Q = np.eye(2) - C
    values = dict(zip(bayes_optimal.OVERLAPS, Q[[0, 0, 1], [0, 1, 1]], strict=True)) | {alpha: case.alpha}
    sides = {name: e.lhs - e.rhs for name, e in bayes_optimal.equations().items()}
    return evaluate(sides, values, evidence_nodes(C, case.window, case.f, case.theta))


@pytest.mark.parametrize("case", [Case(2.0, 0.5, 0.0, "hard"), Case(2.0, 0.2, 0.0, "easy")], ids=str)
def test_bayes_optimal_of_a_perfect_metric(case: Case) -> None:
    """One overlap, Q = R^2."""
    s = pt.solve(case.alpha, case.f, case.theta, selection=case.rule, student="bayes-optimal")
    C = np.diag([1.0 - float(s.R) ** 2, 1.0])
    # Q / (1 - Q) magnifies an error of R by its slope.
    assert abs(bayes_optimal_sides(case, C)["mm"]) < TOLERANCE / C[0, 0] ** 2
    assert s.test_error == pytest.approx(np.arccos(float(s.R)) / np.pi, rel=TOLERANCE)


@pytest.mark.parametrize("case", [Case(2.0, 0.4, 0.35, "hard"), Case(2.0, 0.3, 1.0, "hard")], ids=str)
def test_bayes_optimal_of_two_directions(case: Case) -> None:
    """`solve` gives two overlaps of three, t.Q t = R^2 and t.Q u = rho R; one of (B1) gives the third, two remain."""
    s = pt.solve(case.alpha, case.f, case.theta, selection=case.rule, student="bayes-optimal")
    cos, sin = np.cos(case.theta), np.sin(case.theta)
    along = float(s.R * s.rho)

    def spread(mm: float) -> np.ndarray:
        # t.Q u = mm cos + mg sin, t.Q t = t.Q u cos + (mg cos + gg sin) sin
        mg = (along - mm * cos) / sin
        gg = ((float(s.R) ** 2 - along * cos) / sin - mg * cos) / sin
        return np.asarray(np.eye(2) - np.array([[mm, mg], [mg, gg]]))

    def possible(mm: float) -> bool:
        C = spread(mm)
        return bool(np.all(np.linalg.eigvalsh(C) > 0.0) and np.all(np.linalg.eigvalsh(np.eye(2) - C) > 0.0))

    # Overlaps of the probe at which Q and 1 - Q are both positive.
    allowed = [x for x in np.linspace(0.0, 1.0, 401) if possible(float(x))]
    mm = brentq(lambda x: bayes_optimal_sides(case, spread(x))["gg"], allowed[0], allowed[-1], xtol=1e-15)
    C = spread(float(mm))
    for name, side in bayes_optimal_sides(case, C).items():
        # The slope of Q (1 - Q)^-1.
        assert abs(side) < TOLERANCE / np.linalg.eigvalsh(C)[0] ** 2, name
    assert abs(bayes_optimal_sides(case, spread(1.01 * mm))["mm"]) > 1e-4
    overlap = dict(zip(bayes_optimal.OVERLAPS, (np.eye(2) - C)[[0, 0, 1], [0, 1, 1]], strict=True)) | {
        theta: case.theta
    }
    error = number(overlaps.test_error(bayes_optimal.teacher_cosine()), overlap)
    assert error == pytest.approx(float(s.test_error), rel=TOLERANCE)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_kept_data_have_mass_one(case: Case) -> None:
    sharpness = Sharpness.of(1.0, 0.5, case.theta)
    nodes = kept_nodes(window_margins(*case.window, case.f, case.theta, sharpness), case.theta, sharpness)
    # Rounding of sums over 1e3 to 1e5 nodes.
    assert nodes.weights.sum() == pytest.approx(1.0, abs=1e-13)
