"""Small score tables with ties, for the tests of keep-lists."""

from __future__ import annotations

from typing import get_args

import numpy as np
from hypothesis import strategies as st

import perceptron_theory as pt
from perceptron_theory.scores.scores import Direction


@st.composite
def score_tables(draw: st.DrawFn, labelled: bool = True, named: bool = True) -> pt.Scores:
    """2 to 40 examples of few distinct scores, in up to 5 classes of any sizes."""
    n = draw(st.integers(2, 40))
    values = draw(st.lists(st.integers(0, 6), min_size=n, max_size=n).filter(lambda drawn: len(set(drawn)) > 1))
    labels = draw(st.lists(st.sampled_from(["ant", "bee", "cat", "dog", "elk"]), min_size=n, max_size=n))
    salt = draw(st.integers(0, 10**6))
    ids = [f"{salt}-{i}" for i in range(n)]
    return pt.Scores(
        np.array(values, dtype=float),
        higher_is=draw(st.sampled_from(get_args(Direction))),
        ids=np.array(ids) if named else None,
        labels=np.array(labels) if labelled else None,
    )


def gaussian_scores(n: int, seed: int = 0) -> pt.Scores:
    """Distinct scores, high for hard examples."""
    return pt.Scores(np.random.default_rng(seed).normal(size=n), higher_is="harder")
