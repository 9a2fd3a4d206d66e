"""Progress bars, or a word, on anything that takes longer than two seconds."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from tqdm import tqdm

_Item = TypeVar("_Item")

_DELAY = 2.0


def track(items: Iterable[_Item], description: str, show: bool, total: int | None = None) -> Iterator[_Item]:
    """Iterate with a bar and the time left, on stderr, once two seconds have passed."""
    yield from tqdm(items, desc=description, delay=_DELAY, disable=not show, leave=False, total=total)


@contextmanager
def compiling() -> Iterator[None]:
    """Say on stderr why nothing happens, if nothing happens for two seconds.

    The first call of each kind after installation compiles the kernels before any bar can move.
    """
    message = "working; the first call of each kind compiles its numerical kernels, about half a minute ..."
    timer = threading.Timer(_DELAY, lambda: print(message, file=sys.stderr, flush=True))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
