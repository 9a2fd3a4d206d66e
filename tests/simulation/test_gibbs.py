"""The Gibbs student: uniform where that can be seen, reproducible, honest about convergence, and as the theory."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from kept_examples import Recipe, kept_examples, large_N, teacher_overlap
from scipy.special import ndtri
from scipy.stats import kstest

import perceptron_theory as pt
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.simulation.training.gibbs import Gibbs, Samples, max_margin_direction
from perceptron_theory.simulation.training.hit_and_run import advance
from perceptron_theory.simulation.training.r_hat import split_r_hat
from perceptron_theory.simulation.training.trained import UncertifiedError


def chain(Z: np.ndarray, draws: int, sweeps: int, seed: int) -> np.ndarray:
    """Directions (draws, N) of one chain, `sweeps` sweeps apart."""
    rng = np.random.default_rng(seed)
    N = Z.shape[1]
    v = max_margin_direction(Z)
    reference = v.copy()
    W = np.empty((draws, N))
    for k in range(draws):
        lengths = np.sqrt(rng.chisquare(N, (1, sweeps)))
        advance(np.ascontiguousarray(Z.T), reference, v, rng.random((1, sweeps, N, 2)), lengths)
        W[k] = v / np.linalg.norm(v)
    return W


def spread(Z: np.ndarray, draws: int, sweeps: int, seed: int, statistic: np.ndarray) -> float:
    """p-value that `statistic` @ w is uniform on [0, 1]."""
    return float(kstest(chain(Z, draws, sweeps, seed) @ statistic, "uniform").pvalue)


@pytest.mark.parametrize("angle", [0.05, 0.7, 2.0, 3.1])
def test_uniform_on_an_arc(angle: float) -> None:
    """Two examples in two dimensions leave an arc. Draws are far enough apart to count as independent."""
    turned = 0.4  # neither wall along an axis
    walls = turned + np.array([math.pi / 2, angle - math.pi / 2])
    Z = np.column_stack([np.cos(walls), np.sin(walls)]) * np.array([[1.0], [3.0]])
    W = chain(Z, 2000, 50, seed=1)
    place = (np.mod(np.arctan2(W[:, 1], W[:, 0]) - turned, 2 * math.pi)) / angle
    assert kstest(place, "uniform").pvalue > 1e-4  # four arcs: a false alarm in 2500 runs of this test


def test_uniform_on_an_octant() -> None:
    """Archimedes: each coordinate of a uniform point of the sphere is uniform. The octant is turned."""
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))[0]
    for k in range(3):
        assert spread(turn, 2000, 30, 3 + k, turn[k]) > 1e-4


def test_uniform_on_a_hemisphere() -> None:
    """One example: its field is uniform, the coordinates beside it are those of the whole sphere."""
    Z = np.array([[1.0, 2.0, 2.0]]) / 3
    W = chain(Z, 2000, 20, seed=5)
    assert kstest(W @ Z[0], "uniform").pvalue > 1e-4
    assert kstest(W @ np.array([2.0, 1.0, -2.0]) / 3, "uniform", args=(-1, 2)).pvalue > 1e-4


def random_directions(Z: np.ndarray, draws: int, moves: int, seed: int) -> np.ndarray:
    """Another sampler: great circles in random directions, uniform on the arc inside; (draws, N)."""
    rng = np.random.default_rng(seed)
    w = max_margin_direction(Z)
    W = np.empty((draws, w.size))
    for k in range(draws):
        for _ in range(moves):
            d = rng.normal(size=w.size)
            d -= (d @ w) * w
            d /= np.linalg.norm(d)
            # Each example leaves half the circle, cos(phi) t + sin(phi) e > 0, and phi = 0 lies in all of them.
            t, e = Z @ w, Z @ d
            wall = np.arctan2(t, np.abs(e))
            low, high = -np.min(np.where(e > 0, wall, math.pi - wall)), np.min(np.where(e < 0, wall, math.pi - wall))
            phi = low + rng.random() * (high - low)
            w = math.cos(phi) * w + math.sin(phi) * d
            w /= np.linalg.norm(w)
        W[k] = w
    return W


def test_another_sampler_agrees() -> None:
    """Means and squares of overlaps and fields, in 6 dimensions and an awkward cone, within 4 standard errors."""
    Z = kept_examples(Recipe(2.5, 0.5, 20.0, "hard"), 6, np.random.default_rng(6))
    # Apart by several times N^2 moves, the slowest correlation.
    ours, others = chain(Z, 1500, 40, seed=7), random_directions(Z, 600, 100, seed=8)[20:]
    for a, b in ((ours, others), (ours**2, others**2), (np.log(ours @ Z.T), np.log(others @ Z.T))):
        error = np.sqrt(a.var(axis=0) / len(a) + b.var(axis=0) / len(b))
        assert np.all(np.abs(a.mean(axis=0) - b.mean(axis=0)) < 4 * error)


def test_records_say_what_they_say() -> None:
    Z = kept_examples(Recipe(2.0, 1.0, 20.0, "hard"), 10, np.random.default_rng(9))
    rng = np.random.default_rng(10)
    v = max_margin_direction(Z)
    reference = v.copy()
    last = advance(np.ascontiguousarray(Z.T), reference, v, rng.random((3, 2, 10, 2)), np.full((3, 2), 3.0))[-1]
    w = v / np.linalg.norm(v)
    t = Z @ w
    # Fields are summed up along one sweep: a few roundings relative to the length of w.
    np.testing.assert_allclose(np.exp(last[3]), t.min(), atol=1e-13)
    np.testing.assert_allclose(last[[0, 1, 2, 4]], [w[0], w[1], w @ reference, np.log(t).mean()], atol=1e-11)


def test_same_seed_same_student() -> None:
    Z = kept_examples(Recipe(2.0, 0.4, 20.0, "hard"), 20, np.random.default_rng(11))
    student = Gibbs()
    one, two = student.train(Z, np.random.default_rng(1)), student.train(Z, np.random.default_rng(1))
    np.testing.assert_array_equal(one.w, two.w)
    assert one.gap == two.gap
    samples = student.samples(Z, np.random.default_rng(1))
    np.testing.assert_array_equal(samples.w[0], one.w)
    assert samples.w.shape == (4, 20)
    assert not np.allclose(student.train(Z, np.random.default_rng(2)).w, one.w)


AWKWARD = {
    "one example": Recipe(0.1, 1.0, 20.0, "hard"),
    "few": Recipe(0.5, 1.0, 20.0, "hard"),
    "many": Recipe(20.0, 1.0, 20.0, "hard"),
    "close to the probe's boundary": Recipe(3.0, 0.05, 10.0, "hard"),
    "far from it": Recipe(3.0, 0.1, 10.0, "easy"),
}


@pytest.mark.parametrize("name", AWKWARD)
@pytest.mark.parametrize("copies", [1, 3])
def test_students_classify_everything(name: str, copies: int) -> None:
    Z = np.repeat(kept_examples(AWKWARD[name], 10, np.random.default_rng(12)), copies, axis=0)
    samples = Gibbs().samples(Z, np.random.default_rng(13))
    assert np.all(Z @ samples.w.T > 0.0)
    np.testing.assert_allclose(np.linalg.norm(samples.w, axis=1), 1.0, atol=1e-14)
    assert samples.gap <= Gibbs().tolerance


def test_two_dimensions() -> None:
    Z = kept_examples(Recipe(5.0, 1.0, 20.0, "hard"), 2, np.random.default_rng(14))
    trained = Gibbs().train(Z, np.random.default_rng(15))
    assert np.all(Z @ trained.w > 0.0)
    assert trained.n_support == 0


def test_copies_and_lengths_of_examples_change_nothing() -> None:
    """The version space is the same, and so are the random numbers: the same student up to rounding."""
    Z = kept_examples(Recipe(1.5, 1.0, 20.0, "hard"), 10, np.random.default_rng(16))
    short = Gibbs(rounds=2, doublings=0, tolerance=1e3)  # rounding grows along a chain
    w = short.train(Z, np.random.default_rng(17)).w
    np.testing.assert_allclose(short.train(np.repeat(Z, 2, axis=0), np.random.default_rng(17)).w, w, atol=1e-6)
    np.testing.assert_allclose(short.train(4.0 * Z, np.random.default_rng(17)).w, w, atol=1e-6)


def test_no_version_space() -> None:
    Z = kept_examples(Recipe(2.0, 1.0, 20.0, "hard"), 10, np.random.default_rng(18))
    for nothing in (np.vstack([Z, -Z[:1]]), np.vstack([Z, np.zeros(10)]), np.vstack([np.eye(2), -np.ones(2)])):
        with pytest.raises(InvalidInputError, match="no version space"):
            Gibbs().train(nothing, np.random.default_rng(19))


def test_no_answer_while_chains_differ() -> None:
    Z = kept_examples(Recipe(3.0, 0.2, 0.0, "hard"), 40, np.random.default_rng(20))
    with pytest.raises(UncertifiedError, match="after 4 rounds, R-hat - 1 is") as caught:
        Gibbs(rounds=2, doublings=1, tolerance=1e-3).train(Z, np.random.default_rng(21))
    assert caught.value.gap > 1e-3
    assert pickle.loads(pickle.dumps(caught.value)).gap == caught.value.gap


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"chains": 1}, "chains must be an integer >= 2, got 1"),
        ({"rounds": 1}, "rounds must be an integer >= 2, got 1"),
        ({"rounds": 10.0}, "rounds must be an integer >= 2, got 10.0"),
        ({"doublings": -1}, "doublings must be an integer >= 0, got -1"),
        ({"tolerance": 0.0}, "tolerance must be positive"),
        ({"tolerance": math.nan}, "tolerance must be positive"),
    ],
)
def test_parameters_out_of_range(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        Gibbs(**wrong)  # type: ignore[arg-type]


class TestRHat:
    def test_independent_draws(self) -> None:
        """About 1 + 1/n, whatever the law: only ranks count."""
        rng = np.random.default_rng(22)
        values = [split_r_hat(rng.standard_cauchy(size=(4, 400))) for _ in range(50)]
        assert min(values) > 0.998
        assert max(values) < 1.03  # the scatter of 8 means of 200 draws
        assert split_r_hat(np.zeros((3, 10))) == 1.0

    @pytest.mark.parametrize("kind", ["place", "spread", "drift", "stuck"])
    def test_disagreement_shows(self, kind: str) -> None:
        draws = np.random.default_rng(23).normal(size=(4, 400))
        if kind == "place":
            draws[0] += 1.5
        elif kind == "spread":
            draws[0] *= 5.0
        elif kind == "drift":
            draws += np.linspace(-1.5, 1.5, 400)
        else:
            draws[:] = np.arange(4.0)[:, None]
        assert split_r_hat(draws) > 1.1

    def test_without_ranks_it_is_the_ratio_of_variances(self) -> None:
        """Written out: mean within-half variance, plus the variance of the half means, over the former."""
        draws = np.random.default_rng(24).normal(size=(3, 50)) + np.arange(3.0)[:, None]
        ranks = np.argsort(np.argsort(draws.ravel())) + 1
        scores = ndtri((ranks - 3 / 8) / (150 + 1 / 4)).reshape(3, 2, 25)
        W = scores.var(axis=2, ddof=1).mean()
        B = 25 * scores.mean(axis=2).var(ddof=1)
        assert abs(split_r_hat(draws) - math.sqrt((24 / 25 * W + B / 25) / W)) < 1e-12


def overlaps(recipe: Recipe, samples: Samples) -> list[float]:
    """R, rho and q, averaged over the students of one version space and over their pairs."""
    n = len(samples.w)
    pairs = samples.w @ samples.w.T
    R = float(np.mean([teacher_overlap(recipe, w) for w in samples.w]))
    return [R, float(samples.w[:, 0].mean()), float((pairs.sum() - n) / (n * (n - 1)))]


def test_unpruned_students_are_as_far_from_each_other_as_from_the_teacher() -> None:
    """R = q at any N: the teacher is itself uniform in the version space. Error 0.4095575 in the limit."""
    recipe = Recipe(0.5, 1.0, 20.0, "hard")

    def trial(N: int, rng: np.random.Generator) -> list[float]:
        R, _, q = overlaps(recipe, Gibbs().samples(kept_examples(recipe, N, rng), rng))
        return [R, q, R - q]

    limit, standard_error = large_N((15, 30), 150, trial)
    expected = math.cos(math.pi * 0.409557519395)
    assert np.all(np.abs(limit - [expected, expected, 0.0]) < 4 * standard_error)
    assert standard_error[2] < 0.03


# theory.md section 3, four digits: R, rho, q.
THEORY = {
    "hard": (Recipe(2.0, 0.4, 20.0, "hard"), [0.6675, 0.5277, 0.8169]),
    "easy": (Recipe(2.0, 0.4, 20.0, "easy"), [0.6525, 0.6901, 0.5369]),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", THEORY)
def test_theory_is_the_limit(name: str) -> None:
    """Every overlap within 4 standard errors; sizes and trials were fixed before looking."""
    recipe, expected = THEORY[name]

    def trial(N: int, rng: np.random.Generator) -> list[float]:
        return overlaps(recipe, Gibbs().samples(kept_examples(recipe, N, rng), rng))

    limit, standard_error = large_N((30, 60), 400, trial)
    deviations = (limit - expected) / standard_error
    print(f"{name}: {np.round(deviations, 2)} standard errors, which are {np.round(standard_error, 4)}")
    assert np.all(np.abs(deviations) < 4), deviations
    assert np.all(standard_error < 0.02)


def test_by_name() -> None:
    named, made = (pt.simulate(20, 1.0, 0.5, student=student, trials=2) for student in ("gibbs", Gibbs()))
    np.testing.assert_array_equal(named.R, made.R)
    assert named.student == "gibbs"
