"""Clean labels favour hard examples, wrong labels easy ones: the phase line, root by root.

Least squares on labels of a generator at one angle to the truth, half of them kept by the distance to the boundary of
an oracle at another angle (in independent directions), errors counted against the truth: the setting of Dohmatob,
Pezeshki and Askari-Hemmat (arXiv:2511.03492). Below a line keeping the hard half is better, above it the easy half: for
unlimited data, and for 20 kept examples per parameter. The circles are simulated there, in the colours of the winner.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import xarray as xr
from matplotlib.figure import Figure
from scipy.optimize import brentq

from perceptron_theory.convex_loss import ConvexLoss
from perceptron_theory.figures.dots import RULES, TRIALS, TRIALS_FAST, N
from perceptron_theory.plotting.style import new_figure
from perceptron_theory.presets.curated_labels import curated_labels, curated_labels_unlimited, truth_in_plane
from perceptron_theory.simulation.execution import one_per_core
from perceptron_theory.simulation.trials import simulate

F, ALPHA_PRUNE, LAM = 0.5, 20.0, 0.1
ORACLE_DEG, GENERATOR_DEG = (10.0, 25.0, 40.0), (5.0, 15.0, 30.0)
COLOURS = {"hard": "#7b3294", "easy": "#e08214"}
#: Degrees between which the line is looked for.
_LEAST, _MOST = 0.01, 80.0


def _cosines(generator_deg: float, oracle_deg: float) -> tuple[float, float, float]:
    generator, oracle = math.cos(math.radians(generator_deg)), math.cos(math.radians(oracle_deg))
    return generator, oracle, generator * oracle


def compute(fast: bool = False) -> xr.DataTree:
    """Lines and simulated differences."""
    oracle = np.linspace(2.0, 60.0, 11 if fast else 59)
    lines = {
        "unlimited": [_equal(angle, limited=False) for angle in oracle],
        "limited": [_equal(angle, limited=True) for angle in oracle],
    }
    points = [(o, g) for o in ORACLE_DEG for g in GENERATOR_DEG]
    trials = TRIALS_FAST if fast else TRIALS
    simulated = np.array([[_simulated(*point, rule, trials, i) for rule in RULES] for i, point in enumerate(points)])
    mean, error = simulated.mean(axis=-1), simulated.std(axis=-1, ddof=1) / math.sqrt(trials)
    theory = [
        [curated_labels(ALPHA_PRUNE, F, _cosines(g, o), lam=LAM, selection=rule)[0] for rule in RULES]
        for o, g in points
    ]
    by_point = ("point", "selection")
    return xr.DataTree.from_dict(
        {
            "lines": xr.Dataset(
                {name: ("oracle_deg", np.array(values)) for name, values in lines.items()},
                {"oracle_deg": oracle},
                {"f": F, "alpha_prune": ALPHA_PRUNE, "lam": LAM, "loss": "square", "units": "degrees"},
            ),
            "errors": xr.Dataset(
                {
                    "mean": (by_point, mean),
                    "standard_error": (by_point, error),
                    "theory": (by_point, np.array(theory)),
                    "oracle_deg": ("point", np.array([o for o, _ in points])),
                    "generator_deg": ("point", np.array([g for _, g in points])),
                },
                {"selection": list(RULES)},
                {"N": N, "trials": trials, "seeds": "number of the point"},
            ),
        }
    )


def _equal(oracle_deg: float, *, limited: bool) -> float:
    """Angle of the generator at which hard equals easy; NaN if one wins at all angles."""

    def error(generator_deg: float, rule: str) -> float:
        cosines = _cosines(generator_deg, oracle_deg)
        if limited:
            return curated_labels(ALPHA_PRUNE, F, cosines, lam=LAM, selection=rule)[0]
        return curated_labels_unlimited(F, cosines, rule)

    def gap(generator_deg: float) -> float:
        return error(generator_deg, "hard") - error(generator_deg, "easy")

    if not gap(_LEAST) * gap(_MOST) < 0.0:
        return math.nan
    return float(brentq(gap, _LEAST, _MOST, xtol=1e-8))


def _simulated(oracle_deg: float, generator_deg: float, rule: str, trials: int, seed: int) -> npt.NDArray[np.float64]:
    """Errors against the truth, one for each trial."""
    theta, along, across = truth_in_plane(_cosines(generator_deg, oracle_deg))
    sim = simulate(
        N,
        ALPHA_PRUNE,
        F,
        theta,
        selection=rule,
        student=ConvexLoss("square", LAM),
        trials=trials,
        seed=seed,
        executor=one_per_core(),
    )
    sideways = (sim.R - sim.rho * math.cos(theta)) / math.sin(theta)
    return np.asarray(np.arccos(sim.rho * along + sideways * across) / np.pi)


def draw(numbers: xr.DataTree) -> Figure:
    """Angle of the generator over that of the oracle."""
    figure = new_figure()
    axes = figure.add_subplot()
    lines, errors = numbers["lines"].to_dataset(), numbers["errors"].to_dataset()
    axes.plot(lines.oracle_deg, lines.unlimited, color="black", label="hard = easy, unlimited data")
    label = rf"hard = easy, $\alpha_\mathrm{{prune}}$ = {ALPHA_PRUNE:g}"
    axes.plot(lines.oracle_deg, lines.limited, color="black", ls="--", label=label)
    hard_wins = (errors["mean"].sel(selection="hard") < errors["mean"].sel(selection="easy")).values
    for rule, wins in (("hard", hard_wins), ("easy", ~hard_wins)):
        here = errors.isel(point=np.flatnonzero(wins))
        label = f"simulated, N = {errors.attrs['N']}: {rule} better"
        axes.scatter(here.oracle_deg, here.generator_deg, s=60, color=COLOURS[rule], ec="white", zorder=4, label=label)
    axes.set(xlabel="angle of the oracle to the truth, degrees", ylabel="angle of the labels to the truth, degrees")
    axes.set(xlim=(0.0, 60.0), ylim=(0.0, 45.0))
    axes.set_title("Clean labels favour hard examples, wrong labels easy ones\nhalf kept, least squares")
    axes.legend(loc="upper right")
    return figure
