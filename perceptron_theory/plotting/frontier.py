"""The frontier picture: error against kept size, one line per f, the frontier dashed on top."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from perceptron_theory.plotting.style import RANDOM_COLOUR, number_ticks, style_sheet

FRONTIER_COLOUR = "#c1272d"


def frontier_figure(frontier: xr.Dataset, curves: xr.Dataset, title: str = "") -> Figure:
    """Figure of a frontier at one angle with the curves at fixed f behind it.

    Parameters
    ----------
    frontier : xarray.Dataset
        From `pareto_frontier`, with the single dimension "alpha_prune".
    curves : xarray.Dataset
        From `learning_curve`, with dimensions "alpha_prune" and "f".
    title : str
        Says what the data are.
    """
    with style_sheet():
        figure = Figure()
        FigureCanvasAgg(figure)
        draw_frontier(figure.add_subplot(), frontier, curves, title)
    return figure


def draw_frontier(axes: Axes, frontier: xr.Dataset, curves: xr.Dataset, title: str = "") -> Axes:
    """Draw on given axes; see `frontier_figure`."""
    alpha = frontier.alpha_prune.values
    axes.loglog(alpha, frontier.test_error_random, color=RANDOM_COLOUR, lw=2.2, label="random subset")
    colours = mpl.colormaps["viridis"](np.linspace(0.0, 0.85, curves.sizes["f"]))
    ceiling = frontier.attrs.get("alpha_tot_max", np.inf)
    for colour, f in zip(colours, curves.f.values, strict=True):
        line = curves.sel(f=f)
        affordable = line.alpha_tot.values <= ceiling * (1.0 + 1e-9)
        if affordable.any():
            axes.loglog(
                line.alpha_prune.values[affordable],
                line.test_error.values[affordable],
                color=colour,
                label=f"f = {f:g}",
            )
    axes.loglog(alpha, frontier.test_error, color=FRONTIER_COLOUR, lw=2.0, ls=(0, (4, 2)), label="frontier (best f)")
    axes.set_xlabel(r"examples kept per parameter, $\alpha_\mathrm{prune}$")
    axes.set_ylabel(r"test error, $\varepsilon$")
    limits = []
    if np.isfinite(ceiling):
        limits.append(rf"$\alpha_\mathrm{{tot}} \leq {ceiling:g}$")
    if "f_min" in frontier.attrs:
        limits.append(rf"$f \geq {frontier.attrs['f_min']:g}$")
    theta = np.rad2deg(float(frontier.theta))
    title = title.replace("$", r"\$")  # the title is data, not mathematics
    axes.set_title(f"{title}\nkeep {frontier.attrs['selection']}, θ = {theta:.3g}°, {', '.join(limits)}".strip())
    number_ticks(axes)
    axes.legend(loc="lower left")
    return axes
