"""Lines and points that most pictures share: theory at fixed f, the frontier, simulation dots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import xarray as xr
from matplotlib.axes import Axes

from perceptron_theory.plotting.style import RANDOM_COLOUR

FRONTIER_COLOUR = "#c1272d"

Colour = Any


def fraction_colours(fractions: npt.ArrayLike) -> list[Colour]:
    """One colour for each fraction kept, dark to light; grey for f = 1, a random subset."""
    values = np.ravel(fractions)
    shades = iter(mpl.colormaps["viridis"](np.linspace(0.0, 0.85, int((values < 1.0).sum()))))
    return [RANDOM_COLOUR if f == 1.0 else next(shades) for f in values]


def angle_colours(number: int) -> list[Colour]:
    """One colour for each probe angle, the perfect metric first."""
    return list(mpl.colormaps["plasma"](np.linspace(0.0, 0.82, number)))


def draw_fractions(axes: Axes, curves: xr.Dataset, y: str = "test_error") -> None:
    """One line for each fraction kept of `curves`, with dimensions "alpha_prune" and "f"."""
    for f, colour in zip(curves.f.values, fraction_colours(curves.f), strict=True):
        line = curves.sel(f=f)
        if not np.isfinite(line[y]).any():
            continue
        label = "random subset (f = 1)" if f == 1.0 else f"f = {f:g}"
        axes.plot(line.alpha_prune, line[y], color=colour, lw=2.2 if f == 1.0 else 1.6, label=label)


def draw_best(axes: Axes, frontier: xr.Dataset, label: str = "frontier (best f)") -> None:
    """The frontier, dashed."""
    axes.plot(frontier.alpha_prune, frontier.test_error, color=FRONTIER_COLOUR, lw=2.0, ls=(0, (4, 2)), label=label)


def draw_dots(
    axes: Axes, dots: xr.Dataset, colours: Sequence[Colour], by: str = "f", *, x: str = "alpha_prune", label: str = ""
) -> None:
    """Means over trials with two standard errors, a colour for each distinct value of the coordinate `by`.

    Open where a variable `rounded` is true: beside the capacity no finite student follows the theory.
    """
    rounded = dots["rounded"] if "rounded" in dots else xr.zeros_like(dots["mean"], dtype=bool)
    for value, colour in zip(np.unique(dots[by]), colours, strict=True):
        for is_open in (False, True):
            chosen = dots.isel(cell=np.flatnonzero((dots[by] == value) & (rounded == is_open)))
            if chosen.sizes["cell"] == 0:
                continue
            style = {"mfc": "white", "mec": colour, "mew": 1.2} if is_open else {"mec": "white", "mew": 0.6}
            bars = 2.0 * chosen.standard_error
            axes.errorbar(
                chosen[x], chosen["mean"], bars, fmt="o", ms=4.5, lw=1.2, color=colour, zorder=4.0, label=label, **style
            )
            label = ""


def simulation_label(dots: xr.Dataset) -> str:
    """What the dots are."""
    return f"simulated, N = {dots.attrs['N']}, ± 2 s.e."
