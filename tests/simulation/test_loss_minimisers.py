"""Students with a convex loss: optimal by another route, at their limits, and where the theory says."""

from __future__ import annotations

import math
import pickle
from typing import Any, get_args

import numpy as np
import pytest
from kept_examples import Recipe, kept_examples, large_N, teacher_overlap
from scipy.optimize import linprog, minimize
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from perceptron_theory.convex_loss import ConvexLoss, Loss
from perceptron_theory.errors import InvalidInputError, PerceptronTheoryError
from perceptron_theory.margins.selection import Hard, KeepProbability
from perceptron_theory.simulation.training.convex_losses import hinge, logistic, square, squared_hinge
from perceptron_theory.simulation.training.convex_losses.student import LossMinimiser
from perceptron_theory.simulation.training.gibbs import max_margin_direction
from perceptron_theory.simulation.training.trained import Trained, UncertifiedError

UNUSED = np.random.default_rng(0)

LOSSES: tuple[Loss, ...] = get_args(Loss)

#: Those that lead to the max-margin student on separable data.
SEPARATING: tuple[Loss, ...] = ("logistic", "hinge", "squared-hinge")

#: Weights from 1.2 to 10, one for each first coordinate.
KEEP = KeepProbability(lambda m: 0.1 + 0.7 * expit(m))


def student(loss: Loss, lam: float, weighted: bool = False) -> LossMinimiser:
    return LossMinimiser.of(ConvexLoss(loss, lam, reweight=weighted), KEEP)


def train(loss: Loss, lam: float, Z: np.ndarray, weighted: bool = False) -> Trained:
    return student(loss, lam, weighted).train(Z, UNUSED)


def weights(Z: np.ndarray, weighted: bool) -> np.ndarray:
    return np.asarray(1.0 / (0.1 + 0.7 / (1.0 + np.exp(-Z[:, 0]))) if weighted else np.ones(len(Z)))


def unit(v: np.ndarray) -> np.ndarray:
    return np.asarray(v / np.linalg.norm(v))


def some_examples(seed: int, P: int, N: int, noise: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    Z = kept_examples(Recipe(P / N, 1.0, 20.0, "hard"), N, rng)
    return np.asarray(Z * np.where(rng.random(P) < noise, -1.0, 1.0)[:, None])


def overlapping(seed: int, P: int = 120, N: int = 12) -> np.ndarray:
    """Far beyond what can be separated."""
    return some_examples(seed, P, N, noise=0.25)


def smooth_minimum(loss: Loss, Z: np.ndarray, v: np.ndarray, c: float) -> np.ndarray:
    """By a method that knows nothing but values and gradients."""

    def objective(w: np.ndarray) -> tuple[float, np.ndarray]:
        t = Z @ w
        if loss == "logistic":
            value, slope = np.logaddexp(0.0, -t), -1.0 / (1.0 + np.exp(t))
        else:
            value, slope = 0.5 * np.maximum(0.0, 1.0 - t) ** 2, np.minimum(0.0, t - 1.0)
        return float(v @ value + 0.5 * c * (w @ w)), np.asarray(c * w + Z.T @ (v * slope))

    found = minimize(
        objective,
        np.zeros(Z.shape[1]),
        jac=True,
        method="L-BFGS-B",
        options={"ftol": 0.0, "gtol": 1e-9, "maxiter": 20_000, "maxfun": 40_000},
    )
    return np.asarray(found.x)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("P", "N"), [(30, 8), (8, 30), (20, 20)])
