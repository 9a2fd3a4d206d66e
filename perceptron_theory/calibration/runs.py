"""A table of measured runs: what was kept of how much, and the error that came of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.margins.selection import NAMED_RULES, Band, FractionRule
from perceptron_theory.scores.readers.translation import translated

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

REQUIRED: Final = ("n_total", "n_kept", "selection", "test_error", "seed")
OPTIONAL: Final = ("n_test", "metric", "weight")

_BAND = "band:"

#: Of pools larger than this nobody keeps one example only.
_SMALL_POOL = 10
#: Counts beyond this, and weights beyond these, are none.
MOST: Final = 1e15
_WEIGHTS: Final = (1e-12, 1e12)
#: Errors below this, if not 0, are none: a test set of so many examples is.
_LEAST_ERROR: Final = 1.0 / MOST


@dataclass(frozen=True, eq=False)
class Runs:
    """Measured runs, one per row.

    ============  =====================================================================================================
    column        meaning
    ============  =====================================================================================================
    n_total       examples in the pool, a whole number
    n_kept        examples kept of these and trained on, a whole number
    selection     which: "hard", "easy", "random", or "band:Q" (|z| quantiles from Q up, see `Band`)
    test_error    fraction of the test examples that the student gets wrong, in [0, 1]; not per cent
    seed          names the repetition
    n_test        test examples, optional: they set the binomial error of test_error, taken as independent between runs
    metric        what examples were ranked by, optional
    weight        how much a run counts beside the others, > 0, optional; 2 is as good as half the variance
    ============  =====================================================================================================

    Attributes
    ----------
    table : DataFrame
        These columns, checked; other columns are left out.

    Raises
    ------
    InvalidInputError
        If a column is missing, a value lies outside its range, units are mixed, or a run occurs twice.

    Examples
    --------
    >>> import pandas as pd
    >>> from perceptron_theory.calibration.runs import Runs
    >>> runs = Runs(pd.DataFrame({
    ...     "n_total": [1000, 1000], "n_kept": [1000, 300], "selection": ["random", "hard"],
    ...     "test_error": [0.10, 0.12], "seed": [0, 0],
    ... }))
    >>> runs.f.tolist(), len(runs)
    ([1.0, 0.3], 2)
    """

    table: pd.DataFrame

    def __post_init__(self) -> None:
        if not isinstance(self.table, pd.DataFrame):
            raise InvalidInputError(f"runs must be a DataFrame or a path, got {type(self.table).__name__}: see Runs.")
        table = self.table.reset_index(drop=True)
        if not table.columns.is_unique:
            doubled = ", ".join(map(str, table.columns[table.columns.duplicated()]))
            raise InvalidInputError(f"columns of runs must differ, got {doubled} twice: rename one.")
        missing = [name for name in REQUIRED if name not in table]
        if missing:
            raise InvalidInputError(
                f"runs need the columns {', '.join(REQUIRED)}; {', '.join(missing)} missing, got "
                f"{', '.join(map(str, table.columns)) or 'none'}: rename or add them."
            )
        if table.empty:
            raise InvalidInputError("runs must not be empty: give a row per run.")
        names = [*REQUIRED, *(name for name in OPTIONAL if name in table)]
        checked = pd.DataFrame({name: _CHECKS[name](name, table[name]) for name in names})
        more = np.flatnonzero(checked["n_kept"] > checked["n_total"])
        if more.size:
            row = checked.iloc[more[0]]
            raise InvalidInputError(
                f"n_kept must be at most n_total, got {row.n_kept} of {row.n_total} in row {more[0]} (from 0): both "
                "count examples."
            )
        _not_fractions(checked)
        same = ["n_total", "n_kept", "selection", "seed", *checked.columns.intersection(["metric"])]
        twice = checked.duplicated(same)
        if twice.any():
            raise InvalidInputError(
                f"runs must differ, got row {int(np.flatnonzero(twice)[0])} (from 0) twice: repetitions need seeds of "
                "their own, and runs by another metric a column metric."
            )
        object.__setattr__(self, "table", checked)

    def __len__(self) -> int:
        return len(self.table)

    @property
    def f(self) -> FloatArray:
        """Fraction kept in each run."""
        return (self.table["n_kept"] / self.table["n_total"]).to_numpy(dtype=np.float64)

    @property
    def n_kept(self) -> FloatArray:
        """Examples kept in each run."""
        return self.table["n_kept"].to_numpy(dtype=np.float64)

    @property
    def test_error(self) -> FloatArray:
        """Test error of each run."""
        return self.table["test_error"].to_numpy(dtype=np.float64)

    @property
    def rules(self) -> list[FractionRule]:
        """Rule of each run."""
        made = {name: run_rule(name) for name in self.table["selection"].unique()}
        return [made[name] for name in self.table["selection"]]


def read_runs(source: str | Path | pd.DataFrame) -> Runs:
    r"""Runs of a table.

    Parameters
    ----------
    source : path or DataFrame
        A .csv or .parquet file, or the table itself, with the columns of `Runs`.

    Returns
    -------
    Runs
        The table, validated.

    Raises
    ------
    InvalidInputError
        If the file cannot be read, or its content is none of runs.

    Examples
    --------
    >>> import os, tempfile
    >>> from perceptron_theory.calibration.runs import read_runs
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "runs.csv")
    ...     with open(path, "w") as file:
    ...         _ = file.write("n_total,n_kept,selection,test_error,seed\n1000,300,hard,0.12,0\n")
    ...     read_runs(path).test_error.tolist()
    [0.12]
    """
    return Runs(read_table(Path(source)) if isinstance(source, (str, Path)) else source)


def read_table(path: Path) -> pd.DataFrame:
    """All columns of a table of runs, unchecked.

    Raises
    ------
    InvalidInputError
        If it is no .csv or .parquet file that can be read.
    """
    kind = path.suffix.lower()
    if kind not in (".csv", ".parquet"):
        raise InvalidInputError(f"runs are read from .csv and .parquet, got {path}: save the table as one of these.")
    if not os.path.isfile(path):  # unlike path.is_file() false, and no error, for a name too long
        raise InvalidInputError(f"no such file: {path}: check the path.")
    with translated(path, f"{kind[1:]} file", "save the table of runs again"):
        if kind == ".csv":
            return pd.read_csv(path)
        # Folders are not read for columns, whatever they are called. Threads of Arrow may keep a process from ending.
        table = pd.read_parquet(
            path,
            engine="pyarrow",
            partitioning=None,
            page_checksum_verification=True,
            use_threads=False,
            pre_buffer=False,
        )
        return table.reset_index(drop=True)


def run_rule(name: str) -> FractionRule:
    """Rule of a run by its name.

    Raises
    ------
    InvalidInputError
        If there is none of this name.
    """
    if name in NAMED_RULES:
        return NAMED_RULES[name]
    if name.startswith(_BAND):
        try:
            return Band(float(name.removeprefix(_BAND)))
        except ValueError:
            pass
    raise InvalidInputError(
        f"unknown selection {name!r} of a run: use {', '.join(NAMED_RULES)}, or {_BAND}Q with a quantile Q of |z|."
    )


def _count(name: str, column: pd.Series[Any]) -> IntArray:
    numbers = _numbers(name, column)
    wrong = np.flatnonzero((numbers < 1.0) | (numbers > MOST) | (numbers != np.floor(numbers)))
    if wrong.size:
        raise InvalidInputError(
            f"{name} must be a whole number of at least 1, got {numbers[wrong[0]]:g} in row {wrong[0]} (from 0): it "
            "counts examples, it is no fraction and not per parameter."
        )
    return numbers.astype(np.int64)


def _error(name: str, column: pd.Series[Any]) -> FloatArray:
    numbers = _numbers(name, column)
    wrong = np.flatnonzero((numbers < 0.0) | (numbers > 1.0))
    if wrong.size:
        raise InvalidInputError(
            f"{name} must lie in [0, 1], got {numbers[wrong[0]]:g} in row {wrong[0]} (from 0; {wrong.size} of "
            f"{numbers.size}): it is a fraction; divide per cent by 100, and take accuracies from 1."
        )
    tiny = np.flatnonzero((numbers > 0.0) & (numbers < _LEAST_ERROR))
    if tiny.size:
        raise InvalidInputError(
            f"{name} must be 0 or at least {_LEAST_ERROR:g}, got {numbers[tiny[0]]:g} in row {tiny[0]} (from 0): no "
            "test set tells so small a fraction; is it another quantity?"
        )
    return numbers


def _numbers(name: str, column: pd.Series[Any]) -> FloatArray:
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64)
    wrong = np.flatnonzero(~np.isfinite(numbers))
    if wrong.size:
        raise InvalidInputError(
            f"{name} must be a finite number, got {column.iloc[wrong[0]]!r} in row {wrong[0]} (from 0): leave the row "
            "out, or mend it."
        )
    return numbers


def _not_fractions(table: pd.DataFrame) -> None:
    if (table["n_kept"] == 1).all() and (table["n_total"] > _SMALL_POOL).all():
        raise InvalidInputError(
            "n_kept is 1 in every row: is it a fraction? Multiply it by n_total; it counts examples."
        )


def _weight(name: str, column: pd.Series[Any]) -> FloatArray:
    numbers = _numbers(name, column)
    wrong = np.flatnonzero((numbers < _WEIGHTS[0]) | (numbers > _WEIGHTS[1]))
    if wrong.size:
        raise InvalidInputError(
            f"{name} must be > 0, and from {_WEIGHTS[0]:g} to {_WEIGHTS[1]:g}, got {numbers[wrong[0]]:g} in row "
            f"{wrong[0]} (from 0): leave out runs that should not count."
        )
    return numbers


def _rule_name(name: str, column: pd.Series[Any]) -> pd.Series[Any]:
    names = _text(name, column)
    return names.map({one: _one_name(one) for one in names.unique()})


def _one_name(name: str) -> str:
    """The same name for the same rule: a band from 0 is hard."""
    rule = run_rule(name)
    if not isinstance(rule, Band):
        return name
    return f"{_BAND}{rule.lower:g}" if rule.lower > 0.0 else "hard"


def _text(name: str, column: pd.Series[Any]) -> pd.Series[Any]:
    missing = np.flatnonzero(column.isna())
    if missing.size:
        raise InvalidInputError(f"{name} is missing in row {missing[0]} (from 0): fill it in, or leave the row out.")
    return column.astype(str)


_CHECKS: Final[dict[str, Callable[[str, pd.Series[Any]], Any]]] = {
    "n_total": _count,
    "n_kept": _count,
    "n_test": _count,
    "selection": _rule_name,
    "test_error": _error,
    "seed": _text,
    "metric": _text,
    "weight": _weight,
}
