"""Picture of a recommendation: what each number of kept examples could buy."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from perceptron_theory.calibration.calibration import Calibration
from perceptron_theory.calibration.recommending import Recommendation
from perceptron_theory.plotting.calibration import N_KEPT, rule_colours, small_print
from perceptron_theory.plotting.curves import FRONTIER_COLOUR
from perceptron_theory.plotting.style import RANDOM_COLOUR, new_figure, number_ticks
from perceptron_theory.progress import track

#: Numbers of kept examples at which the options are compared, and the smallest as a part of what is advised.
_SIZES: Final = 9
_SMALLEST: Final = 0.1


def option_curves(
    calibration: Calibration, advice: Recommendation, pool: int, *, progress: bool = False
) -> pd.DataFrame:
    """Best pruning and a random subset at several numbers of kept examples, up to the pool.

    Parameters
    ----------
    calibration : Calibration
        From `calibrate`.
    advice : Recommendation
        What was advised; its size is among those compared.
    pool : int
        Examples that there are.
    progress : bool
        Show a progress bar.

    Returns
    -------
    DataFrame
        A row per number kept: n_kept; selection, n_total, test_error, low and high of the best pruning; random_error,
        random_low and random_high of a random subset; probability that the pruning is better. Where all is kept, the
        selection is "random".
    """
    largest = min(advice.n_kept, float(calibration.runs.n_kept.max()))
    sizes = np.rint(np.geomspace(min(max(2.0, _SMALLEST * largest), pool), pool, _SIZES)).astype(int).tolist()
    wanted = sorted({*sizes, advice.n_kept, pool})
    return pd.DataFrame([_row(calibration, size, pool) for size in track(wanted, "options", progress)])


def _row(calibration: Calibration, size: int, pool: int) -> dict[str, Any]:
    found = calibration.recommend(pool=pool, budget=size)
    pruned = found.table[(found.table["selection"] != "random") & (found.table["n_kept"] == size)]
    told = pruned.dropna(subset=["test_error"])
    best = (float(pool), "random") if told.empty else _best(told)
    total, kept, names = np.array([best[0], float(pool)]), np.full(2, float(size)), np.array([best[1], "random"])
    one, other = calibration.forecast(total, kept, names).to_dict("records")
    row = {str(name): one[name] for name in ("n_kept", "selection", "n_total", "test_error", "low", "high")}
    row |= {"random_error": other["test_error"], "random_low": other["low"], "random_high": other["high"]}
    return row | {"probability": found.probability}


def _best(told: pd.DataFrame) -> tuple[float, str]:
    row = told.iloc[int(told["test_error"].to_numpy().argmin())]
    return float(row["n_total"]), str(row["selection"])


def recommendation_figure(advice: Recommendation, options: pd.DataFrame) -> Figure:
    """Expected test error over n_kept of the best pruning, of a random subset and of the whole pool.

    Parameters
    ----------
    advice : Recommendation
        From `Calibration.recommend`.
    options : DataFrame
        From `option_curves`.
    """
    with small_print():
        figure = new_figure(7.0, 3.2)
        draw_recommendation(figure.add_subplot(), advice, options)
        figure.legend(loc="outside lower center", ncols=3)
    return figure


def draw_recommendation(axes: Axes, advice: Recommendation, options: pd.DataFrame) -> Axes:
    """Draw on given axes; see `recommendation_figure`."""
    x = options["n_kept"].to_numpy(dtype=np.float64)
    axes.set(xscale="log", yscale="log", xlabel=N_KEPT, ylabel="expected test error")
    axes.fill_between(x, options["random_low"], options["random_high"], color=RANDOM_COLOUR, alpha=0.2, lw=0.0)
    axes.plot(x, options["random_error"], color=RANDOM_COLOUR, lw=2.2, label="random subset")
    pruned = options[options["selection"] != "random"]
    if len(pruned):
        axes.fill_between(x, options["low"], options["high"], color=FRONTIER_COLOUR, alpha=0.14, lw=0.0)
        axes.plot(x, options["test_error"], color=FRONTIER_COLOUR, lw=2.0, ls=(0, (4, 2)), label="best pruning")
    axes.axhline(advice.all_error, color="0.25", lw=1.0, ls=":", label="all of the pool")
    for name, colour in rule_colours(sorted(pruned["selection"])).items():
        here = pruned[pruned["selection"] == name]
        style: dict[str, Any] = {"marker": "o", "ms": 5.0, "mec": "white", "mew": 0.6, "ls": "", "zorder": 3.0}
        axes.plot(here["n_kept"], here["test_error"], color=colour, label=f"keep {name}", **style)
    bars = np.abs(np.array([[advice.low], [advice.high]]) - advice.test_error)
    axes.errorbar(
        advice.n_kept, advice.test_error, bars, fmt="*", ms=13.0, color="black", mec="white", mew=0.8, lw=1.2,
        zorder=4.0, label="advised, and where a run falls",
    )  # fmt: skip
    number_ticks(axes)
    return axes
