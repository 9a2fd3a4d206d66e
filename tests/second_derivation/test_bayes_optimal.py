"""The student that knows the rule: (B1) by other means, limits, and a message-passing learner on finite data."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtr, ndtri
from scipy.stats import norm

import perceptron_theory as pt
from perceptron_theory.problem import Problem
from perceptron_theory.simulation.data import draw
from perceptron_theory.simulation.finite import FiniteProblem


@pytest.mark.parametrize(
    ("alpha", "f", "theta", "selection"),
    [(5.0, 1.0, 0.0, "hard"), (5.0, 1.0, 0.7, "easy"), (0.5, 0.3, 0.7, "random"), (2.0, 0.3, np.pi / 2, "hard")],
)
def test_rule_that_tells_nothing(alpha: float, f: float, theta: float, selection: str) -> None:
    """Without pruning, and with a probe orthogonal to the teacher, it is the mean of the version space."""
    knows = pt.solve(alpha, f, theta, selection=selection, student="bayes-optimal")
    does_not = pt.solve(alpha, f, theta, selection=selection, student="bayes-point")
    assert knows.test_error == pytest.approx(float(does_not.test_error), rel=1e-9)
    assert abs(knows.R - does_not.R) < 1e-9


@pytest.mark.parametrize("selection", ["hard", "easy"])
def test_no_student_does_better(selection: str) -> None:
    # Beside alpha = 1 and f -> 0 hard data are critical: as many equations T.x = 0 as unknowns.
    alpha, f = np.meshgrid([0.3, 0.8, 3.0, 10.0, 100.0], [0.05, 0.3, 0.8])
    floor = pt.solve(alpha, f, selection=selection, student="bayes-optimal")
    assert floor.converged.all()
    assert np.isnan(floor.kappa).all()
    for other in (
        pt.solve(alpha, f, selection=selection, student="bayes-point"),
        pt.solve(alpha, f, selection=selection),
    ):
        assert np.all(floor.test_error < other.test_error)


def test_perfect_metric_is_one_equation() -> None:
    """theta = 0: q / (1 - q) = alpha E[Z'^2 / Z] for the window 0 < T.x < gamma, with adaptive quadrature."""
    alpha, f = 2.0, 0.5
    gamma = float(ndtri(0.5 * (1 + f)))

    def defect(q: float) -> float:
        width = np.sqrt(1 - q)

        def integrand(w: float) -> float:
            ends = np.array([gamma - w, -w]) / width
            evidence = (ndtr(ends[0]) - ndtr(ends[1])) * 2 / f
            slope = (norm.pdf(ends[1]) - norm.pdf(ends[0])) / width * 2 / f
            return float(norm.pdf(w, scale=np.sqrt(q)) * slope**2 / evidence) if evidence > 0 else 0.0

        # Beyond -1.5 and 2 the evidence lies more than 7 widths away.
        return alpha * float(quad(integrand, -1.5, 2.0, epsabs=1e-13, epsrel=1e-11, limit=400)[0]) - q / (1 - q)

    q = brentq(defect, 0.5, 0.999, xtol=1e-14)
    assert abs(pt.solve(alpha, f, student="bayes-optimal").R - np.sqrt(q)) < 1e-9


@pytest.mark.slow
def test_two_directions_by_differences() -> None:
    """theta > 0: the student's overlaps make the evidence stationary; gradients and integrals by brute force."""
    alpha, f, theta = 2.0, 0.4, 0.35
    s = pt.solve(alpha, f, theta, student="bayes-optimal")
    edge = float(ndtri(0.5 * (1 + f)))
    nodes, weights = np.polynomial.legendre.leggauss(200)
    m, dm = edge * nodes, edge * weights
    xi, w = np.polynomial.legendre.leggauss(160)
    xi, w = 8 * xi, 8 * w * norm.pdf(8 * xi)

    def free_entropy(Q: np.ndarray) -> float:
        C = np.eye(2) - Q
        roots, axes = np.linalg.eigh(Q)
        fields = (axes * np.sqrt(roots)) @ np.stack(np.meshgrid(xi, xi, indexing="ij")).reshape(2, -1)
        away = m - fields[0][:, None]
        mean = fields[1][:, None] + C[0, 1] / C[0, 0] * away
        inside = ndtr((mean + m / np.tan(theta)) / np.sqrt(C[1, 1] - C[0, 1] ** 2 / C[0, 0]))
        Z = 2 / f * (norm.pdf(away, scale=np.sqrt(C[0, 0])) * inside) @ dm
        ZlnZ = np.where(Z > 0, Z * np.log(np.where(Z > 0, Z, 1.0)), 0.0)
        prior = 0.5 * (np.log(np.linalg.det(C)) + np.trace(Q))
        return float(prior + alpha * np.outer(w, w).ravel() @ ZlnZ)

    # The solution gives two numbers of three, R^2 = t.Q t and rho R = t.Q u; the third is where S is stationary.
    t = np.array([np.cos(theta), np.sin(theta)])

    def overlap(qtt: float, qtu: float, qnn: float) -> np.ndarray:
        """Q with t.Q t = qtt and t.Q u = qtu, and n.Q n = qnn for n orthogonal to t."""
        n = np.array([-t[1], t[0]])
        # u = (1, 0)
        qtn = (qtu - t[0] * qtt) / n[0]
        return np.asarray(qtt * np.outer(t, t) + qtn * (np.outer(t, n) + np.outer(n, t)) + qnn * np.outer(n, n))

    at = (float(s.R) ** 2, float(s.R * s.rho))
    h = 1e-4

    def slope(which: int, qnn: float) -> float:
        shift = h * np.eye(3)[which]
        up, down = (free_entropy(overlap(*(np.array([*at, qnn]) + sign * shift))) for sign in (1, -1))
        return (up - down) / (2 * h)

    qnn = brentq(lambda x: slope(2, x), 0.3, 0.8, xtol=1e-8)
    # Differences leave h^2 times third derivatives, of order 1e2 here.
    assert abs(slope(0, qnn)) < 1e-4
    assert abs(slope(1, qnn)) < 1e-4
    # They would not vanish elsewhere.
    at = (at[0] * 0.99, at[1])
    assert abs(slope(0, qnn)) > 1e-2


def message_passing(Z: np.ndarray, gamma: float, iterations: int = 60) -> np.ndarray:
    """Approximate message passing for a unit vector T with 0 < T.x < gamma on every example x."""
    N = Z.shape[1]
    t, variance, g = np.zeros(N), 1.0 / N, np.zeros(len(Z))
    for _ in range(iterations):
        V = N * variance
        w = Z @ t - V * g
        low, high = -w / np.sqrt(V), (gamma - w) / np.sqrt(V)
        # ln(Phi(high) - Phi(low)) from the side where both are small.
        near, far = np.where(low > 0, -low, high), np.where(low > 0, -high, low)
        log_mass = log_ndtr(near) + np.log1p(-np.exp(log_ndtr(far) - log_ndtr(near)))
        at_low, at_high = (np.exp(norm.logpdf(edge) - log_mass) for edge in (low, high))
        g = (at_low - at_high) / np.sqrt(V)
        curvature = g**2 - (low * at_low - high * at_high) / V
        b = Z.T @ g + float(curvature.sum()) * t
        # The sphere: the multiplier that makes |t|^2 + N variance = 1.
        precision = 0.5 * (N + np.sqrt(N**2 + 4.0 * b @ b))
        t, variance = b / precision, 1.0 / precision
    return t


@pytest.mark.slow
def test_message_passing_learns_as_predicted() -> None:
    """An algorithm that is told the rule and the kept data, on finite data: 40 draws at each N, extrapolated in 1/N."""
    alpha, f, trials = 2.0, 0.5, 40
    gamma = float(ndtri(0.5 * (1 + f)))
    means, errors = [], []
    for N in (250, 500):
        problem = FiniteProblem.of(Problem.of(alpha, f, 0.0, "hard"), N)
        overlaps = []
        for trial in range(trials):
            t = message_passing(draw(problem, np.random.default_rng([N, trial])), gamma)
            overlaps.append(t[0] / np.linalg.norm(t))
        means.append(np.mean(overlaps))
        errors.append(np.std(overlaps, ddof=1) / np.sqrt(trials))
    limit, error = 2 * means[1] - means[0], np.hypot(2 * errors[1], errors[0])
    theory = pt.solve(alpha, f, student="bayes-optimal")
    assert abs(limit - theory.R) < 4 * error
    # Far above what a student reaches that does not know the rule.
    assert limit - 10 * error > pt.solve(alpha, f, student="bayes-point").R


@pytest.mark.slow
def test_small_angles_and_small_fractions_are_continuous() -> None:
    """A nearly perfect probe is a perfect one; below a threshold f no longer matters at theta > 0."""
    perfect = pt.solve(3.0, 0.3, student="bayes-optimal").test_error
    assert pt.solve(3.0, 0.3, 1e-8, student="bayes-optimal").test_error == pytest.approx(float(perfect), rel=1e-9)
    # Beyond alpha = 1 the probe follows from what was kept; a solution from no knowledge alone would miss that.
    s = pt.solve(1.01, [5e-4, 1e-4], 0.5, student="bayes-optimal")
    assert s.test_error[1] == pytest.approx(float(s.test_error[0]), rel=1e-4)
    assert s.test_error[1] < 0.3 * pt.solve(1.01, 1e-4, 0.5, student="bayes-point").test_error


def test_its_wall_is_at_one() -> None:
    """Hard examples lie on the probe's boundary, each nearly a linear equation for it: N of them suffice."""
    below, above = pt.solve([[0.8], [1.2]], [1e-3, 1e-2], student="bayes-optimal").test_error
    assert (below > 0.49).all()
    assert above[1] / above[0] == pytest.approx(10.0, rel=1e-3)  # proportional to f, up to order f^2
    # At an angle too there is a jump, beside which iteration creeps past where the other solution was.
    before, beyond = pt.solve([1.0, 1.2], 0.1, np.deg2rad(20), student="bayes-optimal").test_error
    assert before > 0.4
    assert beyond < 0.09


def test_measured_margins_are_refused() -> None:
    margins = pt.MeasuredMargins([0.5, 1.0, 2.0], signed=False)
    with pytest.raises(pt.InvalidInputError, match="derived for Gaussian margins"):
        pt.solve(1.0, 0.5, margins=margins, student="bayes-optimal")
