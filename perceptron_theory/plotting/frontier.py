"""The frontier picture: error against kept size, one line per f, the frontier dashed on top."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from perceptron_theory.plotting.curves import draw_best, draw_fractions
from perceptron_theory.plotting.style import (
    ALPHA_PRUNE,
    RANDOM_COLOUR,
    TEST_ERROR,
    name_label,
    new_figure,
    number_ticks,
    style_sheet,
)


def frontier_figure(frontier: xr.Dataset, curves: xr.Dataset, title: str = "") -> Figure:
    """Figure of a frontier at one angle with the curves at fixed f behind it.

    Parameters
    ----------
    frontier : xarray.Dataset
        From `pareto_frontier`, with the single dimension "alpha_prune".
    curves : xarray.Dataset
        From `learning_curve`, with dimensions "alpha_prune" and "f".
    title : str
        Says what the data are, in one line or more.
    """
    with style_sheet():
        figure = new_figure()
        draw_frontier(figure.add_subplot(), frontier, curves, title)
    return figure


def draw_frontier(axes: Axes, frontier: xr.Dataset, curves: xr.Dataset, title: str = "") -> Axes:
    """Draw on given axes; see `frontier_figure`."""
    alpha = frontier.alpha_prune.values
    axes.loglog(alpha, frontier.test_error_random, color=RANDOM_COLOUR, lw=2.2, label="random subset")
    ceiling = frontier.attrs.get("alpha_tot_max", np.inf)
    draw_fractions(axes, curves.where(curves.alpha_tot <= ceiling * (1.0 + 1e-9)))
    draw_best(axes, frontier)
    axes.set_xlabel(ALPHA_PRUNE)
    axes.set_ylabel(TEST_ERROR)
    limits = []
    if np.isfinite(ceiling):
        limits.append(rf"$\alpha_\mathrm{{tot}} \leq {ceiling:g}$")
    if "f_min" in frontier.attrs:
        limits.append(rf"$f \geq {frontier.attrs['f_min']:g}$")
    theta = np.rad2deg(float(frontier.theta))
    lines = "\n".join(name_label(line, 70) for line in title.splitlines())
    axes.set_title(f"{lines}\nkeep {frontier.attrs['selection']}, θ = {theta:.3g}°, {', '.join(limits)}".strip())
    number_ticks(axes)
    axes.legend(loc="lower left")
    return axes
