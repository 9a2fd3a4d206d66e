"""Information gain at the true saddle (q and R free) against the paper's closed form (q = R): no paper compares them.

They agree without pruning. With pruning the true gain is larger near the capacity, where version spaces are narrow but
not yet around the teacher. Dots are sampled version spaces at N = 40; their cells were chosen where the estimate's
missing terms (see `perceptron_theory.figures.gains`) are below 2.2 % of the gain.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from perceptron_theory.figures.gains import SampledCell, gains, sampled_gains
from perceptron_theory.plotting.curves import draw_dots, draw_fractions, fraction_colours, simulation_label
from perceptron_theory.plotting.style import ALPHA_PRUNE, new_figure, number_ticks

FRACTIONS = (0.05, 0.2, 0.5, 1.0)
SAMPLED = {0.2: (0.25, 0.5, 4.0), 0.5: (0.5, 1.0, 4.0), 1.0: (0.5, 1.0, 4.0)}


def compute(fast: bool = False) -> xr.DataTree:
    """Both gains and the sampled one."""
    cells = [SampledCell(alpha, f) for f, sizes in SAMPLED.items() for alpha in sizes]
    sampled = sampled_gains(cells, fast)
    theory = np.array([gains(np.array([cell.alpha_prune]), [cell.f]).gain.item() for cell in cells])
    sampled["theory"] = ("cell", theory)
    sampled["deviation"] = (sampled["mean"] - sampled.theory) / sampled.standard_error
    return xr.DataTree.from_dict({"gains": gains(np.geomspace(0.1, 30.0, 241), FRACTIONS), "simulation": sampled})


def draw(numbers: xr.DataTree) -> Figure:
    """True gain full, closed form dashed."""
    figure = new_figure()
    axes = figure.add_subplot()
    curves, dots = numbers["gains"].to_dataset(), numbers["simulation"].to_dataset()
    draw_fractions(axes, curves, "gain")
    colours = fraction_colours(FRACTIONS)
    for f, colour in zip(FRACTIONS, colours, strict=True):
        axes.plot(curves.alpha_prune, curves.gain_paper.sel(f=f), color=colour, lw=1.2, ls="--")
    draw_dots(axes, dots, colours[1:], label=simulation_label(dots))
    axes.set(xscale="log", yscale="log", xlabel=ALPHA_PRUNE, ylabel="information gain, nats per example")
    axes.set(xlim=(0.1, 30.0), ylim=(0.03, 5.0))
    number_ticks(axes)
    handles, labels = axes.get_legend_handles_labels()
    handles.insert(len(FRACTIONS), Line2D([], [], color="0.3", lw=1.2, ls="--"))
    labels.insert(len(FRACTIONS), "closed form with q = R")
    axes.legend(handles, labels, loc="lower left")
    axes.set_title("Information in one more example, perfect metric:\nat the true saddle, and with q = R")
    return figure
