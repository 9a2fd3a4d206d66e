"""Pictures of a calibration: measured runs with the calibrated curves, and what the theory misses of each run."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogFormatterMathtext, MaxNLocator

from perceptron_theory.calibration.calibration import Calibration
from perceptron_theory.plotting.calibrated_curves import Panel, distinct, ordered
from perceptron_theory.plotting.style import RANDOM_COLOUR, new_figure, number_ticks, style_sheet

FloatArray = npt.NDArray[np.float64]

N_KEPT: Final = r"examples kept, $n_\mathrm{kept}$"

_COLOURS: Final = {"random": RANDOM_COLOUR, "hard": "#1f5fa8", "easy": "#d9822b"}
#: Of bands, in ascending order of their quantile.
_BAND_COLOURS: Final = ("#2a9d5c", "#8458a6", "#b0476b", "#4aa3b5")
#: One for each fraction kept, from small to large; one for each range where there are more fractions.
_MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X")
_EDGES: Final = (0.03, 0.1, 0.3, 1.0)
_RANGES: Final = ("f < 0.03", "f 0.03 to 0.1", "f 0.1 to 0.3", "f 0.3 to 1", "f = 1")
#: Ratios that spread more than this are drawn on a logarithmic axis.
_WIDE: Final = 2.5
_RATIOS: Final = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
#: Panels side by side.
_ACROSS: Final = 4


@contextmanager
def small_print() -> Iterator[None]:
    """The project's style in the type of a printed report, for figures made inside."""
    with style_sheet():
        mpl.rcParams.update({"font.size": 9, "axes.titlesize": 9, "axes.labelsize": 9, "legend.fontsize": 8})
        yield


def rule_colours(rules: Iterable[str]) -> dict[str, str]:
    """A colour for each rule, the same whatever other rules there are but for bands; random is grey.

    Examples
    --------
    >>> rule_colours(["band:0.1", "random", "hard"])
    {'random': '0.55', 'hard': '#1f5fa8', 'band:0.1': '#2a9d5c'}
    """
    names = ordered(rules)
    bands = itertools.cycle(_BAND_COLOURS)
    return {name: _COLOURS[name] if name in _COLOURS else next(bands) for name in names}


def calibration_figure(calibration: Calibration, curves: pd.DataFrame) -> Figure:
    """Measured test errors as points, calibrated ones as lines with bands, over n_kept.

    Parameters
    ----------
    calibration : Calibration
        From `calibrate`.
    curves : DataFrame
        From `calibrated_curves`.
    """
    drawn = [Panel(by, value) for by, value in dict.fromkeys(zip(curves["by"], curves["value"], strict=True))]
    columns = min(len(drawn), 2)
    rows = math.ceil(len(drawn) / columns)
    with small_print():
        figure = new_figure(7.0, 0.6 + 2.2 * rows if columns > 1 else 3.4)
        grid = np.ravel(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False))
        for axes, panel in zip(grid, drawn, strict=False):
            here = curves[(curves["by"] == panel.by) & (curves["value"] == panel.value)]
            draw_calibration(axes, calibration, here, panel)
        for axes in grid[len(drawn) :]:
            axes.set_visible(False)
        _label_outer(grid[: len(drawn)], columns, N_KEPT, "test error")
        _legend(figure, curves, measured_points(calibration))
    return figure


def draw_calibration(axes: Axes, calibration: Calibration, curves: pd.DataFrame, panel: Panel) -> Axes:
    """Draw one panel on given axes: its own runs, and all random subsets whatever their pool.

    Parameters
    ----------
    axes : Axes
    calibration : Calibration
    curves : DataFrame
        Rows of `calibrated_curves` for this panel.
    panel : Panel
    """
    runs = measured_points(calibration)
    colours = rule_colours([*curves["selection"], *runs["selection"]])
    axes.set(xscale="log", yscale="log")
    for name, curve in curves.groupby("selection", sort=False):
        colour = colours[str(name)]
        axes.fill_between(curve["n_kept"], curve["low"], curve["high"], color=colour, alpha=0.18, lw=0.0)
        inside = curve[~curve["extrapolated"]]
        axes.plot(inside["n_kept"], inside["test_error"], color=colour, lw=1.6)
        beyond = curve[curve["n_kept"] >= max(inside["n_kept"], default=0.0)]
        axes.plot(beyond["n_kept"], beyond["test_error"], color=colour, lw=1.6, ls=(0, (3, 2)))
    here = panel.holds(runs["n_total"], runs["n_kept"]) | (runs["selection"] == "random")
    _points(axes, runs[here], runs["measured"], colours)
    axes.set_title(panel.title)
    number_ticks(axes)
    return axes


