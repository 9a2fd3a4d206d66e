"""Forgetting: what is learnt in the course of a training run and lost again."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.metrics.tensors import boolean_table


class Forgetting(NamedTuple):
    """Forgetting events of every example.

    Attributes
    ----------
    counts : Tensor of int64, shape (n,)
        How often the example went from right to wrong; in 0 ... T / 2.
    never_learned : Tensor of bool, shape (n,)
        Whether it was wrong at every epoch; its count is then 0.
    scores : Tensor of int64, shape (n,)
        Counts, and T for what was never learned: that sorts as hardest.

    Examples
    --------
    >>> import torch
    >>> from perceptron_theory import metrics
    >>> right = torch.tensor([[True, False], [False, False], [True, False]])  # epochs, examples
    >>> found = metrics.forgetting(right)
    >>> found.counts.tolist(), found.never_learned.tolist(), found.scores.tolist()
    ([1, 0], [False, True], [1, 3])
    """

    counts: Tensor
    never_learned: Tensor
    scores: Tensor


def forgetting(right: Tensor) -> Forgetting:
    """Number of epochs after which an example that was right is wrong.

    High scores mean hard examples (``HIGHER_IS["forgetting"] == "harder"``). Costs nothing beyond one
    training run. Most examples of an easy data set are never forgotten, so that many scores are 0 and tied.

    Parameters
    ----------
    right : Tensor of bool, shape (T, n)
        Whether the example was classified correctly at each epoch, in the order of time; T >= 2.

    Returns
    -------
    Forgetting
        With `counts`, `never_learned` and `scores`.

    Raises
    ------
    InvalidInputError
        If the history is not boolean, or shorter than two epochs.

    Notes
    -----
    Toneva et al. 2019, arXiv:1812.05159, section 3. They count an example that is never learned as
    forgotten infinitely often; T stands for that here, because scores are finite.

    Examples
    --------
    >>> import torch
    >>> right = torch.tensor([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 1, 0]]).bool()
    >>> forgetting(right).scores.tolist()
    [2, 0, 4]
    """
    history = boolean_table("right", right, ("T", "n"), "compare the predictions of each epoch with the labels")
    if len(history) < 2:
        raise InvalidInputError(
            f"right must hold at least 2 epochs, got shape {tuple(history.shape)}: forgetting happens between epochs."
        )
    counts = (history[:-1] & ~history[1:]).sum(dim=0)
    never_learned = ~history.any(dim=0)
    return Forgetting(counts, never_learned, torch.where(never_learned, len(history), counts))
