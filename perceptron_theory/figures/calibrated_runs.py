"""The theory fitted to small pools of MNIST, and what it says of pools up to 37 times as large.

Above logistic regression on odd against even digits, below a network with one hidden layer on ten classes, ranked by a
probe of 5,000 other images (`measured_runs.measure_mnist`). The max-margin theory of Sorscher et al. with N, theta, a
floor and an exponent is fitted to pools of at most 1,500 images (filled); larger pools (open) play no part. Bands are
those of the expected error at 95 %. Lines at the foot of panels mark where hard becomes better than random: predicted
with its intervals, and measured between two sizes. The theory is no model of the easiest images, whose errors stay
where they are, and the small pools say too little of the floor: it expects the network to stop at twice the error that
it reaches.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator

from perceptron_theory.calibration.calibrating import calibrate
from perceptron_theory.calibration.calibration import Calibration
from perceptron_theory.calibration.runs import Runs
from perceptron_theory.figures.crossing_marks import crossing_marks, crossing_measured, draw_crossing, leave_room
from perceptron_theory.plotting.calibration import N_KEPT, rule_colours
from perceptron_theory.plotting.style import new_figure, number_ticks

#: Test error of guessing.
CHANCE: Final = {"logistic": 0.5, "softmax": 0.9, "network": 0.9}
TASKS: Final = {
    "logistic": "logistic regression, odd or even",
    "softmax": "softmax regression, ten classes",
    "network": "network, ten classes",
}
#: Pools that the theory is fitted to.
LARGEST_FITTED: Final = 1500
FREE: Final = ("N", "theta", "floor", "exponent")
RULES: Final = ("random", "hard", "easy")
FRACTIONS: Final = (0.1, 0.2, 1.0)
#: What an expected error, and a mean over seeds, belong to.
_POINT: Final = ("f", "selection", "n_total")
#: Pools that were measured.
_SMALLEST, _LARGEST = 250, 55_000


def measured_table(student: str, probe: str) -> pd.DataFrame:
    """Rows of `mnist_runs.csv` of a student whose images were ranked by a probe, or not at all.

    Parameters
    ----------
    student : {"logistic", "softmax", "network"}
    probe : {"late", "early"}
    """
    with files("perceptron_theory.measured_runs").joinpath("data", "mnist_runs.csv").open(encoding="utf-8") as file:
        table = pd.read_csv(file)
    return table[(table["student"] == student) & table["probe"].isin([probe, "any"])]


def compute(fast: bool = False) -> xr.DataTree:
    """Per student: parameters, expected errors with bands, means of the runs, predicted and measured crossings."""
    parts = {}
    for student in ("network",) if fast else ("logistic", "network"):
        table = measured_table(student, "late")
        smaller = Runs(table[table["n_total"] <= LARGEST_FITTED])
        calibration = calibrate(smaller, chance=CHANCE[student], free=FREE, intervals="normal")
        told = _told(calibration, np.unique(table["n_total"]), 0 if fast else 20)
        parts[f"curves_{student}"] = _curves(calibration, told)
        parts[f"runs_{student}"] = _runs(table, told)
        parts[f"crossings_{student}"] = _crossings(table, calibration, FRACTIONS[1:2] if fast else FRACTIONS[:2])
    return xr.DataTree.from_dict(parts)


def _told(calibration: Calibration, measured: npt.NDArray[np.int64], between: int) -> pd.DataFrame:
    """What is expected at the measured pools, and at others between them."""
    sizes = np.unique([*measured, *np.rint(np.geomspace(measured[0], measured[-1], between))])
    told = [calibration.predict(sizes, f, RULES if f < 1.0 else RULES[:1]) for f in FRACTIONS]
    return pd.concat(told).assign(f=np.repeat(FRACTIONS, [len(one) for one in told])).set_index(list(_POINT))


def _curves(calibration: Calibration, told: pd.DataFrame) -> xr.Dataset:
    found = {name: calibration.value(name) for name in FREE} | {"misfit": calibration.misfit}
    numbers = told.drop(columns="alpha_prune").to_xarray()
    return numbers.assign_attrs(found | {"level": calibration.level, "largest_fitted": LARGEST_FITTED})


def _runs(table: pd.DataFrame, told: pd.DataFrame) -> xr.Dataset:
    """Means over seeds, with standard errors, and where one such run was expected."""
    groups = table[table["f"].isin(FRACTIONS)].groupby([*_POINT])["test_error"]
    means = groups.agg(test_error="mean", standard_error="sem")
    found = means.join(told[["n_kept", "run_low", "run_high"]], how="inner").reset_index()
    found["fitted"] = found["n_total"] <= LARGEST_FITTED
    runs: xr.Dataset = found.rename_axis("run").to_xarray()
    return runs.set_coords(["f", "selection"])


def _crossings(table: pd.DataFrame, calibration: Calibration, fractions: tuple[float, ...]) -> xr.Dataset:
    """From how many kept examples on hard is better than random."""
    found = [calibration.crossing(f=f, sizes=(f * _SMALLEST, f * _LARGEST)) for f in fractions]
    fields = {name: ("f", [float(getattr(one, name)) for one in found]) for name in found[0]._fields}
    seen = [crossing_measured(table[table["f"] == f]) for f in fractions]
    for i, name in enumerate(("measured_from", "measured", "measured_to")):
        fields[name] = ("f", [one[i] for one in seen])
    fields |= {
        "smallest": ("f", [f * _SMALLEST for f in fractions]),
        "largest": ("f", [f * _LARGEST for f in fractions]),
    }
    return xr.Dataset(fields, {"f": list(fractions)})


def draw(numbers: xr.DataTree) -> Figure:
    """A row per student, a panel per fraction."""
    students = [student for student in TASKS if f"curves_{student}" in numbers.children]
    figure = new_figure(10.5, 0.9 + 3.5 * len(students))
    parts = figure.subfigures(len(students), 1, squeeze=False, hspace=0.04).ravel()
    for part, student in zip(parts, students, strict=True):
        _draw_student(part, numbers, student)
    figure.legend(handles=_marks(), loc="outside lower center", ncols=4)
    return figure


def _draw_student(part: SubFigure, numbers: xr.DataTree, student: str) -> None:
    curves, runs, crossings = (numbers[f"{kind}_{student}"].to_dataset() for kind in ("curves", "runs", "crossings"))
    row = part.subplots(1, len(FRACTIONS), sharey=True)
    for axes, f in zip(row, FRACTIONS, strict=True):
        axes.set(xscale="log", yscale="log")
        draw_errors(axes, curves.sel(f=f), runs.isel(run=np.flatnonzero(runs.f == f)))
        axes.set_title(f"f = {f:g}" if f < 1.0 else "f = 1: no pruning", fontsize=10)
        axes.set_xlabel(N_KEPT)
    row[0].set_ylabel("test error")
    leave_room(row[0])
    for axes, f in zip(row, FRACTIONS, strict=True):
        if f in crossings.f:
            draw_crossing(axes, crossings.sel(f=f))
        number_ticks(axes)
        axes.xaxis.set_major_locator(LogLocator())  # panels are narrow
    part.suptitle(
        _title(TASKS[student], curves, runs.isel(run=np.flatnonzero(~runs.fitted))), x=0.01, ha="left", fontsize=10
    )


def _title(name: str, curves: xr.Dataset, held_out: xr.Dataset) -> str:
    """Parameters, and how many of the held-out means lie where 95 % of single runs were expected."""
    found = curves.attrs
    inside = int(((held_out.test_error >= held_out.run_low) & (held_out.test_error <= held_out.run_high)).sum())
    return (
        f"{name}:  N = {found['N']:.2g},  θ = {np.rad2deg(found['theta']):.0f}°,  exponent {found['exponent']:.2f},  "
        f"floor {found['floor']:.3f},  misfit {100 * found['misfit']:.0f} %;  "
        f"{inside} of {held_out.sizes['run']} held out in the range of runs"
    )


def draw_errors(axes: Axes, curves: xr.Dataset, runs: xr.Dataset) -> None:
    """Draw expected errors with bands over n_kept, and measured ones, open where they were not fitted.

    Parameters
    ----------
    axes : Axes
    curves : Dataset
        n_kept, test_error, low and high by selection; rules without numbers are left out.
    runs : Dataset
        n_kept, test_error, standard_error, selection and fitted of each "run".
    """
    colours = rule_colours(RULES)
    for name in map(str, curves.selection.values):
        line, points = curves.sel(selection=name), runs.isel(run=np.flatnonzero(runs.selection == name))
        axes.fill_between(line.n_kept, line.low, line.high, color=colours[name], alpha=0.18, lw=0.0)
        axes.plot(line.n_kept, line.test_error, color=colours[name], lw=1.6)
        for fitted in (True, False):
            here = points.isel(run=np.flatnonzero(points.fitted == fitted))
            style: dict[str, Any] = {"mfc": colours[name] if fitted else "white", "mec": colours[name], "mew": 1.2}
            bars = 2.0 * here.standard_error
            axes.errorbar(
                here.n_kept, here.test_error, bars, fmt="o", ms=5.0, lw=0.0, elinewidth=1.0, color=colours[name],
                zorder=3.0, **style,
            )  # fmt: skip


def _marks() -> list[Line2D]:
    """What lines and points mean."""
    colours = rule_colours(RULES)
    lines = [Line2D([], [], color=colours[name], lw=2.0, label=f"keep {name}") for name in RULES]
    return [*lines, *point_marks(f"fitted: pools ≤ {LARGEST_FITTED:,}"), *crossing_marks()]


def point_marks(fitted: str) -> list[Line2D]:
    """What the points of `draw_errors` mean; `fitted` says it of the filled ones."""
    style: dict[str, Any] = {"ls": "", "marker": "o", "mec": "0.3", "mew": 1.2, "ms": 5.0}
    return [Line2D([], [], mfc="0.3", label=fitted, **style), Line2D([], [], mfc="white", label="held out", **style)]
