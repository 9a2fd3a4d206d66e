"""Tables of runs as the options of a command choose them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from perceptron_theory.calibration.runs import OPTIONAL, REQUIRED, Runs, read_table
from perceptron_theory.errors import InvalidInputError

#: Columns that name an experiment: a calibration is of one.
EXPERIMENT: Final = ("task", "student", "probe", "metric")
#: Runs with the same values of these are repetitions, or they are of several experiments.
_RUN: Final = ("n_total", "n_kept", "selection", "seed")
#: Values that a message lists.
_SHOWN: Final = 8

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class ChosenRuns:
    """Runs of a file.

    Attributes
    ----------
    runs : Runs
        Those chosen.
    source : str
        Name of the file.
    sha256 : str
        Of its bytes.
    where : tuple of str
        What chose, as it was given.
    rows : int
        Rows in the file.
    """

    runs: Runs
    source: str
    sha256: str
    where: tuple[str, ...]
    rows: int


def read_chosen(path: Path, where: Sequence[str]) -> ChosenRuns:
    """The rows of a table of runs that all of `where` hold for, if they are of one experiment.

    Parameters
    ----------
    path : Path
        A .csv or .parquet file with the columns of `Runs`, and others.
    where : sequence of str
        "COLUMN=VALUE", or "COLUMN=VALUE|VALUE".

    Raises
    ------
    InvalidInputError
        If the file cannot be read, a condition is none or holds nowhere, or the rows are of several experiments.
    """
    table = read_table(path)
    chosen = table
    for condition in where:
        chosen = chosen[_holds(table, condition)[chosen.index]]
    if chosen.empty:
        raise InvalidInputError(f"no row of {path.name} has {' and '.join(where) or 'a run'}: choose other values.")
    _one_experiment(chosen, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    # File names may hold bytes that no table can: show them escaped.
    name = path.name.encode("utf-8", "backslashreplace").decode("utf-8")
    return ChosenRuns(Runs(chosen), name, digest, tuple(where), len(table))


def _holds(table: pd.DataFrame, condition: str) -> Mask:
    """Rows with one of the values of a condition."""
    name, equals, values = condition.partition("=")
    if not equals or not values:
        raise InvalidInputError(
            f"--where must be COLUMN=VALUE or COLUMN=VALUE|VALUE, got {condition!r}: for example student=network."
        )
    if name not in table:
        raise InvalidInputError(f"--where {condition!r}: no column {name!r}; use one of {', '.join(table.columns)}.")
    found = np.zeros(len(table), dtype=np.bool_)
    for value in values.split("|"):
        here = _equal(table[name], value)
        if not here.any():
            raise InvalidInputError(f"--where {condition!r}: {name} is never {value!r}; it is {_listed(table[name])}.")
        found |= here
    return found


def _words(column: pd.Series[Any]) -> pd.Series[str]:
    """Cells as text; an empty cell is "nan", a value like any other."""
    return pd.Series([str(cell) for cell in column], column.index, dtype=object)


def _equal(column: pd.Series[Any], value: str) -> Mask:
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        try:
            return np.asarray(column == float(value), dtype=np.bool_)
        except ValueError:
            return np.zeros(len(column), dtype=np.bool_)
    return np.asarray(_words(column) == value, dtype=np.bool_)


def _listed(column: pd.Series[Any]) -> str:
    values = sorted(map(str, column.unique()))
    return ", ".join(values[:_SHOWN]) + (f" and {len(values) - _SHOWN} more" if len(values) > _SHOWN else "")


def _one_experiment(table: pd.DataFrame, path: Path) -> None:
    """Refuse rows of several experiments, and say how to choose one."""
    if any(name not in table for name in REQUIRED):
        return  # `Runs` says so better
    mixed = _mixed(table)
    if not mixed:
        return
    said = "; ".join(f"{name} is {_listed(table[name])}" for name in mixed)
    example, chosen = [], table
    while left := _mixed(chosen):
        values = _first(chosen, left[0])
        example.append(f'--where "{left[0]}={"|".join(values)}"')
        chosen = chosen[_words(chosen[left[0]]).isin(values)]
    raise InvalidInputError(
        f"the rows of {path.name} are of several experiments ({said}), and a calibration is of one: choose it, for "
        f"example with {' '.join(example)}."
    )


def _mixed(table: pd.DataFrame) -> list[str]:
    """Columns with several values among the pruned or among the other runs, or between runs that else are the same."""
    pruned = _pruned(table)
    named = [
        name
        for name in EXPERIMENT
        if name in table and max(_words(table.loc[rows, name]).nunique() for rows in (pruned, ~pruned)) > 1
    ]
    others = [
        name
        for name in table
        if name not in (*REQUIRED, *OPTIONAL, *EXPERIMENT) and not pd.api.types.is_float_dtype(table[name])
    ]
    repeated = table.groupby(list(_RUN))[others].nunique() if others and not named else pd.DataFrame()
    return named or [str(name) for name in repeated if repeated[name].max() > 1]


def _first(table: pd.DataFrame, name: str) -> list[str]:
    """A value of the pruned runs, with those that only the others have."""
    pruned = _pruned(table)
    own, others = (sorted(set(_words(table.loc[rows, name]))) for rows in (pruned, ~pruned))
    return own[:1] if own and own[0] in others else [*own[:1], *[value for value in others if value not in own][:1]]


def _pruned(table: pd.DataFrame) -> Mask:
    return np.asarray((_words(table["selection"]) != "random") & (table["n_kept"] != table["n_total"]))
