"""A table of runs calibrated: points with their curves, parameters with intervals, what the runs do not tell."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib.colors import to_hex, to_rgb

from perceptron_theory.calibration.calibrating import calibrate
from perceptron_theory.calibration.calibration import Calibration
from perceptron_theory.calibration.runs import Runs
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.explorer.pictures import Picture, dots, line, log_axis, picture
from perceptron_theory.plotting.calibrated_curves import Panel, calibrated_curves
from perceptron_theory.plotting.calibration import measured_points, rule_colours

#: What may be fitted on the page; a ConvexLoss takes minutes and stays with the command.
FREE: Final = ("N", "theta", "floor", "scale", "exponent")

_SYMBOLS: Final = {"o": "circle", "s": "square", "^": "triangle-up", "D": "diamond", "v": "triangle-down", "P": "cross",
                   "X": "x"}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Calibrated:
    """A calibration with its curves.

    Attributes
    ----------
    calibration : Calibration
        From `calibrate`, with intervals from the curvature of the likelihood.
    curves : DataFrame
        From `calibrated_curves`.
    """

    calibration: Calibration
    curves: pd.DataFrame

    @classmethod
    def of(cls, runs: Runs, chance: float | None, free: list[str]) -> Calibrated:
        """Calibrate the max-margin theory on Gaussian margins.

        Raises
        ------
        InvalidInputError
            If the error of guessing is missing, or the runs cannot be calibrated.
        """
        if chance is None:
            raise InvalidInputError("chance is missing: give the test error of guessing, 0.9 for ten equal classes.")
        calibration = calibrate(runs, chance=chance, free=free, intervals="normal")
        return cls(calibration, calibrated_curves(calibration))

    @property
    def rows(self) -> list[tuple[str, str, str, str]]:
        """Parameter, value, interval and verdict, as text."""
        table = self.calibration.parameters.reset_index()
        return [
            (row["parameter"], _said(row["value"]), f"{_said(row['low'])} to {_said(row['high'])}", row["verdict"])
            for row in table.to_dict("records")
        ]

    @property
    def sentences(self) -> list[str]:
        """Angle, misfit, and what the runs do not tell."""
        found = self.calibration
        angle = f"The angle of the metric is {math.degrees(found.theta):.1f}°." if math.isfinite(found.theta) else ""
        misfit = f"The theory misses the runs by {100.0 * found.misfit:.2g} % beyond their noise."
        told = found.identifiability or "The runs tell all of these parameters."
        return [sentence for sentence in (angle, misfit, found.lack_of_fit, told) if sentence]


def _said(value: float) -> str:
    return f"{round(value, 9):.4g}" if math.isfinite(value) else "not known"


def draw_calibrated(calibrated: Calibrated) -> Picture:
    """Measured runs as points, calibrated curves as lines with their bands, a panel for each fraction or pool."""
    curves = calibrated.curves
    panels = [Panel(by, value) for by, value in dict.fromkeys(zip(curves["by"], curves["value"], strict=True))]
    runs = measured_points(calibrated.calibration)
    colours = {name: to_hex(one) for name, one in rule_colours([*curves["selection"], *runs["selection"]]).items()}
    traces: list[dict[str, Any]] = []
    axes: dict[str, Any] = {}
    notes = []
    shown: set[str] = set()
    for i, panel in enumerate(panels):
        number = "" if i == 0 else str(i + 1)
        domain = [1.0 - (i + 0.86) / len(panels), 1.0 - i / len(panels)]
        axes[f"yaxis{number}"] = log_axis("test error", curves["test_error"], runs["measured"], domain=domain)
        notes.append(_title(panel.title, domain[1]))
        here = curves[(curves["by"] == panel.by) & (curves["value"] == panel.value)]
        traces += _panel_lines(here, colours, f"y{number}", shown)
        held = panel.holds(runs["n_total"], runs["n_kept"]) | (runs["selection"] == "random").to_numpy()
        traces += _panel_points(runs[held], colours, f"y{number}", shown)
    x = log_axis(
        "examples kept", curves["n_kept"], runs["n_kept"], anchor=f"y{'' if len(panels) == 1 else len(panels)}"
    )
    return picture(traces, x, axes.pop("yaxis"), annotations=notes, height=140 + 210 * len(panels), **axes)


def _title(text: str, top: float) -> dict[str, Any]:
    place = {"xref": "paper", "yref": "paper", "x": 0.995, "y": top, "xanchor": "right", "yanchor": "top"}
    return {"text": text, "showarrow": False, "font": {"size": 12}} | place


def _panel_lines(curves: pd.DataFrame, colours: dict[str, str], y: str, shown: set[str]) -> list[dict[str, Any]]:
    traces = []
    for name, curve in curves.groupby("selection", sort=False):
        rule, colour = str(name), colours[str(name)]
        edges = curve[["n_kept", "low", "high"]].dropna()
        band = {"x": [*edges["n_kept"], *edges["n_kept"][::-1]], "y": [*edges["low"], *edges["high"][::-1]]}
        fill = ",".join(str(round(255 * part)) for part in to_rgb(colour))
        style = {"fill": "toself", "fillcolor": f"rgba({fill},0.18)", "hoverinfo": "skip", "showlegend": False}
        traces.append(line(band["x"], band["y"], rule, colour, width=0.0, yaxis=y, **style))
        beyond = curve["extrapolated"].to_numpy(dtype=bool)
        inside = curve["test_error"].where(~beyond)
        outside = curve["test_error"].where(beyond | np.append(beyond[1:], False))
        first = rule not in shown
        shown.add(rule)
        traces.append(line(curve["n_kept"], inside, f"{rule}, calibrated", colour, yaxis=y, showlegend=first))
        traces.append(line(curve["n_kept"], outside, rule, colour, dash="dash", yaxis=y, showlegend=False))
    return traces


def _panel_points(runs: pd.DataFrame, colours: dict[str, str], y: str, shown: set[str]) -> list[dict[str, Any]]:
    traces = []
    for (rule, marker), here in runs.groupby(["selection", "marker"]):
        name = f"{rule}, measured, {here['meaning'].iloc[0]}"
        bars = {"type": "data", "visible": True, "color": colours[str(rule)], "thickness": 1.0, "width": 0.0}
        factor = np.exp(2.0 * here["noise"].to_numpy())
        height = here["measured"].to_numpy(dtype=np.float64)
        bars |= {"array": (height * (factor - 1.0)).tolist(), "symmetric": False}
        bars |= {"arrayminus": (height * (1.0 - 1.0 / factor)).tolist()}
        first = name not in shown
        shown.add(name)
        style = {"symbol": _SYMBOLS[str(marker)], "size": 7.0}
        traces.append(
            dots(
                here["n_kept"], height, name, colours[str(rule)], marker=style, error_y=bars, yaxis=y, showlegend=first
            )
        )
    return traces


def calibrated_table(calibrated: Calibrated) -> pd.DataFrame:
    """Measured runs beside their calibrated errors, then the curves with their bands."""
    runs = calibrated.calibration.residuals.assign(what="run")
    return pd.concat([runs, calibrated.curves.assign(what="curve")], ignore_index=True)
