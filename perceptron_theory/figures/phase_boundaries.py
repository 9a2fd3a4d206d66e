"""Exact boundaries between hard, easy and random, for several angles: no paper has them.

Left: above the line in alpha_tot keep the hard, below it the easy ones, at the same size and fraction. Right: the same
for hard against a random subset. The circles are crossings of simulated errors, found without the theory's help
but for the sizes at which to look.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from scipy.interpolate import lagrange

from perceptron_theory.analyses.boundaries import hard_easy_boundary, hard_random_boundary
from perceptron_theory.figures.dots import Cell, simulated
from perceptron_theory.plotting.curves import angle_colours, simulation_label
from perceptron_theory.plotting.style import ALPHA_TOT, FRACTION, new_figure, number_ticks

THETA_DEG = (0.0, 10.0, 20.0, 30.0, 45.0)
SIMULATED_DEG = (0.0, 20.0, 30.0)
SIMULATED_F = (0.2, 0.35, 0.6)
RIVALS = {"easy": hard_easy_boundary, "random": hard_random_boundary}
#: Sizes simulated, relative to the boundary.
AROUND = (0.85, 1.0, 1.18)


def compute(fast: bool = False) -> xr.DataTree:
    """Boundaries, and for each rival the simulated errors around them."""
    f, theta = np.linspace(0.01, 0.99, 25 if fast else 99), np.deg2rad(THETA_DEG)
    numbers = {f"hard_{rival}": boundary(f, theta) for rival, boundary in RIVALS.items()}
    for rival, boundary in RIVALS.items():
        at = boundary(SIMULATED_F, np.deg2rad(SIMULATED_DEG))
        cells = [
            Cell(float(np.round(200 * factor * kept * at.alpha_tot.sel(f=kept, theta=angle)) / 200), kept, angle, rule)
            for angle in at.theta.values
            for kept in at.f.values
            for factor in AROUND
            for rule in ("hard", rival)
        ]
        numbers[f"simulation_{rival}"] = _crossings(simulated(cells, fast), rival)
    return xr.DataTree.from_dict(numbers)


def _crossings(dots: xr.Dataset, rival: str) -> xr.Dataset:
    """Where a parabola in ln(alpha_tot) through the three simulated log ratios of errors is 0, with standard error."""
    hard, other = (dots.isel(cell=np.flatnonzero(dots.selection == rule)) for rule in ("hard", rival))
    shape = (len(SIMULATED_DEG), len(SIMULATED_F), len(AROUND))
    size = np.log((hard.alpha_prune / hard.f).values).reshape(shape)
    ratio = np.log(hard["mean"].values / other["mean"].values).reshape(shape)
    noise = np.hypot(
        (hard.standard_error / hard["mean"]).values, (other.standard_error / other["mean"]).values
    ).reshape(shape)
    crossing, error = np.empty(shape[:2]), np.empty(shape[:2])
    for i in np.ndindex(shape[:2]):
        middle, x = size[i][1], size[i] - size[i][1]
        parabola = lagrange(x, ratio[i])
        # The root near the middle; with few trials there may be none.
        root = min(parabola.roots, key=abs)
        root = float(root.real) if root.imag == 0.0 else np.nan
        each = [lagrange(x, unit)(root) for unit in np.eye(len(AROUND))]
        crossing[i] = middle + root
        error[i] = np.linalg.norm(np.array(each) * noise[i]) / abs(parabola.deriv()(root))
    by_point, by_size = ("theta", "f"), ("theta", "f", "size")
    return xr.Dataset(
        {
            "log_alpha_tot": (by_point, crossing),
            "standard_error": (by_point, error),
            "simulated_log_alpha_tot": (by_size, size),
            "log_ratio": (by_size, ratio),
            "log_ratio_error": (by_size, noise),
        },
        {"theta": np.deg2rad(SIMULATED_DEG), "f": list(SIMULATED_F)},
        dots.attrs,
    )


def draw(numbers: xr.DataTree) -> Figure:
    """One panel for each rival."""
    figure = new_figure(10.0, 4.6)
    panels = figure.subplots(1, 2, sharey=True)
    colours = dict(zip(THETA_DEG, angle_colours(len(THETA_DEG)), strict=True))
    for axes, rival in zip(panels, RIVALS, strict=True):
        boundary, dots = (numbers[f"{part}_{rival}"].to_dataset() for part in ("hard", "simulation"))
        for degrees, theta in zip(THETA_DEG, boundary.theta.values, strict=True):
            axes.plot(
                boundary.alpha_tot.sel(theta=theta), boundary.f, color=colours[degrees], label=f"θ = {degrees:g}°"
            )
        for degrees, theta in zip(SIMULATED_DEG, dots.theta.values, strict=True):
            here = dots.sel(theta=theta)
            middle, wide = np.exp(here.log_alpha_tot.values), np.exp(2.0 * here.standard_error.values)
            bars = (middle - middle / wide, middle * wide - middle)
            style = {"fmt": "o", "ms": 5, "lw": 1.2, "mec": "white", "mew": 0.6, "color": colours[degrees], "zorder": 4}
            axes.errorbar(middle, here.f, xerr=bars, label="" if degrees else simulation_label(dots), **style)
        axes.set(xscale="log", xlabel=ALPHA_TOT, xlim=(1.5, 300.0), ylim=(0.0, 1.0))
        number_ticks(axes)
        axes.set_title(f"hard = {rival}", fontsize="medium")
        axes.text(0.97, 0.5, "keep hard", transform=axes.transAxes, ha="right", fontsize=10, color="0.35")
        axes.text(0.03, 0.05, f"keep {rival}", transform=axes.transAxes, fontsize=10, color="0.35")
    panels[0].set_ylabel(FRACTION)
    panels[1].legend(loc="upper right")
    figure.suptitle("Where keeping the hard examples begins to pay", x=0.01, ha="left")
    return figure
