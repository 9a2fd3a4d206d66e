"""The frontier and its floor, the best that any learner can do: no paper has it.

The Bayes-optimal student knows f, theta and the pruning rule; nothing that sees the kept examples alone does better.
Shown on the data of the max-margin frontier, and with its own best f, of eight from the same floor of 0.05. It knows
that hard examples lie on the probe's boundary: each is nearly a linear equation for the probe, so that its wall is at
alpha_prune = 1.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import xarray as xr
from matplotlib.figure import Figure

from perceptron_theory.analyses.learning_curves import learning_curve
from perceptron_theory.analyses.pareto import pareto_frontier
from perceptron_theory.figures.dots import Cell, simulated
from perceptron_theory.plotting.curves import FRONTIER_COLOUR, draw_best, draw_dots, simulation_label
from perceptron_theory.plotting.style import ALPHA_PRUNE, RANDOM_COLOUR, TEST_ERROR, new_figure, number_ticks
from perceptron_theory.solving.saddle_point import solve

THETA_DEG = (0.0, 20.0)
F_MIN = 0.05
RANGE = (0.5, 30.0)
SIZES = (0.5, 0.7, 0.9, 0.97, 1.05, 1.1, 1.2, 1.4, 1.7, 2.0, 2.5, 3.5, 5.0, 8.0, 13.0, 20.0, 30.0)
SIZES_FAST = (0.5, 1.4, 3.5, 13.0)
SIMULATED = (1.0, 3.0, 9.0)
FLOOR_COLOUR, SAME_COLOUR = "#009e73", "#0072b2"


def compute(fast: bool = False) -> xr.DataTree:
    """Frontiers, floors, simulation of the frontier."""
    theta = np.deg2rad(THETA_DEG)
    frontier = pareto_frontier(np.geomspace(*RANGE, 61), theta, f_min=F_MIN)
    coarse = pareto_frontier(SIZES_FAST if fast else SIZES, theta, f_min=F_MIN)
    marked = pareto_frontier(SIMULATED, theta, f_min=F_MIN)
    cells = [Cell(a, float(marked.f.sel(alpha_prune=a, theta=t)), t) for t in marked.theta.values for a in SIMULATED]
    return xr.DataTree.from_dict(
        {
            "frontier": frontier,
            "random": learning_curve(frontier.alpha_prune.values, 1.0, selection="random"),
            "best_learner": _bayes_optimal(coarse, np.geomspace(F_MIN, 1.0, 2 if fast else 7)),
            "simulation": simulated(cells, fast),
        }
    )


def _bayes_optimal(frontier: xr.Dataset, grid: npt.NDArray[np.float64]) -> xr.Dataset:
    """Bayes-optimal students with the f of the frontier (choice 0), and with those of the grid."""
    sizes, theta, own = (frontier[name].values for name in ("alpha_prune", "theta", "f"))
    f = np.concatenate([own[..., None], np.broadcast_to(grid, (*own.shape, grid.size))], axis=-1)
    s = solve(sizes[:, None, None], f, theta[:, None], selection="hard", student="bayes-optimal", throw=False)
    fields = {name: getattr(s, name) for name in ("test_error", "f", "residual", "quadrature_error", "status")}
    return xr.Dataset(
        {name: (("alpha_prune", "theta", "choice"), values) for name, values in fields.items()},
        {"alpha_prune": sizes, "theta": theta},
        {"student": "bayes-optimal"},
    )


def draw(numbers: xr.DataTree) -> Figure:
    """One panel for each angle."""
    figure = new_figure(10.0, 4.6)
    panels = figure.subplots(1, 2, sharey=True)
    frontier, random, best, dots = (
        numbers[name].to_dataset() for name in ("frontier", "random", "best_learner", "simulation")
    )
    for axes, theta in zip(panels, frontier.theta.values, strict=True):
        axes.plot(random.alpha_prune, random.test_error, color=RANDOM_COLOUR, lw=2.2, label="max-margin, random subset")
        draw_best(axes, frontier.sel(theta=theta), f"max-margin, frontier (best f ≥ {F_MIN:g})")
        errors = best.test_error.sel(theta=theta)
        axes.plot(
            best.alpha_prune, errors.isel(choice=0), "s:", ms=4, color=SAME_COLOUR, label="best learner, same data"
        )
        label = "best learner, its own best f"
        axes.plot(best.alpha_prune, errors.min("choice"), "v:", ms=5, color=FLOOR_COLOUR, label=label)
        here = dots.isel(cell=np.flatnonzero(np.isclose(dots.theta, theta)))
        draw_dots(axes, here, [FRONTIER_COLOUR], "theta", label=simulation_label(dots))
        axes.set(xscale="log", yscale="log", xlabel=ALPHA_PRUNE, xlim=RANGE)
        axes.set_title(f"θ = {np.rad2deg(theta):.0f}°", fontsize="medium")
        number_ticks(axes)
    panels[0].set_ylabel(TEST_ERROR)
    panels[1].legend(loc="lower left")
    figure.suptitle("The frontier and the best that any learner can do, keep hard", x=0.01, ha="left")
    return figure
