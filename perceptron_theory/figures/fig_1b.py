"""After Fig. 1B: margins of the examples, and what keeping the hard or the easy ones means.

The paper sketches it; this is the density itself, 2 phi(m) Phi(m cot theta), at our choice of theta = 20 degrees and
f = 0.3, with the frequencies of drawn examples. The mass at m < 0 is theta / pi: the error rate of the probe.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from scipy.special import ndtr, ndtri

from perceptron_theory.plotting.style import new_figure
from perceptron_theory.problem import Problem
from perceptron_theory.simulation.data import draw as draw_examples
from perceptron_theory.simulation.finite import FiniteProblem

THETA = float(np.deg2rad(20.0))
F = 0.3
BIN = 0.25

HARD_COLOUR, EASY_COLOUR = "#d55e00", "#0072b2"


def compute(fast: bool = False) -> xr.DataTree:
    """Density of the signed margin; frequencies in bins of 20,000 examples (4,000 if fast)."""
    m = np.linspace(-4.0, 4.0, 401)
    examples = FiniteProblem.of(Problem.of(2000.0 if fast else 10_000.0, 1.0, THETA, "random"), 2)
    drawn = draw_examples(examples, np.random.default_rng(0))[:, 0]
    edges = np.arange(-4.0, 4.0 + 0.5 * BIN, BIN)
    share = np.histogram(drawn, edges)[0] / drawn.size
    return xr.DataTree.from_dict(
        {
            "density": xr.Dataset(
                {"density": ("m", _density(m), {"long_name": "density of the signed margin before pruning"})},
                {"m": ("m", m, {"long_name": "signed margin of the probe"})},
                {"theta": THETA, "f": F, "gamma_hard": -ndtri(0.5 * (1.0 - F)), "gamma_easy": -ndtri(0.5 * F)},
            ),
            "simulation": xr.Dataset(
                {
                    "density": ("m", share / BIN),
                    "standard_error": ("m", np.sqrt(share * (1.0 - share) / drawn.size) / BIN),
                    "probability": ("m", _mass(edges)),
                },
                {"m": ("m", 0.5 * (edges[1:] + edges[:-1]))},
                {"examples": drawn.size, "seed": 0, "bin": BIN},
            ),
        }
    )


def _density(m: np.ndarray) -> np.ndarray:
    return np.asarray(2.0 * np.exp(-0.5 * m * m) / np.sqrt(2.0 * np.pi) * ndtr(m / np.tan(THETA)))


def _mass(edges: np.ndarray) -> np.ndarray:
    """Probability of each bin, by a rule that is exact to rounding on so short a piece."""
    nodes, weights = np.polynomial.legendre.leggauss(24)
    m = 0.5 * (edges[1:] + edges[:-1])[:, None] + 0.5 * BIN * nodes
    return np.asarray(0.5 * BIN * _density(m) @ weights)


def draw(numbers: xr.DataTree) -> Figure:
    """The density, hard and easy regions shaded."""
    figure = new_figure()
    axes = figure.add_subplot()
    density, dots = numbers["density"].to_dataset(), numbers["simulation"].to_dataset()
    m, p = density.m.values, density.density.values
    hard, easy = density.attrs["gamma_hard"], density.attrs["gamma_easy"]
    axes.fill_between(m, p, where=np.abs(m) <= hard, color=HARD_COLOUR, alpha=0.35, lw=0, label="hard: |m| smallest")
    axes.fill_between(m, p, where=m >= easy, color=EASY_COLOUR, alpha=0.35, lw=0, label="easy: |m| largest")
    axes.fill_between(m, p, where=m <= -easy, color=EASY_COLOUR, alpha=0.35, lw=0)
    axes.plot(m, p, color="0.15", label=r"$2\,\varphi(m)\,\Phi(m\,\cot\theta)$")
    label = f"{dots.attrs['examples']:,} drawn examples, ± 2 s.e."
    error = 2.0 * dots.standard_error
    axes.errorbar(dots.m, dots.density, error, fmt="o", ms=3.5, color="0.15", lw=1.0, label=label)
    axes.axvline(0.0, color="0.15", lw=0.8, ls=":")
    axes.annotate(
        "labelled wrong by the probe,\n" + rf"probability $\theta/\pi$ = {THETA / np.pi:.3f}",
        (-0.25, 0.06),
        (-3.9, 0.42),
        arrowprops={"arrowstyle": "->", "color": "0.3"},
    )
    axes.set(xlabel=r"signed margin of the probe, $m = y\,z$", ylabel="density", xlim=(-4.0, 4.0), ylim=(0.0, None))
    axes.set_title(f"What is kept: f = {F:g}, θ = 20°\n(after Fig. 1B of Sorscher et al. 2022)")
    axes.legend(loc="upper left")
    return figure
