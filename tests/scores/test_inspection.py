"""Sentinels, pile-ups, rounding and heaps: found where they are, and not where they are not."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

import perceptron_theory as pt
from perceptron_theory.scores.inspection import ScoreReport, inspect_scores

RNG = np.random.default_rng(0)
NORMAL = RNG.normal(size=5_000)
UNIT = np.clip(RNG.beta(0.5, 0.5, 5_000), 0.0, 1.0)


def report(values: npt.ArrayLike) -> ScoreReport:
    return inspect_scores(pt.Scores(np.asarray(values), higher_is="harder"))


@pytest.mark.parametrize(
    ("values", "sentinels"),
    [
        (np.r_[NORMAL, np.full(20, 99.0)], [99.0]),
        (np.r_[UNIT, np.zeros(5), np.ones(5), np.full(20, -1.0)], [-1.0]),
        (np.r_[UNIT, np.full(20, -1.0), np.full(30, 200.0)], [-1.0, 200.0]),
        (np.r_[np.full(300, -1e300), NORMAL, np.full(30, 1e308)], [-1e300, 1e308]),
        (np.r_[np.arange(20.0), 99.0, 99.0], [99.0]),
        (np.r_[NORMAL, 99.0], []),
        (np.r_[NORMAL, np.full(5, 99.0)], []),  # ten are needed in a file of this size
        (np.r_[NORMAL, np.full(20, 6.0)], []),
        (np.repeat([0.0, 0.5, 1.0], 100), []),
        (np.repeat([0.0, 1.0], 100), []),
        (np.repeat([0.0, 0.01, 1.0], 100), [1.0]),
        (np.repeat(np.arange(12) / 11, 50), []),
        (np.round(RNG.exponential(3.0, 5_000)), []),
    ],
)
def test_sentinels(values: npt.NDArray[np.float64], sentinels: list[float]) -> None:
    found = report(values).sentinels
    assert [sentinel.value for sentinel in found] == sentinels
    assert [sentinel.count for sentinel in found] == [int(np.sum(values == value)) for value in sentinels]


def test_pile_ups_and_float16() -> None:
    saturated = report(np.clip(RNG.normal(0.8, 0.2, 5_000), 0.0, 1.0).astype(np.float16))
    assert [(pile_up.value, pile_up.end) for pile_up in saturated.pile_ups] == [(1.0, "highest")]
    assert saturated.float16
    assert saturated.saturated
    assert "lost by rounding" in str(saturated)
    counts = report(RNG.poisson(1.0, 5_000))
    assert [pile_up.value for pile_up in counts.pile_ups] == [0.0]
    assert not counts.float16
    for values in (NORMAL, NORMAL.astype(np.float32), np.arange(2_000.0), np.repeat(np.arange(12) / 8, 50)):
        assert not report(values).float16
    assert report(NORMAL).pile_ups == ()


@pytest.mark.parametrize(
    ("values", "modes"),
    [
        (NORMAL, [0.0]),
        (np.r_[NORMAL, NORMAL[:2000] + 6], [0.0, 6.0]),
        (np.r_[NORMAL, NORMAL[:100] + 9], [0.0]),  # 2 % of the examples are no heap
        (np.r_[NORMAL, NORMAL + 2], [1.0]),  # two standard deviations apart: one heap
        (np.r_[NORMAL - 8, NORMAL, NORMAL + 8], [-8.0, 0.0, 8.0]),
        (1e300 * np.r_[NORMAL, NORMAL + 6], [0.0, 6e300]),
        (np.r_[NORMAL, 1e9], [0.0]),
        (RNG.poisson(1.0, 5_000), [0.5]),
        (RNG.exponential(size=5_000), [0.1]),
        (RNG.standard_cauchy(5_000), [0.0]),
        (np.r_[np.zeros(5_000), 1.0], [0.0]),
        (NORMAL[:99], []),
    ],
)
def test_modes(values: npt.NDArray[np.float64], modes: list[float]) -> None:
    found = report(values).modes
    assert len(found) == len(modes)
    # Half a standard deviation: the maximum of a smoothed sample wanders on a flat top.
    np.testing.assert_allclose(found, modes, atol=0.5 * max(1.0, float(np.quantile(np.abs(values), 0.99)) / 7))
    assert report(values).bimodal == (len(modes) > 1)


@pytest.mark.parametrize("values", [np.repeat(np.arange(12.0), 400), np.repeat([0.0, 1.0], 400), RNG.random(5_000)])
def test_levels_and_flat_tops_are_one_heap(values: npt.NDArray[np.float64]) -> None:
    assert not report(values).bimodal


def test_report_as_numbers_and_as_text() -> None:
    values = np.r_[np.linspace(0.0, 1.0, 101), np.full(10, 9.0)]
    scores = pt.Scores(values, "easier", "file.csv", labels=np.arange(111) % 3, metric="margin")
    found = inspect_scores(scores)
    assert (found.n, found.n_classes, found.higher_is, found.metric, found.source) == (
        111,
        3,
        "easier",
        "margin",
        "file.csv",
    )
    assert found.ties == scores.ties
    assert (found.quantiles[0.0], found.quantiles[0.5], found.quantiles[1.0]) == (0.0, 0.55, 9.0)
    lines = str(found).splitlines()
    assert len(lines) == 7
    assert lines[2] == "direction:  easier (high = easy)"
    assert lines[-1] == "sentinel:   9: 10 examples (9.01%), next score 1; find out what it stands for"