@pytest.mark.parametrize("lam", [1e-3, 0.1, 1.0, 30.0])
@pytest.mark.parametrize("noise", [0.0, 0.3])
class TestAnotherRoute:
    def test_square(self, P: int, N: int, lam: float, noise: float, weighted: bool) -> None:
        """Least squares on examples with sqrt(lam N) times the unit matrix below them."""
        Z = some_examples(1, P, N, noise)
        root = np.sqrt(weights(Z, weighted))
        above = np.vstack([Z * root[:, None], math.sqrt(lam * N) * np.eye(N)])
        w = np.linalg.lstsq(above, np.concatenate([root, np.zeros(N)]))[0]
        trained = train("square", lam, Z, weighted)
        # Condition number 1e5 at the smallest lam, squared in the normal equations of large examples only.
        np.testing.assert_allclose(trained.w, unit(w), atol=1e-10)
        np.testing.assert_allclose(trained.norm, np.linalg.norm(w), rtol=1e-10)
        np.testing.assert_allclose(trained.loss, np.mean((1.0 - Z @ w) ** 2) / 2, rtol=1e-8)
        assert trained.n_support == P

    @pytest.mark.parametrize("loss", ["logistic", "squared-hinge"])
    def test_smooth_losses(self, loss: Loss, P: int, N: int, lam: float, noise: float, weighted: bool) -> None:
        Z = some_examples(2, P, N, noise)
        w = smooth_minimum(loss, Z, weights(Z, weighted), lam * N)
        trained = train(loss, lam, Z, weighted)
        # The other route stops at a gradient of 1e-9 or where the objective drowns in rounding, 1e-8 in w.
        np.testing.assert_allclose(trained.w * trained.norm, w, atol=1e-5 * float(np.linalg.norm(w)))
        t = Z @ w
        if loss == "logistic":
            np.testing.assert_allclose(trained.loss, np.mean(np.log1p(np.exp(-t))), atol=1e-4)
            assert trained.n_support == P
        else:
            np.testing.assert_allclose(trained.loss, np.mean(np.maximum(0.0, 1.0 - t) ** 2) / 2, atol=1e-4)
            # A margin within the accuracy of the other route would be undecided; none is.
            assert trained.n_support == np.count_nonzero(t < 1.0)

    def test_hinge(self, P: int, N: int, lam: float, noise: float, weighted: bool) -> None:
        """The dual as a smooth function of a = v sin(b)^2: no bounds, no active sets."""
        Z = some_examples(3, P, N, noise)
        c, v = lam * N, weights(Z, weighted)

        def minus_dual(b: np.ndarray) -> tuple[float, np.ndarray]:
            a = v * np.sin(b) ** 2
            w = Z.T @ a / c
            return float(0.5 * c * (w @ w) - a.sum()), np.asarray(v * (Z @ w - 1.0) * np.sin(2.0 * b))

        start = np.full(P, math.asin(math.sqrt(min(0.5, lam))))
        b = minimize(minus_dual, start, jac=True, method="BFGS", options={"gtol": 1e-10, "maxiter": 20_000}).x
        trained = train("hinge", lam, Z, weighted)
        assert trained.gap < 1e-12  # measured 1e-13 and less: only rounding is left
        w = Z.T @ (v * np.sin(b) ** 2) / c
        # Strong convexity: that dual value is off by rounding 1e-14 and w by its root, relative to c.
        np.testing.assert_allclose(trained.w, unit(w), atol=1e-4)
        np.testing.assert_allclose(trained.norm, np.linalg.norm(w), rtol=1e-4)
        np.testing.assert_allclose(trained.loss, np.mean(np.maximum(0.0, 1.0 - Z @ w)), atol=1e-3)


@pytest.mark.parametrize("loss", SEPARATING)
@pytest.mark.parametrize("lam", [0.01, 1.0])
def test_as_another_library(loss: Loss, lam: float) -> None:
    """liblinear's support vector machines and a logistic regression, on labels of both signs."""
    Z = some_examples(11, 60, 10, noise=0.2)
    y = np.where(np.arange(60) % 2, 1.0, -1.0)
    C = 1.0 / (lam * 10)
    model: Any
    if loss == "logistic":
        model = LogisticRegression(C=C, fit_intercept=False, max_iter=10_000, tol=1e-10)
    else:
        # Its squared hinge is not halved.
        name, C = ("hinge", C) if loss == "hinge" else ("squared_hinge", C / 2.0)
        model = LinearSVC(loss=name, C=C, fit_intercept=False, dual=True, tol=1e-9, max_iter=1_000_000)
    w = model.fit(Z * y[:, None], y).coef_[0]
    trained = train(loss, lam, Z)
    # They stop at gradients, primal or dual, of 1e-9 to 1e-10; the curvature is at least c = 0.1.
    np.testing.assert_allclose(trained.w * trained.norm, w, atol=1e-5)


