"""The angle from two probes: the law, its interval in finite dimensions, real perceptrons."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import binom, binomtest

import perceptron_theory as pt
from perceptron_theory.scores.angle_agreement import theta_from_agreement, theta_from_fields

FloatArray = npt.NDArray[np.float64]
Trial = Callable[[np.random.Generator], bool]

#: Numbers of data sets, fixed beforehand.
TRIALS = [60, pytest.param(300, marks=pytest.mark.slow)]


def misses(trial: Trial, trials: int) -> int:
    """How often an interval of level 0.95 misses."""
    return sum(not trial(rng) for rng in np.random.default_rng(1).spawn(trials))


def most(trials: int) -> int:
    """Misses at a true level of 0.95 exceed this with probability 1e-4."""
    return int(binom.ppf(1 - 1e-4, trials, 0.05))


def unit(vectors: FloatArray) -> FloatArray:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


def two_probes(N: int, theta: float, rng: np.random.Generator) -> FloatArray:
    """Unit vectors at an angle to the first axis, deviations in random directions orthogonal to it."""
    deviation = unit(rng.standard_normal((2, N - 1)))
    return np.hstack([np.full((2, 1), np.cos(theta)), np.sin(theta) * deviation])


def test_in_infinite_dimension_the_interval_is_that_of_clopper_and_pearson() -> None:
    estimate = theta_from_agreement(130, 1000)
    exact = binomtest(130, 1000).proportion_ci(0.95, method="exact")
    gamma = np.pi * np.array([exact.low, 0.13, exact.high])
    # Roots are found to 1e-12, this way round loses half the digits of small angles.
    expected = np.arccos(np.sqrt(np.cos(gamma)))
    np.testing.assert_allclose([estimate.low, estimate.theta, estimate.high], expected, rtol=1e-9)


@pytest.mark.parametrize("N", [6, 8, 50])
def test_ends_are_quantiles_of_random_directions(N: int) -> None:
    rng = np.random.default_rng(2)
    # So many examples that only chance alignment is left.
    estimate = theta_from_agreement(10**8, 10**9, N=N)
    deviations = unit(rng.standard_normal((2, 20_000, N - 1)))
    cosine = np.sum(deviations[0] * deviations[1], axis=1)
    for end, above in ((estimate.low, 0.975), (estimate.high, 0.025)):
        # cos(gamma) = cos^2 + sin^2 xi is cos(0.1 pi) at this xi.
        xi = (np.cos(0.1 * np.pi) - np.cos(end) ** 2) / np.sin(end) ** 2
        # 4 standard errors of a fraction of 20,000, and half a slice of 1/501.
        assert np.mean(cosine > xi) == pytest.approx(above, abs=4 * np.sqrt(0.025 / 20_000) + 1e-3)


def test_three_dimensions_say_little() -> None:
    # Deviations in a plane lie within 18 degrees of each other with chance 0.1: even pi/2 is not excluded.
    assert theta_from_agreement(10**8, 10**9, N=3).high == np.pi / 2


@pytest.mark.parametrize("trials", TRIALS)
@pytest.mark.parametrize("by", ["signs", "correlation"])
def test_interval_covers_in_few_dimensions(by: str, trials: int) -> None:
    def trial(rng: np.random.Generator, N: int | None = 20) -> bool:
        fields = two_probes(20, 0.5, rng) @ rng.standard_normal((20, 5000))
        estimate = theta_from_fields(*fields, by=by, N=N)  # type: ignore[arg-type]
        return estimate.low <= 0.5 <= estimate.high

    assert misses(trial, trials) <= most(trials)
    # Without N, chance alignment is left out, and here it is the larger part.
    assert misses(lambda rng: trial(rng, N=None), trials) > most(trials)


@pytest.mark.parametrize("trials", TRIALS)
def test_interval_covers_perceptrons_trained_on_halves(trials: int) -> None:
    N, P = 40, 120

    def trial(rng: np.random.Generator) -> bool:
        T = unit(rng.standard_normal(N))
        X = rng.standard_normal((2, P, N))
        Z = X * np.sign(X @ T)[..., None]
        probes = np.stack([pt.MaxMargin().train(half, rng).w for half in Z])
        fields = probes @ rng.standard_normal((N, 1000))
        estimate = theta_from_fields(*fields, N=N)
        theta = np.arccos(np.sqrt(np.prod(probes @ T)))
        return bool(estimate.low <= theta <= estimate.high)

    assert misses(trial, trials) <= most(trials)


@pytest.mark.parametrize("trials", TRIALS)
def test_correlation_covers_in_infinite_dimension(trials: int) -> None:
    def trial(rng: np.random.Generator) -> bool:
        truth, one, other = rng.standard_normal((3, 100))
        fields = np.cos(0.8) * truth + np.sin(0.8) * np.stack([one, other])
        estimate = theta_from_fields(*fields, by="correlation")
        return estimate.low <= 0.8 <= estimate.high

    assert misses(trial, trials) <= most(trials)


def test_margins_do_as_well_as_fields_in_any_unit() -> None:
    rng = np.random.default_rng(3)
    fields = two_probes(30, 0.4, rng) @ rng.standard_normal((30, 500))
    labels = rng.choice([-1.0, 1.0], 500)
    for by in ("signs", "correlation"):
        plain = theta_from_fields(*fields, by=by)
        turned = theta_from_fields(1e200 * labels * fields[0], 1e-200 * labels * fields[1], by=by)
        # Rounding of sums of 500 terms.
        assert turned.theta == pytest.approx(plain.theta, rel=1e-12)
        assert turned.high == pytest.approx(plain.high, rel=1e-9)


def test_correlation_is_sharper_than_signs() -> None:
    rng = np.random.default_rng(4)
    theta = np.deg2rad(17)
    fields = two_probes(2000, theta, rng) @ rng.standard_normal((2000, 4000))
    signs, correlation = (theta_from_fields(*fields, by=by) for by in ("signs", "correlation"))
    # pi sqrt(P (1 - P)) / sin(gamma) at cos(gamma) = cos(17 degrees)^2 is 2.63; lengths vary by about n^(-1/2).
    assert (signs.high - signs.low) / (correlation.high - correlation.low) == pytest.approx(2.63, rel=0.1)


def test_more_than_half_by_chance_is_a_right_angle() -> None:
    estimate = theta_from_agreement(505, 1000)
    assert estimate.theta == estimate.high == np.pi / 2 > estimate.low
    fields = np.random.default_rng(5).standard_normal((2, 100))
    negative = theta_from_fields(*fields, by="correlation")
    assert np.sum(fields[0] * fields[1]) < 0
    assert negative.theta == negative.high == np.pi / 2 > negative.low


def test_contradictions_are_refused() -> None:
    with pytest.raises(pt.InvalidInputError, match="disagree on more than half of the examples, 600 of 1000"):
        theta_from_agreement(600, 1000)
    one, other = np.random.default_rng(6).standard_normal((2, 1000))
    with pytest.raises(pt.InvalidInputError, match="correlated negatively"):
        theta_from_fields(one, other - one, by="correlation")
    for copy in (2.0 * one, -one):
        with pytest.raises(pt.ScoreError, match=r"got a correlation of -?1: train each on its own data"):
            theta_from_fields(one, copy, by="correlation")


@pytest.mark.parametrize(
    ("first", "second", "by", "message"),
    [
        ([1.0, 2.0], [1.0], "signs", r"two vectors of one length, got shapes \(2,\) and \(1,\)"),
        ([], [], "signs", r"got shapes \(0,\) and \(0,\)"),
        ([[1.0]], [[1.0]], "signs", r"got shapes \(1, 1\)"),
        ([1.0, np.nan], [1.0, 2.0], "signs", "first must be finite and not 0 everywhere"),
        ([1.0, 2.0], [0.0, 0.0], "correlation", "second must be finite and not 0 everywhere"),
        ([1.0, 0.0], [1.0, 2.0], "signs", "got 1 zeros: a field of 0 has no sign; use by='correlation'"),
        ([1.0, 3.0], [1.0, 2.0], "size", "by must be 'signs' or 'correlation', got 'size'"),
        ([1.0, 3.0], [1.0, 2.0], "correlation", "n must be a whole number of at least 10, got 2"),
        (["a", "b"], [1.0, 2.0], "signs", "first must be a real number"),
    ],
)
def test_bad_fields_are_named(first: list[float], second: list[float], by: str, message: str) -> None:
    with pytest.raises(pt.InvalidInputError, match=message):
        theta_from_fields(first, second, by=by)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"disagreements": 3, "n": 2}, "disagreements must be at most n=2, got 3"),
        ({"disagreements": 1, "n": 10, "N": 2}, "N must be a whole number of at least 3, got 2"),
        ({"disagreements": 1, "n": 10, "level": 0.1}, r"level must lie in \[1/2, 1\), got 0.1"),
    ],
)
def test_bad_counts_are_named(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(pt.InvalidInputError, match=message):
        theta_from_agreement(**arguments)
