"""The wall at alpha_prune = 2, perfect metric: no paper has it.

As f -> 0 the hardest examples lie on the probe's boundary. Up to two per parameter, Cover's capacity (1965), a student
can fit them without learning the teacher, and its error tends to 1/2; beyond, it is proportional to f. Finite
students round the wall over a width of 2^(1/2) N^(-1/2) = 0.1 in alpha_prune, the standard deviation of the capacity
(Cover 1965): simulations are shown away from it.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from perceptron_theory.analyses.learning_curves import learning_curve
from perceptron_theory.figures.dots import Cell, simulated
from perceptron_theory.plotting.curves import (
    angle_colours,
    draw_dots,
    draw_fractions,
    fraction_colours,
    simulation_label,
)
from perceptron_theory.plotting.style import ALPHA_PRUNE, FRACTION, TEST_ERROR, new_figure, number_ticks

FRACTIONS = (1e-4, 1e-3, 0.01, 0.03, 0.1, 0.3, 1.0)
SIZES = (1.6, 1.9, 2.0, 2.1, 2.5, 4.0)
SIMULATED, SIMULATED_F = (1.6, 2.5, 4.0), (0.01, 0.03, 0.1, 0.3)


def compute(fast: bool = False) -> xr.DataTree:
    """Errors against size at fixed fractions, and against the fraction at fixed sizes."""
    cells = [Cell(alpha, f) for alpha in SIMULATED for f in SIMULATED_F]
    return xr.DataTree.from_dict(
        {
            "curves": learning_curve(np.linspace(0.05, 4.0, 159), FRACTIONS),
            "cuts": learning_curve(SIZES, np.geomspace(1e-4, 1.0, 81)),
            "simulation": simulated(cells, fast),
        }
    )


def draw(numbers: xr.DataTree) -> Figure:
    """The wall, and cuts through it."""
    figure = new_figure(10.0, 4.6)
    wall, cuts = figure.subplots(1, 2, sharey=True)
    dots, lines = numbers["simulation"].to_dataset(), numbers["cuts"].to_dataset()
    draw_fractions(wall, numbers["curves"].to_dataset())
    colours = dict(zip(FRACTIONS, fraction_colours(FRACTIONS), strict=True))
    draw_dots(wall, dots, [colours[f] for f in SIMULATED_F], label=simulation_label(dots))
    wall.axvline(2.0, color="0.15", lw=0.9, ls=":")
    wall.set(yscale="log", xlabel=ALPHA_PRUNE, ylabel=TEST_ERROR, xlim=(0.0, 4.0), ylim=(1e-5, 0.7))
    wall.legend(loc="lower left", fontsize=8)
    shades = angle_colours(len(SIZES))
    for alpha, colour in zip(SIZES, shades, strict=True):
        label = rf"$\alpha_\mathrm{{prune}}$ = {alpha:g}"
        cuts.plot(lines.f, lines.test_error.sel(alpha_prune=alpha), color=colour, label=label)
    here = [shade for alpha, shade in zip(SIZES, shades, strict=True) if alpha in SIMULATED]
    draw_dots(cuts, dots, here, "alpha_prune", x="f")
    cuts.set(xscale="log", xlabel=FRACTION, xlim=(1e-4, 1.0))
    cuts.legend(loc="lower right")
    for axes in (wall, cuts):
        number_ticks(axes)
    figure.suptitle("The wall: keep the hardest, perfect metric, f → 0", x=0.01, ha="left")
    return figure
