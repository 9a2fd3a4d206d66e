"""Where a csv file is broken: only files that could not be read come here."""

from __future__ import annotations

import csv
from pathlib import Path

from perceptron_theory.errors import ScoreError
from perceptron_theory.scores.numerals import is_number

_SHOWN = 40


def broken_line(path: Path, names: list[str], column: str) -> ScoreError | None:
    """The first line with the wrong number of fields, or without a finite number in a column.

    Parameters
    ----------
    path : Path
        A csv file with a header row.
    names : list of str
        Names of its columns.
    column : str
        Column that should hold numbers.

    Returns
    -------
    ScoreError or None
        None if Python's own csv reader finds nothing wrong.
    """
    line = 1
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        rows = csv.reader(file)
        try:
            for row in rows:
                wrong = None if line == 1 else _wrong(row, names, column)
                if wrong is not None:
                    return ScoreError(f"line {line} of {path} {wrong}.")
                line = rows.line_num + 1
        except csv.Error as error:
            return ScoreError(f"line {line} of {path} cannot be read ({error}): close its quotation marks.")
    return None


def _wrong(row: list[str], names: list[str], column: str) -> str | None:
    """What is wrong with a row, and what to do."""
    if not row:
        return "is empty: remove it, or write the score that is missing"
    if len(row) != len(names):
        more = "more" if len(row) > len(names) else "fewer"
        return (
            f"has {more} fields than its header ({len(row)}, not {len(names)}): repair it; decimal signs must be "
            "points, and names with commas need quotation marks"
        )
    cell = row[names.index(column)]
    if not is_number(cell):
        return (
            f"holds {cell[:_SHOWN]!r} in column {column!r}, but scores must be real numbers, finite: remove or impute "
            "this example"
        )
    return None
