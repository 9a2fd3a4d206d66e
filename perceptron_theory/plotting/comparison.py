"""Theory and simulation in one picture: lines and points, and below them what is left in standard errors."""

from __future__ import annotations

from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from perceptron_theory.comparison import Comparison
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.plotting.style import (
    ALPHA_PRUNE,
    RANDOM_COLOUR,
    TEST_ERROR,
    new_figure,
    number_ticks,
    style_sheet,
)

FloatArray = npt.NDArray[np.float64]

THEORY_COLOUR = "0.15"
EXTRAPOLATED_COLOUR = "#c1272d"

#: One marker per N, from small to large, then again from the first.
_SIZE_MARKERS = ("^", "s", "o", "v", "P", "X")

#: Marker and colour of each observable's deviation.
_OBSERVABLES = {
    "test_error": ("o", EXTRAPOLATED_COLOUR, r"$\varepsilon$"),
    "R": ("s", "#1f77b4", r"$R$"),
    "rho": ("^", "#2a9d5c", r"$\rho$"),
    "kappa": ("D", "#8458a6", r"$\kappa$"),
}

#: Share of the width by which neighbours of the same alpha_prune stand apart where only their heights mean something.
_APART = 0.013


def comparison_figure(comparison: Comparison, curves: xr.Dataset, title: str = "") -> Figure:
    """Figure of a comparison: test errors; what they are relative to theory; deviations of all observables.

    Parameters
    ----------
    comparison : Comparison
        From `compare`, with several alpha_prune at one f, theta and selection.
    curves : xarray.Dataset
        Theory from `learning_curve`, with the single dimension "alpha_prune". A variable "test_error_random", if there,
        is drawn as the random subset.
    title : str
        Says what the data are.

    Raises
    ------
    InvalidInputError
        If the comparison is of several f, theta or selections.
    """
    with style_sheet():
        figure = new_figure(7.0, 7.6)
        above, middle, below = figure.subplots(3, 1, sharex=True, height_ratios=[3.0, 1.1, 1.0])
        draw_comparison(above, comparison, curves, title)
        draw_differences(middle, comparison)
        draw_deviations(below, comparison)
        for axes in (above, middle):
            axes.set_xlabel("")
        figure.align_ylabels()
    return figure


def draw_comparison(axes: Axes, comparison: Comparison, curves: xr.Dataset, title: str = "") -> Axes:
    """Draw test errors on given axes; see `comparison_figure`."""
    data = comparison.data
    title = title.replace("$", r"\$")  # the title is data, not mathematics
    axes.set_title(f"{title}\n{_one_problem(data)}".strip())
    if "test_error_random" in curves:
        axes.loglog(curves.alpha_prune, curves.test_error_random, color=RANDOM_COLOUR, lw=2.2, label="random subset")
    axes.loglog(curves.alpha_prune, curves.test_error, color=THEORY_COLOUR, label="theory")
    for series in _series(data):
        # The smallest on top, so that all are seen where they lie on each other.
        axes.errorbar(series.alpha_prune, series.mean, 2.0 * series.error, label=series.label, **series.style)
    axes.set_ylabel(TEST_ERROR)
    _label_sizes(axes)
    number_ticks(axes)
    axes.legend(loc="lower left")
    return axes


def draw_differences(axes: Axes, comparison: Comparison) -> Axes:
    """Draw test errors relative to theory on given axes, for each N and extrapolated; see `comparison_figure`."""
    _one_problem(comparison.data)
    axes.axhline(0.0, color=THEORY_COLOUR)
    series = _series(comparison.data)
    for one, shift in zip(series, _shifts(comparison.data.alpha_prune.values, len(series)), strict=True):
        axes.errorbar(
            one.alpha_prune * shift,
            100.0 * (one.mean / one.theory - 1.0),
            100.0 * 2.0 * one.error / one.theory,
            **{**one.style, "ms": 4.5},
        )
    axes.set_xscale("log")
    axes.set_ylabel("difference, %")
    axes.set_title(r"$\varepsilon$ of simulation relative to theory, ± 2 standard errors", fontsize="small")
    _label_sizes(axes)
    number_ticks(axes)
    return axes


