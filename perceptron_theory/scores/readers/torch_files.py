"""Scores in .pt and .pth: a tensor, or a dict of them."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np

from perceptron_theory.errors import ScoreError
from perceptron_theory.scores.readers.request import AnyArray, Contents, Request
from perceptron_theory.scores.readers.translation import PICKLES_REFUSED, translated
from perceptron_theory.scores.rounding import score_array

_ADVICE = "it is cut short or damaged; write it again with torch.save"


def read_torch(request: Request) -> Contents:
    """A saved tensor, or tensors and lists of a saved dict, by key. PyTorch is loaded only here."""
    with translated(request.path, "PyTorch file", _ADVICE):
        saved = _load(request)
        if not isinstance(saved, dict):
            if request.part or request.ids or request.labels:
                raise ScoreError(f"{request.path} holds no dict, so there is nothing to choose by key: leave it out.")
            return Contents(_scores(request, saved))
        named = {name: value for name, value in saved.items() if isinstance(name, str)}
        parts = request.parts(list(named), "key")
        ids, labels = (None if name is None else _array(request, named[name]) for name in (parts.ids, parts.labels))
        return Contents(_scores(request, named[parts.scores]), parts.scores, ids, labels)


def _load(request: Request) -> Any:
    try:
        import torch
    except ImportError:
        raise ScoreError(
            f'{request.path} needs PyTorch to be read: pip install "perceptron_theory[torch]", or save numpy arrays.'
        ) from None
    try:
        with request.path.open("rb") as file:
            return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise ScoreError(
            f"{request.path} holds more than tensors, lists, numbers and strings, or is damaged: it would have to be "
            f"unpickled, and {PICKLES_REFUSED}; save the scores alone with torch.save."
        ) from None


def _scores(request: Request, saved: Any) -> AnyArray:
    """A tensor, or a list of numbers, as an array."""
    return score_array(saved, str(request.path)) if isinstance(saved, list | tuple) else _array(request, saved)


def _array(request: Request, saved: Any) -> AnyArray:
    """A tensor, or a list of numbers or strings, as an array."""
    import torch

    if isinstance(saved, torch.Tensor):
        tensor = saved.detach()
        # numpy has no bfloat16; float64 holds every floating type exactly.
        return np.asarray((tensor.double() if tensor.is_floating_point() else tensor).numpy())
    if isinstance(saved, list | tuple):
        return np.asarray(saved)
    raise ScoreError(
        f"{request.path} holds a {type(saved).__name__} where a tensor or a list is expected: save a tensor of scores."
    )