def test_hinge_leans_on_the_examples_within_its_margin() -> None:
    Z = some_examples(4, 60, 20, noise=0.2)
    c = 0.3 * 20
    w, a = hinge.solve(Z, np.ones(60), c)
    t = Z @ w
    np.testing.assert_allclose(c * w, Z.T @ a, atol=1e-12)  # rounding of a sum of 60
    assert np.all(a[t < 1 - 1e-9] == 1.0)
    assert np.all(a[t > 1 + 1e-9] == 0.0)
    assert train("hinge", 0.3, Z).n_support == np.count_nonzero(t <= 1 + 1e-9)


AWKWARD = {
    "one example": some_examples(5, 1, 10),
    "two dimensions": some_examples(5, 30, 2),
    "two by two": some_examples(5, 2, 2),
    "two dimensions, noisy": some_examples(6, 30, 2, 0.3),
    "fewer examples than dimensions": some_examples(5, 7, 30),
    "as many": some_examples(5, 25, 25, 0.1),
    "many": some_examples(5, 400, 10, 0.1),
    "every example twice": np.repeat(some_examples(5, 15, 10, 0.2), 2, axis=0),
    "every example three times, few": np.repeat(some_examples(5, 3, 10), 3, axis=0),
    "every example twice, noisy": np.repeat(some_examples(5, 40, 10, 0.3), 2, axis=0),
    "on a grid": np.round(2 * some_examples(5, 40, 10, 0.1)) / 2,
    "one example zero": np.vstack([np.zeros(10), some_examples(5, 15, 10)]),
    "one beside its opposite": np.vstack([some_examples(5, 15, 10), -some_examples(5, 15, 10)[:1]]),
}

#: Some examples can be separated, and some cannot.
IN_PART = ("one example zero", "one beside its opposite")


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", AWKWARD)
@pytest.mark.parametrize("lam", [0.0, 1e-8, 1e-4, 1.0, 1e4, 1e8])
@pytest.mark.parametrize("loss", LOSSES)
def test_awkward_examples_are_certified(loss: Loss, lam: float, name: str, weighted: bool) -> None:
    """The certificate is what is tested: it is computed from scratch, and training raises without it."""
    Z = AWKWARD[name]
    if lam == 0.0 and loss != "square" and name in IN_PART:
        with pytest.raises(UncertifiedError, match=rf"^{loss} student: certificate .*in part.*take lam > 0"):
            train(loss, lam, Z, weighted)
        return
    try:
        trained = train(loss, lam, Z, weighted)
    except UncertifiedError as refusal:
        # A part of the loss that no student can remove stands beside lam: half of the digits cancel in the gap, and
        # whether it stays below 1e-9 hangs on how the libraries at hand round (1.6e-9 seen). If not, training says so.
        if (loss, lam) == ("hinge", 1e-8) and name in IN_PART and refusal.gap < 1e-8:
            return
        raise
    assert 0.0 <= trained.gap <= 1e-9
    assert abs(np.linalg.norm(trained.w) - 1.0) < 1e-14
    assert trained.w.shape == (Z.shape[1],)
    if lam == 1e8:  # the loss is linear over the whole of a short w: relative correction P / lam
        np.testing.assert_allclose(trained.w, unit(weights(Z, weighted) @ Z), atol=1e-4)


