"""Norms of the error, softmax minus one-hot label, and of the gradient that it causes."""

from __future__ import annotations

import torch
from torch import Tensor

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.metrics.tensors import Given, class_labels, models, network_outputs, real_tensor


def el2n(outputs: Tensor, labels: Tensor, *, given: Given) -> Tensor:
    """Norm of the error, ||softmax(outputs) - onehot(label)||_2, averaged over models.

    A high norm means a hard example (``HIGHER_IS["el2n"] == "harder"``). Costs m networks trained
    for a few epochs: the source averages 10, early in training.

    Parameters
    ----------
    outputs : Tensor, shape (n, C) or (m, n, C)
        Of one model, or of m.
    labels : Tensor, shape (n,)
        Integers in 0 ... C - 1.
    given : {"logits", "probabilities"}
        What the outputs are. From logits the norms of very easy examples keep their digits, which
        rounding of probabilities to 1 would turn into ties.

    Returns
    -------
    Tensor, shape (n,)
        In [0, sqrt(2)].

    Raises
    ------
    InvalidInputError
        If outputs or labels are not usable.

    Notes
    -----
    Paul, Ganguli and Dziugaite 2021, arXiv:2107.07075.

    Examples
    --------
    >>> import torch
    >>> probabilities = torch.tensor([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    >>> el2n(probabilities, torch.tensor([0, 0, 0]), given="probabilities")
    tensor([0.0000, 0.7071, 1.4142])
    """
    norms = [_error_norm(one, labels, given) for one in models("outputs", outputs, "C")]
    return torch.stack(norms).mean(dim=0)


def grand_last_layer(outputs: Tensor, labels: Tensor, features: Tensor, *, given: Given) -> Tensor:
    """Norm of the gradient of the cross-entropy with respect to the last layer, averaged over models.

    The gradient with respect to weights and biases is (p - y)(h, 1)^T, so that its norm is
    ||p - y||_2 sqrt(||h||_2^2 + 1), for probabilities p, one-hot label y and features h. A high norm means
    a hard example (``HIGHER_IS["grand_last_layer"] == "harder"``). Costs what `el2n` does, and the memory
    for the features; no backward pass.

    Parameters
    ----------
    outputs : Tensor, shape (n, C) or (m, n, C)
        Of one model, or of m.
    labels : Tensor, shape (n,)
        Integers in 0 ... C - 1.
    features : Tensor, shape (n, d) or (m, n, d)
        What the last layer, which has a bias, is given.
    given : {"logits", "probabilities"}
        What the outputs are.

    Returns
    -------
    Tensor, shape (n,)
        >= 0.

    Raises
    ------
    InvalidInputError
        If outputs, labels or features are not usable.

    Notes
    -----
    The GraNd score of Paul, Ganguli and Dziugaite 2021, arXiv:2107.07075, takes the gradient with
    respect to all weights; this is its part from the last layer.

    Examples
    --------
    >>> import torch
    >>> p, h = torch.tensor([[0.5, 0.5]]), torch.tensor([[1.0, 1.0, 1.0]])
    >>> grand_last_layer(p, torch.tensor([0]), h, given="probabilities")
    tensor([1.4142])
    """
    several, inputs = models("outputs", outputs, "C"), models("features", features, "d")
    if several.shape[:2] != inputs.shape[:2]:
        raise InvalidInputError(
            f"features must belong to the same models and examples as outputs, got shapes {tuple(features.shape)} "
            f"and {tuple(outputs.shape)}: give both from one pass."
        )
    norms = []
    for one, h in zip(several, inputs, strict=True):
        reach = torch.sqrt(real_tensor("features", h, ("n", "d")).square().sum(dim=1) + 1.0)
        norms.append(_error_norm(one, labels, given) * reach)
    return torch.stack(norms).mean(dim=0)


def _error_norm(outputs: Tensor, labels: Tensor, given: Given) -> Tensor:
    """||p - y||_2 of one model."""
    real = network_outputs(outputs, given)
    true = class_labels(labels, real)
    if given == "logits":
        others = real.softmax(dim=1).scatter(1, true, 0.0)
        # 1 - p of the true class is the sum of the others, without cancellation.
        return torch.sqrt(others.sum(dim=1).square() + others.square().sum(dim=1))
    error = real.scatter_add(1, true, -torch.ones_like(real[:, :1]))
    return error.square().sum(dim=1).sqrt()
