"""The exact student: certified on an edge set, equal to independent solvers, honest where there is no solution."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable

import daqp
import numpy as np
import piqp
import pytest
from scipy.optimize import nnls

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.problem import Problem
from perceptron_theory.simulation.data import draw
from perceptron_theory.simulation.finite import FiniteProblem
from perceptron_theory.simulation.training.hard_margin.active_set import finish
from perceptron_theory.simulation.training.hard_margin.interior_point import approach
from perceptron_theory.simulation.training.hard_margin.solver import MaxMargin
from perceptron_theory.simulation.training.trained import Trained, UncertifiedError

RNG = np.random.default_rng(0)  # not used by the student

#: What is asked of every trial.
CERTIFICATE = 1e-9


def examples(N: int, alpha: float, f: float, theta_deg: float, rule: str, seed: int) -> np.ndarray:
    problem = FiniteProblem.of(Problem.of(alpha, f, np.deg2rad(theta_deg), rule), N)
    return draw(problem, np.random.default_rng(seed))


def train(Z: np.ndarray) -> Trained:
    return MaxMargin().train(Z, RNG)


def kappa(Z: np.ndarray, w: np.ndarray) -> float:
    return float((Z @ w).min() / np.linalg.norm(w))


EDGES = list(
    itertools.product(
        (0.25, 0.5, 1.0, 1.5, 1.9, 2.0, 2.1, 3.0, 5.0, 10.0, 20.0), (0.02, 0.1, 0.3, 1.0), (0.0, 5.0, 20.0, 40.0)
    )
)


@pytest.mark.parametrize("rule", ["hard", "easy"])
@pytest.mark.parametrize(
    "N", [20, 50, 100, pytest.param(200, marks=pytest.mark.slow), pytest.param(400, marks=pytest.mark.slow)]
)
def test_certified_on_the_edge_set(N: int, rule: str) -> None:
    """Every combination of few and many examples, hard and easy ones, at and around Cover's capacity."""
    gaps = [train(examples(N, alpha, f, theta_deg, rule, seed)).gap for seed, (alpha, f, theta_deg) in enumerate(EDGES)]
    print(f"N = {N}, {rule}: worst gap {max(gaps):.1e} of {len(gaps)}")
    assert max(gaps) <= CERTIFICATE


def by_daqp(Z: np.ndarray) -> np.ndarray:
    P, N = Z.shape
    w, _, _, _ = daqp.solve(np.eye(N), np.zeros(N), Z, np.full(P, 1e30), np.ones(P), np.zeros(P, dtype=np.int32))
    return np.asarray(w)


def by_piqp(Z: np.ndarray) -> np.ndarray:
    P, N = Z.shape
    solver = piqp.DenseSolver()
    solver.settings.eps_abs = solver.settings.eps_rel = 1e-12
    solver.settings.eps_duality_gap_abs = solver.settings.eps_duality_gap_rel = 1e-12
    solver.setup(np.eye(N), np.zeros(N), None, None, Z, np.ones(P), None, None, None)
    solver.solve()
    return np.asarray(solver.result.x)


def by_nnls(Z: np.ndarray) -> np.ndarray:
    """Least distance as non-negative least squares: Lawson and Hanson 1974, chapter 23."""
    P, N = Z.shape
    target = np.zeros(N + 1)
    target[-1] = 1.0
    a, _ = nnls(np.vstack([Z.T, np.ones(P)]), target, maxiter=30 * P)
    return np.asarray(Z.T @ a)


@pytest.mark.parametrize("solver", [by_daqp, by_piqp, by_nnls])
@pytest.mark.parametrize("rule", ["hard", "easy", "random"])
@pytest.mark.parametrize("alpha", [0.5, 2.0, 3.0, 10.0])
def test_margin_of_independent_solvers(solver: Callable[[np.ndarray], np.ndarray], rule: str, alpha: float) -> None:
    """An active-set method, an interior-point method and least squares find the same margin to 1e-8."""
    for N, theta_deg, seed in ((30, 0.0, 1), (60, 20.0, 2), (100, 10.0, 3)):
        Z = examples(N, alpha, 0.3, theta_deg, rule, seed)
        w = solver(Z)
        assert kappa(Z, train(Z).w) == pytest.approx(kappa(Z, w), rel=1e-8)
        # The solution is unique, and the margin is stationary there: directions agree to the root of it.
        assert train(Z).w == pytest.approx(w / np.linalg.norm(w), abs=1e-4)


@pytest.mark.parametrize(("N", "alpha", "rule"), [(60, 5.0, "hard"), (100, 3.0, "hard"), (80, 10.0, "random")])
def test_interior_point_start_leads_to_the_same_student(N: int, alpha: float, rule: str) -> None:
    """Each way to the supporting set alone: from scratch by the active set, and by the interior-point method."""
    Z = examples(N, alpha, 0.3, 10.0, rule, 4)
    expected = train(Z)
    scratch, w = np.zeros(len(Z)), np.zeros(N)
    scratch[0] = 1e-6
    assert finish(Z, scratch, w, 1e6)
    assert w / np.linalg.norm(w) == pytest.approx(expected.w, abs=1e-9)
    a = np.full(len(Z), 1e-3)
    approach(Z, a)
    assert finish(Z, a, w, 1e6)
    assert w / np.linalg.norm(w) == pytest.approx(expected.w, abs=1e-9)
    assert np.count_nonzero(a) == expected.n_support


