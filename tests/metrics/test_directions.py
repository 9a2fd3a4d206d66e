"""The direction of every metric, on a case where it is plain which example is the hard one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

import perceptron_theory as pt
from perceptron_theory import metrics

#: Of two classes: two examples that every model gets right, one that half of them get wrong.
LOGITS = torch.tensor([[[5.0, 0.0], [4.0, 0.0], [0.5, 0.0]], [[5.0, 0.0], [4.0, 0.0], [-0.5, 0.0]]])
LABELS = torch.tensor([0, 0, 0])
RIGHT = LOGITS.argmax(dim=2) == LABELS
EMBEDDINGS = torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.3, 1.0]])

#: The hard example is the last, unless noted.
SCORES: dict[str, Tensor] = {
    "active_learning": metrics.active_learning(LOGITS, given="logits", keep_fraction=0.4),
    "area_under_margin": metrics.area_under_margin(LOGITS, LABELS),
    "el2n": metrics.el2n(LOGITS, LABELS, given="logits"),
    "ensemble_entropy": metrics.ensemble_entropy(LOGITS, given="logits"),
    "forgetting": metrics.forgetting(RIGHT).scores,
    "fraction_right": metrics.fraction_right(RIGHT),
    "grand_last_layer": metrics.grand_last_layer(LOGITS, LABELS, torch.ones(2, 3, 4), given="logits"),
    "margin": metrics.margin(LOGITS[0], LABELS, given="logits"),
    "prototype_distance": metrics.prototype_distance(EMBEDDINGS, 1, seed=0).scores,
    "supervised_prototype_distance": metrics.supervised_prototype_distance(EMBEDDINGS, LABELS),
}

#: The third example is right only if trained on; it alone decides the test example.
INSIDE = torch.tensor([[1, 0, 1], [0, 1, 1], [1, 1, 0], [0, 0, 0]]).bool()
SEEN = torch.tensor([[1, 1, 1], [1, 1, 1], [1, 1, 0], [1, 1, 0]]).bool()
TEST = torch.tensor([[1], [1], [0], [0]]).bool()
SCORES["memorization"] = metrics.memorization(INSIDE, SEEN)
SCORES["influence_max"], SCORES["influence_sum_abs"] = metrics.influence(INSIDE, TEST)


@pytest.mark.parametrize("name", SCORES)
def test_the_hard_example_is_hardest(name: str) -> None:
    scores = pt.Scores(SCORES[name].numpy(), metrics.HIGHER_IS[name], metric=name)
    assert np.argmax(scores.difficulty) == 2
    assert np.sum(scores.difficulty == scores.difficulty.max()) == 1


def test_every_metric_has_a_direction_and_says_so() -> None:
    assert set(metrics.HIGHER_IS) == {*SCORES, "random_scores"}
    for name, direction in metrics.HIGHER_IS.items():
        function = getattr(metrics, name.removesuffix("_max").removesuffix("_sum_abs"))
        assert f'HIGHER_IS["{name}"]' in function.__doc__
        assert f'"{direction}"``' in function.__doc__
