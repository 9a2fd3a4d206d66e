"""What to keep of a pool, advised by a theory that measured runs have calibrated."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Final, cast

import click
import pandas as pd

from perceptron_theory.calibration.recommending import Recommendation
from perceptron_theory.cli.calibration import (
    HELD_OUT,
    compared_or_none,
    held_out_table,
    print_calibration,
    write_tables_and_texts,
)
from perceptron_theory.cli.calibration_options import asked
from perceptron_theory.cli.calibration_record import calibration_record, plain
from perceptron_theory.cli.calibration_report import assumptions, calibration_sections, said_of
from perceptron_theory.cli.report import facts, heading, lead, page, picture
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.keeplists.manifest import as_json
from perceptron_theory.output import check_writable
from perceptron_theory.plotting.calibrated_curves import calibrated_curves
from perceptron_theory.plotting.recommendation import option_curves, recommendation_figure
from perceptron_theory.plotting.report import as_data_uri
from perceptron_theory.progress import compiling
from perceptron_theory.validation import number_array, one_number, whole_number

#: What is written.
FILES: Final = (
    "report.html", "options.csv", "frontier.csv", "residuals.csv", "curves.csv", "recommendation.json",
)  # fmt: skip


def run_recommendation(
    *, pool: int, budget: int | None, error: float | None, compare: bool, out: Path, **given: Any
) -> None:
    """Read, calibrate, advise, print, write; `given` are the options of `asked`."""
    question = _question(pool, budget, error, given["chance"])
    options = asked(**given)
    files = [*FILES, *[HELD_OUT] * compare]
    check_writable(out, files)
    with compiling():
        calibration = options.calibrate()
    advice = calibration.recommend(pool=pool, budget=budget, error=error)
    print_calibration(options, calibration)
    sentences = [one for one in advice.reasons if one != calibration.identifiability]
    click.echo("\n".join([f"asked      {question}", *sentences]))
    compared = compared_or_none(options, compare)
    best = option_curves(calibration, advice, pool, progress=True)
    curves = calibrated_curves(calibration, progress=True)
    parts = [
        lead(sentences),
        facts([("asked", question), *said_of(options, calibration)]),
        *_options_section(advice, best, calibration.level),
        *calibration_sections(options, calibration, curves, compared),
        assumptions(options, calibration, files),
    ]
    record = calibration_record(options, calibration)
    record["options"] |= {"pool": pool, "budget": budget, "error": error}
    record["recommendation"] = _plain_advice(advice)
    tables = {
        "options.csv": advice.table,
        "frontier.csv": best,
        "residuals.csv": calibration.residuals,
        "curves.csv": curves,
    } | held_out_table(compared)
    texts = {
        "report.html": page(f"What to keep of {pool:,} examples", parts),
        "recommendation.json": as_json(plain(record)),
    }
    write_tables_and_texts(out, tables, texts)
    click.echo(f"written    {', '.join(files)} in {out}")


def _question(pool: int, budget: int | None, error: float | None, chance: float) -> str:
    """What is asked, in words; refused before the work what would be refused after it."""
    number = whole_number("--pool", pool, 1, "it is the number of examples that there are")
    if (budget is None) == (error is None):
        raise InvalidInputError(
            f"give either --budget or --error, got {budget} and {error}: one follows from the other."
        )
    if budget is not None:
        most = whole_number("--budget", budget, 1, "it is the most examples to train on")
        return f"of {number:,} examples at most {most:,} to train on"
    goal = one_number("--error", number_array("--error", cast(float, error), "it is a test error"))
    if not 0.0 < goal < chance:
        raise InvalidInputError(f"--error must lie between 0 and chance, {chance:g}, got {goal:g}: it is a test error.")
    return f"of {number:,} examples as few as reach a test error of {goal:g}"


def _options_section(advice: Recommendation, best: pd.DataFrame, level: float) -> list[str]:
    return [
        heading("Options"),
        picture(
            as_data_uri(recommendation_figure(advice, best)),
            "Expected test error over examples kept: best pruning, random subset, all of the pool.",
            f"Lines: expected test error with its {100 * level:g} % band. Star: what is advised, and where a run "
            "falls.",
            ["frontier.csv", "options.csv"],
        ),
    ]


def _plain_advice(advice: Recommendation) -> dict[str, Any]:
    own = {field.name: getattr(advice, field.name) for field in dataclasses.fields(advice)}
    return {name: value for name, value in own.items() if name not in ("table", "student")}
