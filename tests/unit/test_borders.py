"""What arrays from outside must not lose on their way in: masks and gradients; and how many points a call may hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import perceptron_theory as pt
from perceptron_theory import presets, validation
from perceptron_theory.convex_loss import penalty
from perceptron_theory.keeplists.quotas import class_floors
from perceptron_theory.simulation.training.trained import matrix_of_examples

torch = pytest.importorskip("torch")

from perceptron_theory import torch_bridge  # noqa: E402
from perceptron_theory.metrics.embeddings import UnitRows  # noqa: E402

HIDDEN = [False, True, False, False]


def masked(values: Any, mask: Any = HIDDEN) -> Any:
    return np.ma.array(values, mask=mask)


SIZES, PARTS = [1.0, 2.0, 3.0, 4.0], [0.2, 0.4, 0.6, 0.8]
Call = Callable[[Any], object]
#: Where arrays come in: something usable, and what takes it.
ENTRANCES: dict[str, tuple[Any, Call]] = {
    "alpha_prune": (SIZES, lambda x: pt.solve(x, 0.3)),
    "f": (PARTS, lambda x: pt.solve(3.0, x)),
    "theta": (PARTS, lambda x: pt.solve(3.0, 0.3, x)),
    "kappa": ([0.0, 0.01, 0.02, 0.03], lambda x: pt.solve(3.0, 1.0, student="gibbs", kappa=x)),
    "lam": (PARTS, lambda x: pt.ConvexLoss("square", x)),
    "penalty": (PARTS, lambda x: penalty(x, "sum", N=3)),
    "axis": (SIZES, lambda x: pt.learning_curve(x, 0.3)),
    "values": (SIZES, lambda x: pt.MeasuredMargins(x, signed=False)),
    "weights": (SIZES, lambda x: pt.MeasuredMargins(SIZES, x, signed=False)),
    "breakpoints": (SIZES, lambda x: pt.KeepProbability(np.ones_like, x)),
    "keep probability": (1.0, lambda x: pt.KeepProbability(lambda m: x * np.ones(4))(np.ones(4))),
    "fields of a teacher": (SIZES, lambda x: pt.Labels(flip=0.1).positive(x)),
    "margins of an influence": (PARTS, lambda x: pt.influence(5.0, 0.3, 0.2)(x)),
    "R": (PARTS, lambda x: pt.paper_information_gain(x, 1.0)),
    "scores": (SIZES, lambda x: pt.Scores(x, "harder")),
    "ids": ([3, 4, 5, 6], lambda x: pt.Scores(np.array(SIZES), "harder", ids=x)),
    "labels": (["a", "b", "b", "a"], lambda x: pt.Scores(np.array(SIZES), "harder", labels=x)),
    "fields of a probe": ([1.0, -2.0, 3.0, 0.5], lambda x: pt.theta_from_fields(x, [0.9, -2.1, 3.3, 0.1])),
    "class sizes": ([3, 4, 5, 6], lambda x: class_floors(x, 4)),
    "verification": (PARTS, lambda x: presets.verification_breakdown(x, 0.1)),
    "sizes of a simulation": ([20, 30, 40, 50], lambda x: pt.simulate_sweep(None, x, 1.0, 0.5)),  # type: ignore[arg-type]
    "examples": (np.ones((2, 4)), matrix_of_examples),
    "embeddings": (np.ones((2, 4)), UnitRows),
}
WITH_MASKS = pytest.mark.parametrize("entrance", ENTRANCES)


def arguments(entrance: str, mask: Any) -> tuple[Any, Call]:
    usable, call = ENTRANCES[entrance]
    if entrance == "keep probability":  # ones of this mask
        return masked(np.ones(4), mask), call
    return masked(usable, np.broadcast_to(mask, np.shape(usable))), call


@WITH_MASKS
def test_masked_entries_are_refused(entrance: str) -> None:
    hidden, call = arguments(entrance, HIDDEN)
    with pytest.raises(pt.InvalidInputError, match="has a mask that hides entries: fill or drop"):
        call(hidden)


@WITH_MASKS
def test_a_mask_that_hides_nothing_passes(entrance: str) -> None:
    usable, call = arguments(entrance, [False] * 4)
    if entrance == "sizes of a simulation":
        with pytest.raises(pt.InvalidInputError, match="store must be"):  # sizes are looked at before it
            call(usable)
    else:
        call(usable)


@pytest.mark.parametrize(
    "hidden",
    [
        [1.0, np.ma.masked, 2.0],
        [masked([1.0, 2.0], [True, False]), masked([1.0, 2.0], [False, False])],
        pd.array([1.0, None, 2.0], dtype="Float64"),
    ],
)
def test_masks_within(hidden: Any) -> None:
    """In lists, and as pandas keeps missing numbers."""
    with pytest.raises(pt.InvalidInputError, match="alpha_prune has a mask"):
        pt.solve(hidden, 0.3)


def test_masks_in_a_table() -> None:
    """pandas turns them into missing numbers, which are refused."""
    columns: dict[str, Any] = {"n_total": [9, 8, 7, 6], "n_kept": [5] * 4, "selection": ["hard"] * 4, "seed": [0] * 4}
    with pytest.raises(pt.InvalidInputError, match=r"test_error must be a finite number, got .*nan.* in row 1"):
        pt.Runs(pd.DataFrame(columns | {"test_error": masked([0.1, 0.2, 0.3, 0.4])}))


def test_tensors() -> None:
    """Numbers of tensors are taken; a gradient that would be lost is not, and where it is followed is said."""
    plain = torch.tensor([1.0, 3.0], dtype=torch.float64)
    np.testing.assert_array_equal(pt.solve(plain, 0.3).test_error, pt.solve([1.0, 3.0], 0.3).test_error)
    followed: Any = plain.clone().requires_grad_()
    one: Any = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    words = r"requires a gradient.*detach.*torch_bridge\.solved_test_error"
    for call in (
        lambda: pt.solve(followed, 0.3),
        lambda: pt.solve(3.0, one),
        lambda: pt.solve(3.0, [0.2, one]),
        lambda: pt.learning_curve(followed, 0.3),
        lambda: pt.MeasuredMargins(followed, signed=False),
        lambda: pt.Scores(followed, "harder"),
    ):
        with pytest.raises(pt.InvalidInputError, match=words):
            call()
    torch_bridge.solved_test_error(3.0, one).backward()  # type: ignore[no-untyped-call]
    assert one.grad is not None


def test_tensors_that_numpy_does_not_take() -> None:
    with pytest.raises(pt.InvalidInputError, match="must be a real number or an array of them"):
        pt.solve(torch.tensor([1.0, 2.0]).to_sparse(), 0.3)


LONG = np.linspace(0.1, 1.0, 100_000)


@pytest.mark.parametrize(
    "call",
    [
        lambda: pt.solve(LONG[:, None], LONG),
        lambda: pt.solve(LONG[:, None], 0.3, 0.1, student="gibbs", kappa=0.01 * LONG),
        lambda: pt.solve(LONG[:, None], 1.0, student=pt.ConvexLoss("square", LONG)),
        lambda: pt.separability_threshold(LONG[:, None], LONG, labels=pt.Labels(flip=0.1)),
        lambda: pt.learning_curve(LONG, LONG),
        lambda: pt.phase_diagram(LONG, LONG),
        lambda: pt.pareto_frontier(LONG, LONG, f_min=0.1),
        lambda: pt.required_theta(LONG, LONG),
        lambda: pt.local_exponent(LONG, LONG),
        lambda: pt.hard_easy_boundary(LONG, LONG),
        lambda: pt.paper_information_gain(0.5 * LONG[:, None], LONG),
        lambda: pt.error_gradient(LONG[:, None], LONG, 0.1),
    ],
)
def test_more_points_than_there_is_memory_for(call: Callable[[], object]) -> None:
    with pytest.raises(pt.InvalidInputError, match=r"10,000,000,000 points, more than 10,000,000.*MAX_POINTS = 10_000"):
        call()


def test_the_limit_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "MAX_POINTS", 5)
    with pytest.raises(pt.InvalidInputError, match=r"6 points, more than 5: solve them in parts"):
        pt.learning_curve([1.0, 2.0], [0.2, 0.4, 0.6])
    monkeypatch.setattr(validation, "MAX_POINTS", 6)
    assert pt.learning_curve([1.0, 2.0], [0.2, 0.4, 0.6]).test_error.size == 6
