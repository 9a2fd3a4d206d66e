"""Numbers to keep: rounding, and floors under classes against handing them out one by one."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import perceptron_theory as pt
from perceptron_theory.keeplists.quotas import class_floors, kept_count

SIZES = st.lists(st.integers(0, 12), min_size=1, max_size=7)
SHARES = st.sampled_from([0.0, 0.1, 0.29, 0.5, 0.9, 1.0])


def handed_out(sizes: list[int], total: int) -> list[int]:
    """One example after the other to the class with the smallest floor that has one left, in class order."""
    floors = [0] * len(sizes)
    for _ in range(total):
        able = [c for c, size in enumerate(sizes) if floors[c] < size]
        floors[min(able, key=lambda c: (floors[c], c))] += 1
    return floors


@given(SIZES, st.integers(0, 84), SHARES)
def test_floors_are_those_handed_out_one_by_one(sizes: list[int], kept: int, share: float) -> None:
    kept = min(kept, sum(sizes))
    total = math.floor(Fraction(str(share)) * kept)
    assert class_floors(sizes, kept, share).tolist() == handed_out(sizes, total)


@given(SIZES, SHARES)
def test_floors_rise_one_by_one(sizes: list[int], share: float) -> None:
    floors = np.array([class_floors(sizes, kept, share) for kept in range(sum(sizes) + 1)])
    steps = np.diff(floors, axis=0)
    assert (steps >= 0).all()
    assert (steps.sum(axis=1) <= 1).all()
    assert (floors <= np.array(sizes)).all()


def test_floors_of_many_classes_at_once() -> None:
    sizes = np.random.default_rng(0).integers(1, 3000, 1000)
    floors = class_floors(sizes, 300_000, 0.5)
    assert floors.sum() == 150_000
    level = floors.max()
    assert (floors >= np.minimum(sizes, level - 1)).all()


def test_share_is_taken_as_written() -> None:
    assert math.floor(0.29 * 100) == 28  # what floating point would say
    assert class_floors([1000], 100, 0.29).tolist() == [29]


def test_all_or_nothing() -> None:
    assert class_floors([3, 1, 5], 9, 1.0).tolist() == [3, 1, 5]
    assert class_floors([3, 1, 5], 9, 0.0).tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("sizes", "kept", "share", "part"),
    [
        ([3, 1], 5, 0.5, "at most the 4 examples"),
        ([3, -1], 1, 0.5, "whole numbers >= 0"),
        ([[3]], 1, 0.5, "vector"),
        ([], 0, 0.5, "vector"),
        ([3.5], 1, 0.5, "whole numbers"),
        ([3, 1], 2, 1.1, r"class_floor must lie in \[0, 1\], got 1.1"),
        ([3, 1], 2, -0.1, r"class_floor must lie in \[0, 1\]"),
        ([3, 1], 2, float("nan"), r"class_floor must lie in \[0, 1\], got nan"),
        ([3, 1], 2, True, "class_floor must be a real number"),
        ([3, 1], 1.5, 0.5, "kept must be a whole number"),
    ],
)
def test_floors_out_of_range(sizes: list[int], kept: int, share: float, part: str) -> None:
    with pytest.raises(pt.InvalidInputError, match=part):
        class_floors(sizes, kept, share)


@given(st.integers(1, 10**7), st.floats(0.0, 1.0, exclude_min=True))
def test_count_is_the_nearest(n: int, f: float) -> None:
    count = kept_count(n, f)
    assert 1 <= count <= n
    # Half, and the rounding of f n itself.
    assert count == 1 or abs(count - Fraction(f) * n) <= 0.5 + 1e-9


@pytest.mark.parametrize("f", [1, 1.0, np.float32(1), np.int64(1)])
def test_one_is_all(f: float) -> None:
    assert kept_count(7, f) == 7


@pytest.mark.parametrize(
    ("f", "part"),
    [
        (0.0, r"f must lie in \(0, 1\], got 0: f is the fraction of examples kept"),
        (1.5, r"got 1.5"),
        (2, r"got 2"),
        (-0.1, r"got -0.1"),
        (float("nan"), r"got nan"),
        (True, "real number"),
        ("0.5", "real number"),
        ([0.5, 0.6], "one number"),
    ],
)
def test_fractions_out_of_range(f: float, part: str) -> None:
    with pytest.raises(pt.InvalidInputError, match=part):
        kept_count(10, f)
