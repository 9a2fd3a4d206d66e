"""After Fig. 9 (appendix A.8): the optimal policy against keeping the hardest, perfect metric.

How the paper parametrises it is not known to us. Ours: at every size both may choose among unlimited data but must
keep a fraction of at least 0.01; the frontier keeps the hardest with its best fraction, the policy keeps whichever
margins are best. Right: the rate of decay, -d ln(error) / d alpha_prune; an exponential would be level.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from perceptron_theory.analyses.learning_curves import learning_curve
from perceptron_theory.analyses.pareto import pareto_frontier
from perceptron_theory.analyses.policies.curves import policy_curve
from perceptron_theory.analyses.policies.optimal import optimal_policy
from perceptron_theory.figures.dots import Cell, simulated
from perceptron_theory.plotting.curves import FRONTIER_COLOUR, draw_dots, simulation_label
from perceptron_theory.plotting.style import ALPHA_PRUNE, RANDOM_COLOUR, TEST_ERROR, new_figure

F_MIN = 0.01
SIMULATED = (0.5, 1.0, 1.5, 1.8, 2.5)
POLICY_COLOUR = "#0072b2"


def compute(fast: bool = False) -> xr.DataTree:
    """Policy, frontier, all data; simulations of the policy, which is a band at theta = 0."""
    sizes = np.linspace(0.1, 3.0, 59)
    bands = {alpha: optimal_policy(alpha / F_MIN, F_MIN).band for alpha in SIMULATED}
    return xr.DataTree.from_dict(
        {
            "policy": policy_curve(sizes, F_MIN),
            "frontier": pareto_frontier(sizes, f_min=F_MIN),
            "random": learning_curve(sizes, 1.0, selection="random"),
            "simulation": simulated([Cell(alpha, F_MIN, 0.0, band) for alpha, band in bands.items()], fast),
        }
    )


def draw(numbers: xr.DataTree) -> Figure:
    """Errors, and how fast they fall."""
    figure = new_figure(10.0, 4.4)
    axes, rates = figure.subplots(1, 2)
    dots = numbers["simulation"].to_dataset()
    lines: dict[str, tuple[str, dict[str, Any]]] = {
        "random subset": ("random", {"color": RANDOM_COLOUR, "lw": 2.2}),
        f"hardest, best f ≥ {F_MIN:g}": ("frontier", {"color": FRONTIER_COLOUR, "lw": 2.0, "ls": (0, (4, 2))}),
        f"optimal policy, f ≥ {F_MIN:g}": ("policy", {"color": POLICY_COLOUR}),
    }
    for label, (name, style) in lines.items():
        curve = numbers[name]
        axes.plot(curve.alpha_prune, curve.test_error, label=label, **style)
        rates.plot(curve.alpha_prune, -np.gradient(np.log(curve.test_error), curve.alpha_prune), **style)
    draw_dots(axes, dots, [POLICY_COLOUR], label=simulation_label(dots))
    axes.set(yscale="log", xlabel=ALPHA_PRUNE, ylabel=TEST_ERROR, xlim=(0.0, 3.0))
    axes.legend(loc="lower left")
    rates.set(xlabel=ALPHA_PRUNE, ylabel=r"$-\mathrm{d} \ln \varepsilon / \mathrm{d} \alpha_\mathrm{prune}$")
    rates.set(xlim=(0.0, 3.0), ylim=(0.0, None))
    figure.suptitle("Any margins, or the hardest? (after Fig. 9 of Sorscher et al. 2022)", x=0.01, ha="left")
    return figure
