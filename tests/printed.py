"""Numbers against their printed form."""

from __future__ import annotations


def assert_printed(value: float, printed: str, rel: float = 0.0) -> None:
    """Equal to half a unit of the last digit printed, or to `rel` where that is coarser."""
    decimals = len(printed.split(".")[1])
    assert abs(value - float(printed)) <= max(0.5001 * 10.0**-decimals, rel * float(printed))
