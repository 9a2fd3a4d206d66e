"""What calibrated runs advised, and what came of it.

The theory, calibrated on pools of at most 9,000 images of MNIST, was asked what to keep of 55,000 within five budgets;
what it found best and a random subset of the same size were then trained (`measured_runs.measure_advice`). Bars are
where 95 % of such runs were expected, with the expectation as a line; points are means of five seeds (logistic) or
three (network) with two standard errors, ringed where the choice was the one advised: a random subset, unless the best
is better with probability 0.8. For logistic regression the advice was right where it was to prune, and the gain smaller
than expected. For the network the expected floor is too high: from 5,000 examples on pruning was better than expected,
and the caution of the advice was wrong; at 500 examples it advised to prune, and that did not help.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from perceptron_theory.figures.calibrated_runs import TASKS
from perceptron_theory.plotting.curves import FRONTIER_COLOUR
from perceptron_theory.plotting.style import RANDOM_COLOUR, new_figure

CHOICES: Final = {"best": FRONTIER_COLOUR, "random": RANDOM_COLOUR}
_TOLD: Final = ("n_total", "n_kept", "selection", "advised", "expected", "run_low", "run_high")
#: Of a choice from the middle of its budget, and half the width of its bar.
_ASIDE: Final = {"best": -0.2, "random": 0.2}
_HALF: Final = 0.13
_PERCENT: Final = (1.5, 2, 3, 5, 7, 10, 15, 20, 30)


def compute(fast: bool = False) -> xr.DataTree:
    """Per student, by budget and choice: what was expected, and mean and standard error of what was measured."""
    with files("perceptron_theory.measured_runs").joinpath("data", "advice_runs.csv").open(encoding="utf-8") as file:
        table = pd.read_csv(file)
    groups = table.groupby(["student", "budget", "choice"])
    told = groups[[*_TOLD]].first()
    measured = groups["test_error"].agg(["mean", "sem", "size"])
    found = told.join(measured.set_axis(["test_error", "standard_error", "seeds"], axis=1))
    advice: xr.Dataset = found.astype({"advised": bool}).to_xarray()
    students = sorted(advice.student.values, key=list(TASKS).index)[: 1 if fast else None]
    return xr.DataTree.from_dict({name: advice.sel(student=name, drop=True) for name in students})


def draw(numbers: xr.DataTree) -> Figure:
    """A panel per student."""
    figure = new_figure(10.5, 4.8)
    row = np.ravel(figure.subplots(1, len(numbers.children), squeeze=False))
    for axes, student in zip(row, numbers.children, strict=True):
        _draw_student(axes, numbers[str(student)].to_dataset())
        axes.set_title(TASKS[str(student)])
    row[0].set_ylabel("test error, %")
    figure.legend(handles=_marks(), loc="outside lower center", ncols=5)
    figure.suptitle("What to keep of 55,000 images: advised, expected, measured", x=0.01, ha="left")
    return figure


def _draw_student(axes: Axes, found: xr.Dataset) -> None:
    for choice, colour in CHOICES.items():
        for place, budget in enumerate(found.budget.values):
            _draw_choice(axes, place + _ASIDE[choice], found.sel(budget=budget, choice=choice), colour)
    best = found.sel(choice="best")
    labels = [
        f"{budget:,}\n{selection}\nof {n_total:,}"
        for budget, selection, n_total in zip(
            best.budget.values, best.selection.values, best.n_total.values, strict=True
        )
    ]
    axes.set_xticks(np.arange(len(labels)), labels, fontsize=9)
    low, high = 90.0 * float(min(found.run_low.min(), found.test_error.min())), 105.0 * float(found.run_high.max())
    axes.set(yscale="log", xlabel="budget, and the best pruning found", ylim=(low, high))
    axes.set_yticks([tick for tick in _PERCENT if low <= tick <= high])
    axes.set_yticks([], minor=True)
    axes.yaxis.set_major_formatter("{x:g}")
    axes.grid(visible=False, axis="x")


def _draw_choice(axes: Axes, x: float, found: xr.Dataset, colour: str) -> None:
    low, high = 100.0 * float(found.run_low), 100.0 * float(found.run_high)
    axes.bar(x, high - low, 2.0 * _HALF, low, color=colour, alpha=0.22, lw=0.0)
    axes.hlines(100.0 * found.expected, x - _HALF, x + _HALF, color=colour, lw=1.6)
    mean, error = 100.0 * float(found.test_error), 200.0 * float(found.standard_error)
    axes.errorbar(x, mean, error, fmt="o", ms=5.0, color=colour, mec="white", mew=0.6, elinewidth=1.2, zorder=3.0)
    if bool(found.advised):
        axes.plot(x, mean, "o", ms=11.0, mfc="none", mec="black", mew=1.1, zorder=4.0)


def _marks() -> list[Line2D | Patch]:
    """What bars, lines and points mean."""
    grey = "0.35"
    point: dict[str, Any] = {"ls": "", "marker": "o"}
    names = {"best": "best pruning found", "random": "random subset"}
    return [
        *(Patch(color=colour, label=names[choice]) for choice, colour in CHOICES.items()),
        Line2D([], [], color=grey, lw=1.6, label="expected, with 95 % of runs"),
        Line2D([], [], color=grey, ms=5.0, mec="white", label="measured ± 2 s.e.", **point),
        Line2D([], [], ms=11.0, mfc="none", mec="black", label="advised", **point),
    ]
