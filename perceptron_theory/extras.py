"""What is said where torch is not installed."""

from __future__ import annotations

from perceptron_theory.errors import PerceptronTheoryError


class MissingTorchError(PerceptronTheoryError, ImportError):
    """Something that computes on tensors was asked for, and torch is not installed."""


def require_torch(asked: str) -> None:
    """Refuse to go on without torch.

    Parameters
    ----------
    asked : str
        What needs it, as the start of a sentence.

    Raises
    ------
    MissingTorchError
        If torch cannot be imported.
    """
    try:
        import torch  # noqa: F401
    except ImportError as failure:
        raise MissingTorchError(
            f'{asked}, and torch cannot be imported ({failure}): pip install "perceptron_theory[torch]".'
        ) from None
