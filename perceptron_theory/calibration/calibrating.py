"""From measured runs to the parameters of the theory."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd

from perceptron_theory.calibration.calibration import Calibration
from perceptron_theory.calibration.cells import cells_of
from perceptron_theory.calibration.curves import Curves
from perceptron_theory.calibration.fitting import Fit, Task, fit, settled
from perceptron_theory.calibration.intervals import Interval, LowerMinimum, normal, percentiles, profile, replicates
from perceptron_theory.calibration.parameters import (
    ALPHA_HIGH,
    ALPHA_LOW,
    CONVEX_ONLY,
    FIXED_RANGES,
    PARAMETERS,
    parameters_for,
)
from perceptron_theory.calibration.runs import Runs, read_runs
from perceptron_theory.convex_loss import ConvexLoss, one_student
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.margins.distributions import GaussianMargins, Margins, MeasuredMargins
from perceptron_theory.scores.scores import Scores
from perceptron_theory.validation import number_array, one_number, whole_number

#: Fits are begun anew from a better one met on the way at most so often.
_RESTARTS = 4


def calibrate(
    runs: Runs | pd.DataFrame | str,
    scores: Scores | Margins | None = None,
    *,
    student: str | ConvexLoss = "max-margin",
    chance: float = 0.5,
    free: Sequence[str] = ("N", "theta", "floor"),
    fixed: Mapping[str, float] | None = None,
    intervals: Literal["profile", "bootstrap", "normal"] = "profile",
    level: float = 0.95,
    n_bootstrap: int = 200,
    seed: int = 0,
    progress: bool = False,
) -> Calibration:
    """Effective number of parameters, angle of the metric and error floor from measured pruning runs.

    Parameters
    ----------
    runs : Runs, DataFrame or path
        Of one student and one metric; columns in `Runs`.
    scores : Scores, GaussianMargins or MeasuredMargins, optional
        Distribution of the data along the metric; of `Scores` the order counts, with its ties. Default: Gaussian.
    student : "max-margin" or ConvexLoss
        Whose theory is fitted.
    chance : float
        Test error of guessing, in (0, 1): 0.5 for two equal classes, 0.9 for ten.
    free : sequence of str
        What is fitted, of "N", "theta", "floor", "scale", "exponent", "lam" and "flip" (the last two of ConvexLoss).
    fixed : dict, optional
        Values of others, such as {"theta": 0.2}. Default: floor 0, scale 1, exponent 1, flip 0, lam of the student.
    intervals : {"profile", "bootstrap", "normal"}
        Profile likelihood, parametric bootstrap, or the curvature of the likelihood: the roughest, and the only one
        that takes no time (convex losses take minutes for the others).
    level : float
        Of the intervals, in (0, 1).
    n_bootstrap : int
        Replicates.
    seed : int
        Of replicates and bands, >= 0.
    progress : bool
        Show a progress bar of the bootstrap.

    Returns
    -------
    Calibration

    Raises
    ------
    InvalidInputError
        If there are fewer different runs than parameters, errors above chance, mixed units or metrics, or arguments
        outside their ranges.

    Notes
    -----
    A run is described by

        alpha_prune = (n_kept / N)^exponent,    error = floor + 2 scale (chance - floor) epsilon

    with epsilon the solved test error (Sorscher et al., NeurIPS 2022, arXiv:2206.14486, for the max-margin student).
    ln(error) has the noise of seed and test set, and a misfit that is estimated: `fitting`. That real networks have an
    effective N at all is an assumption; `misfit` says how far it carries, and held-out runs say more
    (`compare_models`).

    Examples
    --------
    Runs that the theory itself made, of a student with N = 300 at 20 degrees:

    >>> import numpy as np, pandas as pd, perceptron_theory as pt
    >>> rows = []
    >>> for n_total in (300, 1000, 3000, 10000):
    ...     for f, rule in ((1.0, "random"), (0.3, "random"), (0.3, "hard"), (0.1, "hard")):
    ...         epsilon = pt.solve(f * n_total / 300, f, np.deg2rad(20), selection=rule).test_error
    ...         rows.append((n_total, round(f * n_total), rule, float(epsilon), 0))
    >>> runs = pd.DataFrame(rows, columns=["n_total", "n_kept", "selection", "test_error", "seed"])
    >>> found = pt.calibrate(runs)
    >>> print(f"N {found.N:.1f}, theta {np.rad2deg(found.theta):.2f} degrees, floor {found.floor:.4f}")
    N 300.0, theta 20.00 degrees, floor 0.0000
    """
    table = runs if isinstance(runs, Runs) else read_runs(runs)
    share = one_number("chance", number_array("chance", chance, "it is the error of guessing"))
    width = one_number("level", number_array("level", level, "it is that of the intervals"))
    for name, x in (("chance", share), ("level", width)):
        if not 1.0 < 1.0 + x < 2.0:  # by more than rounding: quantiles of either end are infinite or 0
            raise InvalidInputError(f"{name} must lie in (0, 1), got {x:g}: 0.95 is 95 %, and 0 and 1 are excluded.")
    if intervals not in ("profile", "bootstrap", "normal"):
        raise InvalidInputError(f"intervals must be 'profile', 'bootstrap' or 'normal', got {intervals!r}.")
    count = whole_number("n_bootstrap", n_bootstrap, 2, "it is the number of replicates")
    start = whole_number("seed", seed, 0, "it starts the random numbers")
    names = _names(free)
    held = _fixed(names, fixed or {}, student, share)
    cells = cells_of(table, share)
    smallest = float(np.exp(cells.log_error.min()))
    chosen = parameters_for(names, student, cells.n_kept, smallest, share)
    margins = scores.margins("rank") if isinstance(scores, Scores) else scores
    if not (margins is None or isinstance(margins, (GaussianMargins, MeasuredMargins))):
        raise InvalidInputError(f"scores must be Scores or margins, got {type(scores).__name__}: see read_scores.")
    task = Task(cells, Curves(student, share, margins, held), chosen)
    _in_range(task)
    task, best = fit(task)
    if intervals == "bootstrap":
        drawn = replicates(task, best, count, start, progress)
        found = {name: percentiles(task, best, drawn, k, width) for k, name in enumerate(task.names)}
        return Calibration(table, task, best, width, found, drawn, start)
    if intervals == "normal":
        found = {name: normal(task, best, k, width) for k, name in enumerate(task.names)}
        return Calibration(table, task, best, width, found, None, start)
    task, best, found = _profiles(task, best, width)
    return Calibration(table, task, best, width, found, None, start)


def _profiles(task: Task, best: Fit, level: float) -> tuple[Task, Fit, dict[str, Interval]]:
    """Intervals of all parameters; begun anew where a better fit is met."""
    for attempt in range(_RESTARTS + 1):
        try:
            return task, best, {name: profile(task, best, k, level) for k, name in enumerate(task.names)}
        except LowerMinimum as lower:
            if attempt == _RESTARTS:
                break
            task, best = settled(task, lower.moving)
    raise InvalidInputError(
        f"the likelihood has too many maxima for these runs ({len(task.cells)} different ones, free = {task.names}): "
        "fit fewer parameters, or use intervals='bootstrap'."
    )


def _names(free: Sequence[str]) -> tuple[str, ...]:
    if isinstance(free, str):
        return (free,)
    if not isinstance(free, Sequence):
        raise InvalidInputError(f"free must be names of parameters, got {free!r}: use some of {', '.join(PARAMETERS)}.")
    return tuple(free)


def _fixed(
    free: tuple[str, ...], given: Mapping[str, float], student: str | ConvexLoss, chance: float
) -> dict[str, float]:
    """Values of what is not fitted."""
    if not isinstance(student, ConvexLoss) and student != "max-margin":
        raise InvalidInputError(f"student must be 'max-margin' or a ConvexLoss, got {student!r}.")
    if isinstance(student, ConvexLoss):
        one_student(student)
    values = {name: one.default for name, one in PARAMETERS.items() if name not in free}
    if isinstance(student, ConvexLoss) and "lam" in values and not student.optimal:
        values["lam"] = float(np.asarray(student.lam))
    if not isinstance(given, Mapping):
        raise InvalidInputError(f"fixed must be a dict, got {type(given).__name__}: such as {{'theta': 0.2}}.")
    for name, value in given.items():
        if name not in values:
            raise InvalidInputError(
                f"fixed cannot hold {name!r}: use one of {', '.join(values)}, each either fixed or in free."
            )
        if name in CONVEX_ONLY and not isinstance(student, ConvexLoss):
            raise InvalidInputError(f"the {student} student has no {name}: leave it out of fixed, or fit ConvexLoss.")
        values[name] = one_number(name, number_array(name, value, "it is held fixed"))
        low, high = FIXED_RANGES[name]
        if not low <= values[name] < min(high, chance if name == "floor" else math.inf):
            raise InvalidInputError(
                f"{name} must lie in [{low:g}, {min(high, chance if name == 'floor' else math.inf):g}), got "
                f"{values[name]:g}: it is held fixed."
            )
    for name in ("N", "theta"):
        if name in values and math.isnan(values[name]):
            raise InvalidInputError(f"{name} must be in free or in fixed, got neither: the theory needs it.")
    return values


def _in_range(task: Task) -> None:
    """Refuse numbers of parameters that leave no run where the theory was checked."""
    if "N" in task.names:
        return
    alpha = task.curves.alpha(task.cells.n_kept, {"exponent": 1.0})
    if alpha.max() > ALPHA_HIGH or alpha.min() < ALPHA_LOW:
        raise InvalidInputError(
            f"examples per parameter must lie in [{ALPHA_LOW:g}, {ALPHA_HIGH:g}], got {alpha.min():.3g} to "
            f"{alpha.max():.3g} with N = {task.curves.fixed['N']:g}: fix another N, or fit it."
        )
