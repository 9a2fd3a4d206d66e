"""Progress bars on anything that takes longer than two seconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from tqdm import tqdm

_Item = TypeVar("_Item")

_DELAY = 2.0


def track(items: Sequence[_Item], description: str, show: bool) -> Iterator[_Item]:
    """Iterate with a bar and the time left, on stderr, once two seconds have passed."""
    yield from tqdm(items, desc=description, delay=_DELAY, disable=not show, leave=False)
