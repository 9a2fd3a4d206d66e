"""Keep-lists: class balance, counts that only grow, reasons, ties; made-up tables and real ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_scores import gaussian_scores, score_tables

import perceptron_theory as pt
from perceptron_theory.keeplists.keep_list import KeepList
from perceptron_theory.keeplists.selecting import select

NESTED = st.sampled_from(["hard", "easy", "random"])
FLOORS = st.sampled_from([0.0, 0.5, 0.9, 1.0])


def column(keep: KeepList, name: str) -> list[int]:
    assert keep.classes is not None
    return [int(number) for number in keep.classes[name]]


def counts_by_threshold(keep: KeepList) -> list[list[int]]:
    """k_c = max(floor_c, number of class c before a threshold), for every threshold that gives k in all."""
    labels = np.asarray(keep.scores.labels)[np.argsort(keep.rank)]
    assert keep.classes is not None
    before = [np.concatenate([[0], np.cumsum(labels == label)]) for label in keep.classes["label"]]
    counts = np.maximum(np.array(before).T, column(keep, "floor"))
    return [list(map(int, row)) for row in counts if row.sum() == keep.count]


@given(score_tables(), st.floats(0.02, 1.0), NESTED, FLOORS)
def test_floors_are_kept_and_the_total_is_exact(scores: pt.Scores, f: float, mode: str, floor: float) -> None:
    keep = select(scores, f, mode=mode, class_floor=floor)
    kept, sizes = column(keep, "kept"), column(keep, "n")
    assert keep.count == keep.indices.size == max(1, round(f * scores.n)) == sum(kept)
    assert all(low <= k <= n for low, k, n in zip(column(keep, "floor"), kept, sizes, strict=True))
    labels = np.asarray(scores.labels)
    assert keep.classes is not None
    assert [np.sum(labels == label) for label in keep.classes["label"]] == sizes
    assert [np.sum(labels[keep.indices] == label) for label in keep.classes["label"]] == kept
    assert kept in counts_by_threshold(keep)


@given(score_tables(), st.floats(0.02, 1.0), NESTED, FLOORS)
def test_each_class_keeps_its_first(scores: pt.Scores, f: float, mode: str, floor: float) -> None:
    keep = select(scores, f, mode=mode, class_floor=floor)
    for label in np.unique(np.asarray(scores.labels).astype(str)):
        ranks = np.sort(keep.rank[np.asarray(scores.labels) == label])
        kept = np.sort(keep.rank[keep.mask & (np.asarray(scores.labels) == label)])
        assert kept.tolist() == ranks[: kept.size].tolist()


@given(score_tables(), NESTED, st.sampled_from([None, 0.0, 0.5, 0.9, 1.0]))
@settings(max_examples=40)  # each looks at every k
def test_keeping_more_drops_nothing(scores: pt.Scores, mode: str, floor: float | None) -> None:
    smaller: KeepList | None = None
    for k in range(1, scores.n + 1):
        keep = select(scores, k / scores.n, mode=mode, class_floor=floor)
        if smaller is not None:
            assert set(smaller.indices) < set(keep.indices)
            for name in ("floor", "kept"):
                assert all(a <= b for a, b in zip(column(smaller, name), column(keep, name), strict=True))
        smaller = keep


@given(score_tables(), st.floats(0.02, 1.0), FLOORS, st.sampled_from([0.0, 0.4]))
def test_reasons_say_what_happened(scores: pt.Scores, f: float, floor: float, share: float) -> None:
    keep = select(scores, f, class_floor=floor, random_share=share)
    by_rule = select(scores, f).mask
    mixed = select(scores, f, random_share=share).mask
    reason = np.asarray(keep.reason).astype(str)
    assert np.array_equal(reason == "not kept", ~keep.mask)
    assert np.array_equal(reason == "rule", keep.mask & mixed & by_rule)
    assert np.array_equal(reason == "random share", keep.mask & mixed & ~by_rule)
    assert np.array_equal(reason == "class floor", keep.mask & ~mixed)


def test_full_floor_makes_classes_equal() -> None:
    labels = np.repeat([3, 1, 2], [600, 300, 100])
    scores = pt.Scores(np.random.default_rng(0).normal(size=1000) + labels, "harder", labels=labels)
    keep = select(scores, 0.45, class_floor=1.0)
    assert keep.classes is not None
    assert keep.classes.to_dict("list") == {
        "label": [1, 2, 3],
        "n": [300, 100, 600],
        "floor": [175, 100, 175],
        "kept": [175, 100, 175],
    }


def test_class_of_one() -> None:
    labels = np.array(["common"] * 9 + ["rare"])
    scores = pt.Scores(np.arange(10.0)[::-1], "harder", labels=labels)
    assert column(select(scores, 0.2), "kept") == [2, 0]
    keep = select(scores, 0.2, class_floor=1.0)
    assert (keep.indices.tolist(), str(keep.reason[9]), str(keep.reason[1])) == ([0, 9], "class floor", "not kept")


def test_without_labels() -> None:
    scores = gaussian_scores(10)
    assert select(scores, 0.5).classes is None
    with pytest.raises(pt.InvalidInputError, match=r"class_floor=0.5 needs the class of every example: give Scores"):
        select(scores, 0.5, class_floor=0.5)


@pytest.mark.parametrize("floor", [-0.1, 1.5, float("nan")])
def test_floors_out_of_range(floor: float) -> None:
    scores = pt.Scores(np.arange(4.0), "harder", labels=np.array([0, 0, 1, 1]))
    with pytest.raises(pt.InvalidInputError, match=r"class_floor must lie in \[0, 1\], got"):
        select(scores, 0.5, class_floor=floor)


def test_labels_of_another_length() -> None:
    with pytest.raises(pt.ScoreError, match="labels must be a vector of length 4"):
        pt.Scores(np.arange(4.0), "harder", labels=np.array([0, 0, 1]))


@pytest.mark.parametrize("f", [0, 1.5, -1, float("nan"), True, np.True_, None, "1"])
def test_fractions_out_of_range(f: float) -> None:
    with pytest.raises(pt.InvalidInputError, match="f is the fraction of examples kept after pruning"):
        select(gaussian_scores(10), f)


@given(score_tables(), st.sampled_from([1, 1.0, np.int64(1)]), st.sampled_from([None, 0.5]))
def test_one_keeps_all(scores: pt.Scores, f: float, floor: float | None) -> None:
    keep = select(scores, f, class_floor=floor)
    assert keep.indices.tolist() == list(range(scores.n))
    assert (keep.f_requested, keep.f_realised, keep.thresholds) == (1.0, 1.0, ())


def test_at_least_one_is_kept() -> None:
    keep = select(gaussian_scores(10), 0.001)
    assert (keep.count, keep.f_realised, keep.f_requested) == (1, 0.1, 0.001)


@given(score_tables(labelled=False), st.floats(0.02, 0.98), st.sampled_from(["hard", "easy"]))
def test_ties_at_the_threshold(scores: pt.Scores, f: float, mode: str) -> None:
    keep = select(scores, f, mode=mode)
    if keep.count == scores.n:
        return
    last = scores.values[np.argmax(np.where(keep.mask, keep.rank, -1))]
    here = scores.values == last
    assert keep.thresholds == ((float(last), int(here.sum()), int((here & keep.mask).sum())),)


def test_ties_where_floors_move_the_threshold() -> None:
    labels = np.array(list("aaaabb"))
    apart = pt.Scores(np.array([6.0, 5.0, 4.0, 3.0, 1.0, 0.0]), "harder", labels=labels)
    assert select(apart, 0.5).thresholds == ((4.0, 1, 1),)
    assert select(apart, 0.5, class_floor=1.0).thresholds == ((5.0, 1, 1),)
    tied = pt.Scores(np.array([5.0, 5.0, 5.0, 5.0, 1.0, 1.0]), "harder", labels=labels)
    assert select(tied, 0.5).thresholds == ((5.0, 4, 3),)
    assert select(tied, 0.5, class_floor=1.0).thresholds == ((5.0, 4, 2),)


def test_band_has_two_thresholds_and_random_none() -> None:
    scores = gaussian_scores(100)
    keep = select(scores, 0.3, mode=pt.Band(0.2))
    edges = np.sort(scores.values[keep.indices])[[0, -1]]
    assert keep.thresholds == ((edges[0], 1, 1), (edges[1], 1, 1))
    assert select(scores, 0.3, mode="random").thresholds == ()


def test_seed_is_for_random_choices_only() -> None:
    scores = pt.Scores(np.repeat([1, 2, 3], 50), "harder")
    assert np.array_equal(select(scores, 0.5, seed=1).indices, select(scores, 0.5, seed=2).indices)
    one, other = (select(scores, 0.5, mode="random", seed=seed).indices for seed in (1, 2))
    assert not np.array_equal(one, other)


def test_nothing_can_be_changed() -> None:
    keep = select(gaussian_scores(10), 0.5)
    with pytest.raises(ValueError, match="read-only"):
        keep.indices[0] = 3
    with pytest.raises(ValueError, match="read-only"):
        keep.rank[0] = 3
    assert keep.indices.dtype == np.int64


def test_shown_in_one_line() -> None:
    assert repr(select(gaussian_scores(10), 0.26, mode=pt.Band(0.1))) == "KeepList(3 of 10 examples, f = 0.3, band)"


def test_theory_is_kept_as_plain_data() -> None:
    theory = {"theta": np.float64(0.2), "theta_interval": np.array([0.1, 0.3]), "N": None, "source": {"runs": 44}}
    keep = select(gaussian_scores(10), 0.5, theory=theory)
    assert keep.theory == {"theta": 0.2, "theta_interval": [0.1, 0.3], "N": None, "source": {"runs": 44}}
    for wrong, part in (({"theta": np.nan}, r"theory\['theta'\]"), ({"i": [1, {2}]}, r"theory\['i'\]\[1\]")):
        with pytest.raises(pt.InvalidInputError, match=part):
            select(gaussian_scores(10), 0.5, theory=wrong)


def test_real_scores_with_many_ties(shared_data: Path) -> None:
    with np.load(shared_data / "scores" / "cifar10_train.npz") as table:
        values, labels = table["forgetting_260D"], table["label"]
    scores = pt.Scores(values, "harder", labels=labels)
    keep = select(scores, 0.9, class_floor=0.5)
    (threshold,) = select(scores, 0.9).thresholds
    zeros = int(np.sum(values == threshold.score))
    assert threshold.tied == zeros
    assert threshold.tied > 5000
    assert threshold.kept == 45_000 - np.sum(values > threshold.score)
    assert min(column(keep, "kept")) >= 2250
    # The share kept of a group of ties, chosen by a hash, is the same in every class: 5 binomial standard deviations.
    share = threshold.kept / threshold.tied
    mask = select(scores, 0.9).mask
    for label in range(10):
        here = (values == threshold.score) & (labels == label)
        assert abs(mask[here].mean() - share) < 5 * np.sqrt(share * (1 - share) / here.sum())
