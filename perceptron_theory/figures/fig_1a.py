"""After Fig. 1A: test error of keeping the hardest examples with a perfect metric, and the Pareto frontier.

The paper's fractions and sizes are not known to us: these are ours. Its frontier is the envelope of its lines; ours is
optimised over every f from 0.05, the smallest drawn, since without a floor the best error beyond alpha_prune = 2 is 0.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from perceptron_theory.analyses.learning_curves import learning_curve
from perceptron_theory.analyses.pareto import pareto_frontier
from perceptron_theory.figures.dots import Cell, simulated
from perceptron_theory.plotting.curves import (
    draw_best,
    draw_dots,
    draw_fractions,
    fraction_colours,
    simulation_label,
)
from perceptron_theory.plotting.style import ALPHA_PRUNE, TEST_ERROR, new_figure

FRACTIONS = (0.05, 0.1, 0.2, 0.35, 0.6, 1.0)
SIMULATED = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0)


def compute(fast: bool = False) -> xr.DataTree:
    """Curves, frontier and simulation at theta = 0."""
    sizes = np.linspace(0.05, 6.0, 120)
    cells = [Cell(alpha, f) for f in FRACTIONS for alpha in SIMULATED]
    return xr.DataTree.from_dict(
        {
            "curves": learning_curve(sizes, FRACTIONS),
            "frontier": pareto_frontier(sizes, f_min=FRACTIONS[0]),
            "simulation": simulated(cells, fast),
        }
    )


def draw(numbers: xr.DataTree) -> Figure:
    """Logarithm of the error against size: an exponential would be a straight line."""
    figure = new_figure()
    axes = figure.add_subplot()
    dots = numbers["simulation"].to_dataset()
    draw_fractions(axes, numbers["curves"].to_dataset())
    draw_best(axes, numbers["frontier"].to_dataset(), f"frontier (best f ≥ {FRACTIONS[0]:g})")
    draw_dots(axes, dots, fraction_colours(FRACTIONS), label=simulation_label(dots))
    axes.set_yscale("log")
    axes.set(xlabel=ALPHA_PRUNE, ylabel=TEST_ERROR, xlim=(0.0, 6.0))
    axes.set_title("Keep the hardest fraction f, perfect metric\n(after Fig. 1A of Sorscher et al. 2022)")
    axes.legend()
    return figure
