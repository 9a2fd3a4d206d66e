"""Averages by rank and rank correlations, beside scipy, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import rankdata, spearmanr

import perceptron_theory as pt
from perceptron_theory.scores.averaging import rank_average, rank_correlation

Array = npt.NDArray[np.float64]


@pytest.fixture
def seeds() -> list[Array]:
    """One score at four seeds, rounded so that there are ties."""
    rng = np.random.default_rng(0)
    truth = rng.normal(size=300)
    return [np.round(truth + 0.5 * rng.normal(size=300), 1) for _ in range(4)]


def test_average_of_ranks(seeds: list[Array]) -> None:
    found = rank_average([pt.Scores(one, "harder", metric="EL2N") for one in seeds])
    expected = np.mean([rankdata(one) for one in seeds], axis=0)
    # n ranks in float64.
    np.testing.assert_allclose(found.values, (expected - 0.5) / 300, rtol=1e-14)
    assert (found.higher_is, found.metric) == ("harder", "EL2N")


def test_average_does_not_see_scales_and_directions(seeds: list[Array]) -> None:
    plain = rank_average([pt.Scores(one, "harder") for one in seeds])
    first, second, third, fourth = seeds
    mixed = [
        pt.Scores(np.exp(first), "harder"),
        pt.Scores(-second, "easier"),
        pt.Scores(third**3, "keep"),
        pt.Scores(5.0 - 2.0 * fourth, "easier", metric="margin"),
    ]
    found = rank_average(mixed)
    np.testing.assert_array_equal(found.values, plain.values)
    assert found.metric is None


def test_average_follows_ids(seeds: list[Array]) -> None:
    names = np.array([f"image {i:03d}" for i in range(300)])
    labels = np.arange(300) % 7
    order = np.random.default_rng(1).permutation(300)
    first = pt.Scores(seeds[0], "harder", ids=names, labels=labels)
    shuffled = pt.Scores(seeds[1][order], "harder", ids=names[order])
    found = rank_average([first, shuffled])
    expected = rank_average([pt.Scores(one, "harder") for one in seeds[:2]])
    np.testing.assert_array_equal(found.values, expected.values)
    assert found.ids is not None
    assert found.labels is not None
    assert found.ids.tolist() == names.tolist()
    np.testing.assert_array_equal(found.labels, labels)


def test_averages_are_closer_to_the_truth_than_one_seed() -> None:
    rng = np.random.default_rng(2)
    truth = rng.normal(size=2000)
    seeds = [pt.Scores(truth + rng.normal(size=2000), "harder") for _ in range(10)]
    # Correlations with the truth are 1 / sqrt(1 + 1 / seeds) for Gaussian scores: 0.71 and 0.95.
    assert spearmanr(rank_average(seeds).values, truth).statistic > 0.9
    assert spearmanr(seeds[0].values, truth).statistic < 0.75


def test_correlations_beside_scipy(seeds: list[Array]) -> None:
    scores = {f"seed {i}": pt.Scores(one, "harder") for i, one in enumerate(seeds)}
    found = rank_correlation(scores)
    # Means of 300 ranks in float64.
    np.testing.assert_allclose(found, spearmanr(np.column_stack(seeds)).statistic, atol=1e-13)
    assert list(found.index) == list(found.columns) == list(scores)
    turned = rank_correlation(
        {**scores, "seed 1": pt.Scores(-seeds[1], "easier"), "seed 2": pt.Scores(seeds[2], "keep")}
    )
    np.testing.assert_allclose(turned, found, atol=1e-13)
    against = rank_correlation({**scores, "seed 1": pt.Scores(seeds[1], "easier")})
    np.testing.assert_allclose(against["seed 0"]["seed 1"], -found["seed 0"]["seed 1"], atol=1e-13)


def test_correlations_follow_ids(seeds: list[Array]) -> None:
    ids = np.random.default_rng(3).permutation(300)
    order = np.random.default_rng(4).permutation(300)
    found = rank_correlation(
        {"a": pt.Scores(seeds[0], "harder", ids=ids), "b": pt.Scores(seeds[1][order], "harder", ids=ids[order])}
    )
    assert found["a"]["b"] == pytest.approx(spearmanr(seeds[0], seeds[1]).statistic, abs=1e-13)


def test_what_is_refused() -> None:
    values = np.arange(4.0)
    plain = pt.Scores(values, "harder", source="one")
    named = pt.Scores(values, "harder", source="two", ids=np.arange(4))
    other = pt.Scores(values, "harder", source="three", ids=np.array([0, 1, 2, 9]))
    short = pt.Scores(values[:3], "harder", source="four")
    for scores, says in (
        ([plain], "at least two"),
        ([plain, short], "got 4 in one .* and 3 in four"),
        ([plain, named], "two .* has ids and one .* has none"),
        ([named, plain], "two .* has ids and one .* has none"),
        ([named, other], r"got .*3.* in two .* but not in three .*\(1 of 4"),
    ):
        with pytest.raises(pt.ScoreError, match=says):
            rank_average(scores)
    with pytest.raises(pt.ScoreError, match="at least two"):
        rank_correlation({"a": plain})
    with pytest.raises(pt.ScoreError, match="got 4 in a and 3 in b"):
        rank_correlation({"a": plain, "b": short})


def test_metrics_of_cifar10_agree_on_what_is_hard(shared_data: Path) -> None:
    """With their directions every two of these correlate positively; a wrong direction would show."""
    table = np.load(shared_data / "scores" / "cifar10_train.npz")
    found = rank_correlation(
        {
            "C-score": pt.Scores(table["cscore"], "easier"),
            "EL2N": pt.Scores(table["el2n_cv"], "harder"),
            "margin": pt.Scores(table["margin_cv"], "easier"),
            "forgetting": pt.Scores(table["forgetting_260D"], "harder"),
        }
    )
    assert found.to_numpy().min() > 0.4
    assert found["EL2N"]["margin"] > 0.99
