"""What metrics ask of the tensors they are given; nothing is guessed, everything is computed in float32 at least."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from perceptron_theory.errors import InvalidInputError

Given = Literal["logits", "probabilities"]

#: Rounding to float16 or bfloat16 moves the sum of probabilities by up to half of this.
SUM_TOLERANCE = 1e-2

_INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


def real_tensor(name: str, tensor: Tensor, dimensions: tuple[str, ...]) -> Tensor:
    """Finite real numbers of the named dimensions, detached, in float32 or float64."""
    _shaped(name, tensor, dimensions)
    if not tensor.is_floating_point():
        raise InvalidInputError(
            f"{name} must be floating-point numbers, got {tensor.dtype}: give what the network computed, unrounded."
        )
    # Smaller types only store; sums and exponentials need the digits.
    real = tensor.detach() if tensor.dtype in (torch.float32, torch.float64) else tensor.detach().float()
    finite = torch.isfinite(real)
    if not finite.all():
        at = torch.nonzero(~finite)
        raise InvalidInputError(
            f"{name} must be finite, got {real[tuple(at[0])].item()} at {tuple(at[0].tolist())} "
            f"({len(at)} of {real.numel()} are not): remove these examples, or find out why the network diverged."
        )
    return real


def network_outputs(outputs: Tensor, given: Given) -> Tensor:
    """Outputs of one model, shape (n, C), checked to be what they are said to be."""
    if given not in get_args(Given):
        raise InvalidInputError(
            f"given must be 'logits' or 'probabilities', got {given!r}: say what the network's outputs are."
        )
    real = real_tensor("outputs", outputs, ("n", "C"))
    if real.shape[1] < 2:
        raise InvalidInputError(
            f"outputs must have at least two classes, got shape {tuple(real.shape)}: "
            "write a single output z as the two logits (0, z)."
        )
    if given == "probabilities":
        _check_probabilities(real)
    return real


def models(name: str, tensor: Tensor, per_example: str) -> Tensor:
    """Tensor of shape (m, n, per_example); the dimension of the models may be absent in `tensor`."""
    one = getattr(tensor, "ndim", 3) == 2
    _shaped(name, tensor, ("n", per_example) if one else ("m", "n", per_example))
    return tensor[None] if one else tensor


def integer_labels(labels: Tensor, n: int) -> Tensor:
    """Labels of any integer type, shape (n,)."""
    _shaped("labels", labels, ("n",))
    if labels.dtype not in _INTEGERS:
        raise InvalidInputError(f"labels must be integers, got {labels.dtype}: give the index of each example's class.")
    if len(labels) != n:
        raise InvalidInputError(f"labels must be one per example, got {len(labels)} for {n} examples: match them.")
    return labels


def class_labels(labels: Tensor, outputs: Tensor) -> Tensor:
    """Labels in 0 ... C - 1 for outputs of shape (n, C), as int64 of shape (n, 1) beside them."""
    n, classes = outputs.shape
    integers = integer_labels(labels, n)
    low, high = int(integers.min()), int(integers.max())
    if low < 0 or high >= classes:
        raise InvalidInputError(
            f"labels must lie in 0 ... {classes - 1}, got {low if low < 0 else high}: "
            f"number the {classes} classes from 0, and leave out examples without a class."
        )
    return integers.to(outputs.device, torch.int64)[:, None]


def boolean_table(name: str, table: Tensor, dimensions: tuple[str, ...], meaning: str) -> Tensor:
    """Boolean tensor of the named dimensions."""
    _shaped(name, table, dimensions)
    if table.dtype != torch.bool:
        raise InvalidInputError(f"{name} must be boolean, got {table.dtype}: {meaning}.")
    return table


def _shaped(name: str, tensor: Tensor, dimensions: tuple[str, ...]) -> None:
    """A tensor with so many dimensions, none of them empty."""
    wanted = f"({', '.join(dimensions)}{',' if len(dimensions) == 1 else ''})"
    if not isinstance(tensor, Tensor):
        raise InvalidInputError(
            f"{name} must be a torch tensor of shape {wanted}, got {type(tensor).__name__}: use torch.as_tensor."
        )
    if tensor.ndim != len(dimensions) or tensor.numel() == 0:
        raise InvalidInputError(
            f"{name} must have shape {wanted}, all at least 1, got {tuple(tensor.shape)}: reshape it or select a part."
        )


def _check_probabilities(real: Tensor) -> None:
    total = real.sum(dim=1)
    wrong = (real.amin(dim=1) < 0.0) | ((total - 1.0).abs() > SUM_TOLERANCE)
    if wrong.any():
        at = int(torch.nonzero(wrong)[0])
        raise InvalidInputError(
            f"probabilities must be >= 0 and sum to 1 within {SUM_TOLERANCE:g}, got a sum of {total[at].item():g} and "
            f"a smallest entry of {real[at].amin().item():g} for example {at} ({int(wrong.sum())} of {len(real)} are "
            "wrong): normalise them, or say given='logits'."
        )
