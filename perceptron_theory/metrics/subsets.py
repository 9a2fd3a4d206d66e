"""Memorization and influence: what training on an example changes, estimated from many random subsets."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.metrics.tensors import boolean_table
from perceptron_theory.progress import track

#: Examples per side of a block of the influence matrix: 64 MB in float32.
_BLOCK = 4096


def memorization(in_training: Tensor, right: Tensor) -> Tensor:
    """P(right | trained on it) - P(right | not trained on it), over models trained on random subsets.

    A high value means a hard example (``HIGHER_IS["memorization"] == "harder"``): it is only right if it has
    been seen. Costs m trained networks; the source takes 2000 to 4000 subsets of 70 %.

    Parameters
    ----------
    in_training : Tensor of bool, shape (m, n)
        Whether the example was in the training set of each model.
    right : Tensor of bool, shape (m, n)
        Whether the model is right on the example.

    Returns
    -------
    Tensor, shape (n,)
        In [-1, 1]. With m / 2 models on each side the standard error is at most 1 / sqrt(m).

    Raises
    ------
    InvalidInputError
        If the tables do not fit, or an example was in every training set, or in none.

    Notes
    -----
    Feldman and Zhang 2020, arXiv:2008.03703.

    Examples
    --------
    >>> import torch
    >>> in_training = torch.tensor([[1, 1], [1, 0], [0, 1], [0, 0]]).bool()
    >>> right = torch.tensor([[1, 1], [1, 1], [0, 1], [0, 1]]).bool()
    >>> memorization(in_training, right).tolist()
    [1.0, 0.0]
    """
    inside, correct = _tables(in_training, right, "n")
    if inside.shape != correct.shape:
        raise InvalidInputError(
            f"in_training and right must be about the same examples, got shapes {tuple(inside.shape)} and "
            f"{tuple(correct.shape)}: `influence` takes other examples."
        )
    n_in, n_out = _sides(inside)
    right_in = (inside & correct).sum(dim=0)
    return right_in / n_in - (correct.sum(dim=0) - right_in) / n_out


class InfluenceScores(NamedTuple):
    """The influence of each training example on all test examples, in two numbers.

    Attributes
    ----------
    max : Tensor, shape (n,)
        Largest influence on any test example; in [-1, 1].
    sum_abs : Tensor, shape (n,)
        Sum of the magnitudes; in [0, n_test].
    """

    max: Tensor
    sum_abs: Tensor


def influence(in_training: Tensor, right: Tensor, *, progress: bool = False) -> InfluenceScores:
    """How training on an example changes P(right) of each test example, reduced over test examples.

    Influence of i on j is P(j right | trained on i) - P(j right | not trained on i). High values mean that an
    example matters (``HIGHER_IS["influence_max"] == HIGHER_IS["influence_sum_abs"] == "keep"``). Costs the
    networks of `memorization` and one matrix product, n x m x n_test, in blocks: the influences
    are never in memory together. Most of `sum_abs` is noise of the estimate, unless m is large.

    Parameters
    ----------
    in_training : Tensor of bool, shape (m, n)
        Whether the example was in the training set of each model.
    right : Tensor of bool, shape (m, n_test)
        Whether the model is right on the test example.
    progress : bool
        Show a progress bar if it takes longer than two seconds.

    Returns
    -------
    InfluenceScores
        `max` and `sum_abs`.

    Raises
    ------
    InvalidInputError
        If the tables do not fit, or an example was in every training set, or in none.

    Notes
    -----
    Feldman and Zhang 2020, arXiv:2008.03703; the two reductions are those of Sorscher et al. 2022,
    arXiv:2206.14486.

    Examples
    --------
    >>> import torch
    >>> in_training = torch.tensor([[1, 1], [1, 0], [0, 1], [0, 0]]).bool()
    >>> right = torch.tensor([[1, 1, 0], [1, 1, 0], [0, 1, 1], [0, 0, 1]]).bool()
    >>> influence(in_training, right)
    InfluenceScores(max=tensor([1.0000, 0.5000]), sum_abs=tensor([2.5000, 0.5000]))
    """
    inside, correct = _tables(in_training, right, "n_test")
    n_in, n_out = (count.float()[:, None] for count in _sides(inside))
    n = inside.shape[1]
    largest = torch.full((n,), -torch.inf, device=inside.device)
    total = torch.zeros(n, device=inside.device)
    for start in track(range(0, n, _BLOCK), "influence", progress):
        rows = slice(start, start + _BLOCK)
        members = inside[:, rows].float().T
        for block in torch.split(correct, _BLOCK, dim=1):
            # Counts of models, exact in float32 below 2^24.
            right_in = members @ block.float()
            right_out = block.sum(dim=0) - right_in
            one = right_in / n_in[rows] - right_out / n_out[rows]
            largest[rows] = torch.maximum(largest[rows], one.amax(dim=1))
            total[rows] += one.abs().sum(dim=1)
    return InfluenceScores(largest, total)


def _tables(in_training: Tensor, right: Tensor, examples: str) -> tuple[Tensor, Tensor]:
    """Both tables, of the same models."""
    inside = boolean_table("in_training", in_training, ("m", "n"), "True where the model was trained on the example")
    correct = boolean_table("right", right, ("m", examples), "compare the predictions of each model with the labels")
    if len(inside) != len(correct):
        raise InvalidInputError(
            f"in_training and right must be about the same models, got {len(inside)} and {len(correct)}: match them."
        )
    return inside, correct.to(inside.device)


def _sides(inside: Tensor) -> tuple[Tensor, Tensor]:
    """How many models were trained on each example, and how many were not."""
    n_in = inside.sum(dim=0)
    n_out = len(inside) - n_in
    never, always = int((n_in == 0).sum()), int((n_out == 0).sum())
    if never or always:
        raise InvalidInputError(
            f"every example must be in some training sets and outside others, got {never} in none and {always} in all "
            f"{len(inside)}, of {len(n_in)} examples: leave these out, or train on more subsets."
        )
    return n_in, n_out
