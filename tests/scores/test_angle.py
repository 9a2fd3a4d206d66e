"""The angle from the error rate of the probe; what all estimators of the angle share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, binom

import perceptron_theory as pt
from perceptron_theory.scores.angle import AngleEstimate, theta_from_error_rate
from perceptron_theory.scores.angle_agreement import theta_from_agreement


@pytest.mark.parametrize(
    ("errors", "n"), [(0, 1), (0, 1000), (1, 3), (17, 100), (250, 1000), (12_345, 1_281_167), (10**11, 10**12)]
)
def test_interval_is_that_of_clopper_and_pearson(errors: int, n: int) -> None:
    estimate = theta_from_error_rate(errors, n, level=0.9)
    low = beta.ppf(0.05, errors, n - errors + 1) if errors else 0.0
    high = beta.ppf(0.95, errors + 1, n - errors)
    # Roots are found to 1e-12 relative to theta, incomplete beta functions to about 1e-12.
    np.testing.assert_allclose(
        [estimate.low, estimate.theta, estimate.high],
        np.minimum(np.pi * np.array([low, errors / n, high]), np.pi / 2),
        rtol=1e-9,
    )


def test_error_rate_of_gaussian_fields_is_the_angle() -> None:
    rng = np.random.default_rng(0)
    z, g = rng.standard_normal((2, 100_000))
    errors = int(np.sum((z > 0) != (np.cos(0.4) * z + np.sin(0.4) * g > 0)))
    estimate = theta_from_error_rate(errors, z.size)
    # 4 standard errors of pi times a binomial fraction.
    assert estimate.theta == pytest.approx(0.4, abs=4 * np.pi * np.sqrt(0.127 * 0.873 / z.size))


@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_either_side_misses_no_more_often_than_promised(noise: float) -> None:
    n, level = 40, 0.9
    ends = np.full((n + 1, 2), np.nan)  # refused: a miss
    for errors in range(n + 1):
        try:
            estimate = theta_from_error_rate(errors, n, label_noise=noise, level=level)
        except pt.InvalidInputError:
            continue
        ends[errors] = estimate.low, estimate.high
    for theta in np.linspace(0.0, np.pi / 2, 101):
        chance = binom.pmf(np.arange(n + 1), n, theta / np.pi * (1 - 2 * noise) + noise)
        refused = np.isnan(ends[:, 0])
        below, above = refused[: n // 2].nonzero()[0], n // 2 + refused[n // 2 :].nonzero()[0]
        # A sum of n + 1 probabilities, and an interval that ends at theta itself may miss it by rounding.
        assert chance[ends[:, 1] < theta - 1e-9].sum() + chance[below].sum() <= 0.05 + 1e-9
        assert chance[ends[:, 0] > theta + 1e-9].sum() + chance[above].sum() <= 0.05 + 1e-9


def test_label_noise_is_taken_out() -> None:
    # 0.1 (1 - 2 * 0.2) + 0.2 = 0.26.
    assert theta_from_error_rate(260, 1000, label_noise=0.2).theta == pytest.approx(0.1 * np.pi)
    assert "0.2 of the labels" in theta_from_error_rate(260, 1000, label_noise=0.2).assumption


def test_rates_beyond_the_range_by_chance_end_there() -> None:
    clean = theta_from_error_rate(195, 1000, label_noise=0.2)
    assert clean.theta == clean.low == 0.0 < clean.high
    guess = theta_from_error_rate(510, 1000)
    assert guess.theta == guess.high == np.pi / 2 > guess.low


def test_rates_beyond_chance_are_refused() -> None:
    with pytest.raises(pt.InvalidInputError, match="worse than chance, wrong on 600 of 1000"):
        theta_from_error_rate(600, 1000)
    with pytest.raises(pt.InvalidInputError, match="fewer than label_noise alone makes, got 100 of 1000"):
        theta_from_error_rate(100, 1000, label_noise=0.2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"errors": 1, "n": 0}, "n must be a whole number of at least 1, got 0"),
        ({"errors": 11, "n": 10}, "errors must be at most n=10, got 11"),
        ({"errors": -1, "n": 10}, "errors must be a whole number of at least 0, got -1"),
        ({"errors": 0.1, "n": 10}, "errors must be a whole number"),
        ({"errors": "1", "n": 10}, "errors must be a real number"),
        ({"errors": 1, "n": 10, "label_noise": 0.5}, r"label_noise must lie in \[0, 1/2\), got 0.5"),
        ({"errors": 1, "n": 10, "label_noise": -0.1}, r"label_noise must lie in \[0, 1/2\), got -0.1"),
        ({"errors": 1, "n": 10, "label_noise": float("nan")}, r"label_noise must lie in \[0, 1/2\), got nan"),
        ({"errors": 1, "n": 10, "level": 95}, r"level must lie in \[1/2, 1\), got 95"),
        ({"errors": 1, "n": 10, "level": 1.0}, r"level must lie in \[1/2, 1\), got 1"),
    ],
)
def test_bad_input_is_named(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(pt.InvalidInputError, match=message):
        theta_from_error_rate(**arguments)


def _ordered(estimate: AngleEstimate) -> bool:
    return 0.0 <= estimate.low <= estimate.theta <= estimate.high <= np.pi / 2


@given(n=st.integers(1, 10**9), share=st.floats(0, 0.5), level=st.floats(0.5, 0.999))
def test_intervals_hold_the_estimate_and_widen_with_the_level(n: int, share: float, level: float) -> None:
    for estimator in (theta_from_error_rate, theta_from_agreement):
        narrow, wide = estimator(int(share * n), n, level=level), estimator(int(share * n), n, level=0.9995)
        assert _ordered(narrow)
        assert _ordered(wide)
        assert wide.low <= narrow.low
        assert narrow.high <= wide.high


def test_an_estimate_is_one_line_in_both_units() -> None:
    line = str(theta_from_error_rate(100, 1000))
    assert "\n" not in line
    assert line.startswith(
        "theta = 18 degrees (0.3142 rad), 95 % interval 14.78 to 21.65 degrees (0.2579 to 0.3779 rad), "
        "from the error rate, 100 of 1000; assumes: held-out examples of two classes"
    )