@pytest.mark.parametrize("loss", LOSSES)
def test_copies_of_all_examples_are_a_smaller_penalty(loss: Loss) -> None:
    """Also the order of examples does not matter, and signs of coordinates go over to the weights."""
    Z = some_examples(6, 40, 15, 0.1)
    w = train(loss, 0.5, Z).w
    # Conditioning is of order 10; the hinge is exact up to singular values of copies, 1e-12.
    np.testing.assert_allclose(train(loss, 1.0, np.repeat(Z, 2, axis=0)).w, w, atol=1e-10)
    np.testing.assert_allclose(train(loss, 0.5, Z[::-1]).w, w, atol=1e-10)
    signs = np.where(np.arange(15) % 2, 1.0, -1.0)
    np.testing.assert_allclose(train(loss, 0.5, Z * signs).w, w * signs, atol=1e-10)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("lam", [0.0, 0.3])
def test_whole_weights_are_copies(loss: Loss, lam: float) -> None:
    """Of loss and penalty, not only of the direction."""
    Z = overlapping(12)
    copies = np.where(Z[:, 0] < 0.0, 4, 1)
    keep = KeepProbability(lambda m: np.where(m < 0.0, 0.25, 1.0))
    one = LossMinimiser.of(ConvexLoss(loss, lam, reweight=True), keep).train(Z, UNUSED)
    other = train(loss, lam, np.repeat(Z, copies, axis=0))
    np.testing.assert_allclose(one.w * one.norm, other.w * other.norm, atol=1e-10)  # as above


# Without penalty


@pytest.mark.parametrize("loss", SEPARATING)
@pytest.mark.parametrize("weighted", [False, True])
def test_without_penalty_separable_data_lead_to_the_max_margin(loss: Loss, weighted: bool) -> None:
    Z = some_examples(7, 50, 30)
    best = max_margin_direction(Z)
    trained = train(loss, 0.0, Z, weighted)
    np.testing.assert_array_equal(trained.w, best)
    assert trained.loss == 0.0
    kappa = float((Z @ best).min())
    if loss == "logistic":
        assert trained.norm == math.inf
    else:  # the shortest w with all fields at 1 or above, and what a tiny penalty gives
        assert trained.norm == 1.0 / kappa
        np.testing.assert_allclose(train(loss, 1e-10, Z, weighted).norm, 1.0 / kappa, rtol=1e-6)


def test_hinge_ends_at_the_max_margin() -> None:
    """From some penalty downwards exactly, as long as no dual variable reaches 1."""
    Z = some_examples(7, 50, 30)
    best = max_margin_direction(Z)
    for lam in (1e-4, 1e-6, 1e-8):
        trained = train("hinge", lam, Z)
        np.testing.assert_allclose(trained.w, best, atol=1e-9)  # conditioning of the support, 1e4 roundings squared
        # Support vectors are the examples on the margin.
        fields = Z @ best
        assert trained.n_support == np.count_nonzero(fields < fields.min() * (1 + 1e-7))


def test_logistic_approaches_the_max_margin_slowly() -> None:
    """It is the limit (Rosset, Zhu, Hastie 2004), but w grows as ln(1 / lam) only: tiny is not zero."""
    Z = some_examples(7, 50, 30)
    best = max_margin_direction(Z)
    distances = [float(np.linalg.norm(train("logistic", lam, Z).w - best)) for lam in (1e-2, 1e-4, 1e-8, 1e-16)]
    assert np.all(np.diff(distances) < 0.0)
    assert 0.3 < distances[3] / distances[2] < 0.8  # 1/2 if the distance were 1 / ln(1 / lam) from there on


def test_square_without_penalty_is_least_squares() -> None:
    for P, N in ((30, 12), (12, 30)):
        Z = some_examples(8, P, N)
        expected = unit(np.linalg.pinv(Z) @ np.ones(P))
        np.testing.assert_allclose(train("square", 0.0, Z).w, expected, atol=1e-12)
        # Off by lam N over the smallest squared singular value, about 2.
        np.testing.assert_allclose(train("square", 1e-8, Z).w, expected, atol=1e-6)


