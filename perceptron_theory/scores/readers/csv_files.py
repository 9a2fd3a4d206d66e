"""Scores in .csv: a header row, commas, one column of scores."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from perceptron_theory.errors import ScoreError
from perceptron_theory.scores.numerals import is_number, is_whole_number
from perceptron_theory.scores.readers.broken_lines import broken_line
from perceptron_theory.scores.readers.request import AnyArray, Contents, Parts, Request
from perceptron_theory.scores.readers.tables import names_of, whole_numbers
from perceptron_theory.scores.readers.translation import translated
from perceptron_theory.scores.rounding import LARGEST_WHOLE, check_whole

_ADVICE = "it needs a header row, commas between columns, points as decimal signs, and UTF-8"


def read_csv(request: Request) -> Contents:
    """Columns by name. Whatever would shift, drop or rename rows or columns unseen is refused."""
    path = request.path
    with translated(path, "csv file", _ADVICE):
        names, rows = first_rows(path, 1)
        parts = request.parts(names, "column")
        if request.part is None and (numbers := [name for name in names if is_number(name)]):
            raise ScoreError(
                f"{path} has no header row, its first line holds the number {numbers[0]}: add the names of columns, or "
                "name the column if this is its name."
            )
        if not rows:
            return Contents(np.empty(0), parts.scores)
        table = _table(path, names, parts)
        values = _numbers(path, names, parts.scores, table)
        ids, labels = (
            None if name is None else names_of(whole_numbers(table[str(names.index(name))]), what, path)
            for what, name in (("ids", parts.ids), ("labels", parts.labels))
        )
        return Contents(values, parts.scores, ids, labels)


def first_rows(path: Path, n: int) -> tuple[list[str], list[list[str]]]:
    """Names of the columns, and the first n rows as text."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        names = next(rows, [])
        if not names or rows.line_num > 1:
            raise ScoreError(f"{path} has no header row, or one of several lines: write the names into its first line.")
        return names, list(itertools.islice(rows, n))


def check_text(path: Path, column: str) -> None:
    """Refuse a column with a whole number beyond 2^53, which was read as float64 and so rounded.

    It is slow, and needed only where a number of that size was read.

    Parameters
    ----------
    path : Path
        A csv file with a header row.
    column : str
        Column of the scores.

    Raises
    ------
    ScoreError
        If there is one.
    """
    with translated(path, "csv file", _ADVICE), path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        rows = csv.reader(file)
        at = next(rows).index(column)
        cells = (row[at] for row in rows if len(row) > at)
        check_whole(map(int, filter(is_whole_number, cells)), f"column {column!r} of {path}")


def _table(path: Path, names: list[str], parts: Parts) -> pa.Table:
    """Wanted columns, called by their positions: names may repeat among the others."""
    text = {str(names.index(name)): pa.string() for name in (parts.ids, parts.labels) if name is not None}
    scores = str(names.index(parts.scores))
    try:
        with pa.OSFile(str(path)) as file:
            return arrow_csv.read_csv(
                file,
                arrow_csv.ReadOptions(skip_rows=1, column_names=[str(at) for at in range(len(names))]),
                arrow_csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
                arrow_csv.ConvertOptions(
                    include_columns=[scores, *(text.keys() - {scores})],
                    column_types=text,
                    null_values=[""],
                    strings_can_be_null=True,
                ),
            )
    except pa.ArrowInvalid as error:
        raise broken_line(path, names, parts.scores) or error from None


def _numbers(path: Path, names: list[str], column: str, table: pa.Table) -> AnyArray:
    """Scores, each of them a finite number, or the line of the first that is not."""
    cells = table[str(names.index(column))]
    if pa.types.is_integer(cells.type) or pa.types.is_floating(cells.type):
        values = np.asarray(cells.to_numpy())
        if np.isfinite(values).all():
            if pa.types.is_floating(cells.type) and np.abs(values).max(initial=0.0) >= LARGEST_WHOLE:
                check_text(path, column)
            return values
    raise broken_line(path, names, column) or ScoreError(
        f"column {column!r} of {path} holds {cells.type}, not numbers: choose another column."
    )
