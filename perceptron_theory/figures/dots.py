"""Simulation dots: finite students beside the theory they check."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from concurrent.futures import Executor
from typing import Final, NamedTuple

import numpy as np
import xarray as xr

from perceptron_theory.comparison import compare
from perceptron_theory.convex_loss import ConvexLoss
from perceptron_theory.labels import Labels
from perceptron_theory.margins.selection import KeepProbability, Selection
from perceptron_theory.progress import track
from perceptron_theory.simulation.execution import one_per_core
from perceptron_theory.simulation.simulation import Simulation
from perceptron_theory.simulation.trials import simulate
from perceptron_theory.solving.saddle_point import solve

#: Inputs of a student: as in the paper.
N: Final = 200
#: Trials of a dot.
TRIALS: Final = 100
TRIALS_FAST: Final = 8

RULES: Final = ("hard", "easy")

#: Examples per parameter that a student fits whatever their labels (Cover 1965), and how far from it finite students
#: can notice: ten times the width 0.1 of the capacity at N = 200.
CAPACITY: Final = 2.0
_BESIDE: Final = 1.0
#: Of a difference in ln(alpha_prune), well below the width 0.1 over which a finite capacity fluctuates.
_STEP: Final = 0.02


class Cell(NamedTuple):
    """A point to simulate."""

    alpha_prune: float
    f: float | None
    theta: float = 0.0
    selection: str | Selection = "hard"
    student: str | ConvexLoss = "max-margin"
    labels: Labels | None = None

    def simulated(self, trials: int, seed: int, executor: Executor) -> Simulation:
        """Trials of this cell."""
        return simulate(
            N,
            *self[:3],
            selection=self.selection,
            student=self.student,
            labels=self.labels,
            trials=trials,
            seed=seed,
            executor=executor,
        )


def simulated(cells: Iterable[Cell], fast: bool) -> xr.Dataset:
    """Test errors of students with N = 200, each cell with its own random numbers.

    Parameters
    ----------
    cells : iterable of Cell
        What to simulate.
    fast : bool
        8 trials instead of 100.

    Returns
    -------
    xarray.Dataset
        On "cell": `mean`, `standard_error`, `theory` at the alpha_prune and f that were realised, `deviation` in
        standard errors, `gap` (largest certificate), `rounding` and `rounded`, whether it exceeds two standard errors
        beside the capacity: no number of trials then leads to the theory of infinite size; coordinates `alpha_prune`,
        `f`, `theta`, `selection`.
    """
    trials = TRIALS_FAST if fast else TRIALS
    executor = one_per_core()
    sims = [
        cell.simulated(trials, seed, executor)
        for seed, cell in track(list(enumerate(cells)), "simulation", sys.stderr.isatty())
    ]
    compared = compare(solve, sims).data.isel(size=0).sel(observable="test_error", drop=True)
    fields = compared[["mean", "standard_error", "theory", "deviation", "gap"]]
    meaning = {"long_name": "estimated change of the test error by the finite rounding of the capacity"}
    fields = fields.assign(rounding=("cell", [_rounding(sim) for sim in sims], meaning))
    beside = np.abs(fields.alpha_prune - CAPACITY) < _BESIDE
    fields = fields.assign(rounded=beside & (fields.rounding > 2.0 * fields.standard_error))
    return fields.assign_attrs(N=N, trials=trials, seeds="number of the cell")


def _rounding(sim: Simulation) -> float:
    """Half the curvature of the test error in alpha_prune times the variance 2 / N of the capacity (Cover 1965).

    Which examples a finite student can still fit without learning fluctuates, as if its alpha_prune did. Where the
    error falls as steeply as beside the capacity this is more than any number of trials averages out.
    """
    alpha, step = sim.alpha_prune, _STEP * sim.alpha_prune
    f = None if isinstance(sim.problem.selection, KeepProbability) else sim.f
    if sim.convex_loss is not None:
        return 0.0  # a penalty, or noise, rounds what is sharp at the capacity
    error = solve([alpha - step, alpha, alpha + step], f, sim.theta, selection=sim.problem.selection).test_error
    return float(abs(error[0] - 2.0 * error[1] + error[2]) / step**2 / sim.N)


def differences(dots: xr.Dataset) -> xr.Dataset:
    """Hard minus easy where both were simulated at the same alpha_prune and f, one after the other.

    Parameters
    ----------
    dots : xarray.Dataset
        From `simulated`, whose cells come in pairs (hard, easy).

    Returns
    -------
    xarray.Dataset
        On "cell": `difference`, `standard_error`, `theory`; coordinates `alpha_prune`, `f`, `theta`.
    """
    hard, easy = (dots.isel(cell=np.flatnonzero(dots.selection == rule)).drop_vars("selection") for rule in RULES)
    return xr.Dataset(
        {
            "difference": hard["mean"] - easy["mean"],
            "standard_error": np.hypot(hard.standard_error, easy.standard_error),
            "theory": hard.theory - easy.theory,
        },
        attrs=dots.attrs,
    )