def awkward(kind: str, seed: int) -> np.ndarray:
    """Separable data in special position: ties, copies, dependent rows, odd scales."""
    rng = np.random.default_rng(seed)
    N = int(rng.integers(2, 30))
    P = int(rng.integers(1, 6 * N + 2))
    makers: dict[str, Callable[[], np.ndarray]] = {
        "signs": lambda: rng.choice([-1.0, 1.0], (P, N)),
        "integers": lambda: rng.integers(-2, 3, (P, N)).astype(float),
        "copies": lambda: np.repeat(rng.standard_normal((P, N)), 3, axis=0),
        "columns of all sizes": lambda: rng.standard_normal((P, N)) * 10.0 ** rng.uniform(-3, 3, N),
        "low rank": lambda: rng.standard_normal((P, min(N, 3))) @ rng.standard_normal((min(N, 3), N)),
        "large": lambda: 1e6 * rng.standard_normal((P, N)),
        "small": lambda: 1e-6 * rng.standard_normal((P, N)),
    }
    X = makers[kind]()
    field = X @ rng.standard_normal(N)
    keep = np.abs(field) > 1e-9 * np.linalg.norm(X, axis=1)
    return np.asarray(X[keep] * np.sign(field[keep])[:, None])


@pytest.mark.parametrize("kind", ["signs", "integers", "copies", "columns of all sizes", "low rank", "large", "small"])
def test_special_positions_are_certified(kind: str) -> None:
    """Degenerate problems, where supporting sets are not unique, end with a certificate too."""
    for seed in range(150):
        Z = awkward(kind, seed)
        if len(Z):
            assert train(Z).gap <= CERTIFICATE


def test_solutions_by_hand() -> None:
    """One example: itself. Two: the bisector of their perpendicular foot."""
    one = train(np.array([[3.0, 4.0]]))
    assert one.w == pytest.approx([0.6, 0.8], abs=1e-15)
    assert one.n_support == 1
    two = train(np.array([[1.0, 1.0], [1.0, -1.0]]))
    assert two.w == pytest.approx([1.0, 0.0], abs=1e-15)
    assert two.n_support == 2
    # The third lies beyond the margin of the first two.
    assert train(np.array([[1.0, 1.0], [1.0, -1.0], [5.0, 1.0]])).n_support == 2


def test_scale_does_not_matter() -> None:
    Z = examples(40, 3.0, 0.3, 10.0, "hard", 5)
    for scale in (1024.0, 1e-130, 1e130):
        assert train(scale * Z).w == pytest.approx(train(Z).w, abs=1e-10)
    for scale in (1e-160, 1e160):
        with pytest.raises(InvalidInputError, match="rescale Z"):
            train(scale * Z)


def test_rows_of_any_length() -> None:
    """Passes take rows four at a time in padded vectors: no length or number of rows is special."""
    rng = np.random.default_rng(3)
    for P, N in itertools.product((1, 2, 3, 4, 5, 7, 33), (2, 3, 15, 16, 17, 31, 33)):
        Z = rng.standard_normal((P, N))
        Z[:, 0] = np.abs(Z[:, 0]) + 0.1
        trained = train(Z)
        a, _ = nnls(np.vstack([Z.T, np.ones(P)]), np.append(np.zeros(N), 1.0))
        assert trained.gap <= CERTIFICATE
        # The dual by NNLS: min |Z^T a|^2 + (sum(a) - 1)^2 has its optimum along the best margin.
        assert kappa(Z, Z.T @ a) == pytest.approx(kappa(Z, trained.w), rel=1e-8)


@pytest.mark.parametrize(
    "Z",
    [
        np.array([[1.0, 0.0], [-1.0, 0.0]]),
        np.array([[1.0, 0.0], [0.0, 0.0]]),
        np.array([[1.0, 0.0], [-1.0, 1e-3], [-1.0, -1e-3]]),
        np.random.default_rng(1).standard_normal((200, 10)),
    ],
    ids=["opposite", "zero row", "cone", "random labels"],
)
def test_no_student_without_a_solution(Z: np.ndarray) -> None:
    """Data that no hyperplane through 0 separates: an error, quickly and without warnings, never a student."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UncertifiedError, match="no w may have Z w > 0") as caught:
            train(Z)
    assert caught.value.gap == np.inf


@pytest.mark.parametrize("Z", [np.array([[1.0, np.nan]]), np.array([[np.inf, 1.0], [1.0, 1.0]])])
def test_numbers_that_are_none(Z: np.ndarray) -> None:
    with pytest.raises(InvalidInputError, match="finite"):
        train(Z)


@pytest.mark.slow
def test_large_problem_fits_in_memory() -> None:
    """N = 2000 at alpha_prune = 5, f = 0.1: 10,000 kept of 100,000 examples, within 2 GiB in a fresh process."""
    import subprocess
    import sys

    script = (
        "import resource, perceptron_theory as pt\n"
        "sim = pt.simulate(N=2000, alpha_prune=5, f=0.1, trials=1, workers=1)\n"
        "print(sim.gap[0], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    gap, kib = printed.split()
    print(f"gap {gap}, {int(kib) / 2**20:.2f} GiB")
    assert float(gap) <= CERTIFICATE
    assert int(kib) < 2 * 2**20


@pytest.mark.parametrize("Z", [np.array([["a", "b"]]), np.array([[1j, 2.0]])], ids=["text", "complex"])
def test_what_is_no_real_number(Z: np.ndarray) -> None:
    with pytest.raises(InvalidInputError, match="Z must be a real number or an array"):
        train(Z)
