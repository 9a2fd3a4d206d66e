"""Hard-only fails when little is kept of noisy data, and a share of random examples repairs it: after Ayed and Hayou.

Logistic loss with a weak penalty, 10 % of flipped labels, a probe at 20 degrees, 10 examples per parameter in the pool
(arXiv:2302.06960 has the claim for networks, below about 30 % kept; the setting is ours).
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from perceptron_theory.convex_loss import ConvexLoss
from perceptron_theory.figures.dots import Cell, simulated
from perceptron_theory.labels import Labels
from perceptron_theory.plotting.curves import draw_dots, simulation_label
from perceptron_theory.plotting.style import FRACTION, RANDOM_COLOUR, TEST_ERROR, new_figure, number_ticks
from perceptron_theory.presets import randomised_rule
from perceptron_theory.solving.saddle_point import solve

THETA = float(np.deg2rad(20.0))
POOL, FLIP, LAM = 10.0, 0.1, 0.1
SHARES = (0.0, 0.2, 0.5, 1.0)
SIMULATED = (0.1, 0.2, 0.4)
COLOURS = ("#440154", "#2a788e", "#7ad151", RANDOM_COLOUR)


def compute(fast: bool = False) -> xr.DataTree:
    """Errors against the fraction kept for each share of random examples, and simulations."""
    fractions = np.geomspace(0.05, 1.0, 15 if fast else 61)
    student, labels = ConvexLoss("logistic", LAM), Labels(FLIP)
    solutions = [
        [
            solve(POOL * f, None, THETA, selection=randomised_rule(float(f), share), student=student, labels=labels)
            for f in fractions
        ]
        for share in SHARES
    ]
    fields = ("test_error", "R", "norm", "residual", "quadrature_error", "status")
    numbers = {
        "theory": xr.Dataset(
            {
                name: (("share", "f"), np.array([[getattr(s, name) for s in row] for row in solutions]))
                for name in fields
            },
            {"share": list(SHARES), "f": fractions},
            {"alpha_tot": POOL, "flip": FLIP, "lam": LAM, "theta": THETA, "loss": "logistic"},
        )
    }
    for share in SHARES:
        cells = [Cell(POOL * f, None, THETA, randomised_rule(f, share), student, labels) for f in SIMULATED]
        numbers[f"simulation_{share:g}"] = simulated(cells, fast).assign_coords(f=("cell", list(SIMULATED)))
    return xr.DataTree.from_dict(numbers)


def draw(numbers: xr.DataTree) -> Figure:
    """One line for each share."""
    figure = new_figure()
    axes = figure.add_subplot()
    theory = numbers["theory"].to_dataset()
    names = {0.0: "hard only", 1.0: "random only"}
    for share, colour in zip(SHARES, COLOURS, strict=True):
        line = theory.sel(share=share)
        label = names.get(share, f"{100 * share:g} % of them random")
        axes.plot(line.f, line.test_error, color=colour, lw=2.2 if share == 1.0 else 1.6, label=label)
        dots = numbers[f"simulation_{share:g}"].to_dataset()
        draw_dots(axes, dots, [colour], "theta", x="f", label=simulation_label(dots) if share == 1.0 else "")
    axes.set(xscale="log", yscale="log", xlabel=FRACTION, ylabel=TEST_ERROR, xlim=(0.05, 1.0), ylim=(0.09, 0.5))
    number_ticks(axes)
    axes.set_title(
        "Hard examples of noisy data, and a share of random ones\n10 % flipped labels, θ = 20°, logistic loss"
    )
    axes.legend(loc="lower left")
    return figure
