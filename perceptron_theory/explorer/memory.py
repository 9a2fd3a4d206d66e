"""A bounded memory for what threads share: the least recently used goes first."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

from perceptron_theory.errors import InvalidInputError

_Value = TypeVar("_Value")


class Memory:
    """Values by key, at most so many and so large.

    Parameters
    ----------
    most : int
        How many are held at most, >= 1.
    most_bytes : int, optional
        How large they may be together, as far as their sizes are told. Default: not looked at.

    Examples
    --------
    >>> memory = Memory(2)
    >>> [memory.recalled(key, lambda: key * 2) for key in (1, 2, 3, 2)]
    [2, 4, 6, 4]
    >>> len(memory)
    2
    """

    def __init__(self, most: int, most_bytes: int = 0) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._held: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._held)

    def recalled(self, key: Hashable, make: Callable[[], _Value]) -> _Value:
        """The value of a key, made where it is not held. Two threads may make the same at once: it is the same."""
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return cast(_Value, self._held[key][0])
        value = make()
        self._hold(key, value, 0)
        return value

    def keep(self, value: object, size: int) -> str:
        """Hold a value of so many bytes; the token that finds it again cannot be guessed."""
        token = secrets.token_urlsafe(16)
        self._hold(token, value, size)
        return token

    def find(self, token: object, kind: type[_Value]) -> _Value:
        """What a token was given for.

        Raises
        ------
        InvalidInputError
            If it is held no longer, or the token is none.
        """
        with self._lock:
            if isinstance(token, str) and token in self._held:
                self._held.move_to_end(token)
                value = self._held[token][0]
                if isinstance(value, kind):
                    return value
        raise InvalidInputError("the file is held here no longer, others came after it: drop it again.")

    def _hold(self, key: Hashable, value: object, size: int) -> None:
        with self._lock:
            self._held[key] = (value, size)
            self._held.move_to_end(key)
            while len(self._held) > 1 and (len(self._held) > self._most or self._too_large()):
                self._held.popitem(last=False)

    def _too_large(self) -> bool:
        return 0 < self._most_bytes < sum(size for _, size in self._held.values())
