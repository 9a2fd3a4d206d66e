"""After Fig. 3, perceptron panel: test error against pruned size as the pool grows, one line for each share kept.

The angle of the paper's panel is not known to us: ours is 10 degrees. Thin lines join equal pools: along them nothing
but the share kept changes.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from perceptron_theory.analyses.learning_curves import learning_curve
from perceptron_theory.figures.dots import Cell, simulated
from perceptron_theory.plotting.curves import draw_dots, fraction_colours, simulation_label
from perceptron_theory.plotting.style import ALPHA_PRUNE, TEST_ERROR, new_figure, number_ticks

THETA = float(np.deg2rad(10.0))
FRACTIONS = (0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
POOLS = (1.0, 2.5, 5.0, 10.0, 20.0, 40.0)


def compute(fast: bool = False) -> xr.DataTree:
    """Curves over the same pools for every share, and simulations of the marked pools up to alpha_tot = 20."""
    pools = np.unique(np.concatenate([np.geomspace(1.0, 100.0, 90), POOLS]))
    curves = [
        learning_curve(f * pools, f, THETA)
        .assign_coords(alpha_tot=("alpha_prune", pools))
        .swap_dims(alpha_prune="alpha_tot")
        .reset_coords("alpha_prune")
        for f in FRACTIONS
    ]
    cells = [Cell(f * pool, f, THETA) for f in FRACTIONS for pool in POOLS[:-1]]
    return xr.DataTree.from_dict({"curves": xr.concat(curves, "f"), "simulation": simulated(cells, fast)})


def draw(numbers: xr.DataTree) -> Figure:
    """All data in black."""
    figure = new_figure()
    axes = figure.add_subplot()
    curves, dots = numbers["curves"].to_dataset(), numbers["simulation"].to_dataset()
    for pool in POOLS[2:]:
        line = curves.sel(alpha_tot=pool)
        axes.plot(line.alpha_prune, line.test_error, color="0.8", lw=0.9, zorder=1)
        axes.annotate(
            rf"$\alpha_\mathrm{{tot}}$ = {pool:g}",
            (float(line.alpha_prune[-1]), float(line.test_error[-1])),
            (5, 4),
            textcoords="offset points",
            fontsize=8,
            color="0.35",
        )
    colours = [*fraction_colours(FRACTIONS[:-1]), "black"]
    for f, colour in zip(FRACTIONS, colours, strict=True):
        line = curves.sel(f=f)
        axes.plot(line.alpha_prune, line.test_error, color=colour, label=f"{100 * f:g} % kept")
    draw_dots(axes, dots, colours, label=simulation_label(dots))
    axes.set(xscale="log", yscale="log", xlabel=ALPHA_PRUNE, ylabel=TEST_ERROR)
    number_ticks(axes)
    axes.set_title("The pool grows, the hardest are kept, θ = 10°\n(after Fig. 3 of Sorscher et al. 2022, perceptron)")
    axes.legend(loc="lower left")
    return figure
