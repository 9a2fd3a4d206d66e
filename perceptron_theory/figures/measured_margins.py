"""Margins measured on digits, MNIST and CIFAR-10, and the frontiers that they predict.

Digits and MNIST: odd against even, signed margins of a linear probe trained on a few images, at the angle that its
error on the others says. CIFAR-10: cross-validated softmax margins of a network, many of them saturated. The Gaussian
model at the same angle is drawn beside each. Measured margins have a tail that no Gaussian has: the theory takes them
as they are.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import ndtr

from perceptron_theory.analyses.pareto import pareto_frontier
from perceptron_theory.extras import require
from perceptron_theory.figures import measured_data
from perceptron_theory.margins.distributions import Margins
from perceptron_theory.plotting.style import ALPHA_PRUNE, RANDOM_COLOUR, TEST_ERROR, new_figure, number_ticks
from perceptron_theory.scores.digits import digits_scores
from perceptron_theory.scores.scores import Scores

CEILING = 100.0
#: MNIST images that the probe learns from.
N_PROBE = 2_000
EDGES = np.linspace(-4.0, 4.0, 81)
#: Where densities are cut.
_TOP = 1.6


def compute(fast: bool = False) -> xr.DataTree:
    """Histograms, angles, and frontiers with measured and with Gaussian margins."""
    alpha = np.geomspace(0.5, 100.0, 4 if fast else 25)
    parts: dict[str, xr.Dataset] = {}
    for name, scores in _measured().items():
        theta = scores.theta_from_errors()
        margins = scores.margins("value")
        values, weights = margins.signed_values(theta)
        counts = np.histogram(values, EDGES, weights=weights)[0] / np.diff(EDGES)
        parts[f"density_{name}"] = xr.Dataset(
            {"density": ("m", counts)},
            {"m": 0.5 * (EDGES[1:] + EDGES[:-1]), "theta": theta},
            {"n": scores.n, "source": scores.source, "outside": float(weights[np.abs(values) > EDGES[-1]].sum())},
        )
        parts[f"measured_{name}"] = _frontier(alpha, theta, margins)
        parts[f"gaussian_{name}"] = _frontier(alpha, theta, None)
    return xr.DataTree.from_dict(parts)


def _frontier(alpha: npt.NDArray[np.float64], theta: float, margins: Margins | None) -> xr.Dataset:
    return pareto_frontier(alpha, theta, alpha_tot_max=CEILING, margins=margins)


def _measured() -> dict[str, Scores]:
    """Signed margins of images that the probe has not seen."""
    return {"digits": digits_scores(), "MNIST": _mnist(), "CIFAR-10": measured_data.cifar10()["margin"]}


def _mnist() -> Scores:
    """Margins of the images that the probe has not seen."""
    require("digits", "the figure measured_margins trains a probe")
    from sklearn.linear_model import LogisticRegression

    images, digit = measured_data.mnist_images()
    x, y = images - images.mean(axis=0), np.where(digit % 2 == 1, 1, -1)
    probe = LogisticRegression(C=1.0, fit_intercept=False, max_iter=10_000, tol=1e-6).fit(x[:N_PROBE], y[:N_PROBE])
    margin = y[N_PROBE:] * (x[N_PROBE:] @ probe.coef_[0])
    return Scores(margin, "easier", "MNIST, odd or even", labels=digit[N_PROBE:], metric="margin")


def draw(numbers: xr.DataTree) -> Figure:
    """Distributions above, frontiers below."""
    figure = new_figure(10.5, 6.6)
    above, below = figure.subplots(2, 3, sharey="row")
    names = [str(node).removeprefix("density_") for node in numbers.children if str(node).startswith("density_")]
    for density, frontier, name in zip(above, below, names, strict=True):
        _draw_density(density, numbers[f"density_{name}"].to_dataset(), name)
        measured, gaussian = (numbers[f"{kind}_{name}"].to_dataset() for kind in ("measured", "gaussian"))
        alpha = measured.alpha_prune
        frontier.loglog(alpha, measured.test_error_random, color=RANDOM_COLOUR, lw=2.0, label="random subset")
        frontier.loglog(alpha, measured.test_error, color="C0", lw=1.8, label="keep hard, measured margins")
        frontier.loglog(alpha, gaussian.test_error, color="C3", lw=1.4, ls="--", label="keep hard, Gaussian margins")
        frontier.set_xlabel(ALPHA_PRUNE)
        number_ticks(frontier)
    above[0].set_ylabel("density")
    below[0].set_ylabel(TEST_ERROR)
    above[0].legend(loc="upper left")
    below[0].legend(loc="upper right", fontsize=8)
    figure.suptitle(rf"Measured margins, and the frontiers they predict ($\alpha_\mathrm{{tot}} \leq {CEILING:g}$)")
    return figure


def _draw_density(axes: Axes, density: xr.Dataset, name: str) -> None:
    m, theta = density.m.values, float(density.theta)
    axes.stairs(density.density, EDGES, fill=True, color="C0", alpha=0.35, label="measured")
    model = 2.0 * np.exp(-0.5 * m * m) / np.sqrt(2.0 * np.pi) * ndtr(m / np.tan(theta))
    axes.plot(m, model, color="C3", lw=1.4, ls="--", label="Gaussian model")
    axes.axvline(0.0, color="0.3", lw=0.8)
    most = int(np.argmax(density.density.values))
    if density.density[most] > _TOP:
        share = float(density.density[most]) * (EDGES[most + 1] - EDGES[most])
        axes.annotate(f"{100 * share:.0f} % in this bin", (m[most] + 0.15, 0.9 * _TOP), fontsize=9)
    axes.set(xlim=(-3.0, 3.5), ylim=(0.0, _TOP), xlabel="signed margin / rms, $m$")
    axes.set_title(f"{name}, n = {density.attrs['n']:,}, θ = {np.rad2deg(theta):.1f}°")
