"""From measured runs to the parameters of the theory: printed, as tables, and as a report of one page."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import click
import numpy as np
import pandas as pd

from perceptron_theory.calibration.calibration import Calibration
from perceptron_theory.calibration.comparing import ModelComparison
from perceptron_theory.calibration.runs import run_rule
from perceptron_theory.cli.calibration_options import CalibrationOptions, asked
from perceptron_theory.cli.calibration_record import calibration_record, plain
from perceptron_theory.cli.calibration_report import (
    assumptions,
    calibration_sections,
    held_out_cells,
    misfit_sentence,
    parameter_rows,
    said_of,
)
from perceptron_theory.cli.report import facts, page
from perceptron_theory.keeplists.manifest import as_json
from perceptron_theory.output import check_writable, write_all
from perceptron_theory.plotting.calibrated_curves import calibrated_curves, distinct, ordered
from perceptron_theory.progress import compiling, track

#: What is written, and what only with a comparison.
FILES: Final = ("report.html", "parameters.csv", "residuals.csv", "curves.csv", "predictions.csv", "calibration.json")
HELD_OUT: Final = "held_out.csv"
#: Predictions go to these multiples of the largest pool.
LARGER: Final = (2.0, 4.0)
#: Fractions and pools of the table of predictions; evenly picked where more were measured.
MOST: Final = 12


def run_calibration(*, compare: bool, out: Path, **given: Any) -> None:
    """Read, calibrate, print, predict, write; `given` are the options of `asked`."""
    options = asked(**given)
    files = [*FILES, *[HELD_OUT] * compare]
    check_writable(out, files)
    with compiling():
        calibration = options.calibrate()
    print_calibration(options, calibration)
    compared = compared_or_none(options, compare)
    curves = calibrated_curves(calibration, progress=True)
    sections = calibration_sections(options, calibration, curves, compared)
    parts = [facts(said_of(options, calibration)), *sections, assumptions(options, calibration, files)]
    tables = {
        "parameters.csv": calibration.parameters.reset_index(),
        "residuals.csv": calibration.residuals,
        "curves.csv": curves,
        "predictions.csv": predicted(calibration),
    } | held_out_table(compared)
    texts = {
        "report.html": page(f"Calibration of {options.chosen.source}", parts),
        "calibration.json": as_json(plain(calibration_record(options, calibration))),
    }
    write_tables_and_texts(out, tables, texts)
    click.echo(f"written    {', '.join(files)} in {out}")


def compared_or_none(options: CalibrationOptions, compare: bool) -> ModelComparison | None:
    """The comparison on held-out runs, printed, if it was asked for."""
    if not compare:
        return None
    compared = options.compare()
    _print_comparison(options, compared)
    return compared


def held_out_table(compared: ModelComparison | None) -> dict[str, pd.DataFrame]:
    """The file of a comparison, if there is one."""
    return {} if compared is None else {HELD_OUT: compared.table.rename_axis("model").reset_index()}


def write_tables_and_texts(out: Path, tables: Mapping[str, pd.DataFrame], texts: Mapping[str, str]) -> None:
    """Write all or none."""

    def table(content: pd.DataFrame) -> Callable[[Path], object]:
        return lambda path: content.to_csv(path, index=False, float_format="%.12g")

    def text(content: str) -> Callable[[Path], object]:
        return lambda path: path.write_text(content, encoding="utf-8", newline="\n")

    files = {name: table(content) for name, content in tables.items()}
    write_all(out, files | {name: text(content) for name, content in texts.items()})


def print_calibration(options: CalibrationOptions, calibration: Calibration) -> None:
    """What was asked, the parameters, what the theory misses and what the runs do not tell."""
    for name, value in said_of(options, calibration):
        click.echo(f"{name:<11}{value}")
    click.echo(f"{'parameter':<12}{'value':>14}{'low':>12}{'high':>12}  verdict")
    for name, value, low, high, verdict in parameter_rows(calibration):
        click.echo(f"{name:<12}{value:>14}{low:>12}{high:>12}  {verdict}".rstrip())
    click.echo(f"misfit     {misfit_sentence(calibration)}")
    if calibration.identifiability:
        click.echo(f"doubts     {calibration.identifiability}")


def _print_comparison(options: CalibrationOptions, compared: ModelComparison) -> None:
    columns, rows, _ = held_out_cells(compared)
    width = max(len(row[0]) for row in [columns, *rows]) + 2
    for row in [columns, *rows]:
        click.echo(f"{row[0]:<{width}}{''.join(f'{cell:>11}' for cell in row[1:])}")
    click.echo("           root mean squares of ln(predicted / measured)")
    click.echo(f"held out   {compared.verdict}")
    if options.fixed:
        click.echo("note       what --fix holds is not among these: they fit all of their parameters")


def predicted(calibration: Calibration) -> pd.DataFrame:
    """Forecasts on a grid: pools measured and 2 and 4 times the largest, fractions and rules measured."""
    runs = calibration.residuals
    pools = picked(distinct(runs["n_total"].to_numpy(dtype=np.float64)))
    sizes = np.concatenate([pools, pools[-1] * np.array(LARGER)])
    fractions = picked(distinct(runs["f"].to_numpy(dtype=np.float64)))
    wanted = [
        (rule, f)
        for rule, f in itertools.product(ordered({"random", *runs["selection"]}), fractions.tolist())
        if f <= run_rule(rule).largest_f() and (f < 1.0 or rule == "random")
    ]
    found = [calibration.predict(sizes, f, rule) for rule, f in track(wanted, "predictions", True)]
    return pd.concat(found, ignore_index=True)


def picked(values: np.ndarray) -> np.ndarray:
    """At most so many of ascending values, with both ends."""
    if values.size <= MOST:
        return values
    return np.asarray(values[np.rint(np.linspace(0, values.size - 1, MOST)).astype(int)])
