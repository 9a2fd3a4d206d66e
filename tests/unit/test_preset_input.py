"""Presets refuse what their theory does not hold for; and their ends, where a formula of its own takes over."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import perceptron_theory as pt
from perceptron_theory.presets.curated_labels import curated_labels_unlimited, truth_in_plane
from perceptron_theory.presets.randomised_rule import randomised_rule
from perceptron_theory.presets.verified_labels import verified_labels

LIKELY = pt.KeepProbability(np.ones_like)
SQUARE = pt.ConvexLoss("square", 0.1)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: randomised_rule(0.5, 1.5), r"random_share must lie in \[0, 1\], got 1.5"),
        (lambda: randomised_rule(0.5, 0.1, selection=LIKELY), "must be a rule of quantiles"),
        (lambda: verified_labels(3.0, 0.2, 0.0, 0.0, student=SQUARE), "the verifier passes nothing"),
        (lambda: verified_labels(3.0, 1.2, 0.9, 0.1, student=SQUARE), r"wrong must lie in \[0, 1\], got 1.2"),
        (lambda: curated_labels_unlimited(0.5, (1.0, 0.5, 0.5), LIKELY), "must be hard, easy"),  # type: ignore[arg-type]
        (lambda: truth_in_plane((1.0, 0.5)), "cosines must be three numbers"),  # type: ignore[arg-type]
        (lambda: truth_in_plane((1.0, 0.5, -0.5)), "turn the oracle round"),
    ],
)
def test_refused(call: Callable[[], object], says: str) -> None:
    with pytest.raises(pt.InvalidInputError, match=says):
        call()


def test_a_share_at_random_of_random_examples() -> None:
    rule = randomised_rule(0.3, 0.2, selection="random")
    assert rule(np.array([-2.0, 0.0, 0.5])).tolist() == [0.3, 0.3, 0.3]


@pytest.mark.parametrize("selection", ["hard", "easy", "random"])
def test_oracle_that_is_the_generator(selection: str) -> None:
    found = curated_labels_unlimited(0.4, (0.9, 0.9, 1.0), selection)
    # Nothing then depends on what is kept: the student is the generator. An angle of 1e-8 between them is not seen.
    assert found == pytest.approx(np.arccos(0.9) / np.pi, rel=1e-7)
