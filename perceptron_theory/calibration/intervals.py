"""How well runs tell the parameters: profile likelihood, parametric bootstrap, or the curvature alone."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, t

from perceptron_theory.calibration.fitting import Fit, Task, minimum
from perceptron_theory.calibration.parameters import from_moving, moving_range
from perceptron_theory.progress import track

FloatArray = npt.NDArray[np.float64]

#: The end of an interval is found when the root of the rise of chi^2 is this close to its quantile.
_CLOSE = 0.02
_STEPS = 25
#: Noise between seeds below this is rounding.
_ROUNDING = 1e-9
#: First step where the runs do not say how large it should be, in scales of the parameter.
_FIRST_STEP = 1.0
#: Runs that leave more than this of the deviation of the range tell nothing.
_TOLD = 0.9
#: Angles at which another valley of the likelihood is looked for.
_ANGLES = (0.05, 0.5, 1.2)
#: A lower minimum counts as one if it is this much lower.
_LOWER = 1e-2


class Interval(NamedTuple):
    """Range of a parameter.

    Attributes
    ----------
    low, high : float
        Its ends.
    open_low, open_high : bool
        Whether the end is that of the range that was searched, so that the runs do not bound it.
    """

    low: float
    high: float
    open_low: bool
    open_high: bool


class LowerMinimum(Exception):
    """A better fit was met on the way; `moving` says where."""

    def __init__(self, moving: FloatArray) -> None:
        super().__init__("a better fit was met")
        self.moving = moving


def quantile(task: Task, fit: Fit, level: float) -> float:
    """Half width of an interval in standard deviations: Student's where misfit or noise had to be estimated."""
    tail = 0.5 * (1.0 + level)
    if fit.misfit == 0.0 and task.seed_noise < _ROUNDING:
        return float(norm.ppf(tail))
    # Without misfit the residuals say, as the repetitions do, that the noise is as large as it is taken to be.
    repeated = float(np.sum(task.cells.repeats - 1.0)) if fit.misfit == 0.0 else 0.0
    return float(t.ppf(tail, task.freedom + repeated))


def covariance(task: Task, fit: Fit, more: FloatArray | None = None) -> FloatArray:
    """Of the moving coordinates: inverse information; what runs do not tell is as wide as its range.

    The information is that of the runs and of a normal prior with the deviation of a uniform one over each range.

    Parameters
    ----------
    task : Task
    fit : Fit
    more : ndarray, optional
        Further rows of slopes divided by their standard deviations: runs that could be made.
    """
    scaled = np.nan_to_num(fit.slopes) / task.deviations(fit.misfit)[:, None]
    if more is not None:
        scaled = np.vstack([scaled, more])
    return np.asarray(np.linalg.inv(scaled.T @ scaled + np.diag(_prior_precision(task))))


def middle(task: Task, fit: Fit) -> FloatArray:
    """Mean of the distribution whose `covariance` it is: the estimate, what runs do not tell in mid-range.

    A parameter that runs tell nothing of has no estimate: that of the fit is where its search stopped.
    """
    low, high = moving_range(task.parameters)
    towards = _prior_precision(task) * (0.5 * (low + high) - fit.moving)
    return np.asarray(fit.moving + covariance(task, fit) @ towards)


def _prior_precision(task: Task) -> FloatArray:
    low, high = moving_range(task.parameters)
    return np.asarray(12.0 / (high - low) ** 2)


def profile(task: Task, fit: Fit, which: int, level: float) -> Interval:
    """Where the likelihood, highest over all other parameters, has fallen to what `level` asks.

    Raises
    ------
    LowerMinimum
        If a better fit is met on the way.
    """
    low, high = moving_range(task.parameters)
    ends = [_end(task, fit, which, sign, (low, high)[sign > 0][which], level) for sign in (-1, 1)]
    values = [_value(task, which, at) for at, _ in ends]
    return Interval(values[0], values[1], ends[0][1], ends[1][1])


def _value(task: Task, which: int, at: float) -> float:
    return float(from_moving([task.parameters[which]], np.array([at]))[0])


