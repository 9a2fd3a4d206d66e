"""Equal scores are a coarse view of |z|: a rule keeps a random part of them, and their |z| fill an interval."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy.special import ndtri
from scipy.stats import norm, poisson

import perceptron_theory as pt
from perceptron_theory.explorer.kept import compute_kept
from perceptron_theory.explorer.setting import Setting
from perceptron_theory.simulation.training.hard_margin.solver import MaxMargin

FloatArray = npt.NDArray[np.float64]

N_SCORES = 5000
THETAS = (0.0, 0.1, 0.3)
#: 5,000 examples in the place of a density: errors of the midpoint rule, of the order of (1 / n)^2 inside and of 1 / n
#: of an example at each threshold and at a gap of 1 / n around 0.
DISCRETE = 3e-6


class Tied(NamedTuple):
    """Quantiles of |z| at which one group of equal scores ends and the next begins."""

    ends: FloatArray

    def scores(self) -> pt.Scores:
        """Scores whose ties are these, of examples at the middle of each rank."""
        quantile = (np.arange(N_SCORES) + 0.5) / N_SCORES
        coarse = np.searchsorted(self.ends[1:-1], quantile).astype(float)
        return pt.Scores(np.random.default_rng(0).permutation(coarse), higher_is="easier")

    def rule(self, low: float, high: float) -> pt.KeepProbability:
        """What keeping the scores between two quantiles means on Gaussian data, without any example."""
        share = np.clip(
            (np.minimum(self.ends[1:], high) - np.maximum(self.ends[:-1], low)) / np.diff(self.ends), 0.0, 1.0
        )
        z = ndtri(0.5 * (1.0 + self.ends[1:-1]))
        return pt.KeepProbability(lambda m: share[np.searchsorted(z, np.abs(m))], breakpoints=[*-z, *z])


FORTY = Tied(np.array([0.0, 0.4, 0.55, 0.7, 0.9, 1.0]))
#: Numbers of forgetting events, say: 37 % at 0, and the rarest is the hardest.
POISSON = Tied(np.round(np.append(0.0, np.append(1.0 - poisson.cdf(np.arange(6), 1.0)[::-1], 1.0)), 3))


@pytest.mark.parametrize("theta", THETAS)
@pytest.mark.parametrize("tied", [FORTY, POISSON], ids=["forty", "poisson"])
@pytest.mark.parametrize(
    ("selection", "window"), [("hard", (0.0, 0.3)), ("easy", (0.7, 1.0)), (pt.Band(0.2), (0.2, 0.5))]
)
def test_tied_scores_are_a_keep_probability(
    tied: Tied, theta: float, selection: str | pt.Band, window: tuple[float, float]
) -> None:
    by_score = pt.solve(3.0, 0.3, theta, selection=selection, margins=tied.scores().margins())
    by_rule = pt.solve(3.0, theta=theta, selection=tied.rule(*window))
    assert float(by_rule.f) == pytest.approx(0.3, rel=1e-12)
    for name in ("test_error", "R", "rho", "kappa"):
        assert float(getattr(by_score, name)) == pytest.approx(float(getattr(by_rule, name)), rel=DISCRETE), name


@pytest.mark.parametrize(("theta", "printed"), [(0.0, 0.06666), (0.1, 0.06837), (0.3, 0.09392)])
def test_hardest_forty_per_cent_tied(theta: float, printed: float) -> None:
    """Five digits; a group at its mid-rank, as one atom, would give 0, .0070 and .0929."""
    quantile = (np.arange(20_000) + 0.5) / 20_000
    z = ndtri(0.5 * (1.0 + quantile))
    scores = pt.Scores(np.where(z < ndtri(0.7), 0.0, z), higher_is="easier")
    assert float(pt.solve(3.0, 0.3, theta, margins=scores.margins()).test_error) == pytest.approx(printed, abs=6e-6)


@pytest.mark.parametrize("student", ["gibbs", pt.ConvexLoss("logistic", lam=0.1), pt.ConvexLoss("square", lam=1.0)])
def test_every_student_sees_the_ties(student: str | pt.ConvexLoss) -> None:
    by_score = pt.solve(3.0, 0.3, 0.2, margins=FORTY.scores().margins(), student=student)
    by_rule = pt.solve(3.0, theta=0.2, selection=FORTY.rule(0.0, 0.3), student=student)
    assert float(by_score.test_error) == pytest.approx(float(by_rule.test_error), rel=DISCRETE)


def test_keep_probability_cannot_tell_equal_scores_apart() -> None:
    """k, a step within a group, is seen as its mean there."""
    margins = FORTY.scores().margins()
    z = float(ndtri(0.6))  # quantile 0.2 of |z|, half of the first group
    fine = pt.KeepProbability(lambda m: (np.abs(m) < z).astype(float), breakpoints=[-z, z])
    seen = pt.solve(3.0, theta=0.2, selection=fine, margins=margins)
    hard = pt.solve(3.0, 0.2, 0.2, margins=margins)
    assert float(seen.f) == pytest.approx(0.2, rel=1e-12)
    assert float(seen.test_error) == pytest.approx(float(hard.test_error), rel=1e-9)
    drawn = margins.keep_probability(fine, np.array([0.01, 0.5, 0.7]))
    np.testing.assert_allclose(drawn, [0.5, 0.5, 0.0], atol=1e-12)


@pytest.mark.parametrize("theta", THETAS)
def test_finite_students_of_tied_scores(theta: float) -> None:
    """A pool is drawn, scored and pruned here, without the simulator; only the student is its own."""
    N, trials = 100, 40
    rng = np.random.default_rng(7)
    errors = []
    for _ in range(trials):
        pool = rng.standard_normal((10 * N, N))
        score = np.where(np.abs(pool[:, 0]) < ndtri(0.7), 0.0, np.abs(pool[:, 0]))
        kept = pool[np.lexsort((rng.random(10 * N), score))[: 3 * N]]
        teacher = np.zeros(N)
        teacher[:2] = np.cos(theta), np.sin(theta)
        w = MaxMargin().train(kept * np.sign(kept @ teacher)[:, None], rng).w
        errors.append(np.arccos(w @ teacher / np.linalg.norm(w)) / np.pi)
    simulated = pt.simulate(N, 3.0, 0.3, theta, margins=FORTY.scores().margins(), trials=trials, seed=3)
    theory = float(pt.solve(3.0, 0.3, theta, margins=FORTY.scores().margins()).test_error)
    by_hand, spread = np.mean(errors), np.std(errors, ddof=1) / np.sqrt(trials)
    assert abs(by_hand - theory) < 4 * spread
    both = np.hypot(spread, simulated.standard_error.test_error)
    assert abs(by_hand - simulated.mean.test_error) < 4 * both


def test_gradients_move_ties_together() -> None:
    """Central differences; the influence of an example at the threshold is the mean over its group."""
    rng = np.random.default_rng(2)
    z = np.sort(np.abs(rng.standard_normal(30)))
    scores = np.repeat([0.0, 1.0, 2.0], [12, 10, 8])

    def error(f: float, theta: float, weights: FloatArray) -> float:
        margins = pt.MeasuredMargins(z, weights, signed=False, scores=scores)
        return float(pt.solve(3.0, f, theta, margins=margins).test_error)

    weights = rng.uniform(0.5, 1.5, 30)
    weights /= weights.sum()
    margins = pt.MeasuredMargins(z, weights, signed=False, scores=scores)
    gradient = pt.error_gradient(3.0, 0.5, 0.3, margins=margins)
    h = 1e-4
    assert float(gradient.f) == pytest.approx(
        (error(0.5 + h, 0.3, weights) - error(0.5 - h, 0.3, weights)) / (2 * h), rel=1e-5
    )
    assert float(gradient.theta) == pytest.approx(
        (error(0.5, 0.3 + h, weights) - error(0.5, 0.3 - h, weights)) / (2 * h), rel=1e-5
    )
    assert gradient.weights is not None
    for i in (0, 15, 25):  # kept whole, kept in part, not kept
        step = np.zeros(30)
        step[i] = h * weights[i]
        slope = (error(0.5, 0.3, weights + step) - error(0.5, 0.3, weights - step)) / (2 * step[i])
        # Differences of h^2, relative to the largest of the derivatives.
        assert gradient.weights[i] == pytest.approx(slope, abs=1e-5 * np.abs(gradient.weights).max())


def test_frontier_of_tied_scores() -> None:
    """It is that of Gaussian data under the coarse rule, at the f that it found."""
    frontier = pt.pareto_frontier(3.0, 0.1, f_min=0.05, margins=FORTY.scores().margins())
    f = float(frontier.f)
    by_rule = pt.solve(3.0, theta=0.1, selection=FORTY.rule(0.0, f))
    assert float(frontier.test_error) == pytest.approx(float(by_rule.test_error), rel=DISCRETE)
    grid = [float(pt.solve(3.0, theta=0.1, selection=FORTY.rule(0.0, x)).test_error) for x in np.linspace(0.05, 1, 39)]
    assert float(frontier.test_error) <= min(grid) * (1 + DISCRETE)


def test_explorer_shows_a_part_of_a_tied_group() -> None:
    """Hard, f = 0.3 of a group of 0.4: everywhere in it three quarters."""
    kept = compute_kept(Setting(f=0.3), FORTY.scores().margins())
    inside = (kept.low >= 0.0) & (kept.high <= ndtri(0.7))
    np.testing.assert_allclose(kept.kept[inside] / kept.density[inside], 0.75, rtol=1e-12)
    assert kept.kept[kept.low > ndtri(0.7) + 0.1].max() == 0.0


def test_drawn_examples_fill_their_group() -> None:
    """The |z| of examples kept out of a tied group are those of the whole group."""
    margins = FORTY.scores().margins()
    beyond = 1.0 - np.linspace(0.001, 0.1, 4000)  # as if the first quarter of the group had been kept
    z, _ = margins.at_quantiles(beyond, np.random.default_rng(1))
    quantile = 2.0 * norm.cdf(z) - 1.0
    assert quantile.max() < 0.4
    # Uniform on (0, 0.4): 5 standard errors of the mean of 4,000.
    assert abs(quantile.mean() - 0.2) < 5 * 0.4 / np.sqrt(12 * 4000)


def test_ties_are_part_of_the_fingerprint() -> None:
    z = [0.1, 0.2, 0.3]
    plain = pt.MeasuredMargins(z, signed=False)
    same = pt.MeasuredMargins(z, signed=False, scores=[1.0, 2.0, 3.0])
    tied = pt.MeasuredMargins(z, signed=False, scores=[1.0, 1.0, 3.0])
    assert (plain.tied, same.tied, tied.tied) == (False, False, True)
    assert plain.digest() == same.digest() != tied.digest()
    assert tied.threshold_ties(pt.Hard(), 1 / 3) == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("scores", "message"),
    [([1.0, 2.0], "one per value"), ([3.0, 2.0, 1.0], "rise with"), ([1.0, np.nan, 3.0], "finite")],
)
def test_scores_that_are_no_view_of_magnitudes(scores: list[float], message: str) -> None:
    with pytest.raises(pt.InvalidInputError, match=message):
        pt.MeasuredMargins([0.1, 0.2, 0.3], signed=False, scores=scores)
    with pytest.raises(pt.InvalidInputError, match="two scores at one"):
        pt.MeasuredMargins([0.1, 0.1, 0.3], signed=False, scores=[1.0, 2.0, 3.0])


def test_calibration_sees_the_ties() -> None:
    """Runs made by the theory of Gaussian data under the coarse rule give their angle back."""
    scores = FORTY.scores()
    f = np.array([1.0, 0.7, 0.3, 1.0, 0.7, 0.3])
    n_total = np.array([500, 500, 500, 1500, 1500, 1500])
    n_kept = np.round(f * n_total).astype(int)
    test_error = [
        float(pt.solve(kept / 300.0, theta=0.25, selection=FORTY.rule(0.0, part)).test_error)
        for kept, part in zip(n_kept, f, strict=True)
    ]
    rules = np.where(f < 1.0, "hard", "random")
    table = {"n_total": n_total, "n_kept": n_kept, "selection": rules, "test_error": test_error, "seed": 0}
    found = pt.calibrate(pd.DataFrame(table), scores=scores, free=("N", "theta"), intervals="normal")
    assert found.value("theta") == pytest.approx(0.25, rel=1e-3)
    assert found.value("N") == pytest.approx(300.0, rel=1e-3)
