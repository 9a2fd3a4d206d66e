"""After Fig. 2B-D: test error against size at theta = 0, 10 and 20 degrees, and the Pareto frontier.

Fractions and sizes are ours. The paper's frontier is the envelope of its lines; ours is optimised over every f from
0.02.
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
from perceptron_theory.plotting.style import ALPHA_PRUNE, TEST_ERROR, new_figure, number_ticks

THETA_DEG = (0.0, 10.0, 20.0)
FRACTIONS = (0.02, 0.05, 0.1, 0.2, 0.35, 0.6, 1.0)
SIMULATED = (0.5, 1.0, 2.0, 4.0, 8.0)
SIZES = (0.1, 1000.0)


def compute(fast: bool = False) -> xr.DataTree:
    """Curves, frontier and simulation at three angles."""
    theta = np.deg2rad(THETA_DEG)
    cells = [Cell(alpha, f, angle) for angle in theta for f in FRACTIONS for alpha in SIMULATED]
    return xr.DataTree.from_dict(
        {
            "curves": learning_curve(np.geomspace(*SIZES, 121), FRACTIONS, theta),
            "frontier": pareto_frontier(np.geomspace(*SIZES, 121), theta, f_min=FRACTIONS[0]),
            "simulation": simulated(cells, fast),
        }
    )


def draw(numbers: xr.DataTree) -> Figure:
    """One panel for each angle."""
    figure = new_figure(12.0, 4.6)
    panels = figure.subplots(1, 3, sharey=True)
    curves, frontier = numbers["curves"].to_dataset(), numbers["frontier"].to_dataset()
    dots = numbers["simulation"].to_dataset()
    for axes, theta, letter in zip(panels, curves.theta.values, "BCD", strict=True):
        draw_fractions(axes, curves.sel(theta=theta))
        draw_best(axes, frontier.sel(theta=theta), f"frontier (best f ≥ {FRACTIONS[0]:g})")
        here = dots.isel(cell=np.flatnonzero(np.isclose(dots.theta, theta)))
        draw_dots(axes, here, fraction_colours(FRACTIONS), label=simulation_label(dots))
        axes.set(xscale="log", yscale="log", xlabel=ALPHA_PRUNE, xlim=SIZES, ylim=(8e-6, 0.7))
        axes.set_title(f"{letter}: θ = {np.rad2deg(theta):.0f}°", fontsize="medium")
        number_ticks(axes)
    panels[0].set_ylabel(TEST_ERROR)
    panels[0].legend(loc="lower left")
    title = "Keep the hardest fraction f with an imperfect metric (after Fig. 2B-D of Sorscher et al. 2022)"
    figure.suptitle(title, x=0.01, ha="left")
    return figure