def residuals_figure(calibration: Calibration) -> Figure:
    """Measured over calibrated test error of every run, a panel for each rule; 1 is a theory that hits.

    Parameters
    ----------
    calibration : Calibration
        From `calibrate`.
    """
    runs = measured_points(calibration)
    rules = ordered(runs["selection"])
    columns = min(len(rules), _ACROSS)
    rows = math.ceil(len(rules) / columns)
    with small_print():
        figure = new_figure(7.0, 0.45 + 1.8 * rows)
        grid = np.ravel(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False))
        for axes, name in zip(grid, rules, strict=False):
            draw_residuals(axes, calibration, name)
        for axes in grid[len(rules) :]:
            axes.set_visible(False)
        _label_outer(grid[: len(rules)], columns, N_KEPT, "measured / calibrated")
        figure.legend(handles=_marks(runs), loc="outside lower center", ncols=8)
    return figure


def draw_residuals(axes: Axes, calibration: Calibration, rule: str) -> Axes:
    """Draw measured over calibrated test errors of one rule, with the misfit as a grey band.

    Parameters
    ----------
    axes : Axes
    calibration : Calibration
    rule : str
        Name of the rule.
    """
    runs = measured_points(calibration)
    ratio = runs["measured"] / runs["calibrated"]
    axes.set(xscale="log", yscale="log" if ratio.max() > _WIDE * ratio.min() else "linear")
    axes.axhspan(math.exp(-calibration.misfit), math.exp(calibration.misfit), color="0.93", lw=0.0, zorder=0.5)
    axes.axhline(1.0, color="0.25", lw=1.0)
    _points(axes, runs[runs["selection"] == rule], ratio, rule_colours(list(runs["selection"])))
    axes.set_title(rule)
    number_ticks(axes)
    if axes.get_yscale() == "linear":
        axes.yaxis.set_major_locator(MaxNLocator(5))
    else:
        low, high = axes.get_ylim()
        axes.set_yticks([tick for tick in _RATIOS if low <= tick <= high])
    axes.xaxis.set_major_formatter(LogFormatterMathtext())  # panels are narrow
    return axes


def measured_points(calibration: Calibration) -> pd.DataFrame:
    """The table of residuals with what pictures need beside: noise (relative standard error), marker and its meaning.

    Parameters
    ----------
    calibration : Calibration
        From `calibrate`.
    """
    runs = calibration.residuals
    f = runs["f"].to_numpy(dtype=np.float64)
    fractions = distinct(f)
    if fractions.size <= len(_MARKERS):
        group = np.abs(np.log(f[:, None] / fractions)).argmin(axis=1)
        labels = [f"f = {x:.3g}" for x in fractions]
    else:
        group, labels = np.digitize(f, _EDGES), list(_RANGES)
    markers = [_MARKERS[i] for i in group.tolist()]
    return runs.assign(noise=calibration.task.noise, marker=markers, meaning=[labels[i] for i in group.tolist()])


def _points(axes: Axes, runs: pd.DataFrame, y: pd.Series[Any], colours: Mapping[str, str]) -> None:
    """Points with two standard errors: a colour for each rule, a marker for each fraction."""
    style: dict[str, Any] = {"ms": 4.2, "mec": "white", "mew": 0.5, "lw": 0.0, "elinewidth": 0.9}
    for (name, marker), here in runs.groupby(["selection", "marker"]):
        height, factor = y[here.index].to_numpy(), np.exp(2.0 * here["noise"].to_numpy())
        bars = height * np.array([1.0 - 1.0 / factor, factor - 1.0])
        order = 3.0 if name == "random" else 3.5
        axes.errorbar(here["n_kept"], height, bars, fmt=str(marker), color=colours[str(name)], zorder=order, **style)


def _label_outer(grid: npt.NDArray[Any], columns: int, x: str, y: str) -> None:
    for i, axes in enumerate(grid):
        if i % columns == 0:
            axes.set_ylabel(y)
        if i + columns >= len(grid):
            axes.set_xlabel(x)
            axes.xaxis.set_tick_params(labelbottom=True)


def _marks(runs: pd.DataFrame) -> list[Line2D]:
    shown = runs.sort_values("f").drop_duplicates("marker")
    style: dict[str, Any] = {"ls": "", "color": "0.3", "ms": 4.5}
    return [
        Line2D([], [], marker=marker, label=meaning, **style)
        for marker, meaning in zip(shown["marker"], shown["meaning"], strict=True)
    ]


def _legend(figure: Figure, curves: pd.DataFrame, runs: pd.DataFrame) -> None:
    colours = rule_colours(list(curves["selection"]))
    lines = [Line2D([], [], color=colour, label=name) for name, colour in colours.items()]
    if curves["extrapolated"].any():
        lines.append(Line2D([], [], color="0.3", ls=(0, (3, 2)), label="beyond the measured"))
    figure.legend(handles=[*lines, *_marks(runs)], loc="outside lower center", ncols=5)
