"""The angle from a rank correlation: the law by quadrature and by sampling, ties, coverage, real files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy.integrate import quad
from scipy.special import ndtri
from scipy.stats import binom, multivariate_normal, spearmanr

import perceptron_theory as pt
from perceptron_theory.scores.angle import AngleEstimate
from perceptron_theory.scores.angle_rank_law import RankTable
from perceptron_theory.scores.angle_ranks import rank_table, theta_from_rank_correlation

FloatArray = npt.NDArray[np.float64]
Coarse = Callable[[FloatArray], FloatArray]

ANGLES = [0.02, 0.3, 0.8, 1.3]
#: Numbers of data sets, fixed beforehand.
TRIALS = [60, pytest.param(300, marks=pytest.mark.slow)]
MEDIAN = 0.6744897501960817


def untied(x: FloatArray) -> FloatArray:
    return x


def half_tied(x: FloatArray) -> FloatArray:
    return np.minimum(x, MEDIAN)


def levels(x: FloatArray) -> FloatArray:
    return np.floor(4 * x)


def fields(theta: float, n: int, rng: np.random.Generator) -> FloatArray:
    """|z| along the probe and |A| along the truth."""
    z, g = rng.standard_normal((2, n))
    return np.abs([z, np.cos(theta) * z + np.sin(theta) * g])


def estimate(x: FloatArray, y: FloatArray) -> AngleEstimate:
    return theta_from_rank_correlation(pt.Scores(x, higher_is="easier"), pt.Scores(y, higher_is="easier"))


def spearman(theta: float) -> float:
    """The law without ties, as the notes of `RankTable` give it."""
    end = np.arcsin(np.cos(theta) / 2)
    value, error = quad(lambda t: np.arcsin(np.sin(t) / np.cos(2 * t)), 0, end, epsabs=1e-12, epsrel=1e-12)
    assert error < 1e-10
    return float(48 / np.pi**2 * value)


def equal_groups(k: int, n: int = 10**15) -> RankTable:
    """A table with k equal groups each; so many examples that 1/n does not count."""
    return RankTable(np.full((k, k), n // k**2))


def predicted(table: RankTable, theta: float) -> float:
    return table.prediction(theta).mean / table.prediction(0.0).mean


def test_law_without_ties_has_its_ends_and_is_what_sampling_shows() -> None:
    # Quadrature is accurate to 1e-10.
    assert spearman(0.0) == pytest.approx(1.0, abs=1e-9)
    assert spearman(np.pi / 2) == pytest.approx(0.0, abs=1e-9)
    for theta in ANGLES:
        sampled = spearmanr(*fields(theta, 200_000, np.random.default_rng(0))).statistic
        # The standard error of Spearman's coefficient is at most about n^(-1/2) = 0.0022.
        assert sampled == pytest.approx(spearman(theta), abs=4 * 0.0022)


@pytest.mark.parametrize("theta", ANGLES[1:])
def test_many_groups_return_the_law_without_ties(theta: float) -> None:
    gaps = [predicted(equal_groups(k), theta) - spearman(theta) for k in (50, 100, 200)]
    # Gaps fall as 1/k^2 times a logarithm, from the tails; one step of Richardson leaves a small part.
    assert abs(gaps[2]) < 2 / 200**2
    assert 3.5 < gaps[1] / gaps[2] < 4.1
    assert (4 * gaps[2] - gaps[1]) / 3 == pytest.approx(0.0, abs=1e-6)


def test_law_with_ties_is_that_of_gaussian_rectangles() -> None:
    counts, theta = 10**12 * np.array([[30, 5, 10], [15, 20, 20]]), 0.6
    below, steps = [], []
    for axis in (1, 0):
        share = counts.sum(axis=axis) / counts.sum()
        below.append(np.cumsum(share)[:-1])
        steps.append(0.5 * (share[1:] + share[:-1]))
    normal = multivariate_normal(cov=[[1, np.cos(theta)], [np.cos(theta), 1]])
    x, y = (ndtri(0.5 * (1 + q)) for q in below)
    inside = np.array([[normal.cdf([a, b], lower_limit=[-a, -b]) for b in y] for a in x])
    covariance = steps[0] @ (inside - np.outer(*below)) @ steps[1]
    # The reference integrates to about 1e-8.
    assert RankTable(counts).prediction(theta).mean == pytest.approx(covariance, abs=1e-7)


@pytest.mark.parametrize("theta", ANGLES)
def test_mean_in_a_finite_sample_is_that_of_moran(theta: float) -> None:
    n = 64
    single = RankTable(np.eye(n, dtype=np.intp))
    # Sheppard's law twice: |z1| > |z2| asks for the signs of z1 - z2 and z1 + z2, which are independent.
    tau = (1 - 2 * theta / np.pi) ** 2
    expected = ((n - 2) * spearman(theta) + 3 * tau) / (n + 1)
    # What is left out, and cuts every 1/n, are of order 1/n^2 = 0.00024; pairs count 3 (tau - rho_S) / n, up to 0.01.
    assert predicted(single, theta) == pytest.approx(expected, abs=3e-4)


@pytest.mark.parametrize("trials", [200, pytest.param(1000, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("theta", "first", "second"),
    [(0.1, untied, untied), (0.5, half_tied, half_tied), (0.5, untied, levels), (1.4, levels, half_tied)],
)
def test_mean_and_deviation_are_what_sampling_shows(theta: float, first: Coarse, second: Coarse, trials: int) -> None:
    standardised = []
    for rng in np.random.default_rng(2).spawn(trials):
        x, y = fields(theta, 200, rng)
        table = rank_table(pt.Scores(first(x), higher_is="easier"), pt.Scores(second(y), higher_is="easier"))
        mean, deviation = table.prediction(theta)
        standardised.append((table.covariance - mean) / deviation)
    # 4 standard errors, and n^(-1/2) = 0.07 for what the law leaves out.
    assert np.mean(standardised) == pytest.approx(0.0, abs=4 / np.sqrt(trials) + 0.07)
    assert np.std(standardised) == pytest.approx(1.0, abs=4 / np.sqrt(2 * trials) + 0.07)


@pytest.mark.parametrize("trials", TRIALS)
@pytest.mark.parametrize(
    ("theta", "n", "first", "second"),
    [
        pytest.param(0.1, 200, untied, untied, marks=pytest.mark.slow),  # most groups, most time
        (0.05, 1000, levels, half_tied),
        (0.3, 1000, levels, levels),
        (0.8, 50, half_tied, half_tied),
        (1.4, 200, levels, half_tied),
    ],
)
def test_interval_covers(theta: float, n: int, first: Coarse, second: Coarse, trials: int) -> None:
    missed = 0
    for rng in np.random.default_rng(3).spawn(trials):
        x, y = fields(theta, n, rng)
        try:
            found = estimate(first(x), second(y))
            missed += not found.low <= theta <= found.high
        except pt.InvalidInputError:  # refused as opposite orders
            missed += 1
    # Misses at a true level of 0.95 exceed this with probability 1e-4.
    assert missed <= binom.ppf(1 - 1e-4, trials, 0.05)


def test_estimate_is_where_the_law_meets_the_observed_correlation() -> None:
    x, y = fields(0.6, 100_000, np.random.default_rng(4))
    found = estimate(x, y)
    # Groups of 1/64 change Spearman's coefficient by about 1/64^2 = 0.00024, and its slope in theta is about -1.4.
    assert spearman(found.theta) == pytest.approx(spearmanr(x, y).statistic, abs=3e-4)
    assert found.low < 0.6 < found.high


def test_ties_do_not_open_the_angle() -> None:
    x, y = fields(0.1, 20_000, np.random.default_rng(5))
    plain, tied = estimate(x, y), estimate(x, half_tied(y))
    # Taken for a coefficient without ties, this one would mean an angle of 0.2.
    assert spearmanr(x, half_tied(y)).statistic < spearman(0.19)
    # Half of the order is lost: theta is known to about theta / n^(1/2), twice as far.
    assert tied.theta == pytest.approx(plain.theta, abs=4 * 2 * 0.1 / np.sqrt(20_000))


def test_examples_are_matched_by_their_ids() -> None:
    rng = np.random.default_rng(6)
    x, y = fields(0.4, 500, rng)
    names = np.array([f"image {i}" for i in range(500)], dtype=object)
    order = rng.permutation(500)
    cheap = pt.Scores(x, higher_is="easier", ids=names)
    shuffled = pt.Scores(-y[order], higher_is="harder", ids=names[order])
    assert theta_from_rank_correlation(cheap, shuffled) == estimate(x, y)
    # Positions are the ids of scores without any.
    numbered = pt.Scores(y[order], higher_is="easier", ids=order)
    assert theta_from_rank_correlation(pt.Scores(x, higher_is="easier"), numbered) == estimate(x, y)


def test_only_the_order_counts_and_which_is_trusted_does_not() -> None:
    x, y = fields(0.4, 300, np.random.default_rng(7))
    once, turned = estimate(x, half_tied(y)), estimate(half_tied(y), np.exp(x))
    # Sums in another order; roots are found to 1e-12.
    assert turned.theta == pytest.approx(once.theta, rel=1e-9)
    assert (turned.low, turned.high) == pytest.approx((once.low, once.high), rel=1e-9)


def test_the_same_order_is_an_angle_of_zero_with_an_upper_end() -> None:
    rng = np.random.default_rng(8)
    for coarse, length in ((untied, 1e-3), (levels, 0.02), (half_tied, 0.02)):
        x = coarse(np.abs(rng.standard_normal(1000)))
        found = estimate(x, x)
        # Within 1e-3 no pair of neighbours of 64 groups changes sides; the rule of three for ties gives 3 / n each.
        assert (found.theta, found.low) == (0.0, 0.0)
        assert 0 < found.high < length


def test_no_correlation_is_a_right_angle_and_opposite_orders_are_refused() -> None:
    rng = np.random.default_rng(9)
    x, y = rng.standard_normal((2, 400))
    y *= -np.sign(spearmanr(x, y).statistic)
    found = estimate(x, y)
    assert found.theta == found.high == np.pi / 2 > found.low
    with pytest.raises(
        pt.InvalidInputError, match=r"opposite ways, with rank correlation -0.9999 of 400 examples: check"
    ):
        estimate(x, -x)


def test_scores_that_cannot_be_matched_are_refused() -> None:
    x, y = fields(0.4, 100, np.random.default_rng(10))
    ids = np.arange(100)
    cheap = pt.Scores(x, higher_is="easier", source="cheap.csv", ids=ids)
    with pytest.raises(pt.ScoreError, match=r"1 of the 100 in cheap.csv, such as id 99, are not in dear.csv"):
        theta_from_rank_correlation(cheap, pt.Scores(y[:99], higher_is="easier", source="dear.csv"))
    with pytest.raises(pt.ScoreError, match=r"got 99 in scores and 100 in cheap.csv: drop those that only one has"):
        theta_from_rank_correlation(pt.Scores(y[:99], higher_is="easier"), cheap)
    with pytest.raises(pt.ScoreError, match=r"100 of the 100 in cheap.csv, such as id 0,"):
        theta_from_rank_correlation(cheap, pt.Scores(y, higher_is="easier", ids=ids.astype(str)))
    with pytest.raises(pt.ScoreError, match="at least 50 examples, got 49"):
        estimate(x[:49], y[:49])


def test_real_metrics_of_the_same_images(shared_data: Path) -> None:
    with np.load(shared_data / "scores" / "cifar10_train.npz") as columns:
        cscore = pt.Scores(columns["cscore"], higher_is="easier")
        el2n = pt.Scores(columns["el2n_cv"], higher_is="harder")
        p_true = pt.Scores(columns["ptrue_cv"], higher_is="easier")
    far, near = (theta_from_rank_correlation(el2n, trusted) for trusted in (cscore, p_true))
    # Few of these are tied: groups of 1/64 change Spearman's coefficient by about 0.0003.
    observed = spearmanr(el2n.difficulty, cscore.difficulty).statistic
    assert spearman(far.theta) == pytest.approx(observed, abs=1e-3)
    # Two readings of one softmax, of which half is rounded to 1: near to each other, though the coefficient is 0.95.
    assert spearmanr(el2n.difficulty, p_true.difficulty).statistic < 0.96
    assert near.high < 0.05 < far.low


@pytest.mark.parametrize("seed", range(30))
def test_any_ties_give_a_falling_law_and_ordered_ends(seed: int) -> None:
    rng = np.random.default_rng([seed, 11])
    x, y = fields(rng.choice([0.0, 1e-3, 0.1, 0.5, 1.0]), int(rng.integers(50, 400)), rng)
    cuts = [np.sort(rng.choice(score, rng.integers(1, 10), replace=False)) for score in (x, y)]
    cheap, trusted = (
        pt.Scores(np.searchsorted(cut, score), higher_is="easier") for cut, score in zip(cuts, (x, y), strict=True)
    )
    found = theta_from_rank_correlation(cheap, trusted)
    assert 0.0 <= found.low <= found.theta <= found.high <= np.pi / 2
    assert found.low < found.high
    table = rank_table(cheap, trusted)
    # Rounding of a sum of some hundred terms.
    assert np.all(np.diff([table.prediction(theta).mean for theta in np.linspace(0.0, np.pi / 2, 20)]) < 1e-15)
