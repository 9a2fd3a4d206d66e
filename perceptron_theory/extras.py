"""What is said where an optional dependency is not installed."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from perceptron_theory.errors import PerceptronTheoryError

#: Modules that each extra of pyproject.toml brings.
_MODULES: Final = {
    "digits": ("sklearn",),
    "explore": ("dash", "waitress"),
    "torch": ("torch",),
}


class MissingExtraError(PerceptronTheoryError, ImportError):
    """Something was asked for that needs an optional dependency, and that is not installed."""


def require(extra: str, asked: str) -> None:
    """Refuse to go on without an optional dependency.

    Parameters
    ----------
    extra : str
        Name of the extra in pyproject.toml.
    asked : str
        What needs it, as the start of a sentence.

    Raises
    ------
    MissingExtraError
        If one of its modules cannot be imported.
    """
    for module in _MODULES[extra]:
        try:
            import_module(module)
        except ImportError as failure:
            raise MissingExtraError(
                f'{asked}, and {module} cannot be imported ({failure}): pip install "perceptron_theory[{extra}]".'
            ) from None
