"""What a report says of a calibration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from perceptron_theory.calibration.calibration import Calibration
from perceptron_theory.calibration.comparing import ModelComparison
from perceptron_theory.calibration.parameters import CONVEX_ONLY
from perceptron_theory.cli.calibration_options import CalibrationOptions
from perceptron_theory.cli.report import footer, heading, paragraph, picture, table
from perceptron_theory.plotting.calibrated_curves import Panel
from perceptron_theory.plotting.calibration import calibration_figure, residuals_figure
from perceptron_theory.plotting.report import as_data_uri
from perceptron_theory.version import __version__

MEANINGS: Final = {
    "N": "effective number of parameters",
    "theta": "angle between metric and truth, radians",
    "floor": "error that no examples remove",
    "scale": "of the error above the floor",
    "exponent": "of alpha = (n / N)^exponent",
    "lam": "strength of the penalty",
    "flip": "share of wrong labels",
}
OPEN: Final = "open"


def parameter_rows(calibration: Calibration) -> list[tuple[str, str, str, str, str]]:
    """Name, value, low, high and verdict of each parameter; the angle in degrees as well; ends may be "open"."""
    rows = []
    for row in calibration.parameters.reset_index().to_dict("records"):
        name, verdict = row["parameter"], row["verdict"]
        value, low, high = (row[end] for end in ("value", "low", "high"))
        low = math.nan if verdict in ("at most", "not identifiable") else low
        high = math.nan if verdict in ("at least", "not identifiable") else high
        rows.append((name, _number(value, "not known"), _number(low, OPEN), _number(high, OPEN), verdict))
        if name == "theta" and math.isfinite(value):
            degrees = [np.rad2deg(x) for x in (value, low, high)]
            told = [f"{x:.1f} deg" if math.isfinite(x) else "" for x in degrees]
            rows.append(("", told[0], told[1], told[2], ""))
    return rows


def _number(value: float, otherwise: str) -> str:
    return f"{round(value, 9):.4g}" if math.isfinite(value) else otherwise  # a floor of 1e-14 is none


def misfit_sentence(calibration: Calibration) -> str:
    """What the theory misses, beside the noise of the runs."""
    noise = float(np.median(calibration.task.noise))
    beside = f"the noise of a mean over repetitions is {100 * noise:.2g} %" if noise > 0.0 else "their noise is unknown"
    return f"The theory misses the runs by {100 * calibration.misfit:.2g} % beyond their noise; {beside}."


def said_of(options: CalibrationOptions, calibration: Calibration) -> list[tuple[str, str]]:
    """What was asked, in words."""
    chosen, told, scores = options.chosen, options.plain, options.scores
    where = f" with {', '.join(chosen.where)}" if chosen.where else ""
    lam = "" if told["lam"] is None else f", lam = {told['lam']}"
    fixed = calibration.task.curves.fixed
    unused = CONVEX_ONLY if options.student == "max-margin" else ()
    held = ", ".join(f"{name} = {x:g}" for name, x in fixed.items() if math.isfinite(x) and name not in unused)
    different = len(calibration.residuals)
    return [
        ("runs", f"{chosen.source}: {len(chosen.runs):,} of {chosen.rows:,} rows{where}; {different:,} different runs"),
        ("metric", "Gaussian" if scores is None else f"{Path(scores.source).name}, by rank: {scores.ties}"),
        ("student", f"{options.student_name}{lam}; guessing has an error of {options.chance:g}"),
        ("fitted", ", ".join(options.free) + (f"; held: {held}" if held else "")),
        ("intervals", f"{options.intervals}, {100 * options.level:g} %; seed {options.seed}"),
    ]


def held_out_cells(compared: ModelComparison) -> tuple[list[str], list[list[str]], int]:
    """Columns, rows and position of the best of a comparison on held-out runs."""
    whole = compared.table
    columns = ["model", *(str(name).replace("_", " ") for name in whole.columns)]
    rows = [
        [str(name), *(_cell(column, x) for column, x in row.items())]
        for name, row in zip(whole.index, whole.to_dict("records"), strict=True)
    ]
    return columns, rows, [str(name) for name in whole.index].index(compared.best)


def _cell(column: object, x: float) -> str:
    if not math.isfinite(x):
        return "-"
    return f"{x:.0f}" if column == "predicted" else f"{x:.3f}"


def calibration_sections(
    options: CalibrationOptions, calibration: Calibration, curves: pd.DataFrame, compared: ModelComparison | None
) -> list[str]:
    """Parameters, what they do not tell, pictures, and held-out runs."""
    named = [(f"{name}: {MEANINGS[name]}" if name else "", *rest) for name, *rest in parameter_rows(calibration)]
    level = f"{100 * calibration.level:g} %"
    parts = [
        heading("Parameters"),
        table(["parameter", "value", f"{level} from", "to", "verdict"], named),
        paragraph(f"{misfit_sentence(calibration)} {calibration.identifiability}".strip()),
        heading("Measured and calibrated"),
        picture(
            as_data_uri(calibration_figure(calibration, curves)),
            "Test error over examples kept: measured runs and calibrated curves.",
            "Points: measured, mean over repetitions with two standard errors. Lines: calibrated, with the "
            f"{level} band of the expected error; dashed beyond the runs measured. Random subsets are shown for all "
            f"pools: they depend on the number kept alone.{_left_out(calibration, curves)}",
            ["residuals.csv", "curves.csv"],
        ),
        picture(
            as_data_uri(residuals_figure(calibration)),
            "Measured over calibrated test error, by rule.",
            "All runs: measured over calibrated test error, two standard errors. Grey: one misfit up and down. A trend "
            "here is what the theory does not know.",
            ["residuals.csv"],
        ),
    ]
    if compared is not None:
        columns, rows, best = held_out_cells(compared)
        parts += [
            heading("Larger runs predicted from smaller ones"),
            table(columns, rows, best),
            paragraph("Root mean squares of ln(predicted / measured); by rule on the held-out runs.", "small"),
            paragraph(compared.verdict),
        ]
    return parts


def _left_out(calibration: Calibration, curves: pd.DataFrame) -> str:
    """Which runs the first picture does not show."""
    runs, by = calibration.residuals, curves["by"].iloc[0]
    drawn = [Panel(by, value).holds(runs["n_total"], runs["n_kept"]) for value in curves["value"].unique()]
    missing = int((~np.any(drawn, axis=0) & (runs["selection"] != "random").to_numpy()).sum())
    return (
        f" {missing} runs at other {'fractions' if by == 'f' else 'pools'} are in the next picture." if missing else ""
    )


def assumptions(options: CalibrationOptions, calibration: Calibration, files: Sequence[str]) -> str:
    """The foot of the page: what is assumed, what made it, and the files beside it."""
    largest = calibration.residuals["n_total"].max()
    return footer(
        [
            "What this assumes. Runs are taken for those of a student of N effective parameters in the theory of data "
            "pruning: alpha = (n_kept / N)^exponent and error = floor + 2 scale (chance - floor) epsilon(alpha, f, "
            "theta). That a real network has such an N is an assumption; the misfit says how far it carries within the "
            "runs, held-out runs say how far it carries beyond. Intervals and bands include the misfit as if it were "
            f"random from run to run. Whatever lies beyond the largest pool measured, {largest:,.0f} examples, is "
            "extrapolated.",
            f"perceptron_theory {__version__}; sha256 of {options.chosen.source}: {options.chosen.sha256[:16]}...",
        ],
        [name for name in files if name != "report.html"],
    )
