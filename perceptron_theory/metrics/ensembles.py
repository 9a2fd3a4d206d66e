"""What an ensemble of models says of an example: how many are right, and how unsure they are together."""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from perceptron_theory.metrics.tensors import Given, boolean_table, models, network_outputs
from perceptron_theory.validation import kept_fraction


def fraction_right(right: Tensor) -> Tensor:
    """Fraction of models that classify an example correctly (DDD).

    A high fraction means an easy example (``HIGHER_IS["fraction_right"] == "easier"``). Costs m trained
    networks, best of different kinds. Only m + 1 values occur, so that most scores are tied.

    Parameters
    ----------
    right : Tensor of bool, shape (m, n)
        Whether each model is right.

    Returns
    -------
    Tensor, shape (n,)
        In [0, 1].

    Raises
    ------
    InvalidInputError
        If the table is not boolean.

    Notes
    -----
    Meding, Schulze Buschoff, Geirhos and Wichmann 2022, arXiv:2110.05922: "dichotomous data difficulty".

    Examples
    --------
    >>> import torch
    >>> fraction_right(torch.tensor([[True, False], [True, True]])).tolist()
    [1.0, 0.5]
    """
    table = boolean_table("right", right, ("m", "n"), "compare the predictions of each model with the labels")
    return table.sum(dim=0) / len(table)


def ensemble_entropy(outputs: Tensor, *, given: Given) -> Tensor:
    """Entropy of the prediction averaged over models, in nats.

    A high entropy means a hard example (``HIGHER_IS["ensemble_entropy"] == "harder"``). Needs no labels.
    Costs m trained networks, which may be checkpoints of one run.

    Parameters
    ----------
    outputs : Tensor, shape (n, C) or (m, n, C)
        Of one model, or of m.
    given : {"logits", "probabilities"}
        What the outputs are.

    Returns
    -------
    Tensor, shape (n,)
        In [0, log C].

    Raises
    ------
    InvalidInputError
        If the outputs are not usable.

    Notes
    -----
    One of the acquisition functions of ensemble active learning: Beluch et al. 2018 (CVPR); Chitta et al.
    2020, arXiv:1905.12737.

    Examples
    --------
    >>> import torch
    >>> agree, disagree = [[1.0, 0.0], [1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]
    >>> ensemble_entropy(torch.tensor([agree, disagree]), given="probabilities")
    tensor([0.0000, 0.6931])
    """
    several = models("outputs", outputs, "C")
    total = functools.reduce(torch.add, (_probabilities(one, given) for one in several))
    entropy: Tensor = torch.special.entr(total / len(several)).sum(dim=1)
    return entropy


def active_learning(outputs: Tensor, *, given: Given, keep_fraction: float = 0.8) -> Tensor:
    """1 for the examples an ensemble is least sure of, 0 for the rest.

    1 means keep (``HIGHER_IS["active_learning"] == "keep"``). Costs what `ensemble_entropy` does. The score is
    binary: it means something at the fraction it was made for and at no other; to choose a fraction later,
    keep `ensemble_entropy`.

    Parameters
    ----------
    outputs : Tensor, shape (n, C) or (m, n, C)
        Of one model, or of m.
    given : {"logits", "probabilities"}
        What the outputs are.
    keep_fraction : float
        In (0, 1]; round(keep_fraction * n) examples, at least 1, score 1.

    Returns
    -------
    Tensor, shape (n,)
        0 or 1. Of equally unsure examples the earlier ones are kept.

    Raises
    ------
    InvalidInputError
        If the outputs are not usable, or keep_fraction lies outside its range.

    Notes
    -----
    After Chitta et al. 2020, arXiv:1905.12737, as published with Sorscher et al. 2022, arXiv:2206.14486: 1 for
    the 80 % of ImageNet that active learning selected, 0 for the others. That selection acquired the
    examples in rounds, training anew after each, and its acquisition function is not stated there. Here
    it is one round by entropy.

    Examples
    --------
    >>> import torch
    >>> p = torch.tensor([0.5, 0.9, 0.6, 0.99])
    >>> active_learning(torch.stack([p, 1 - p], dim=1), given="probabilities", keep_fraction=0.5).tolist()
    [1.0, 0.0, 1.0, 0.0]
    """
    fraction = float(kept_fraction("keep_fraction", keep_fraction))
    unsure = ensemble_entropy(outputs, given=given)
    kept = unsure.argsort(descending=True, stable=True)[: max(1, round(fraction * len(unsure)))]
    return torch.zeros_like(unsure).index_fill(0, kept, 1.0)


def _probabilities(outputs: Tensor, given: Given) -> Tensor:
    real = network_outputs(outputs, given)
    return real if given == "probabilities" else real.softmax(dim=1)
