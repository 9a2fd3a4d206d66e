"""Orders of preference against their definitions: rules, bands, policies, random shares."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_scores import gaussian_scores, score_tables

import perceptron_theory as pt
from perceptron_theory.keeplists.hashing import hash_ids
from perceptron_theory.keeplists.preference import names_of, rule_order, with_random_share
from perceptron_theory.keeplists.selecting import select
from perceptron_theory.keeplists.windows import band_windows, policy_windows
from perceptron_theory.presets.randomised_rule import randomised_rule

POLICY = pt.optimal_policy(alpha_tot=8.0, f=0.3, theta=0.2)


def sorted_by(scores: pt.Scores, rule: str, seed: int) -> list[int]:
    """The definition, example by example."""
    names = names_of(scores)
    tie, random = hash_ids(names).tolist(), hash_ids(names, seed).tolist()
    keys = {
        "hard": lambda i: (-scores.difficulty[i], tie[i], i),
        "easy": lambda i: (scores.difficulty[i], tie[i], i),
        "random": lambda i: (random[i], i),
    }
    return sorted(range(scores.n), key=keys[rule])


@given(score_tables(), st.sampled_from(["hard", "easy", "random"]), st.integers(0, 5))
def test_rules_sort(scores: pt.Scores, rule: str, seed: int) -> None:
    keep = select(scores, 0.5, mode=rule, seed=seed)
    assert np.argsort(keep.rank).tolist() == sorted_by(scores, rule, seed)


@given(score_tables(named=False), st.integers(0, 2**62))
def test_positions_stand_in_for_ids(scores: pt.Scores, seed: int) -> None:
    named = pt.Scores(scores.values, scores.higher_is, ids=np.arange(scores.n))
    for rule in ("hard", "random"):
        one, other = select(scores, 0.4, mode=rule, seed=seed), select(named, 0.4, mode=rule, seed=seed)
        assert one.rank.tolist() == other.rank.tolist()


@given(score_tables(), st.floats(0.0, 0.9), st.floats(0.01, 1.0))
def test_band_drops_the_hardest_and_keeps_the_next(scores: pt.Scores, lower: float, f: float) -> None:
    f = min(f, 1.0 - lower)
    keep = select(scores, f, mode=pt.Band(lower))
    start = min(round(lower * scores.n), scores.n - keep.count)
    by_rank = sorted_by(scores, "hard", 0)
    assert sorted(by_rank[start : start + keep.count]) == keep.indices.tolist()


@given(score_tables(), st.floats(0.05, 1.0), st.sampled_from([None, 0.5, 1.0]))
def test_band_from_zero_is_hard(scores: pt.Scores, f: float, floor: float | None) -> None:
    hard, band = (select(scores, f, mode=mode, class_floor=floor) for mode in ("hard", pt.Band(0.0)))
    assert hard.rank.tolist() == band.rank.tolist()
    assert hard.indices.tolist() == band.indices.tolist()


def test_band_at_the_easy_end_is_easy() -> None:
    scores = gaussian_scores(50)
    easy, band = (select(scores, 0.3, mode=mode) for mode in ("easy", pt.Band(0.7)))
    assert easy.rank.tolist() == band.rank.tolist()


def test_band_keeps_what_the_theory_means() -> None:
    scores, band = gaussian_scores(1000), pt.Band(0.2)
    low, high = pt.GaussianMargins().window(band, 0.3)
    z = scores.magnitudes()  # at the middle of each rank, which lies off the edges
    assert np.array_equal(select(scores, 0.3, mode=band).mask, (z > low) & (z < high))


def test_band_that_does_not_fit() -> None:
    with pytest.raises(pt.InvalidInputError, match=r"f must be at most 0.2 for a band"):
        select(gaussian_scores(50), 0.3, mode=pt.Band(0.8))
    # Rounded up on both sides: 2 of 3 examples above the first 2 of 3.
    assert select(gaussian_scores(3), 0.5, mode=pt.Band(0.5)).count == 2
    assert band_windows(pt.Band(0.5), 0.5, n=3, count=2).tolist() == [[1.0, 3.0]]


def test_policy_keeps_its_windows() -> None:
    scores = gaussian_scores(2000)
    keep = select(scores, 0.3, mode=POLICY)
    assert keep.count == 600
    wrong = keep.mask != POLICY.k(scores.magnitudes()).astype(bool)
    # One example at either edge may be cut by it.
    assert wrong.sum() <= 2


def test_policy_means_the_same_to_the_theory() -> None:
    scores = gaussian_scores(2000)
    kept = select(scores, 0.3, mode=POLICY).mask
    z = scores.magnitudes()

    def keep(m: npt.NDArray[np.float64]) -> npt.ArrayLike:
        return np.isin(np.abs(m), z[kept])

    margins = pt.MeasuredMargins(z, signed=False)
    solution = pt.solve(8.0 * 0.3, theta=0.2, selection=pt.KeepProbability(keep), margins=margins)
    assert float(solution.f) == pytest.approx(0.3, abs=1e-9)
    # 2000 ranks in place of a continuous density: relative differences of order 1 / 600.
    assert float(solution.test_error) == pytest.approx(POLICY.test_error, rel=5e-3)


def two_windows(f: float, hard_part: float) -> pt.Policy:
    """A policy with a gap: of what it keeps, a part is the hardest and the rest the easiest."""
    low, high = (pt.GaussianMargins().window(pt.Band(q), 1e-9)[0] for q in (hard_part * f, 1.0 - (1.0 - hard_part) * f))
    return dataclasses.replace(POLICY, windows=np.array([[0.0, low], [high, np.inf]]))


def test_policy_of_two_windows() -> None:
    scores = gaussian_scores(1000)
    keep = select(scores, 0.3, mode=two_windows(0.3, 0.5))
    ranks = np.sort(np.argsort(np.argsort(-scores.difficulty))[keep.indices])
    assert ranks.tolist() == [*range(150), *range(850, 1000)]
    assert len(keep.thresholds) == 2


@given(st.integers(2, 60), st.floats(0.02, 0.98))
def test_policy_keeps_the_deepest(n: int, f: float) -> None:
    policy = two_windows(f, 0.4)
    scores = gaussian_scores(n)
    keep = select(scores, f, mode=policy)
    hard_rank = np.argsort(np.argsort(-scores.difficulty)) + 0.5
    (_, low), (high, _) = policy_windows(policy, f, n)
    depth = np.maximum(low - hard_rank, hard_rank - high)
    # Depths of ranks on both sides of the gap may agree up to rounding.
    assert depth[keep.indices].min() >= np.max(depth[~keep.mask], initial=-np.inf) - 1e-9


def test_policies_that_do_not_fit() -> None:
    scores = gaussian_scores(100)
    with pytest.raises(pt.InvalidInputError, match=r"keeps a fraction 0.3, got f = 0.5: ask for the same f"):
        select(scores, 0.5, mode=POLICY)
    with pytest.raises(pt.InvalidInputError, match=r"signed margins.*label_aware=False"):
        select(scores, 0.3, mode=dataclasses.replace(POLICY, label_aware=True))
    with pytest.raises(pt.InvalidInputError, match="fails its certificate"):
        select(scores, 0.3, mode=dataclasses.replace(POLICY, status=pt.PolicyStatus.NOT_SOLVED))


@given(score_tables(), st.floats(0.05, 1.0), st.floats(0.0, 1.0), st.integers(0, 3))
def test_random_share_is_exact_in_number(scores: pt.Scores, f: float, share: float, seed: int) -> None:
    plain = select(scores, f, mode="hard")
    mixed = select(scores, f, mode="hard", random_share=share, seed=seed)
    k = plain.count
    assert mixed.count == k
    assert (mixed.mask & plain.mask).sum() == round(k * (1 - share + share * k / scores.n))


def test_random_share_has_the_keep_probability_of_the_preset() -> None:
    n, f, share, seeds = 200, 0.25, 0.4, 2000
    scores = gaussian_scores(n)
    kept = np.mean([select(scores, f, random_share=share, seed=seed).mask for seed in range(seeds)], axis=0)
    expected = randomised_rule(f, share)(scores.magnitudes())
    # Binomial over seeds; 5 standard deviations for the largest of 200.
    assert np.all(np.abs(kept - expected) < 5 * np.sqrt(expected * (1 - expected) / seeds))
    # The two groups together are exact.
    assert kept[expected > 0.5].mean() == pytest.approx(0.7, abs=1e-12)


def test_random_share_does_not_follow_the_order_of_ties() -> None:
    # Seed 0 also names the hash that breaks ties.
    values = np.concatenate([np.arange(1, 2001), np.zeros(8000)])
    scores = pt.Scores(values, higher_is="harder")
    hard = select(scores, 0.5).mask
    mixed = select(scores, 0.5, random_share=0.5, seed=0).mask
    for group in (hard & (values > 0), hard & (values == 0)):
        # 1 - e + e f = 0.75; 5 standard deviations of a draw without replacement are less than those of the binomial.
        assert abs(mixed[group].mean() - 0.75) < 5 * np.sqrt(0.75 * 0.25 / group.sum())


def test_random_share_of_one_is_random() -> None:
    scores = gaussian_scores(1000)
    order = rule_order(scores, pt.Hard(), 0.3, 300)
    mixed = with_random_share(order, np.arange(1000), 300, 1.0, seed=7)
    random = rule_order(scores, pt.Random(), 0.3, 300, seed=8)
    # f of the first 300 and f of the others, each the first by the same hash.
    assert np.intersect1d(mixed[:300], random[:300]).size > 250


@given(
    score_tables(),
    st.floats(0.05, 1.0),
    st.sampled_from(["hard", "easy", "random", pt.Band(0.0)]),
    st.sampled_from([None, 0.5, 1.0]),
    st.sampled_from([0.0, 0.3]),
    st.randoms(use_true_random=False),
)
def test_order_of_rows_does_not_matter(
    scores: pt.Scores, f: float, mode: str, floor: float | None, share: float, random: object
) -> None:
    rows = np.arange(scores.n)
    random.shuffle(rows)  # type: ignore[attr-defined]
    assert scores.ids is not None
    assert scores.labels is not None
    moved = pt.Scores(scores.values[rows], scores.higher_is, ids=scores.ids[rows], labels=scores.labels[rows])
    one, other = (select(table, f, mode=mode, class_floor=floor, random_share=share) for table in (scores, moved))
    assert set(one.ids.tolist()) == set(other.ids.tolist())
    assert one.rank[rows].tolist() == other.rank.tolist()


@pytest.mark.parametrize("seed", [-1, 1.5, True, 2**63, "0"])
def test_seeds_that_are_none(seed: int) -> None:
    with pytest.raises(pt.InvalidInputError, match=r"seed must be a whole number in \[0, 2\^63\)"):
        select(gaussian_scores(5), 0.5, mode="random", seed=seed)


def test_modes_that_are_none() -> None:
    for mode in ("hardest", None, 3, pt.KeepProbability(lambda m: m > 0)):
        with pytest.raises(pt.InvalidInputError, match=r"unknown mode .*'hard', 'easy', 'random', Band\(lower\) or"):
            select(gaussian_scores(5), 0.5, mode=mode)  # type: ignore[arg-type]


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_random_shares_out_of_range(share: float) -> None:
    with pytest.raises(pt.InvalidInputError, match=r"random_share must lie in \[0, 1\]"):
        select(gaussian_scores(5), 0.5, random_share=share)


def test_ids_that_are_no_text() -> None:
    scores = pt.Scores(np.arange(2.0), "harder", ids=np.array(["a", "\ud800"], dtype=object))
    with pytest.raises(pt.ScoreError, match="valid text"):
        select(scores, 0.5)
