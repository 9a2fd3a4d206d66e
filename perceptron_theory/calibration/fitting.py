"""Parameters of highest likelihood for the measured runs, and what the theory misses.

A run's ln(test error) is that of the theory plus what it misses there, plus noise of seed and test set. The noise is
known from repetitions and n_test. Between seeds the effective size varies as the error does: with the slope
s = d ln(error) / d ln(n) the variance is (1 + s^2) times that where the curve is flat, as for finite perceptrons. The
misfit, one relative number for all entries, is taken such that the residuals have the size that they should:
R. C. Paule and J. Mandel, J. Res. Natl. Bur. Stand. 87, 377 (1982). At given variances the likelihood is highest where
the weighted sum of squares is lowest.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq, least_squares

from perceptron_theory.calibration.cells import Cells
from perceptron_theory.calibration.curves import Curves
from perceptron_theory.calibration.parameters import Parameter, from_moving, moving_range, to_moving
from perceptron_theory.errors import InvalidInputError

FloatArray = npt.NDArray[np.float64]

#: Stands for a residual where the solver has no answer, in standard deviations.
_NO_ANSWER = 1e3
#: Residuals are never weighted as if they were known better than this, relatively: fits do not end more accurately.
_SMALLEST_NOISE = 1e-6
#: Less than this many repetitions are none.
_NO_REPEATS = 1e-6
_ROUNDS = 20
#: Levers are those of the fit after so many rounds, and then stay.
_LEVER_ROUNDS = 5
#: The misfit has settled when it changes by less, relatively.
_SETTLED = 1e-6
#: Angle from which on slopes are taken as they are, and rounds to find where they tell enough.
_FAR, _TELLING_ROUNDS = 0.3, 4
#: Fits end when parameters change by less than this, relatively.
_ACCURACY = 1e-8


@dataclass(frozen=True, eq=False)
class Task:
    """What is fitted to what.

    Attributes
    ----------
    cells : Cells
    curves : Curves
    parameters : list of Parameter
        What is fitted.
    lever : ndarray or None
        sqrt(1 + s^2) of all entries; None before there is a fit: 1.
    """

    cells: Cells
    curves: Curves
    parameters: list[Parameter]
    lever: FloatArray | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of what is fitted."""
        return tuple(one.name for one in self.parameters)

    @property
    def freedom(self) -> int:
        """Entries beyond the number of parameters."""
        return len(self.cells) - len(self.parameters)

    def values(self, moving: FloatArray) -> dict[str, float]:
        """Parameters by name."""
        return dict(zip(self.names, from_moving(self.parameters, moving).tolist(), strict=True))

    def log_errors(self, moving: FloatArray) -> FloatArray:
        """ln(test error) of all entries; NaN where there is none."""
        c = self.cells
        return np.log(self.curves.errors(c.n_total, c.n_kept, c.selection, self.values(moving)))

    def slopes(self, moving: FloatArray) -> FloatArray:
        """Their derivatives in the moving coordinates."""
        c = self.cells
        return self.slopes_of(c.n_total, c.n_kept, c.selection, moving)

    def slopes_of(
        self, n_total: FloatArray, n_kept: FloatArray, selection: npt.NDArray[np.str_], moving: FloatArray
    ) -> FloatArray:
        """The same for any runs."""
        values = from_moving(self.parameters, moving)
        error, slopes = self.curves.gradients(n_total, n_kept, selection, self.values(moving), self.names)
        stretch = np.array([x if one.logarithmic else 1.0 for one, x in zip(self.parameters, values, strict=True)])
        return np.asarray(slopes * stretch / error[:, None])

    @property
    def levers(self) -> FloatArray:
        """Standard deviations between seeds relative to those where the curve is flat."""
        return np.ones(len(self.cells)) if self.lever is None else self.lever

    @property
    def seed_noise(self) -> float:
        """Relative standard deviation between seeds where the curve is flat; 0 if nothing is repeated."""
        freedom = float(np.sum(self.cells.repeats - 1.0))
        variance = float(np.sum(self.cells.scatter / self.levers**2)) / freedom if freedom > _NO_REPEATS else 0.0
        return math.sqrt(max(variance, 0.0))

    @property
    def noise(self) -> FloatArray:
        """Standard deviation of the mean ln(test error) of each entry, as far as repetitions and n_test tell it."""
        return np.sqrt(((self.seed_noise * self.levers) ** 2 + self.cells.binomial) / self.cells.repeats)

    def deviations(self, misfit: float) -> FloatArray:
        """Standard deviations of the residuals."""
        variance = misfit**2 + self.noise**2 + _SMALLEST_NOISE**2
        return np.sqrt(variance / self.cells.weight)

    def levered(self, moving: FloatArray) -> Task:
        """The same with the levers of a fit."""
        c = self.cells
        return replace(self, lever=self.curves.levers(c.n_total, c.n_kept, c.selection, self.values(moving)))


@dataclass(frozen=True, eq=False)
class Fit:
    """Where the likelihood is highest.

    Attributes
    ----------
    moving : ndarray
        Parameters in moving coordinates.
    misfit : float
        Relative standard deviation of what the theory misses beyond noise.
    chi2 : float
        Weighted sum of squares.
    residual : ndarray
        Measured minus calibrated ln(test error).
    slopes : ndarray, shape (n, p)
        Derivatives of the calibrated ln(test error) in the moving coordinates; see `telling_slopes`.
    """

    moving: FloatArray
    misfit: float
    chi2: float
    residual: FloatArray
    slopes: FloatArray


