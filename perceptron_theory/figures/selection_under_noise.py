"""Noisy labels: a selected part can beat the full set, if the penalty is weak: after Kolossov, Montanari and Tandon.

Logistic loss, 5 % of wrong labels, 2.29 examples per parameter in the pool, examples kept with a probability that
prefers what a perfect surrogate finds uncertain (arXiv:2309.14563, whose penalties these are, divided by the pool).
At the weakest penalty 80 % are better than all; at the strongest nothing is gained by leaving out.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from perceptron_theory.convex_loss import ConvexLoss, penalty
from perceptron_theory.figures.dots import Cell, simulated
from perceptron_theory.labels import Labels
from perceptron_theory.plotting.curves import draw_dots, simulation_label
from perceptron_theory.plotting.style import FRACTION, TEST_ERROR, new_figure
from perceptron_theory.presets import surrogate_rule, surrogate_sampling

POOL, FLIP = 2.29, 0.05
PENALTIES = (0.001, 0.01, 0.1)
SIMULATED = (0.5, 0.7, 0.85, 1.0)
COLOURS = ("#d55e00", "#0072b2", "#009e73")


def compute(fast: bool = False) -> xr.DataTree:
    """Errors against the fraction kept, and simulations."""
    fractions = np.append(np.linspace(0.3, 0.95, 14 if fast else 53), 1.0)
    solutions = [[surrogate_sampling(POOL, float(f), lam=lam, exponent=1.0) for f in fractions] for lam in PENALTIES]
    fields = ("test_error", "label_error", "R", "norm", "residual", "quadrature_error", "status")
    numbers = {
        "theory": xr.Dataset(
            {name: (("lam", "f"), np.array([[getattr(s, name) for s in row] for row in solutions])) for name in fields},
            {"lam": list(PENALTIES), "f": fractions},
            {"alpha_tot": POOL, "flip": FLIP, "exponent": 1.0, "loss": "logistic"},
        )
    }
    for lam in PENALTIES:
        student = ConvexLoss("logistic", float(penalty(lam, "pool example", alpha_tot=POOL)))
        cells = [_cell(f, student) for f in SIMULATED]
        dots = simulated(cells, fast)
        numbers[f"simulation_{lam:g}"] = dots.assign_coords(f=("cell", list(SIMULATED)))
    return xr.DataTree.from_dict(numbers)


def _cell(f: float, student: ConvexLoss) -> Cell:
    # A whole number of examples for N = 200.
    alpha_prune = round(200 * POOL * f) / 200
    if f == 1.0:
        return Cell(alpha_prune, 1.0, 0.0, "random", student, Labels(FLIP))
    return Cell(alpha_prune, None, 0.0, surrogate_rule(f, 1.0), student, Labels(FLIP))


def draw(numbers: xr.DataTree) -> Figure:
    """One line for each penalty, its level for the full set dotted."""
    figure = new_figure()
    axes = figure.add_subplot()
    theory = numbers["theory"].to_dataset()
    for lam, colour in zip(PENALTIES, COLOURS, strict=True):
        line = theory.sel(lam=lam)
        axes.plot(line.f, line.test_error, color=colour, label=rf"$\lambda$ = {lam:g}")
        axes.axhline(float(line.test_error[-1]), color=colour, lw=0.9, ls=":")
        best = line.isel(f=int(line.test_error.argmin("f")))
        axes.plot(best.f, best.test_error, "*", ms=13, color=colour, mec="white", zorder=3)
        dots = numbers[f"simulation_{lam:g}"].to_dataset()
        label = simulation_label(dots) if lam == PENALTIES[-1] else ""
        draw_dots(axes, dots, [colour], "theta", x="f", label=label)
    axes.set(xlabel=FRACTION, ylabel=TEST_ERROR, xlim=(0.3, 1.01))
    axes.set_title(
        "Uncertain examples kept, 5 % wrong labels, logistic loss:\na part beats the full set at weak penalty"
    )
    axes.legend(loc="upper right")
    return figure