def draw_deviations(axes: Axes, comparison: Comparison) -> Axes:
    """Draw extrapolated deviations of every observable in standard errors; see `comparison_figure`."""
    data = comparison.data
    _one_problem(data)
    for reach, colour in ((4.0, "0.94"), (2.0, "0.87")):
        axes.axhspan(-reach, reach, color=colour, lw=0.0, zorder=0.5)
    axes.axhline(0.0, color=THEORY_COLOUR, lw=1.0)
    shifts = _shifts(data.alpha_prune.values, len(_OBSERVABLES))
    for (name, (marker, colour, label)), shift in zip(_OBSERVABLES.items(), shifts, strict=True):
        axes.semilogx(
            data.alpha_prune.values * shift,
            data.deviation.sel(observable=name).values,
            ls="none",
            marker=marker,
            color=colour,
            ms=4.5,
            label=label,
        )
    # Infinite where all trials were alike.
    deviations = data.deviation.values
    reach = max(5.0, 1.15 * float(np.abs(deviations[np.isfinite(deviations)]).max(initial=0.0)))
    axes.set_ylim(-reach, reach)
    if reach < 8.0:
        axes.set_yticks([-4, -2, 0, 2, 4])
    axes.set_ylabel("deviation, s.e.")
    infinite = r", extrapolated to $N \to \infty$" if _extrapolated(data).any() else ""
    axes.set_title(rf"simulation $-$ theory in standard errors{infinite}", fontsize="small")
    _label_sizes(axes)
    number_ticks(axes)
    # Above the axes, where no deviation can be.
    axes.legend(
        loc="lower right", bbox_to_anchor=(1.0, 0.97), ncols=len(_OBSERVABLES), columnspacing=1.2, handletextpad=0.1
    )
    return axes


class _Series(NamedTuple):
    """Test errors at one N, or extrapolated, and how they are drawn."""

    alpha_prune: FloatArray
    mean: FloatArray
    error: FloatArray
    theory: FloatArray
    label: str
    style: dict[str, Any]


def _series(data: xr.Dataset) -> list[_Series]:
    alpha, by_size = data.alpha_prune.values, data.N.values
    errors = data.sel(observable="test_error")
    sizes = np.unique(by_size[by_size > 0])
    colours = mpl.colormaps["viridis"](np.linspace(0.85, 0.0, sizes.size))
    drawn = []
    for i, (N, colour) in enumerate(zip(sizes, colours, strict=True)):
        at = np.nonzero(by_size == N)
        drawn.append(
            _Series(
                np.rint(alpha[at[0]] * N) / N,  # where whole numbers of examples put it
                errors["mean"].values[at],
                errors.standard_error.values[at],
                errors.theory.values[at],
                f"N = {N}",
                {
                    "fmt": _SIZE_MARKERS[i % len(_SIZE_MARKERS)],
                    "color": colour,
                    "ms": 3.5 + 2.5 * (sizes.size - 1 - i) / max(1, sizes.size - 1) * min(2, sizes.size - 1),
                    "lw": 1.2,
                },
            )
        )
    several = _extrapolated(data)
    if several.any():
        at = (np.flatnonzero(several), by_size[several].argmax(axis=1))
        theory = errors.theory.values[at]
        style = {"fmt": "o", "color": EXTRAPOLATED_COLOUR, "mfc": "none", "ms": 11.0, "mew": 1.3, "lw": 1.2}
        drawn.append(
            _Series(
                alpha[several],
                theory + errors.difference.values[several],
                errors.difference_error.values[several],
                theory,
                r"extrapolated, $N \to \infty$",
                style,
            )
        )
    return drawn


def _extrapolated(data: xr.Dataset) -> npt.NDArray[np.bool_]:
    """Which cells have several sizes."""
    return np.asarray((data.N.values > 0).sum(axis=1) > 1)


def _shifts(alpha_prune: FloatArray, n: int) -> FloatArray:
    """Factors that set n neighbours of each alpha_prune apart, and leave them nearer to it than to the next."""
    points = np.log(np.unique(alpha_prune))
    step = _APART * (points[-1] - points[0] + np.log(2.0))
    if points.size > 1:
        step = min(step, float(np.diff(points).min()) / (n + 1))
    return np.asarray(np.exp(step * (np.arange(n) - 0.5 * (n - 1))))


def _one_problem(data: xr.Dataset) -> str:
    """What is drawn, if it is one f, theta and selection."""
    texts = set()
    for f, theta, selection in zip(data.f.values, data.theta.values, data.selection.values, strict=True):
        # NaN is the f of a keep probability, which decides it.
        fraction = "" if np.isnan(f) else f", f = {f:g}"
        texts.add(f"keep {selection}{fraction}, θ = {np.rad2deg(theta):.3g}°")
    if len(texts) != 1:
        raise InvalidInputError(
            f"a comparison is drawn for one f, theta and selection, got {len(texts)}: compare and draw each by itself."
        )
    return texts.pop()


def _label_sizes(axes: Axes) -> None:
    axes.set_xlabel(ALPHA_PRUNE)
