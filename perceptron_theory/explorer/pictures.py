"""What the graphs of the page share: axes, colours and lines as in the package's own pictures."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from matplotlib.colors import to_hex

from perceptron_theory.plotting.calibration import rule_colours
from perceptron_theory.plotting.curves import FRONTIER_COLOUR

#: A picture as plotly.js takes it.
Picture = dict[str, Any]

BEST_COLOUR: Final = FRONTIER_COLOUR
POLICY_COLOUR: Final = "#8458a6"
_INK, _GRID, _WHITE = "#222222", "#e3e3e3", "#ffffff"
#: Free room at the ends of a logarithmic axis, of at least some decades; 2 and 5 are labelled up to some decades.
_ROOM, _LEAST_SPAN, _FEW_DECADES = 0.04, 0.2, 3.0
_FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"

ALPHA: Final = "\N{GREEK SMALL LETTER ALPHA}"
ALPHA_PRUNE: Final = f"kept per parameter, {ALPHA}<sub>prune</sub>"
ALPHA_TOT: Final = f"pool per parameter, {ALPHA}<sub>tot</sub>"
FRACTION: Final = "fraction kept, f"
TEST_ERROR: Final = "test error, ε"


def colour_of(selection: str) -> str:
    """Colour of a rule, the same as in the pictures of the package.

    Examples
    --------
    >>> colour_of("hard"), colour_of("random")
    ('#1f5fa8', '#8c8c8c')
    """
    name = "band:0.1" if selection == "band" else selection
    return to_hex(rule_colours([name])[name])


def listed(values: npt.ArrayLike) -> list[float | None]:
    """Numbers as JSON has them: what is missing is a gap.

    Examples
    --------
    >>> listed([0.5, float("nan")])
    [0.5, None]
    """
    return [
        value if math.isfinite(value) else None for value in np.ravel(np.asarray(values, dtype=np.float64)).tolist()
    ]


def line(x: npt.ArrayLike, y: npt.ArrayLike, name: str, colour: str, **more: Any) -> dict[str, Any]:
    """A line; `width`, `dash` and what plotly's scatter takes beside."""
    style = {"color": colour, "width": more.pop("width", 2.0), "dash": more.pop("dash", "solid")}
    return {"type": "scatter", "mode": "lines", "x": listed(x), "y": listed(y), "name": name, "line": style} | more


def dots(x: npt.ArrayLike, y: npt.ArrayLike, name: str, colour: str, **more: Any) -> dict[str, Any]:
    """Markers with a white edge; `marker` adds to their style."""
    style = {"color": colour, "size": 8.0, "line": {"color": _WHITE, "width": 1.0}} | more.pop("marker", {})
    return {"type": "scatter", "mode": "markers", "x": listed(x), "y": listed(y), "name": name, "marker": style} | more


def current(x: float, y: float, **more: Any) -> dict[str, Any]:
    """Where the sliders stand."""
    mark = {"symbol": "star", "size": 15.0, "line": {"color": _WHITE, "width": 1.5}}
    return dots([x], [y], "the sliders", "#000000", marker=mark, **more)


def axis(title: str, **more: Any) -> dict[str, Any]:
    """An axis in the style of the package."""
    return {
        "title": {"text": title, "standoff": 8},
        "gridcolor": _GRID,
        "zeroline": False,
        "linecolor": "#888888",
        "ticks": "outside",
        "ticklen": 4,
        "automargin": True,
        "tickfont": {"size": 11},
    } | more


def log_axis(title: str, *values: npt.ArrayLike, **more: Any) -> dict[str, Any]:
    """A logarithmic axis that holds all positive values, with plain numbers at its ticks.

    Examples
    --------
    >>> log_axis("size", [1.0, 70.0])["ticktext"]
    ['1', '2', '5', '10', '20', '50']
    >>> log_axis("error", [1e-9, 0.5])["ticktext"][:2]
    ['10<sup>-9</sup>', '10<sup>-8</sup>']
    """
    every = np.concatenate([np.ravel(np.asarray(value, dtype=np.float64)) for value in values])
    every = np.log10(every[np.isfinite(every) & (every > 0.0)])
    low, high = (float(every.min()), float(every.max())) if every.size else (-1.0, 0.0)
    room = _ROOM * max(high - low, _LEAST_SPAN)
    low, high = low - room, high + room
    digits = (1, 2, 5) if high - low < _FEW_DECADES else (1,)
    ticks = [(digit, power) for power in range(math.floor(low), math.ceil(high) + 1) for digit in digits]
    ticks = [(digit, power) for digit, power in ticks if low <= math.log10(digit) + power <= high]
    own = {
        "type": "log",
        "range": [low, high],
        "tickvals": [float(f"{digit}e{power}") for digit, power in ticks],
        "ticktext": [_plain(digit, power) for digit, power in ticks],
    }
    return axis(title, **own) | more


def _plain(digit: int, power: int) -> str:
    """A number as it is, unless it has many zeros."""
    if -4 <= power <= 4:
        return f"{digit * 10.0**power:,.{max(-power, 0)}f}"
    return f"{'' if digit == 1 else f'{digit}·'}10<sup>{power}</sup>"


def picture(traces: list[dict[str, Any]], x: dict[str, Any], y: dict[str, Any], **layout: Any) -> Picture:
    """Traces on axes. The position that a reader zoomed to stays while sliders move."""
    return {
        "data": traces,
        "layout": {
            "xaxis": x,
            "yaxis": y,
            "font": {"family": _FONT, "size": 12, "color": _INK},
            "paper_bgcolor": _WHITE,
            "plot_bgcolor": _WHITE,
            "margin": {"l": 8, "r": 12, "t": 8, "b": 8},
            "legend": {
                "orientation": "h",
                "yanchor": "bottom",
                "y": 1.02,
                "x": 0.0,
                "font": {"size": 11},
            },
            # A finger that moves over a graph scrolls the page.
            "dragmode": False,
            "hovermode": "closest",
        }
        | layout,
    }


def empty(reason: str) -> Picture:
    """A picture of nothing that says why."""
    note = {"text": reason, "showarrow": False, "xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5}
    hidden = {"visible": False}
    return picture([], hidden, hidden, annotations=[note])
