"""After Fig. 10: a probe trained for 4 and for 40 epochs; the worse one crosses over earlier, if little, and higher.

The paper trains deep probes; these are perceptrons with the logistic loss on 10 examples per parameter, with N = 200,
by stochastic gradient descent. Their mean angle to the teacher enters the theory. Number of examples, rate and batch
are ours. Diamonds mark the crossover to the power law, where the frontier's local exponent comes within a tenth of -1
for good. In this model it moves little with the angle; what a worse probe costs is the depth of the fall before it.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from scipy.special import expit

from perceptron_theory.analyses.learning_curves import learning_curve
from perceptron_theory.analyses.pareto import pareto_frontier
from perceptron_theory.analyses.power_law import crossover
from perceptron_theory.figures.dots import TRIALS, TRIALS_FAST, Cell, N, simulated
from perceptron_theory.plotting.curves import (
    FRONTIER_COLOUR,
    draw_best,
    draw_dots,
    draw_fractions,
    fraction_colours,
    simulation_label,
)
from perceptron_theory.plotting.style import ALPHA_PRUNE, TEST_ERROR, new_figure, number_ticks

EPOCHS = (4, 40)
ALPHA_PROBE = 10.0
RATE, BATCH = 0.001, 20
_END = "crossover to the power law"
FRACTIONS = (0.05, 0.1, 0.2, 0.4, 1.0)
SIMULATED = (1.0, 2.0, 4.0, 8.0)


def compute(fast: bool = False) -> xr.DataTree:
    """Angles of trained probes; curves, frontier and simulation at their means."""
    trials = TRIALS_FAST if fast else TRIALS
    angles = np.array([_angles(np.random.default_rng([0, trial])) for trial in range(trials)])
    theta = angles.mean(axis=0)
    sizes = np.geomspace(0.3, 300.0, 121)
    return xr.DataTree.from_dict(
        {
            "probes": xr.Dataset(
                {
                    "theta": ("epochs", theta),
                    "standard_error": ("epochs", angles.std(axis=0, ddof=1) / np.sqrt(trials)),
                },
                {"epochs": list(EPOCHS)},
                {"N": N, "trials": trials, "alpha_probe": ALPHA_PROBE, "rate": RATE, "batch": BATCH},
            ),
            "curves": learning_curve(sizes, FRACTIONS, theta),
            "frontier": pareto_frontier(sizes, theta, f_min=0.01),
            "crossover": crossover(theta),
            "simulation": simulated(
                [Cell(alpha, f, float(angle)) for angle in theta for f in FRACTIONS for alpha in SIMULATED], fast
            ),
        }
    )


def _angles(rng: np.random.Generator) -> list[float]:
    """Angle to the teacher, the first axis, of one probe after each number of epochs."""
    P = round(ALPHA_PROBE * N)
    x = rng.standard_normal((P, N))
    x *= np.sign(x[:, :1])
    w, angles = np.zeros(N), []
    for epoch in range(1, max(EPOCHS) + 1):
        for batch in rng.permutation(P).reshape(-1, BATCH):
            w += RATE * expit(-(x[batch] @ w)) @ x[batch]
        if epoch in EPOCHS:
            angles.append(float(np.arctan2(np.linalg.norm(w[1:]), w[0])))
    return angles


def draw(numbers: xr.DataTree) -> Figure:
    """One panel for each probe."""
    figure = new_figure(10.0, 4.6)
    panels = figure.subplots(1, 2, sharey=True)
    curves, frontier, dots = (numbers[name].to_dataset() for name in ("curves", "frontier", "simulation"))
    for axes, probe in zip(panels, numbers["probes"].epochs.values, strict=True):
        theta = numbers["probes"].theta.sel(epochs=probe).item()
        draw_fractions(axes, curves.sel(theta=theta))
        draw_best(axes, frontier.sel(theta=theta), "frontier (best f ≥ 0.01)")
        end = numbers["crossover"].to_dataset().sel(theta=theta)
        axes.plot(end.alpha_prune, end.test_error, "D", ms=8, color=FRONTIER_COLOUR, mec="white", zorder=5, label=_END)
        here = dots.isel(cell=np.flatnonzero(np.isclose(dots.theta, theta)))
        draw_dots(axes, here, fraction_colours(FRACTIONS), label=simulation_label(dots))
        axes.set(xscale="log", yscale="log", xlabel=ALPHA_PRUNE, xlim=(0.3, 300.0), ylim=(2e-4, 0.7))
        axes.set_title(f"probe of {probe} epochs: θ = {np.rad2deg(theta):.1f}°", fontsize="medium")
        number_ticks(axes)
    panels[0].set_ylabel(TEST_ERROR)
    panels[0].legend(loc="lower left")
    figure.suptitle(
        "A worse probe crosses over a little earlier, and higher (after Fig. 10 of Sorscher et al. 2022)",
        x=0.01,
        ha="left",
    )
    return figure
