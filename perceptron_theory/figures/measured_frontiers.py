"""Frontiers of three metrics of CIFAR-10 side by side: c-score, EL2N, forgetting.

Only ranks count. The angle of each is read off its rank correlation with the average of the ranks of the other two,
which is taken for the truth: it is no more than a guess, and for metrics that err alike too small. Where many scores
are tied (forgetting) a threshold cuts through a group, and less can be gained. Dashed: Gaussian margins at the same
angle, which have no ties.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from perceptron_theory.analyses.pareto import pareto_frontier
from perceptron_theory.figures import measured_data
from perceptron_theory.plotting.style import ALPHA_PRUNE, RANDOM_COLOUR, TEST_ERROR, new_figure, number_ticks
from perceptron_theory.scores.angle_ranks import theta_from_rank_correlation
from perceptron_theory.scores.averaging import rank_average

CEILING = 100.0
METRICS = ("c-score", "EL2N", "forgetting")


def compute(fast: bool = False) -> xr.DataTree:
    """Angles with intervals, and frontiers with measured and with Gaussian ranks."""
    scores = {name: measured_data.cifar10()[name] for name in METRICS}
    alpha = np.geomspace(0.5, 100.0, 8 if fast else 33)
    parts = {}
    for name, measured in scores.items():
        others = rank_average([other for key, other in scores.items() if key != name])
        angle = theta_from_rank_correlation(measured, others)
        for kind, margins in (("measured", measured.margins()), ("gaussian", None)):
            frontier = pareto_frontier(alpha, angle.theta, alpha_tot_max=CEILING, margins=margins)
            parts[f"{kind}_{name}"] = frontier.assign_attrs(
                theta_low=angle.low,
                theta_high=angle.high,
                tied=measured.ties.tied_fraction,
                assumption=angle.assumption,
            )
    return xr.DataTree.from_dict(parts)


def draw(numbers: xr.DataTree) -> Figure:
    """One panel per metric."""
    figure = new_figure(10.5, 4.0)
    for axes, name in zip(figure.subplots(1, 3, sharey=True), METRICS, strict=True):
        measured, gaussian = (numbers[f"{kind}_{name}"].to_dataset() for kind in ("measured", "gaussian"))
        alpha = measured.alpha_prune
        axes.loglog(alpha, measured.test_error_random, color=RANDOM_COLOUR, lw=2.0, label="random subset")
        axes.loglog(alpha, measured.test_error, color="C0", lw=1.8, label="keep hard, measured ranks")
        axes.loglog(alpha, gaussian.test_error, color="C3", lw=1.4, ls="--", label="keep hard, no ties")
        axes.set_xlabel(ALPHA_PRUNE)
        low, theta, high = np.rad2deg(
            [measured.attrs["theta_low"], float(measured.theta), measured.attrs["theta_high"]]
        )
        tied = 100 * measured.attrs["tied"]
        axes.set_title(f"{name}: θ = {theta:.1f}° ({low:.1f} to {high:.1f})\n{tied:.0f} % tied", fontsize=10)
        number_ticks(axes)
    figure.axes[0].set_ylabel(TEST_ERROR)
    figure.axes[0].legend(loc="lower left", fontsize=8)
    figure.suptitle(rf"CIFAR-10: three metrics, one theory ($\alpha_\mathrm{{tot}} \leq {CEILING:g}$)")
    return figure
