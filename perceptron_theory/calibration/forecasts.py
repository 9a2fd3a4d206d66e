"""Test errors that a calibrated theory expects, with bands."""

from __future__ import annotations

import itertools
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

from perceptron_theory.calibration.fitting import Fit, Task
from perceptron_theory.calibration.intervals import covariance, middle, quantile
from perceptron_theory.calibration.parameters import moving_range

FloatArray = npt.NDArray[np.float64]

#: Parameter vectors that bands are made of.
_N_DRAWS: Final = 200
#: Places in the range of an unknown parameter where its effect is looked at, and the relative effect that is none.
_PROBES: Final = (0.1, 0.4, 0.7)
_ALIKE: Final = 0.01
#: A band of which more of the draws have no answer is none.
_LOST: Final = 0.1


def draws(task: Task, fit: Fit, seed: int) -> FloatArray:
    """Parameters as the runs leave them open, in moving coordinates, shape (200, p).

    Normal about `middle` with the covariance of `covariance`, reflected at the ends of the ranges: what the runs do
    not tell is spread over all of its range, wherever the search for the estimate happened to stop.
    """
    low, high = moving_range(task.parameters)
    root = np.linalg.cholesky(covariance(task, fit))
    drawn = middle(task, fit) + np.random.default_rng(seed).standard_normal((_N_DRAWS, fit.moving.size)) @ root.T
    width = high - low
    folded = np.mod(drawn - low, 2.0 * width)
    return np.asarray(low + np.minimum(folded, 2.0 * width - folded))


def log_errors(
    task: Task, moving: FloatArray, n_total: FloatArray, n_kept: FloatArray, selection: npt.NDArray[np.str_]
) -> FloatArray:
    """ln(test error) for each parameter vector, shape (len(moving), n)."""
    values = [task.values(one) for one in moving]
    if "flip" in task.names:  # label noise is a number for the solver
        return np.log([task.curves.errors(n_total, n_kept, selection, one) for one in values])
    columns = {name: np.array([[one[name]] for one in values]) for name in task.names}
    return np.log(task.curves.errors(n_total, n_kept, selection, columns))


def expected(
    task: Task,
    fit: Fit,
    unknown: list[int],
    n_total: FloatArray,
    n_kept: FloatArray,
    selection: npt.NDArray[np.str_],
) -> FloatArray:
    """Test errors at the estimate; NaN where they depend on the parameters that are not known."""
    low, high = moving_range(task.parameters)
    moving = [fit.moving]
    for k, share in itertools.product(unknown, _PROBES):
        other = fit.moving.copy()
        other[k] = low[k] + share * (high[k] - low[k])
        moving.append(other)
    errors = log_errors(task, np.array(moving), n_total, n_kept, selection)
    return np.where(np.ptp(errors, axis=0) <= _ALIKE, np.exp(errors[0]), np.nan)


def forecast(
    task: Task,
    fit: Fit,
    unknown: list[int],
    drawn: FloatArray,
    n_total: FloatArray,
    n_kept: FloatArray,
    selection: npt.NDArray[np.str_],
    level: float,
) -> pd.DataFrame:
    """A row per run: expected error, its band, and the band in which one such run would fall."""
    estimate = expected(task, fit, unknown, n_total, n_kept, selection)
    about = middle(task, fit)
    among = log_errors(task, about[None, :], n_total, n_kept, selection)[0]
    spread = log_errors(task, drawn, n_total, n_kept, selection) - among
    half = quantile(task, fit, level) / float(norm.ppf(0.5 * (1.0 + level)))
    ends = np.nanquantile(spread, [0.5 * (1.0 - level), 0.5 * (1.0 + level)], axis=0) * half
    centre = np.where(np.isnan(estimate), among, np.log(estimate))
    ends = ends + among - centre
    ends = np.stack([np.minimum(ends[0], 0.0), np.maximum(ends[1], 0.0)])  # draws at the end of a range lie to one side
    lever = task.curves.levers(n_total, n_kept, selection, task.values(about))
    noise = norm.ppf(0.5 * (1.0 + level)) * half * np.hypot(fit.misfit, task.seed_noise * lever)
    chance = np.maximum(task.curves.chance, np.exp(centre))  # nobody guesses worse than by chance
    lost = np.isnan(spread).mean(axis=0) > _LOST
    table = pd.DataFrame({"n_total": n_total, "n_kept": n_kept, "f": n_kept / n_total, "selection": selection})
    table["test_error"] = estimate
    for end, sign, name in ((0, -1.0, "low"), (1, 1.0, "high")):
        runs = centre + sign * np.hypot(ends[end], noise)
        for prefix, edge in (("", centre + ends[end]), ("run_", runs)):
            table[prefix + name] = np.where(lost, np.nan, np.minimum(np.exp(edge), chance))
    table["alpha_prune"] = task.curves.alpha(n_kept, task.values(about))
    return table
