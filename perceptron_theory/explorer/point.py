"""One point of the theory with its certificate, and what it stands beside."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perceptron_theory.explorer.setting import Setting
from perceptron_theory.margins.distributions import Margins
from perceptron_theory.solving.saddle_point import solve
from perceptron_theory.solving.solution import Solution, Status


@dataclass(frozen=True)
class Point:
    """A student on what a setting keeps.

    Attributes
    ----------
    solution : Solution
        The point, shape (); NaN with a status where it failed.
    random : Solution
        The student on as many random examples.
    everything : Solution
        The student on all of the pool.
    """

    solution: Solution
    random: Solution
    everything: Solution

    @property
    def rows(self) -> list[tuple[str, str]]:
        """Names and values of the point and of its certificate, as text."""
        names = ("test_error", "R", "rho", "kappa", "q", "train_error", "label_error", "residual", "quadrature_error")
        told = [(name, getattr(self.solution, name)) for name in names if hasattr(self.solution, name)]
        told += [("test_error, random", self.random.test_error), ("test_error, all", self.everything.test_error)]
        return [(name, number(float(value))) for name, value in told] + [("status", status(self.solution))]


def number(value: float) -> str:
    """Six digits, or that there are none.

    Examples
    --------
    >>> number(0.06527449859), number(float("nan"))
    ('0.0652745', 'missing')
    """
    return "missing" if math.isnan(value) else f"{value:.6g}"


def status(solution: Solution) -> str:
    """What became of a point, in words."""
    one = Status(int(solution.status))
    return one.sentence if one == Status.CONVERGED else f"{one.name.lower().replace('_', ' ')}: {one.sentence}"


def missing_note(statuses: npt.ArrayLike) -> str:
    """How many points of a graph are missing, and why; empty if none is. A pool that is too small is no failure.

    Examples
    --------
    >>> missing_note([0, 0, 4]), missing_note([0, 1])
    ('', '1 point is missing: the residual of the equations stayed above 1e-10. ')
    """
    codes = np.ravel(np.asarray(statuses))
    failed = codes[~np.isin(codes, (Status.CONVERGED, Status.INFEASIBLE))]
    if failed.size == 0:
        return ""
    reasons = "; ".join(Status(int(code)).sentence for code in np.unique(failed))
    return f"{failed.size} point{' is' if failed.size == 1 else 's are'} missing: {reasons}. "


def solved_point(setting: Setting, margins: Margins | None = None) -> Point:
    """The point of a setting, with as many random examples and with all of the pool.

    Parameters
    ----------
    setting : Setting
        Where.
    margins : GaussianMargins or MeasuredMargins, optional
        Distribution along the probe. Default: Gaussian.

    Examples
    --------
    >>> point = solved_point(Setting())
    >>> print(f"{point.solution.test_error:.4f} {point.random.test_error:.4f} {point.everything.test_error:.4f}")
    0.0653 0.1428 0.0492
    """

    def at(alpha: float, f: float, random: bool) -> Solution:
        return solve(
            alpha,
            f,
            setting.theta,
            selection="random" if random else setting.rule,
            student=setting.trained,
            margins=margins,
            labels=setting.labels,
            throw=False,
        )

    return Point(
        solution=at(setting.alpha_prune, setting.f, False),
        random=at(setting.alpha_prune, 1.0, True),
        everything=at(setting.alpha_tot, 1.0, True),
    )
