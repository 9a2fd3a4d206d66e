"""What metrics refuse, and what they say about it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from perceptron_theory import InvalidInputError, metrics

LOGITS = torch.tensor([[2.0, 1.0, 0.0], [0.0, 1.0, 5.0]])
LABELS = torch.tensor([0, 2])
TRUE = torch.ones(3, 2, dtype=torch.bool)


def with_entry(value: float) -> torch.Tensor:
    changed = LOGITS.clone()
    changed[1, 2] = value
    return changed


@pytest.mark.parametrize("metric", [metrics.el2n, metrics.margin])
@pytest.mark.parametrize(
    ("outputs", "labels", "given", "says"),
    [
        (LOGITS.numpy(), LABELS, "logits", "torch tensor.*ndarray.*torch.as_tensor"),
        (LOGITS.long(), LABELS, "logits", "floating-point.*torch.int64"),
        (LOGITS[0], LABELS, "logits", r"shape \(.*n, C\).*\(3,\)"),
        (LOGITS[:0], LABELS[:0], "logits", r"at least 1, got \(0, 3\)"),
        (LOGITS[:, :1], LABELS * 0, "logits", "two classes"),
        (with_entry(float("nan")), LABELS, "logits", r"finite, got nan at \(1, 2\) \(1 of 6"),
        (with_entry(float("inf")), LABELS, "logits", "finite, got inf"),
        (LOGITS, LABELS, "probabilities", "sum to 1.*got a sum of 3.*example 0 \\(2 of 2"),
        (LOGITS, LABELS, "scores", "'logits' or 'probabilities', got 'scores'"),
        (LOGITS, LABELS.float(), "logits", "labels must be integers, got torch.float32"),
        (LOGITS, LABELS[:1], "logits", "one per example, got 1 for 2"),
        (LOGITS, LABELS + 1, "logits", r"0 \.\.\. 2, got 3"),
        (LOGITS, LABELS - 1, "logits", r"0 \.\.\. 2, got -1"),
        (LOGITS, LABELS[:, None], "logits", r"labels must have shape \(n,\)"),
    ],
)
def test_outputs_and_labels(metric: Callable[..., Any], outputs: Any, labels: Any, given: Any, says: str) -> None:
    with pytest.raises(InvalidInputError, match=says):
        metric(outputs, labels, given=given)


def test_negative_probabilities_that_sum_to_one() -> None:
    wrong = torch.tensor([[0.5, 0.5], [1.5, -0.5]])
    with pytest.raises(InvalidInputError, match=r"smallest entry of -0\.5 for example 1"):
        metrics.ensemble_entropy(wrong, given="probabilities")


def test_rounded_probabilities_are_accepted() -> None:
    """The sum of 1000 probabilities rounded to bfloat16 is off by less than 2^-8."""
    p = torch.randn(50, 1000, generator=torch.Generator().manual_seed(0)).mul(3).softmax(dim=1)
    for dtype in (torch.float16, torch.bfloat16):
        assert float((p.to(dtype).float().sum(dim=1) - 1.0).abs().max()) < 2**-8
        metrics.ensemble_entropy(p.to(dtype), given="probabilities")


def test_the_direction_of_outputs_is_never_guessed() -> None:
    with pytest.raises(TypeError, match="given"):
        metrics.el2n(LOGITS, LABELS)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: metrics.forgetting(TRUE.int()), "right must be boolean, got torch.int32"),
        (lambda: metrics.forgetting(TRUE[0]), r"\(T, n\)"),
        (lambda: metrics.forgetting(TRUE[:1]), "at least 2 epochs"),
        (lambda: metrics.fraction_right(TRUE.float()), "boolean, got torch.float32"),
        (lambda: metrics.memorization(TRUE, TRUE[:2]), "same models, got 3 and 2"),
        (lambda: metrics.memorization(TRUE, TRUE[:, :1]), "same examples"),
        (lambda: metrics.area_under_margin([], LABELS), "at least one tensor"),
        (lambda: metrics.grand_last_layer(LOGITS, LABELS, LOGITS[:1], given="logits"), "same models and examples"),
        (lambda: metrics.active_learning(LOGITS, given="logits", keep_fraction=80), r"\(0, 1\], got 80"),
        (lambda: metrics.random_scores(0, seed=0), "at least 1, got 0"),
        (lambda: metrics.robustness_in_k(LOGITS, [], 1), "k must hold"),
    ],
)
def test_tables_and_numbers(call: Callable[[], Any], says: str) -> None:
    with pytest.raises(InvalidInputError, match=says):
        call()


@pytest.mark.parametrize("metric", [metrics.memorization, metrics.influence])
def test_examples_without_one_side_are_counted(metric: Callable[..., Any]) -> None:
    inside = torch.tensor([[1, 0, 1, 1], [0, 0, 1, 1]]).bool()
    with pytest.raises(InvalidInputError, match="1 in none and 2 in all 2, of 4 examples"):
        metric(inside, torch.ones(2, 4, dtype=torch.bool))


EMBEDDINGS = np.random.default_rng(0).normal(size=(10, 3))


def with_row(value: float) -> Any:
    changed = EMBEDDINGS.copy()
    changed[4] = value
    return changed


@pytest.mark.parametrize(
    ("embeddings", "says"),
    [
        (EMBEDDINGS.tolist(), "torch tensor or a numpy array, got list"),
        (EMBEDDINGS[0], r"shape \(n, d\).*got float64 of shape \(3,\)"),
        (EMBEDDINGS.astype(int), "floating-point.*int64"),
        (EMBEDDINGS[:0], "at least 1"),
        (with_row(0.0), "embedding of example 4 must be finite and have a direction, got 0.0"),
        (with_row(float("nan")), "example 4 .* got nan"),
        (with_row(float("inf")), "example 4 .* got inf"),
        (torch.from_numpy(with_row(-float("inf"))), "example 4 .* got inf"),
    ],
)
def test_embeddings(embeddings: Any, says: str) -> None:
    for call in (
        lambda: metrics.fit_kmeans(embeddings, 2, seed=0),
        lambda: metrics.assign(embeddings, torch.eye(3)),
        lambda: metrics.supervised_prototype_distance(embeddings, torch.zeros(10, dtype=torch.int64)),
    ):
        with pytest.raises(InvalidInputError, match=says):
            call()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"k": 0}, "k must be a whole number of at least 1"),
        ({"k": 2.5}, "whole number"),
        ({"k": 11}, "k = 11, sample = 10, n = 10"),
        ({"k": 2, "sample": 11}, "sample = 11, n = 10"),
        ({"k": 5, "sample": 4}, "k = 5, sample = 4"),
        ({"k": 2, "passes": -1}, "passes"),
        ({"k": 2, "seed": -1}, "seed"),
    ],
)
def test_kmeans_numbers(options: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInputError, match=says):
        metrics.fit_kmeans(EMBEDDINGS, **{"seed": 0, **options})


def test_centroids_of_another_dimension() -> None:
    with pytest.raises(InvalidInputError, match="got 2 and 3"):
        metrics.assign(EMBEDDINGS, torch.eye(2))


def test_classes_without_a_mean_direction() -> None:
    opposite = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]])
    with pytest.raises(InvalidInputError, match="the mean of class 7 must be finite and have a direction"):
        metrics.supervised_prototype_distance(opposite, torch.tensor([7, 7, 3]))


def test_without_torch() -> None:
    """In a process in which torch cannot be imported."""
    code = """
import sys
sys.modules["torch"] = None
import perceptron_theory
def metrics():
    import perceptron_theory.metrics
for ask in (metrics, perceptron_theory.select(perceptron_theory.digits_scores(), 0.5).sampler):
    try:
        ask()
    except perceptron_theory.MissingExtraError as error:
        assert isinstance(error, ImportError)
        print(error)
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.count('pip install "perceptron_theory[torch]"') == 2
