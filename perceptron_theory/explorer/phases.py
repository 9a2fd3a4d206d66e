"""The phase diagram of the max-margin student: which rule wins at each pool and fraction, with exact boundaries."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr

from perceptron_theory.analyses.boundaries import hard_easy_boundary, hard_random_boundary
from perceptron_theory.analyses.phases import phase_diagram
from perceptron_theory.explorer.pictures import (
    ALPHA,
    ALPHA_TOT,
    FRACTION,
    Picture,
    current,
    dots,
    line,
    log_axis,
    picture,
)
from perceptron_theory.explorer.setting import Setting
from perceptron_theory.margins.distributions import Margins

#: Pools, fractions, and fractions of the boundaries; and the same on measured margins, which take longer.
GRID, MEASURED_GRID = (31, 25, 17), (15, 13, 7)
_POOLS: Final = (1.0, 1000.0)
_FRACTIONS: Final = (0.01, 1.0)
#: Where everything is kept all rules are one.
_LARGEST_BOUNDARY: Final = 0.98

_TINTS: Final = {"hard": "#bdd3ec", "easy": "#f5d9b5", "random": "#dedede", "tie": "#ffffff", "unknown": "#e7a6a0"}
_WORDS: Final = {"hard": "hard wins", "easy": "easy wins", "random": "random wins", "unknown": "missing"}


def compute_phases(setting: Setting, margins: Margins | None = None) -> dict[str, xr.Dataset]:
    """The diagram with both boundaries, by name: "diagram", "hard_easy" and "hard_random".

    Parameters
    ----------
    setting : Setting
        Where the sliders stand; only theta counts.
    margins : GaussianMargins or MeasuredMargins, optional
        Distribution along the probe. Default: Gaussian.

    Examples
    --------
    >>> sorted(compute_phases(Setting(theta_deg=5.0)))
    ['diagram', 'hard_easy', 'hard_random']
    """
    pools, fractions, edges = GRID if margins is None else MEASURED_GRID
    f = np.geomspace(_FRACTIONS[0], _LARGEST_BOUNDARY, edges)
    return {
        "diagram": phase_diagram(
            np.geomspace(*_POOLS, pools), np.geomspace(*_FRACTIONS, fractions), setting.theta, margins=margins
        ),
        "hard_easy": hard_easy_boundary(f, setting.theta, margins=margins),
        "hard_random": hard_random_boundary(f, setting.theta, margins=margins),
    }


def draw_phases(setting: Setting, phases: dict[str, xr.Dataset]) -> Picture:
    """Winners as a map, boundaries as lines, and where the sliders stand."""
    diagram = phases["diagram"].transpose("f", "alpha_tot", ...)
    traces = [_map(diagram)]
    traces += [
        dots(
            np.nan, np.nan, _WORDS[name], _TINTS[name], marker={"symbol": "square", "size": 12.0, "line": {"width": 0}}
        )
        for name in _WORDS
        if (diagram.winner == name).any()
    ]
    for name, rival, dash in (("hard_easy", "easy", "solid"), ("hard_random", "random", "dot")):
        edge = phases[name]
        traces.append(line(edge.alpha_tot, edge.f, f"hard = {rival}", "#333333", dash=dash))
    traces.append(current(setting.alpha_tot, setting.f))
    x = log_axis(ALPHA_TOT, diagram.alpha_tot, showgrid=False)
    return picture(traces, x, log_axis(FRACTION, diagram.f, showgrid=False))


def _map(diagram: xr.Dataset) -> dict[str, Any]:
    names = list(_TINTS)
    codes = np.vectorize(names.index)(diagram.winner.values)
    edges = np.linspace(0.0, 1.0, len(names) + 1)
    scale = [[float(edge), tint] for i, tint in enumerate(_TINTS.values()) for edge in edges[i : i + 2]]
    return {
        "type": "heatmap",
        "x": diagram.alpha_tot.values.tolist(),
        "y": diagram.f.values.tolist(),
        "z": codes.tolist(),
        "text": diagram.winner.values.tolist(),
        "hovertemplate": f"{ALPHA} %{{x:.3g}}, f %{{y:.3g}}: %{{text}}<extra></extra>",
        "colorscale": scale,
        "zmin": -0.5,
        "zmax": len(names) - 0.5,
        "showscale": False,
    }


def phase_table(phases: dict[str, xr.Dataset]) -> pd.DataFrame:
    """A row per point of the map: errors of the three rules and the winner; then the points of the boundaries."""
    diagram = phases["diagram"]
    errors: pd.DataFrame = diagram.test_error.to_series().unstack("selection").add_prefix("test_error_")
    table = errors.join(diagram.winner.to_series()).reset_index().assign(what="map")
    edges = [
        phases[name][["alpha_tot", "test_error", "outcome"]]
        .to_dataframe()
        .reset_index()
        .assign(what=f"{name} boundary")
        for name in ("hard_easy", "hard_random")
    ]
    columns = ["what", "alpha_tot", "f", *errors.columns, "winner", "test_error", "outcome"]
    joined: pd.DataFrame = pd.concat([table, *edges], ignore_index=True)
    return joined.reindex(columns=columns)
