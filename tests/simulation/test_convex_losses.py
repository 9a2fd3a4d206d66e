"""Students with a convex loss: optimal by another route, at their limits, and where the theory says."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from kept_examples import Recipe, kept_examples, large_N, teacher_overlap
from scipy.optimize import minimize

from perceptron_theory.errors import InvalidInputError, PerceptronTheoryError
from perceptron_theory.simulation.training import box_dual
from perceptron_theory.simulation.training.convex_losses import Hinge, Logistic, Ridge
from perceptron_theory.simulation.training.gibbs import max_margin_direction
from perceptron_theory.simulation.training.trained import UncertifiedError

Student = Ridge | Logistic | Hinge

UNUSED = np.random.default_rng(0)


def unit(v: np.ndarray) -> np.ndarray:
    return np.asarray(v / np.linalg.norm(v))


def some_examples(seed: int, P: int, N: int, noise: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    Z = kept_examples(Recipe(P / N, 1.0, 20.0, "hard"), N, rng)
    return np.asarray(Z * np.where(rng.random(P) < noise, -1.0, 1.0)[:, None])


@pytest.mark.parametrize(("P", "N"), [(30, 8), (8, 30), (20, 20)])
@pytest.mark.parametrize("lam", [1e-3, 0.1, 1.0, 30.0])
@pytest.mark.parametrize("noise", [0.0, 0.3])
class TestAnotherRoute:
    def test_ridge(self, P: int, N: int, lam: float, noise: float) -> None:
        """Least squares on examples with sqrt(lam N) times the unit matrix below them."""
        Z = some_examples(1, P, N, noise)
        above = np.vstack([Z, math.sqrt(lam * N) * np.eye(N)])
        w = np.linalg.lstsq(above, np.concatenate([np.ones(P), np.zeros(N)]))[0]
        trained = Ridge(lam).train(Z, UNUSED)
        # Condition number 1e4 at the smallest lam.
        np.testing.assert_allclose(trained.w, unit(w), atol=1e-11)
        assert trained.n_support == P

    def test_logistic(self, P: int, N: int, lam: float, noise: float) -> None:
        Z = some_examples(2, P, N, noise)

        def objective(w: np.ndarray) -> tuple[float, np.ndarray]:
            t = Z @ w
            value = np.logaddexp(0.0, -t).sum() + 0.5 * lam * N * (w @ w)
            return float(value), np.asarray(lam * N * w - Z.T @ (1.0 / (1.0 + np.exp(t))))

        w = minimize(objective, np.zeros(N), jac=True, method="L-BFGS-B", options={"ftol": 0.0, "gtol": 1e-9}).x
        # The other route stops at a gradient of 1e-9 or where the objective drowns in rounding, 1e-8 in w.
        np.testing.assert_allclose(Logistic(lam).train(Z, UNUSED).w, unit(w), atol=1e-5)

    def test_hinge(self, P: int, N: int, lam: float, noise: float) -> None:
        """The dual as a smooth function of a = sin(b)^2: no bounds, no active sets."""
        Z = some_examples(3, P, N, noise)
        c = lam * N

        def minus_dual(b: np.ndarray) -> tuple[float, np.ndarray]:
            a = np.sin(b) ** 2
            w = Z.T @ a / c
            return float(0.5 * c * (w @ w) - a.sum()), np.asarray((Z @ w - 1.0) * np.sin(2.0 * b))

        start = np.full(P, math.asin(math.sqrt(min(0.5, lam))))
        b = minimize(minus_dual, start, jac=True, method="BFGS", options={"gtol": 1e-10, "maxiter": 20_000}).x
        trained = Hinge(lam).train(Z, UNUSED)
        assert trained.gap < 1e-12  # measured 1e-13 and less: only rounding is left
        # Strong convexity: that dual value is off by rounding 1e-14 and w by its root, relative to c.
        np.testing.assert_allclose(trained.w, unit(Z.T @ np.sin(b) ** 2), atol=1e-4)


def test_hinge_leans_on_the_examples_within_its_margin() -> None:
    Z = some_examples(4, 60, 20, noise=0.2)
    c = 0.3 * 20
    w, a = box_dual.solve(Z, c)
    t = Z @ w
    np.testing.assert_allclose(c * w, Z.T @ a, atol=1e-12)  # rounding of a sum of 60
    assert np.all(a[t < 1 - 1e-9] == 1.0)
    assert np.all(a[t > 1 + 1e-9] == 0.0)
    assert Hinge(0.3).train(Z, UNUSED).n_support == np.count_nonzero(t <= 1 + 1e-9)


STUDENTS: list[type[Student]] = [Ridge, Logistic, Hinge]

AWKWARD = {
    "one example": some_examples(5, 1, 10),
    "two dimensions": some_examples(5, 30, 2),
    "two by two": some_examples(5, 2, 2),
    "fewer examples than dimensions": some_examples(5, 7, 30),
    "as many": some_examples(5, 25, 25, 0.1),
    "many": some_examples(5, 400, 10, 0.1),
    "every example twice": np.repeat(some_examples(5, 15, 10, 0.2), 2, axis=0),
    "every example three times, few": np.repeat(some_examples(5, 3, 10), 3, axis=0),
    "on a grid": np.round(2 * some_examples(5, 40, 10, 0.1)) / 2,
    "one example zero": np.vstack([np.zeros(10), some_examples(5, 15, 10)]),
}


@pytest.mark.parametrize("name", AWKWARD)
@pytest.mark.parametrize("lam", [1e-8, 1e-4, 1.0, 1e4, 1e8])
@pytest.mark.parametrize("student", STUDENTS)
def test_awkward_examples_are_certified(student: type[Student], lam: float, name: str) -> None:
    """The certificate is what is tested: it is computed from scratch, and training raises without it."""
    Z = AWKWARD[name]
    trained = student(lam).train(Z, UNUSED)
    assert 0.0 <= trained.gap <= 1e-9
    assert abs(np.linalg.norm(trained.w) - 1.0) < 1e-14
    assert trained.w.shape == (Z.shape[1],)
    if lam == 1e8:  # the loss is linear over the whole of a short w: relative correction P / lam
        np.testing.assert_allclose(trained.w, unit(Z.sum(axis=0)), atol=1e-5)


@pytest.mark.parametrize("student", STUDENTS)
def test_copies_of_all_examples_are_a_smaller_penalty(student: type[Student]) -> None:
    """Also the order of examples does not matter, and signs of coordinates go over to the weights."""
    Z = some_examples(6, 40, 15, 0.1)
    w = student(0.5).train(Z, UNUSED).w
    # Conditioning is of order 10; the hinge is exact up to singular values of copies, 1e-12.
    np.testing.assert_allclose(student(1.0).train(np.repeat(Z, 2, axis=0), UNUSED).w, w, atol=1e-10)
    np.testing.assert_allclose(student(0.5).train(Z[::-1], UNUSED).w, w, atol=1e-10)
    signs = np.where(np.arange(15) % 2, 1.0, -1.0)
    np.testing.assert_allclose(student(0.5).train(Z * signs, UNUSED).w, w * signs, atol=1e-10)


def test_hinge_ends_at_the_max_margin() -> None:
    """From some penalty downwards exactly, as long as no dual variable reaches 1."""
    Z = some_examples(7, 50, 30)
    best = max_margin_direction(Z)
    for lam in (1e-4, 1e-6, 1e-8):
        trained = Hinge(lam).train(Z, UNUSED)
        np.testing.assert_allclose(trained.w, best, atol=1e-9)  # conditioning of the support, 1e4 roundings squared
        # Support vectors are the examples on the margin.
        fields = Z @ best
        assert trained.n_support == np.count_nonzero(fields < fields.min() * (1 + 1e-7))


def test_logistic_approaches_the_max_margin_slowly() -> None:
    """It is the limit (Rosset, Zhu, Hastie 2004), but w grows as ln(1 / lam) only: tiny is not zero."""
    Z = some_examples(7, 50, 30)
    best = max_margin_direction(Z)
    distances = [float(np.linalg.norm(Logistic(lam).train(Z, UNUSED).w - best)) for lam in (1e-2, 1e-4, 1e-8, 1e-16)]
    assert np.all(np.diff(distances) < 0.0)
    assert 0.3 < distances[3] / distances[2] < 0.8  # 1/2 if the distance were 1 / ln(1 / lam) from there on


def test_ridge_without_penalty_is_least_squares() -> None:
    for P, N in ((30, 12), (12, 30)):
        Z = some_examples(8, P, N)
        expected = unit(np.linalg.pinv(Z) @ np.ones(P))
        np.testing.assert_allclose(Ridge(0.0).train(Z, UNUSED).w, expected, atol=1e-12)
        # Off by lam N over the smallest squared singular value, about 2.
        np.testing.assert_allclose(Ridge(1e-8).train(Z, UNUSED).w, expected, atol=1e-6)


@pytest.mark.parametrize("student", STUDENTS)
@pytest.mark.parametrize("lam", [-1.0, math.nan, math.inf, 1e-200, 1e200])
def test_penalty_out_of_range(student: type[Student], lam: float) -> None:
    with pytest.raises(InvalidInputError, match=rf"{student.__name__}.lam must .*1e-100, 1e100\], got"):
        student(lam)


@pytest.mark.parametrize("student", [Logistic, Hinge])
def test_only_ridge_does_without_penalty(student: type[Student]) -> None:
    with pytest.raises(InvalidInputError):
        student(0.0)


@pytest.mark.parametrize("student", STUDENTS)
def test_examples_that_have_no_answer(student: type[Student]) -> None:
    Z = some_examples(9, 5, 4)
    with pytest.raises(InvalidInputError, match="cancel"):
        student(1.0).train(np.vstack([Z, -Z]), UNUSED)
    with pytest.raises(InvalidInputError, match="finite"):
        student(1.0).train(np.full((3, 4), np.nan), UNUSED)
    for shape in ((0, 4), (3, 1), (4,)):
        with pytest.raises(InvalidInputError, match="shape"):
            student(1.0).train(np.ones(shape), UNUSED)


def test_no_answer_without_certificate() -> None:
    """Far outside the scale of the data; the error survives the way from a worker process."""
    with pytest.raises(UncertifiedError, match=r"certificate is .* must be at most") as caught:
        Logistic(1e90).train(some_examples(9, 20, 10), UNUSED)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (str(copy), copy.gap) == (str(caught.value), caught.value.gap)
    assert not copy.gap <= 1e-9
    assert isinstance(copy, PerceptronTheoryError)


# Test error of theory.md section 4, which the saddle-point equations give; for the hinge the max-margin
# value at alpha = 1, because its penalty is tiny. The label-aware rule is given there as R = 0.6244.
THEORY: dict[str, tuple[Student, Recipe, float]] = {
    "square": (Ridge(1.0), Recipe(3.0, 1.0, 0.0, "hard"), 0.1509642),
    "logistic": (Logistic(0.1), Recipe(3.0, 1.0, 0.0, "hard"), 0.1382980),
    "square, hard": (Ridge(1.0), Recipe(3.0, 0.3, 10.0, "hard"), 0.2843954),
    "logistic, hard": (Logistic(0.1), Recipe(3.0, 0.3, 10.0, "hard"), 0.2470271),
    "square, label-aware": (Ridge(1.0), Recipe(3.0, 0.3, 10.0, "aware"), math.acos(0.6244) / math.pi),
    "hinge, penalty to zero": (Hinge(1e-6), Recipe(1.0, 1.0, 0.0, "hard"), 0.265711469938),
}


@pytest.mark.parametrize(("sizes", "trials"), [((40, 80), 300), pytest.param((60, 120), 4000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", THEORY)
def test_theory_is_the_limit(name: str, sizes: tuple[int, int], trials: int) -> None:
    """Within 4 standard errors. 400 trials at the larger sizes reached 2.6; raised once to 4000, they stay."""
    student, recipe, error = THEORY[name]

    def trial(N: int, rng: np.random.Generator) -> list[float]:
        R = teacher_overlap(recipe, student.train(kept_examples(recipe, N, rng), rng).w)
        return [R, math.acos(R) / math.pi]

    limit, standard_error = large_N(sizes, trials, trial)
    deviations = (limit - [math.cos(math.pi * error), error]) / standard_error
    print(f"{name}: {np.round(deviations, 2)} standard errors, which are {np.round(standard_error, 5)}")
    assert np.all(np.abs(deviations) < 4), deviations
