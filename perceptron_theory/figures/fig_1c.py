"""After Fig. 1C: keep the hard or the easy examples? Error of hard minus error of easy at theta = 0.

The paper's grid is not known to us. The line is the boundary itself, found root by root, which the paper does not give;
the filled circles are simulated differences in the colours of the map.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure

from perceptron_theory.analyses.boundaries import hard_easy_boundary
from perceptron_theory.analyses.phases import phase_diagram
from perceptron_theory.figures.dots import Cell, differences, simulated
from perceptron_theory.plotting.style import ALPHA_TOT, FRACTION, new_figure, number_ticks

POOLS = (1.5, 4.0, 10.0, 25.0)
FRACTIONS = (0.1, 0.25, 0.45, 0.7, 0.9)


def compute(fast: bool = False) -> xr.DataTree:
    """Map, boundary and simulated differences."""
    diagram = phase_diagram(np.geomspace(0.5, 100.0, 121), np.linspace(0.02, 1.0, 99))
    cells = [Cell(pool * f, f, 0.0, rule) for pool in POOLS for f in FRACTIONS for rule in ("hard", "easy")]
    return xr.DataTree.from_dict(
        {
            "diagram": diagram.sel(selection=["hard", "easy"]),
            "boundary": hard_easy_boundary(np.linspace(0.02, 0.98, 97)),
            "simulation": simulated(cells, fast),
        }
    )


def draw(numbers: xr.DataTree) -> Figure:
    """Map over pool and fraction."""
    figure = new_figure()
    axes = figure.add_subplot()
    errors = numbers["diagram"].test_error
    gap = (errors.sel(selection="hard") - errors.sel(selection="easy")).transpose("f", "alpha_tot")
    norm = TwoSlopeNorm(0.0, -0.04, 0.3)
    image = axes.pcolormesh(
        gap.alpha_tot, gap.f, gap, cmap="PuOr_r", norm=norm, shading="nearest", rasterized=True, zorder=0.5
    )
    boundary = numbers["boundary"]
    axes.plot(boundary.alpha_tot, boundary.f, color="black", label="hard = easy, exactly")
    dots = differences(numbers["simulation"].to_dataset())
    axes.scatter(
        dots.alpha_prune / dots.f,
        dots.f,
        c=dots.difference,
        cmap="PuOr_r",
        norm=norm,
        ec="black",
        s=55,
        zorder=4,
        label=f"simulated, N = {dots.attrs['N']}",
    )
    axes.set_xscale("log")
    axes.set(xlabel=ALPHA_TOT, ylabel=FRACTION, xlim=(0.5, 100.0), ylim=(0.02, 1.0))
    number_ticks(axes)
    axes.grid(False)
    bar = figure.colorbar(image, ax=axes, ticks=[-0.04, -0.02, 0.0, 0.1, 0.2, 0.3], extend="max")
    bar.set_label(r"$\varepsilon_\mathrm{hard} - \varepsilon_\mathrm{easy}$")
    axes.set_title("Keep hard (purple) or easy (orange)? Perfect metric\n(after Fig. 1C of Sorscher et al. 2022)")
    axes.legend(loc="center right", bbox_to_anchor=(1.0, 0.575), frameon=True, framealpha=0.9)
    return figure
