"""Error curves: test error over the number of kept examples, for the rule at its fraction and for random subsets."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
import xarray as xr

from perceptron_theory.analyses.learning_curves import learning_curve
from perceptron_theory.explorer.pictures import (
    ALPHA_PRUNE,
    TEST_ERROR,
    Picture,
    colour_of,
    current,
    line,
    log_axis,
    picture,
)
from perceptron_theory.explorer.point import Point
from perceptron_theory.explorer.setting import Setting
from perceptron_theory.margins.distributions import Margins
from perceptron_theory.solving.solution import Status

#: Sizes of a curve: of the max-margin student, and of those that take longer.
POINTS, FEWER_POINTS = 61, 25
_RANGE: Final = (0.3, 100.0)
#: Beyond the point where the sliders stand, curves go on for this factor.
_BEYOND: Final = 1.5
_COLUMNS: Final = ("selection", "alpha_prune", "f", "alpha_tot", "test_error", "R", "rho", "residual",
                   "quadrature_error", "status")  # fmt: skip


def compute_curves(setting: Setting, margins: Margins | None = None) -> dict[str, xr.Dataset]:
    """Curves by name: "kept", the rule of a setting at its fraction, and "random", a random subset.

    Parameters
    ----------
    setting : Setting
        Where the sliders stand.
    margins : GaussianMargins or MeasuredMargins, optional
        Distribution along the probe. Default: Gaussian.

    Examples
    --------
    >>> curves = compute_curves(Setting())
    >>> curves["kept"].sizes["alpha_prune"], bool(curves["random"].test_error.notnull().all())
    (61, True)
    """
    low, high = min(_RANGE[0], setting.alpha_prune / _BEYOND), max(_RANGE[1], setting.alpha_prune * _BEYOND)
    sizes = np.geomspace(low, high, POINTS if setting.quick else FEWER_POINTS)
    rules = {"kept": (setting.rule, setting.f), "random": ("random", 1.0)}
    return {
        name: learning_curve(
            sizes,
            f,
            setting.theta,
            selection=rule,
            student=setting.trained,
            margins=margins,
            labels=setting.labels,
        )
        for name, (rule, f) in rules.items()
    }


def draw_curves(setting: Setting, curves: dict[str, xr.Dataset], point: Point) -> Picture:
    """Both curves, and the point where the sliders stand; what failed is a gap."""
    random, kept = curves["random"], curves["kept"]
    name = f"keep {setting.selection}, f = {setting.f:.4g}"
    traces = [
        line(random.alpha_prune, random.test_error, "random subset (f = 1)", colour_of("random"), width=3.0),
        line(kept.alpha_prune, kept.test_error, name, colour_of(setting.selection)),
        current(setting.alpha_prune, float(point.solution.test_error)),
    ]
    errors = (random.test_error, kept.test_error, point.solution.test_error)
    return picture(traces, log_axis(ALPHA_PRUNE, kept.alpha_prune), log_axis(TEST_ERROR, *errors))


def curve_table(curves: dict[str, xr.Dataset]) -> pd.DataFrame:
    """A row per point of the curves, with its certificate."""
    parts = [
        curve.reset_coords("f").to_dataframe().reset_index().assign(selection=curve.attrs["selection"])
        for curve in (curves["kept"], curves["random"])
    ]
    table = pd.concat(parts, ignore_index=True)[list(_COLUMNS)]
    return table.assign(status=[Status(int(one)).name.lower() for one in table["status"]])
