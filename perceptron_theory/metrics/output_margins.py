"""Margins: how far the true class is ahead of the others, at one time or over a whole training run."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.metrics.tensors import Given, class_labels, network_outputs


def margin(outputs: Tensor, labels: Tensor, *, given: Given) -> Tensor:
    """Output of the true class minus the largest other; negative where the network is wrong.

    A high margin means an easy example (``HIGHER_IS["margin"] == "easier"``). Costs one pass of one
    trained network.

    Parameters
    ----------
    outputs : Tensor, shape (n, C)
        Finite.
    labels : Tensor, shape (n,)
        Integers in 0 ... C - 1.
    given : {"logits", "probabilities"}
        What the outputs are, and so what the margin is measured in.

    Returns
    -------
    Tensor, shape (n,)
        In [-1, 1] for probabilities.

    Raises
    ------
    InvalidInputError
        If outputs or labels are not usable.

    Notes
    -----
    As in Bartlett, Foster and Telgarsky, arXiv:1706.08498, without their normalisation.

    Examples
    --------
    >>> import torch
    >>> logits = torch.tensor([[3.0, 1.0, 0.5], [0.0, 2.0, 4.0]])
    >>> margin(logits, torch.tensor([0, 1]), given="logits").tolist()
    [2.0, -2.0]
    """
    real = network_outputs(outputs, given)
    true = class_labels(labels, real)
    others = real.scatter(1, true, -torch.inf)
    return real.gather(1, true).squeeze(1) - others.amax(dim=1)


def area_under_margin(epochs: Tensor | Iterable[Tensor], labels: Tensor) -> Tensor:
    """Margin of the logits, averaged over the epochs of a training run (AUM).

    A high area means an easy example (``HIGHER_IS["area_under_margin"] == "easier"``); a wrong label
    makes it negative. Costs nothing beyond one training run: the logits are seen once each, epoch by
    epoch, and need not be in memory together.

    Parameters
    ----------
    epochs : Tensor of shape (T, n, C), or iterable of T tensors of shape (n, C)
        Logits of all examples, in the same order, at each epoch.
    labels : Tensor, shape (n,)
        Integers in 0 ... C - 1: the labels that were trained on.

    Returns
    -------
    Tensor, shape (n,)

    Raises
    ------
    InvalidInputError
        If there is no epoch, or its logits or labels are not usable.

    Notes
    -----
    Pleiss, Zhang, Elenberg and Weinberger 2020, arXiv:2001.10528.

    Examples
    --------
    >>> import torch
    >>> epochs = torch.tensor([[[0.0, 1.0]], [[2.0, 1.0]], [[4.0, 1.0]]])
    >>> area_under_margin(epochs, torch.tensor([0])).tolist()
    [1.0]
    """
    total, seen = None, 0
    for logits in epochs:
        one = margin(logits, labels, given="logits")
        total = one.double() if total is None else total + one
        seen += 1
    if total is None:
        raise InvalidInputError("epochs must hold at least one tensor of logits, got none: give one per epoch.")
    return (total / seen).to(one.dtype)