def _end(task: Task, fit: Fit, which: int, sign: int, limit: float, level: float) -> tuple[float, bool]:
    """One end in moving coordinates, and whether it is that of the range."""
    goal, start = quantile(task, fit, level), float(fit.moving[which])
    deviation = math.sqrt(covariance(task, fit)[which, which])
    step = min(goal * deviation, _FIRST_STEP * task.parameters[which].scale)
    inside, inside_rise, outside, outside_rise = start, 0.0, math.nan, math.nan
    moving = fit.moving.copy()
    for _ in range(_STEPS):
        if math.isnan(outside):
            # As far as the rise so far says, but not further than twice as far.
            ahead = step if inside == start else (inside - start) * sign * min(2.0, 1.1 * goal / max(inside_rise, 1e-3))
            at = start + sign * ahead
            at = min(at, limit) if sign > 0 else max(at, limit)
        else:
            share = (goal - inside_rise) / (outside_rise - inside_rise)
            at = inside + min(max(share, 0.05), 0.95) * (outside - inside)
        trial = moving.copy()
        trial[which] = at
        trial, chi2 = minimum(task, trial, fit.misfit, held=which)
        if chi2 < fit.chi2 - _LOWER * max(1.0, goal):
            raise LowerMinimum(trial)
        rise = math.sqrt(max(chi2 - fit.chi2, 0.0))
        close = abs(rise - goal) <= _CLOSE * goal
        if close:
            trial, chi2 = _lowest(task, trial, chi2, fit.misfit, which)
            if chi2 < fit.chi2 - _LOWER * max(1.0, goal):
                raise LowerMinimum(trial)
            rise = math.sqrt(max(chi2 - fit.chi2, 0.0))
            close = abs(rise - goal) <= _CLOSE * goal
            if not close:
                outside = math.nan  # it was in the valley that was left
        if close or abs(outside - inside) <= 1e-6:
            return at, False
        if rise < goal:
            moving, inside, inside_rise = trial, at, rise
            if at == limit:
                return limit, True
        else:
            outside, outside_rise = at, rise
    # No end was found: the runs do not bound it.
    return (limit, True) if math.isnan(outside) else (outside, False)


def _lowest(task: Task, moving: FloatArray, chi2: float, misfit: float, held: int) -> tuple[FloatArray, float]:
    """The same, or a lower minimum at another angle: there may be two valleys."""
    if "theta" not in task.names or task.names.index("theta") == held:
        return moving, chi2
    lowest = moving, chi2
    for angle in _ANGLES:
        start = moving.copy()
        start[task.names.index("theta")] = angle
        found = minimum(task, start, misfit, held=held, coarse=True)
        if found[1] < lowest[1]:
            lowest = found
    return lowest


def told(task: Task, fit: Fit, which: int) -> bool:
    """Whether the runs narrow down a parameter at all: its deviation beside that of its whole range."""
    low, high = moving_range(task.parameters)
    return math.sqrt(12.0 * covariance(task, fit)[which, which]) < _TOLD * float(high[which] - low[which])


def _all_of_it(task: Task, which: int) -> Interval:
    return Interval(task.parameters[which].low, task.parameters[which].high, True, True)


def normal(task: Task, fit: Fit, which: int, level: float) -> Interval:
    """Interval from the curvature of the likelihood alone, cut off at the ends of the range."""
    if not told(task, fit, which):
        return _all_of_it(task, which)
    low, high = (float(ends[which]) for ends in moving_range(task.parameters))
    half = quantile(task, fit, level) * math.sqrt(covariance(task, fit)[which, which])
    ends = [max(low, float(fit.moving[which]) - half), min(high, float(fit.moving[which]) + half)]
    return Interval(_value(task, which, ends[0]), _value(task, which, ends[1]), ends[0] == low, ends[1] == high)


def replicates(task: Task, fit: Fit, n: int, seed: int, progress: bool = False) -> FloatArray:
    """Moving coordinates fitted to results drawn from the calibrated theory with its noise, shape (n, p)."""
    rng = np.random.default_rng(seed)
    deviations = task.deviations(fit.misfit)
    centre = task.cells.log_error - fit.residual
    found = np.empty((n, fit.moving.size))
    for i in track(range(n), "bootstrap", progress):
        drawn = replace(task.cells, log_error=centre + deviations * rng.standard_normal(centre.size))
        found[i], _ = minimum(replace(task, cells=drawn), fit.moving, fit.misfit, coarse=True)
    return found


def percentiles(task: Task, fit: Fit, drawn: FloatArray, which: int, level: float) -> Interval:
    """Interval between percentiles of replicates."""
    if not told(task, fit, which):
        return _all_of_it(task, which)
    low, high = moving_range(task.parameters)
    # The misfit is that of n - p degrees of freedom: replicates are spread accordingly.
    spread = quantile(task, fit, level) / float(norm.ppf(0.5 * (1.0 + level)))
    ends = fit.moving[which] + spread * (
        np.quantile(drawn[:, which], [0.5 * (1.0 - level), 0.5 * (1.0 + level)]) - fit.moving[which]
    )
    ends = np.clip(ends, low[which], high[which])
    reached = np.abs(ends - np.array([low[which], high[which]])) <= 1e-6 * (high[which] - low[which])
    return Interval(_value(task, which, ends[0]), _value(task, which, ends[1]), bool(reached[0]), bool(reached[1]))