@pytest.mark.parametrize("weighted", [False, True])
def test_hinge_without_penalty_is_a_linear_programme(weighted: bool) -> None:
    """By another solver (HiGHS), over w and the shortfalls."""
    for seed in range(5):
        Z = overlapping(seed)
        P, N = Z.shape
        v = weights(Z, weighted)
        costs, bounds = np.concatenate([np.zeros(N), v]), [(None, None)] * N + [(0.0, None)] * P
        found = linprog(costs, A_ub=-np.hstack([Z, np.eye(P)]), b_ub=-np.ones(P), bounds=bounds)
        assert found.status == 0
        trained = train("hinge", 0.0, Z, weighted)
        w = trained.w * trained.norm
        # Its tolerances are 1e-7 on constraints and costs; a vertex is isolated.
        np.testing.assert_allclose(w, np.asarray(found.x)[:N], atol=1e-6)
        np.testing.assert_allclose(v @ np.maximum(0.0, 1.0 - Z @ w), costs @ np.asarray(found.x), rtol=1e-7)
        assert trained.gap < 1e-12  # nothing but rounding


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", ["logistic", "squared-hinge"])
def test_smooth_losses_without_penalty(loss: Loss, weighted: bool) -> None:
    for seed in range(5):
        Z = overlapping(seed)
        w = smooth_minimum(loss, Z, weights(Z, weighted), 0.0)
        trained = train(loss, 0.0, Z, weighted)
        # As with penalty: 1e-8 in w, times a conditioning of 10.
        np.testing.assert_allclose(trained.w * trained.norm, w, atol=1e-5)


@pytest.mark.parametrize("loss", LOSSES)
def test_no_penalty_is_the_limit_of_small_ones(loss: Loss) -> None:
    """Exactly so for the hinge, from some penalty downwards; in proportion to lam for the others."""
    for seed in range(5):
        Z = overlapping(seed)
        end = train(loss, 0.0, Z)
        near = [train(loss, lam, Z) for lam in (1e-3, 1e-4)]
        far, close = (float(np.linalg.norm(x.w * x.norm - end.w * end.norm)) for x in near)
        if loss == "hinge":
            assert close < 1e-10  # as above
        else:
            np.testing.assert_allclose(close / far, 0.1, rtol=0.05)  # the next order in lam N / 10, twice


def test_only_one_of_two_certificates_can_be_had() -> None:
    """From a few examples to many the sign of the answer changes once, and never both or neither."""
    Z = some_examples(21, 120, 15, noise=0.15)
    for loss in SEPARATING:
        separable = []
        for P in range(5, 121, 5):
            trained = train(loss, 0.0, Z[:P])
            separable.append(trained.loss == 0.0)
            assert trained.gap <= 1e-9
            # A linear programme decides: is there w with all fields at 1 or above?
            feasible = linprog(np.zeros(15), A_ub=-Z[:P], b_ub=-np.ones(P), bounds=(None, None)).status == 0
            assert separable[-1] == feasible
        assert any(separable)
        assert not all(separable)


# Bad input


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("lam", [1e-200, 1e200])
def test_penalty_out_of_range(loss: Loss, lam: float) -> None:
    with pytest.raises(InvalidInputError, match=r"ConvexLoss.lam must be 0 or lie in \[1e-100, 1e100\], got 1e"):
        student(loss, lam)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_simulation_has_one_penalty(loss: Loss) -> None:
    for many in ([0.1, 0.2], [0.1], np.ones((2, 3))):
        with pytest.raises(InvalidInputError, match=r"one number in a simulation, got an array of shape \([0-9, ]+\)"):
            LossMinimiser.of(ConvexLoss(loss, many), Hard())
    with pytest.raises(InvalidInputError, match="must be a number in a simulation, got 'optimal': solve says which"):
        LossMinimiser.of(ConvexLoss(loss, "optimal"), Hard())
    # Numbers of other types are numbers.
    for one in (1, np.float32(1.0), np.array(1.0)):
        assert repr(LossMinimiser.of(ConvexLoss(loss, one), Hard())) == repr(student(loss, 1.0))


