"""How well runs on small pools predict those on large ones: the theory beside laws that know no theory.

Three students on MNIST, each ranked by two probes (`measured_runs.measure_mnist`): theories and laws are fitted to
pools of at most 1,500 images and asked for pools of up to 55,000. Shown is the root mean square of ln(predicted /
measured), over all held-out runs and by rule. The stretched theory has an exponent beside N, theta and a floor. "Same
as random" takes what is kept for a random subset: what it misses, selection does. No model is best everywhere. On ten
classes the stretched theory is worst for the easiest images; without the exponent, the theory misses the network by a
factor of two.

Below, a network on permuted MNIST that this project did not train (tonydrabeck/260D, MIT license): the hardest by
forgetting of 60,000 images, one seed. The theory with N, theta and a floor is fitted to at most 9,000 kept images,
eight runs; measured curves cross between 9,000 and 12,000. Left out where the data are not on this machine.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D

from perceptron_theory.calibration.calibrating import calibrate
from perceptron_theory.calibration.comparing import LAWS, compare_models
from perceptron_theory.calibration.runs import Runs
from perceptron_theory.figures import measured_data
from perceptron_theory.figures.calibrated_runs import (
    CHANCE,
    LARGEST_FITTED,
    TASKS,
    draw_errors,
    measured_table,
    point_marks,
)
from perceptron_theory.figures.crossing_marks import crossing_marks, crossing_measured, draw_crossing, leave_room
from perceptron_theory.plotting.calibration import N_KEPT, rule_colours
from perceptron_theory.plotting.style import new_figure, number_ticks

THEORIES: Final = ("max-margin", "max-margin, stretched")
PROBES: Final = {"late": "o", "early": "s"}
RULES: Final = ("random", "hard", "band:0.05", "easy")
#: Of permuted MNIST: images in the pool, and most that were kept in the runs that are fitted.
POOL: Final = 60_000
LARGEST_KEPT: Final = 9_000
_POINT: Final[dict[str, Any]] = {"color": "black", "ms": 5.5, "mec": "white", "mew": 0.8, "ls": ""}
_TICK: Final[dict[str, Any]] = {"ls": "", "marker": "|", "ms": 11.0, "mew": 1.8}
_PERMUTED: Final = ("permuted_curves", "permuted_runs", "permuted_crossing")
_SOURCE: Final = "tonydrabeck/260D, MIT license"
#: How the file calls the rules.
_SORTINGS: Final = {"none": "random", "permuted_mnist_sorted": "hard"}


def compute(fast: bool = False) -> xr.DataTree:
    """Held-out errors of each model by student and probe; expected and measured errors of permuted MNIST."""
    wanted = [("network", "early")] if fast else [(student, probe) for student in TASKS for probe in PROBES]
    parts = {
        f"{student}_{probe}": _compared(student, probe, THEORIES[: 1 if fast else None]) for student, probe in wanted
    }
    runs = permuted_mnist()
    return xr.DataTree.from_dict(parts | ({} if runs is None else _permuted(runs, 5 if fast else 33)))


def _compared(student: str, probe: str, theories: tuple[str, ...]) -> xr.Dataset:
    runs = Runs(measured_table(student, probe))
    found = compare_models(runs, chance=CHANCE[student], largest=LARGEST_FITTED, theories=theories)
    table = found.table.loc[[*theories, *LAWS]]
    fields = {name: ("model", table[name].to_numpy()) for name in ("fitted", "held_out", "predicted")}
    by_rule = {"held_out_rule": (("model", "selection"), table[[*RULES]].to_numpy())}
    asked = int(found.predictions["held_out"].sum())
    return xr.Dataset(fields | by_rule, {"model": [*table.index], "selection": [*RULES]}, {"asked": asked})


def permuted_mnist() -> pd.DataFrame | None:
    """Runs on permuted MNIST as a table for `Runs`; None where they are not on this machine."""
    try:
        path = measured_data.folder() / "runs" / "mnist_pruning_runs.csv"
    except measured_data.DataNotFoundError:
        return None
    if not path.is_file():
        return None
    table = pd.read_csv(path)
    table = table[(table["dataset"] == "permuted_mnist") & table["sorting"].isin(_SORTINGS)]
    table["selection"] = table["sorting"].map(_SORTINGS)
    table["test_error"] = 1.0 - table["test_acc"] / 100.0
    return table.assign(n_total=POOL, n_test=10_000)[["n_total", "n_kept", "selection", "test_error", "seed", "n_test"]]


def _permuted(runs: pd.DataFrame, points: int) -> dict[str, xr.Dataset]:
    calibration = calibrate(Runs(runs[runs["n_kept"] <= LARGEST_KEPT]), chance=0.9, intervals="normal")
    kept = np.geomspace(runs["n_kept"].min(), POOL, points)
    told = calibration.predict(POOL, kept / POOL, ("random", "hard")).drop(columns=["f", "alpha_prune", "n_total"])
    curves = told.set_index(["selection", "n_kept"]).to_xarray()
    values = {name: calibration.value(name) for name in ("N", "theta", "floor")}
    shown = runs.reset_index(drop=True).rename_axis("run").to_xarray()
    shown["standard_error"] = np.sqrt(shown.test_error * (1.0 - shown.test_error) / shown.n_test)
    found = calibration.crossing(pool=POOL, sizes=(float(kept[0]), POOL))
    seen = dict(zip(("measured_from", "measured", "measured_to"), crossing_measured(runs), strict=True))
    ends = {"smallest": float(kept[0]), "largest": float(POOL)}
    return {
        "permuted_curves": curves.assign_attrs(values | {"misfit": calibration.misfit}),
        "permuted_runs": shown.assign(fitted=shown.n_kept <= LARGEST_KEPT).assign_attrs(source=_SOURCE),
        "permuted_crossing": xr.Dataset(
            {name: float(value) for name, value in (found._asdict() | seen | ends).items()}
        ),
    }


def draw(numbers: xr.DataTree) -> Figure:
    """A panel per student above; below permuted MNIST."""
    permuted = [numbers[name].to_dataset() for name in _PERMUTED if name in numbers.children]
    figure = new_figure(10.5, 7.6 if permuted else 4.4)
    parts = figure.subfigures(1 + bool(permuted), 1, squeeze=False, height_ratios=(1.0, 1.1)[: 1 + bool(permuted)])
    _draw_students(parts[0, 0], numbers)
    if permuted:
        panel, beside = parts[1, 0].subplots(1, 2, width_ratios=(2.2, 1.0))
        _draw_permuted(panel, *permuted)
        beside.set_axis_off()
        points = point_marks(f"fitted: at most {LARGEST_KEPT:,} kept")
        beside.legend(handles=[*_marks(), *points, *crossing_marks()], loc="center left")
    else:
        figure.legend(handles=_marks(), loc="outside lower center", ncols=6)
    figure.suptitle(f"Fitted to pools of at most {LARGEST_FITTED:,} images, asked for up to 55,000", x=0.01, ha="left")
    return figure


def _draw_students(part: SubFigure, numbers: xr.DataTree) -> None:
    students = [student for student in TASKS if any(f"{student}_{probe}" in numbers.children for probe in PROBES)]
    row = np.ravel(part.subplots(1, len(students), sharex=True, sharey=True, squeeze=False))
    for axes, student in zip(row, students, strict=True):
        _draw_student(
            axes,
            {probe: numbers[f"{student}_{probe}"].to_dataset() for probe in PROBES if f"{student}_{probe}" in numbers},
        )
        axes.set_title(TASKS[student])


def _draw_student(axes: Axes, found: dict[str, xr.Dataset]) -> None:
    """A row per model, with both probes in it."""
    colours = rule_colours(RULES)
    for shift, (probe, errors) in zip((-0.17, 0.17), found.items(), strict=False):
        rows = np.arange(errors.sizes["model"]) + shift
        for name in RULES:
            axes.plot(errors.held_out_rule.sel(selection=name), rows, color=colours[name], **_TICK)
        axes.plot(errors.held_out, rows, marker=PROBES[probe], zorder=4.0, **_POINT)
    names = next(iter(found.values())).model.values
    axes.set_yticks(np.arange(len(names)), names)
    axes.set(xscale="log", xlabel="held out: rms of\nln(predicted / measured)", ylim=(len(names) - 0.5, -0.5))
    number_ticks(axes)


def _draw_permuted(axes: Axes, curves: xr.Dataset, runs: xr.Dataset, crossing: xr.Dataset) -> None:
    axes.set(xscale="log", yscale="log", xlabel=N_KEPT, ylabel="test error")
    draw_errors(axes, curves, runs)
    leave_room(axes)
    draw_crossing(axes, crossing)
    number_ticks(axes)
    found = curves.attrs
    axes.set_title(
        f"network, permuted MNIST, pool of {POOL:,}:  N = {found['N']:.0f},  θ = {np.rad2deg(found['theta']):.0f}°,  "
        f"floor {found['floor']:.3f},  misfit {100 * found['misfit']:.0f} %",
        fontsize=10,
    )  # fmt: skip


def _marks() -> list[Line2D]:
    """What marks of models mean."""
    colours = rule_colours(RULES)
    return [
        *(Line2D([], [], marker=marker, label=f"all, {probe} probe", **_POINT) for probe, marker in PROBES.items()),
        *(Line2D([], [], color=colours[name], label=name, **_TICK) for name in RULES),
    ]
