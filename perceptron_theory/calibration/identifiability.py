"""What runs cannot tell, and which run would."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from perceptron_theory.calibration.fitting import Fit, Task
from perceptron_theory.calibration.intervals import Interval, covariance, middle
from perceptron_theory.calibration.parameters import moving_range

FloatArray = npt.NDArray[np.float64]

Verdict = Literal["identified", "at least", "at most", "not identifiable"]

#: Ends of ranges that bound a parameter by its nature; at the others the search just stops.
_NATURAL: Final = {"theta": (True, True), "floor": (True, False), "flip": (True, False)}

#: Estimates this correlated stand and fall together.
TOGETHER: Final = 0.95

#: Fractions and rules that a next run may have.
_FRACTIONS: Final = (0.05, 0.1, 0.2, 0.4, 0.7, 1.0)
_RULES: Final = ("hard", "easy", "random")
#: Beyond the largest pool so far, a next run may have one this much larger.
_LARGER: Final = 2.0
#: A run that shrinks no interval below this share of itself is not proposed.
_NO_USE: Final = 0.98
#: Smallest training set that is proposed.
_FEWEST: Final = 10


def verdict(name: str, interval: Interval) -> Verdict:
    """Whether an interval bounds its parameter.

    Examples
    --------
    >>> from perceptron_theory.calibration.intervals import Interval
    >>> verdict("theta", Interval(0.0, 0.3, True, False)), verdict("theta", Interval(0.0, 1.57, True, True))
    ('identified', 'not identifiable')
    >>> verdict("N", Interval(20.0, 1e6, False, True))
    'at least'
    """
    natural_low, natural_high = _NATURAL.get(name, (False, False))
    if interval.open_low and interval.open_high:
        return "not identifiable"
    if interval.open_high and not natural_high:
        return "at least"
    if interval.open_low and not natural_low:
        return "at most"
    return "identified"


def correlations(task: Task, fit: Fit) -> pd.DataFrame:
    """Correlation of the estimates."""
    C = covariance(task, fit)
    deviation = np.sqrt(np.diag(C))
    return pd.DataFrame(C / np.outer(deviation, deviation), index=task.names, columns=task.names)


def confused(matrix: pd.DataFrame) -> list[tuple[str, str, float]]:
    """Pairs of parameters whose estimates stand and fall together, with their correlation."""
    r, names = matrix.to_numpy(dtype=np.float64), [str(name) for name in matrix.columns]
    pairs = itertools.combinations(range(len(names)), 2)
    return [(names[i], names[j], float(r[i, j])) for i, j in pairs if abs(r[i, j]) > TOGETHER]


@dataclass(frozen=True)
class NextRun:
    """A run that would tell more.

    Attributes
    ----------
    n_total, n_kept : int
        Pool, and how much of it to keep.
    selection : str
        Which end.
    parameter : str
        What it would tell.
    shrink : float
        Factor by which the width of that interval is expected to fall, in (0, 1].
    """

    n_total: int
    n_kept: int
    selection: str
    parameter: str
    shrink: float

    def __str__(self) -> str:
        if self.shrink > _NO_USE:
            return f"none of those considered would tell {self.parameter} better"
        return (
            f"keep {self.n_kept:,} of {self.n_total:,} ({self.selection}): expected to shrink the interval of "
            f"{self.parameter} to {100.0 * self.shrink:.0f} %"
        )


def next_run(task: Task, fit: Fit, parameter: str | None = None) -> NextRun:
    """The run that shrinks an interval most: by default that which is widest beside its range.

    The information of a run is that of its expected error with the noise and misfit of the runs so far (linearised).
    """
    before = np.diag(covariance(task, fit))
    low, high = moving_range(task.parameters)
    which = task.names.index(parameter) if parameter else int(np.argmax(np.sqrt(before) / (high - low)))
    n_total, n_kept, selection = _candidates(task)
    noise = float(np.median(task.deviations(fit.misfit)))
    rows = task.slopes_of(n_total, n_kept, selection, middle(task, fit)) / noise
    after = np.array(
        [covariance(task, fit, row[None, :])[which, which] if np.isfinite(row).all() else math.inf for row in rows]
    )
    best = int(np.argmin(after))
    return NextRun(
        round(n_total[best]), round(n_kept[best]), str(selection[best]), task.names[which],
        math.sqrt(after[best] / before[which]),
    )  # fmt: skip


def possible(rule: str, f: float) -> bool:
    """Whether a rule can keep a fraction: less than all, and no more than lies above the start of a band.

    Examples
    --------
    >>> possible("hard", 1.0), possible("band:0.2", 0.8), possible("band:0.2", 0.9)
    (False, True, False)
    """
    if rule == "random":
        return f <= 1.0
    lower = float(rule.removeprefix("band:")) if rule.startswith("band:") else 0.0
    return f < 1.0 and f <= 1.0 - lower


def _candidates(task: Task) -> tuple[FloatArray, FloatArray, npt.NDArray[np.str_]]:
    pools = np.unique(np.append(task.cells.n_total, _LARGER * task.cells.n_total.max()))
    rules = sorted({*_RULES, *task.cells.selection.tolist()})
    done = set(zip(task.cells.n_total.tolist(), task.cells.n_kept.tolist(), task.cells.selection.tolist(), strict=True))
    grid = [
        (pool, float(round(f * pool)), name)
        for pool, f, name in itertools.product(pools.tolist(), _FRACTIONS, rules)
        if f * pool >= min(_FEWEST, pools.max()) and possible(name, f)
    ]
    grid = [run for run in grid if run not in done]  # a repetition has the same misfit
    total, kept, name = zip(*grid, strict=True)
    return np.array(total), np.array(kept), np.array(name)