@pytest.mark.parametrize("loss", LOSSES)
def test_examples_that_have_no_answer(loss: Loss) -> None:
    Z = some_examples(9, 5, 4)
    with pytest.raises(InvalidInputError, match="cancel"):
        train(loss, 1.0, np.vstack([Z, -Z]))
    with pytest.raises(InvalidInputError, match="finite"):
        train(loss, 1.0, np.full((3, 4), np.nan))
    for shape in ((0, 4), (3, 1), (4,)):
        with pytest.raises(InvalidInputError, match="shape"):
            train(loss, 1.0, np.ones(shape))


def test_no_answer_without_certificate() -> None:
    """Far outside the scale of the data; the error survives the way from a worker process."""
    with pytest.raises(UncertifiedError, match=r"certificate is .* must be at most .* nearer to 1") as caught:
        train("logistic", 1e90, some_examples(9, 20, 10))
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (str(copy), copy.gap) == (str(caught.value), caught.value.gap)
    assert not copy.gap <= 1e-9
    assert isinstance(copy, PerceptronTheoryError)


def test_certificates_see_what_is_wrong() -> None:
    """Of weights off by a millionth, and of weights that are far along on data that have no minimum."""
    Z = overlapping(3)
    v = np.ones(len(Z))
    w, a = hinge.solve(Z, v, 1.0)
    assert hinge.relative_gap(Z, v, 1.0, hinge.Pair(w, a)) < 1e-12
    assert hinge.relative_gap(Z, v, 1.0, hinge.Pair(w * (1.0 + 1e-6), a)) > 1e-9
    assert hinge.relative_gap(Z, v, 1.0, hinge.Pair(w, a * (1.0 - 1e-6))) > 1e-9
    assert hinge.relative_gap(Z, v, 0.0, hinge.Pair(w, a)) > 1e-9
    separable = some_examples(7, 50, 30)
    for loss in (hinge, logistic, squared_hinge):
        assert not loss.minimise(separable, np.ones(50), 0.0).gap <= 1e-9
    assert square.minimise(Z, v, 0.0).gap < 1e-12


# Test error of theory.md section 4, which the saddle-point equations give; for the hinge the max-margin
# value at alpha = 1, because its penalty is tiny. The label-aware rule is given there as R = 0.6244.
THEORY: dict[str, tuple[LossMinimiser, Recipe, float]] = {
    "square": (student("square", 1.0), Recipe(3.0, 1.0, 0.0, "hard"), 0.1509642),
    "logistic": (student("logistic", 0.1), Recipe(3.0, 1.0, 0.0, "hard"), 0.1382980),
    "square, hard": (student("square", 1.0), Recipe(3.0, 0.3, 10.0, "hard"), 0.2843954),
    "logistic, hard": (student("logistic", 0.1), Recipe(3.0, 0.3, 10.0, "hard"), 0.2470271),
    "square, label-aware": (student("square", 1.0), Recipe(3.0, 0.3, 10.0, "aware"), math.acos(0.6244) / math.pi),
    "hinge, penalty to zero": (student("hinge", 1e-6), Recipe(1.0, 1.0, 0.0, "hard"), 0.265711469938),
}


@pytest.mark.parametrize(("sizes", "trials"), [((40, 80), 300), pytest.param((60, 120), 4000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", THEORY)
def test_theory_is_the_limit(name: str, sizes: tuple[int, int], trials: int) -> None:
    """Within 4 standard errors. 400 trials at the larger sizes reached 2.6; raised once to 4000, they stay."""
    minimiser, recipe, error = THEORY[name]

    def trial(N: int, rng: np.random.Generator) -> list[float]:
        R = teacher_overlap(recipe, minimiser.train(kept_examples(recipe, N, rng), rng).w)
        return [R, math.acos(R) / math.pi]

    limit, standard_error = large_N(sizes, trials, trial)
    deviations = (limit - [math.cos(math.pi * error), error]) / standard_error
    print(f"{name}: {np.round(deviations, 2)} standard errors, which are {np.round(standard_error, 5)}")
    assert np.all(np.abs(deviations) < 4), deviations
