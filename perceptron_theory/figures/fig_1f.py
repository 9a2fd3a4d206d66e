"""After Fig. 1F: information in one more kept example against size, perfect metric, in the paper's closed form.

The closed form puts q = R; the R that we put in is that of the Gibbs student at its saddle. It is not what a finite
perceptron measures: the figure `information` has the gain at the true saddle, and the dots.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from perceptron_theory.figures.gains import gains
from perceptron_theory.plotting.curves import draw_fractions
from perceptron_theory.plotting.style import ALPHA_PRUNE, new_figure, number_ticks

FRACTIONS = (0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


def compute(fast: bool = False) -> xr.DataTree:
    """Closed form and what enters it."""
    return xr.DataTree.from_dict({"gains": gains(np.geomspace(0.1, 30.0, 121), FRACTIONS)})


def draw(numbers: xr.DataTree) -> Figure:
    """Both axes logarithmic."""
    figure = new_figure()
    axes = figure.add_subplot()
    draw_fractions(axes, numbers["gains"].to_dataset(), "gain_paper")
    axes.axhline(1.0, color="0.15", lw=0.9, ls=":")
    axes.annotate("1 nat: the limit f → 0, R → 1", (0.11, 1.03), fontsize=9)
    axes.plot([10.0, 30.0], [0.06, 0.02], color="0.15", lw=0.9, ls=":")
    axes.annotate(r"$1/\alpha_\mathrm{prune}$", (9.6, 0.037), fontsize=9)
    axes.set(xscale="log", yscale="log", xlabel=ALPHA_PRUNE, ylabel="information gain, nats per example")
    axes.set(xlim=(0.1, 30.0), ylim=(0.02, 1.4))
    number_ticks(axes)
    axes.set_title("Information in one more example, closed form with q = R\n(after Fig. 1F of Sorscher et al. 2022)")
    axes.legend(loc="lower left")
    return figure
