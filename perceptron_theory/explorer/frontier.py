"""The Pareto frontier under the ceiling: best error and best fraction at each size, against random subsets."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
import xarray as xr

from perceptron_theory.analyses.pareto import pareto_frontier
from perceptron_theory.explorer.pictures import (
    ALPHA_PRUNE,
    BEST_COLOUR,
    FRACTION,
    TEST_ERROR,
    Picture,
    colour_of,
    current,
    line,
    log_axis,
    picture,
)
from perceptron_theory.explorer.setting import Setting
from perceptron_theory.margins.distributions import Margins
from perceptron_theory.solving.solution import Status

#: Sizes of a frontier: on Gaussian margins, on measured ones, and for students that take longer.
POINTS, MEASURED_POINTS, FEWER_POINTS = 25, 13, 7
_SMALLEST: Final = 0.5
_COLUMNS: Final = ("alpha_prune", "f", "alpha_tot", "test_error", "test_error_random", "active", "residual",
                   "quadrature_error", "status")  # fmt: skip


def compute_frontier(setting: Setting, margins: Margins | None = None) -> xr.Dataset:
    """The frontier from half an example per parameter up to all that the rule can keep of the ceiling.

    Parameters
    ----------
    setting : Setting
        Where the sliders stand; f and alpha_tot do not count.
    margins : GaussianMargins or MeasuredMargins, optional
        Distribution along the probe. Default: Gaussian.

    Examples
    --------
    >>> frontier = compute_frontier(Setting(ceiling=50.0))
    >>> float(frontier.alpha_prune.max()), str(frontier.active.values[-1])
    (50.0, 'keep most')
    """
    points = FEWER_POINTS if not setting.quick else POINTS if margins is None else MEASURED_POINTS
    largest = setting.ceiling * setting.rule.largest_f()
    sizes = np.geomspace(min(_SMALLEST, 0.5 * largest), largest, points)
    sizes[-1] = largest  # not a rounding error beyond it
    return _frontier(sizes, setting, margins)


def compute_best(setting: Setting, margins: Margins | None = None) -> xr.Dataset:
    """The frontier at the one size that a setting keeps."""
    return _frontier(setting.alpha_prune, setting, margins)


def _frontier(sizes: float | np.ndarray, setting: Setting, margins: Margins | None) -> xr.Dataset:
    return pareto_frontier(
        sizes,
        setting.theta,
        selection=setting.rule,
        alpha_tot_max=setting.ceiling,
        student=setting.trained,
        margins=margins,
        labels=setting.labels,
    )


def draw_frontier(setting: Setting, frontier: xr.Dataset, best: xr.Dataset) -> Picture:
    """Errors above, best fraction below; the dot is the best at the size that the sliders keep."""
    sizes = frontier.alpha_prune
    traces = [
        line(sizes, frontier.test_error_random, "random subset", colour_of("random"), width=3.0),
        line(sizes, frontier.test_error, f"best f, keep {setting.selection}", BEST_COLOUR, dash="dash"),
        current(setting.alpha_prune, float(best.test_error)) | {"name": "best at this size"},
        line(sizes, frontier.f, "best f", BEST_COLOUR, yaxis="y2", showlegend=False),
        current(setting.alpha_prune, float(best.f), yaxis="y2", showlegend=False),
    ]
    errors = (frontier.test_error, frontier.test_error_random, best.test_error)
    return picture(
        traces,
        log_axis(ALPHA_PRUNE, sizes, setting.alpha_prune, anchor="y2"),
        log_axis(TEST_ERROR, *errors, domain=[0.42, 1.0]),
        yaxis2=log_axis(FRACTION, frontier.f, best.f, domain=[0.0, 0.34], anchor="x"),
    )


def frontier_table(frontier: xr.Dataset) -> pd.DataFrame:
    """A row per size, with its certificate."""
    table = frontier.to_dataframe().reset_index()[list(_COLUMNS)]
    return table.assign(status=[Status(int(one)).name.lower() for one in table["status"]])
