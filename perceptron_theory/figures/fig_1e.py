"""After Fig. 1E: the test error over size and fraction kept, and the best fraction at each size.

The paper's grid is not known to us. With a perfect metric the best fraction falls to the floor, here 0.02, near
alpha_prune = 2; with theta = 20 degrees, which we add, it stays inside. Circles are simulated, in the colours of
the map.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from perceptron_theory.analyses.learning_curves import learning_curve
from perceptron_theory.analyses.pareto import pareto_frontier
from perceptron_theory.figures.dots import Cell, simulated
from perceptron_theory.plotting.curves import FRONTIER_COLOUR
from perceptron_theory.plotting.style import ALPHA_PRUNE, FRACTION, TEST_ERROR, new_figure, number_ticks

THETA_DEG = (0.0, 20.0)
F_MIN = 0.02
SIZES, FRACTIONS = (0.5, 1.5, 4.0, 12.0), (0.05, 0.15, 0.4, 0.8)


def compute(fast: bool = False) -> xr.DataTree:
    """Map, best fraction, simulation."""
    number = 70
    sizes, theta = np.geomspace(0.3, 30.0, number), np.deg2rad(THETA_DEG)
    cells = [Cell(alpha, f, angle) for angle in theta for alpha in SIZES for f in FRACTIONS]
    return xr.DataTree.from_dict(
        {
            "map": learning_curve(sizes, np.geomspace(F_MIN, 1.0, number), theta),
            "frontier": pareto_frontier(np.geomspace(0.3, 30.0, 2 * number), theta, f_min=F_MIN),
            "simulation": simulated(cells, fast),
        }
    )


def draw(numbers: xr.DataTree) -> Figure:
    """One map for each angle."""
    figure = new_figure(10.0, 4.4)
    panels = figure.subplots(1, 2, sharey=True)
    errors, frontier = numbers["map"].test_error, numbers["frontier"]
    dots = numbers["simulation"].to_dataset()
    norm = LogNorm(0.003, 0.5)
    for axes, theta in zip(panels, errors.theta.values, strict=True):
        field = errors.sel(theta=theta).transpose("f", "alpha_prune")
        image = axes.pcolormesh(
            field.alpha_prune, field.f, field, norm=norm, cmap="viridis", shading="gouraud", rasterized=True, zorder=0.5
        )
        axes.plot(
            frontier.alpha_prune,
            frontier.f.sel(theta=theta),
            color=FRONTIER_COLOUR,
            lw=2.2,
            ls=(0, (4, 2)),
            label=r"best f",
        )
        here = dots.isel(cell=np.flatnonzero(np.isclose(dots.theta, theta)))
        axes.scatter(
            here.alpha_prune,
            here.f,
            c=here["mean"],
            norm=norm,
            cmap="viridis",
            ec="white",
            s=55,
            zorder=4,
            label=f"simulated, N = {dots.attrs['N']}",
        )
        axes.set(xscale="log", yscale="log", xlabel=ALPHA_PRUNE, xlim=(0.3, 30.0), ylim=(0.0185, 1.08))
        number_ticks(axes)
        axes.grid(False)
        axes.set_title(f"θ = {np.rad2deg(theta):.0f}°", fontsize="medium")
    panels[0].set_ylabel(FRACTION)
    panels[0].legend(loc="lower left", frameon=True, framealpha=0.9)
    figure.colorbar(image, ax=panels, ticks=[0.003, 0.01, 0.03, 0.1, 0.3, 0.5], format="%g").set_label(TEST_ERROR)
    figure.suptitle("Which fraction of the hardest to keep? (after Fig. 1E of Sorscher et al. 2022)", x=0.01, ha="left")
    return figure