def fit(task: Task) -> tuple[Task, Fit]:
    """Highest likelihood, from several starts; the task comes back with the levers of the fit.

    Raises
    ------
    InvalidInputError
        If there are fewer entries than parameters, or the solver has no answer for some.
    """
    if task.freedom < 1:
        raise InvalidInputError(
            f"runs must differ in more ways than there are parameters, got {len(task.cells)} different runs for "
            f"{len(task.parameters)} parameters ({', '.join(task.names)}): measure more sizes or fractions, fix "
            "parameters, or fit fewer; repetitions do not count."
        )
    starts = itertools.product(*(one.starts for one in task.parameters))
    found = [minimum(task, to_moving(task.parameters, np.array(start)), 1.0, coarse=True) for start in starts]
    return settled(task, min(found, key=lambda one: one[1])[0])


def settled(task: Task, moving: FloatArray) -> tuple[Task, Fit]:
    """The fit near these coordinates, with its levers and misfit."""
    misfit = math.inf
    for i in range(_ROUNDS):
        if i < _LEVER_ROUNDS:
            task = task.levered(moving)
        before, misfit = misfit, misfit_of(task, moving)
        if i >= _LEVER_ROUNDS and abs(misfit - before) <= _SETTLED * before:
            break
        moving, _ = minimum(task, moving, misfit)
    residual = task.cells.log_error - task.log_errors(moving)
    if not np.isfinite(residual).all():
        row = int(np.flatnonzero(~np.isfinite(residual))[0])
        c = task.cells
        raise InvalidInputError(
            f"the solver has no answer for {c.n_kept[row]:g} of {c.n_total[row]:g} {c.selection[row]} at "
            f"{task.values(moving)}: fix parameters, or leave this run out."
        )
    chi2 = float(np.sum((residual / task.deviations(misfit)) ** 2))
    return task, Fit(moving, misfit, chi2, residual, telling_slopes(task, moving, misfit))


def telling_slopes(task: Task, moving: FloatArray, misfit: float) -> FloatArray:
    """Slopes, of the angle where the runs begin to tell it from 0 if the estimate is closer to 0 than that.

    Test errors are even in theta: their slope at 0 is 0, though runs may tell that it is small. The slope at the angle
    that is one standard deviation away says how small.
    """
    if "theta" not in task.names:
        return task.slopes(moving)
    which = task.names.index("theta")
    away, deviations = moving.copy(), task.deviations(misfit)
    away[which] = max(moving[which], _FAR)
    for _ in range(_TELLING_ROUNDS):
        slopes = task.slopes(away)
        told = math.sqrt(float(np.sum((np.nan_to_num(slopes[:, which]) / deviations) ** 2)))
        away[which] = max(moving[which], min(_FAR, 1.0 / told if told > 0.0 else _FAR))
        if away[which] == moving[which]:
            break
    slopes = task.slopes(moving)
    if away[which] > moving[which]:
        slopes[:, which] = task.slopes(away)[:, which]
    return slopes


def misfit_of(task: Task, moving: FloatArray) -> float:
    """Relative misfit at which the weighted sum of squares is the number of degrees of freedom; 0 if it is less."""
    residual = np.nan_to_num(task.cells.log_error - task.log_errors(moving), nan=1.0)
    largest = float(np.sqrt(np.sum(task.cells.weight * residual**2) / task.freedom)) + _SMALLEST_NOISE

    def excess(misfit: float) -> float:
        return float(np.sum((residual / task.deviations(misfit)) ** 2)) - task.freedom

    return 0.0 if excess(0.0) <= 0.0 else float(brentq(excess, 0.0, largest, xtol=1e-6 * largest))


def minimum(
    task: Task, start: FloatArray, misfit: float, *, held: int | None = None, coarse: bool = False
) -> tuple[FloatArray, float]:
    """Least weighted sum of squares near `start`, and where; parameter `held` stays where it is."""
    low, high = moving_range(task.parameters)
    free = np.array([k for k in range(start.size) if k != held], dtype=int)
    deviations = task.deviations(misfit)

    def whole(some: FloatArray) -> FloatArray:
        moving = start.copy()
        moving[free] = some
        return moving

    def residuals(some: FloatArray) -> FloatArray:
        return np.nan_to_num((task.log_errors(whole(some)) - task.cells.log_error) / deviations, nan=_NO_ANSWER)

    def jacobian(some: FloatArray) -> FloatArray:
        return np.nan_to_num(task.slopes(whole(some))[:, free] / deviations[:, None])

    if free.size == 0:
        return start, float(np.sum(residuals(start[free]) ** 2))
    accuracy: dict[str, Any] = {"ftol": 1e-4, "xtol": 1e-4, "max_nfev": 30} if coarse else {"ftol": 1e-10}
    found = least_squares(
        residuals,
        np.clip(start[free], low[free] + 1e-9, high[free] - 1e-9),
        jac=jacobian,
        bounds=(low[free], high[free]),
        x_scale=np.array([task.parameters[k].scale for k in free]),
        **{"xtol": _ACCURACY, "gtol": _ACCURACY, "max_nfev": 100} | accuracy,
    )
    return whole(found.x), 2.0 * float(found.cost)
