"""Ids and labels: integers or strings, one per score, ids all different."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import perceptron_theory as pt

VALUES = np.array([0.1, 0.2, 0.3])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (np.array([3, 1, 2], np.uint8), [3, 1, 2]),
        (np.array([3, 1, 2], ">i4"), [3, 1, 2]),
        (np.array(["c", "a", "b"]), ["c", "a", "b"]),
        (["c", "a", "é"], ["c", "a", "é"]),
        (np.array(["c", "a", "b"], np.dtypes.StringDType()), ["c", "a", "b"]),
        (np.array(["c", "a", "b"], object), ["c", "a", "b"]),
    ],
)
def test_kept_as_integers_or_strings(given: Any, expected: list[Any]) -> None:
    scores = pt.Scores(VALUES, "harder", ids=given, labels=given)
    for names in (scores.ids, scores.labels):
        assert names is not None
        assert names.tolist() == expected
        assert names.dtype in (np.int64, object)
        assert not names.flags.writeable


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ([1, 2], "vector of length 3, got shape (2,)"),
        ([[1], [2], [3]], "got shape (3, 1)"),
        ([[1], [2, 3], [4]], "ragged list"),
        ([1.0, 2.0, 3.0], "got float"),
        ([True, False, True], "got bool"),
        (np.array(["a", 1, None], object), "got NoneType and int and str"),
        (np.array(["a", "b", np.nan], object), "got float and str"),
        (np.array([1, 2, 2**63], np.uint64), "below 2^63"),
        ([b"a", b"b", b"c"], "got bytes"),
    ],
)
def test_refused(given: Any, part: str) -> None:
    for name in ("ids", "labels"):
        with pytest.raises(pt.ScoreError, match=f"{name} must be .*" + re.escape(part)):
            pt.Scores(VALUES, "harder", **{name: given})


@pytest.mark.parametrize("given", [[7, 5, 7], ["a", "b", "a"]])
def test_repeated_ids(given: list[Any]) -> None:
    with pytest.raises(pt.ScoreError, match=f"got {given[0]!r} twice"):
        pt.Scores(VALUES, "harder", ids=np.array(given))
    assert pt.Scores(VALUES, "harder", labels=np.array(given)).n == 3
