"""Numbers written as text."""

from __future__ import annotations

import math
import re


def is_number(text: str) -> bool:
    """Whether text is a finite number, as files write it (Python alone would take 1_000 too).

    Examples
    --------
    >>> is_number("-1e-3"), is_number("1_000"), is_number("nan"), is_number("")
    (True, False, False, False)
    """
    try:
        return math.isfinite(float(text)) and "_" not in text
    except ValueError:
        return False


def is_whole_number(text: str) -> bool:
    """Whether text is a number without point or exponent.

    Examples
    --------
    >>> is_whole_number("-12"), is_whole_number("12.0")
    (True, False)
    """
    return re.fullmatch(r"\s*[+-]?\d+\s*", text) is not None
