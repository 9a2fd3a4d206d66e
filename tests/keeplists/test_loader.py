"""The kept part of a torch data set: subset, sampler, and what is said without torch."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from small_scores import gaussian_scores

import perceptron_theory as pt
from perceptron_theory.keeplists.selecting import select

torch = pytest.importorskip("torch")
from torch.utils.data import DataLoader, IterableDataset, TensorDataset  # noqa: E402

KEEP = select(gaussian_scores(40), 0.25, seed=5)
DATA = TensorDataset(torch.arange(40))


def seen(loader: DataLoader[Any]) -> list[int]:
    return [int(value) for (batch,) in loader for value in batch]


def test_subset_is_what_is_kept() -> None:
    subset = KEEP.subset(DATA)
    assert len(subset) == 10
    assert seen(DataLoader(subset, batch_size=4)) == KEEP.indices.tolist()


@pytest.mark.parametrize("length", [39, 41])
def test_subset_of_another_length(length: int) -> None:
    with pytest.raises(pt.InvalidInputError, match=rf"must hold the 40 examples that were scored, got {length}"):
        KEEP.subset(TensorDataset(torch.arange(length)))


class Stream(IterableDataset[int]):
    def __iter__(self) -> Iterator[int]:
        return iter(range(40))


def test_subset_of_a_stream() -> None:
    with pytest.raises(pt.InvalidInputError, match="must be map-style, got a Stream without a length"):
        KEEP.subset(Stream())


def test_sampler_draws_a_new_order_every_epoch() -> None:
    sampler = KEEP.sampler()
    loader = DataLoader(DATA, batch_size=4, sampler=sampler)
    assert (len(sampler), len(loader)) == (10, 3)
    epochs = []
    for epoch in range(3):
        sampler.set_epoch(epoch)
        epochs.append(seen(loader))
        assert sorted(epochs[-1]) == KEEP.indices.tolist()
    assert len({tuple(order) for order in epochs}) == 3
    sampler.set_epoch(1)
    assert seen(loader) == epochs[1]
    assert list(KEEP.sampler()) == epochs[0]


def test_order_depends_on_the_seed_of_the_keep_list() -> None:
    other = select(KEEP.scores, 0.25, seed=6)
    assert np.array_equal(other.indices, KEEP.indices)
    assert list(other.sampler()) != list(KEEP.sampler())


def test_sampler_without_shuffling() -> None:
    sampler = KEEP.sampler(shuffle=False)
    sampler.set_epoch(3)
    assert list(sampler) == KEEP.indices.tolist()


@pytest.mark.parametrize("epoch", [-1, 0.5, "1"])
def test_epochs_that_are_none(epoch: int) -> None:
    with pytest.raises(pt.InvalidInputError, match="epoch must be"):
        KEEP.sampler().set_epoch(epoch)


def test_without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "torch"]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "perceptron_theory.keeplists.loader", raising=False)
    for ask in (KEEP.sampler, lambda: KEEP.subset(DATA)):
        with pytest.raises(pt.PerceptronTheoryError, match=r'pip install "perceptron_theory\[torch\]"'):
            ask()
