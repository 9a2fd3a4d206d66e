"""Where hard becomes better than random: found in measured runs, and marked at the foot of a panel."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

MEASURED_COLOUR: Final = "#b0476b"
#: Heights of the marks, in those of the panel, and what is left free for them.
_PREDICTED, _MEASURED, _FREE = 0.05, 0.11, 0.14
#: Of an interval whose end is that of the range searched.
_AT_END: Final = 1.001


def crossing_measured(table: pd.DataFrame) -> tuple[float, float, float]:
    """Where hard becomes better than random in the runs.

    Parameters
    ----------
    table : DataFrame
        Runs with n_kept, selection, test_error and seed, which are compared at equal n_kept and seed.

    Returns
    -------
    tuple of float
        Between which n_kept, and where in between. At the first of these hard is worse by two standard errors, at the
        last better (by anything, where there is one seed); in between the mean difference of ln(test error) is
        interpolated in ln(n_kept). NaN where that does not happen.

    Examples
    --------
    >>> import pandas as pd
    >>> from perceptron_theory.figures.crossing_marks import crossing_measured
    >>> table = pd.DataFrame({"n_kept": [10, 10, 20, 20], "selection": ["hard", "random"] * 2, "seed": 0})
    >>> found = crossing_measured(table.assign(test_error=[0.4, 0.2, 0.1, 0.2]))
    >>> [round(n, 1) for n in found]
    [10.0, 14.1, 20.0]
    """
    pairs = table.pivot_table(index=["n_kept", "seed"], columns="selection", values="test_error")
    difference = pd.Series(np.log(pairs["hard"] / pairs["random"]), index=pairs.index)
    by_size = difference.dropna().groupby(level="n_kept")
    gap, noise = by_size.mean(), 2.0 * by_size.sem().fillna(0.0)
    n, height = gap.index.to_numpy(dtype=np.float64), gap.to_numpy()
    better = np.flatnonzero(gap < -noise)
    worse = np.flatnonzero((gap > noise).to_numpy()[: better[0]]) if better.size else better
    if not worse.size:
        return np.nan, np.nan, np.nan
    near = slice(np.flatnonzero(height[: better[0]] > 0.0)[-1], better[0] + 1)
    at = np.exp(np.interp(0.0, -height[near][:2], np.log(n[near][:2])))
    return float(n[worse[-1]]), float(at), float(n[better[0]])


def leave_room(axes: Axes) -> None:
    """Lower the foot of a panel with logarithmic errors, for the marks of `draw_crossing`."""
    bottom, top = axes.get_ylim()
    axes.set_ylim(bottom / (top / bottom) ** _FREE, top)


def draw_crossing(axes: Axes, found: xr.Dataset) -> None:
    """Mark a crossing at the foot of a panel.

    Parameters
    ----------
    axes : Axes
    found : Dataset
        n_kept, low, high, run_low, run_high as in `Crossing`; measured_from, measured, measured_to; smallest and
        largest, the range that was searched: intervals that reach its ends end in arrows.
    """
    style: dict[str, Any] = {"color": "black", "transform": axes.get_xaxis_transform(), "zorder": 4.0}
    span = axes.get_xlim()
    axes.plot([found.run_low, found.run_high], [_PREDICTED, _PREDICTED], lw=0.9, **style)
    axes.plot([found.low, found.high], [_PREDICTED, _PREDICTED], lw=3.0, solid_capstyle="butt", **style)
    axes.plot(found.n_kept, _PREDICTED, "D", ms=5.5, mec="white", mew=0.8, **style)
    if found.run_low <= _AT_END * found.smallest:
        axes.plot(found.smallest, _PREDICTED, "<", ms=5.0, **style)
    if found.run_high * _AT_END >= found.largest:
        axes.plot(found.largest, _PREDICTED, ">", ms=5.0, **style)
    style |= {"color": MEASURED_COLOUR}
    axes.plot([found.measured_from, found.measured_to], [_MEASURED, _MEASURED], "|-", lw=1.6, ms=8.0, mew=1.6, **style)
    axes.plot(found.measured, _MEASURED, "D", ms=5.5, mec="white", mew=0.8, **style)
    axes.set_xlim(span)


def crossing_marks() -> list[Line2D]:
    """What the marks of `draw_crossing` mean."""
    return [
        Line2D([], [], color="black", lw=3.0, marker="D", mec="white", ms=6.0, label="crossing predicted, 95 %"),
        Line2D([], [], color="black", lw=0.9, label="the same with misfit"),
        Line2D([], [], color=MEASURED_COLOUR, lw=1.6, marker="D", mec="white", ms=6.0, label="crossing measured"),
    ]
