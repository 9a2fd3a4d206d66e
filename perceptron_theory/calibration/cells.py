"""Runs that differ by nothing but their seed, taken together: what the theory has one number for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from perceptron_theory.calibration.runs import Runs, run_rule
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.margins.selection import FractionRule, Random

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Mean errors may exceed chance by this share of it: a student of a few misleading examples does.
ABOVE_CHANCE = 0.2


@dataclass(frozen=True, eq=False)
class Cells:
    """One entry per pool size, number kept and rule.

    Attributes
    ----------
    n_total, n_kept : ndarray, shape (n,)
        Examples in the pool, and kept.
    selection : ndarray of str, shape (n,)
        Names of the rules; what keeps all is "random".
    log_error : ndarray, shape (n,)
        Mean over the repetitions of ln(test error).
    binomial : ndarray, shape (n,)
        Variance of ln(test error) of one run that comes of a finite test set; 0 if n_test is not given.
    scatter : ndarray, shape (n,)
        Sum of squares of the repetitions about their mean, less what `binomial` adds to it.
    weight : ndarray, shape (n,)
        Mean weight of the runs; the mean over all runs is 1.
    repeats : ndarray, shape (n,)
        Runs in each entry; with unequal weights the number of equal ones that are worth as much.
    """

    n_total: FloatArray
    n_kept: FloatArray
    selection: npt.NDArray[np.str_]
    log_error: FloatArray
    binomial: FloatArray
    scatter: FloatArray
    weight: FloatArray
    repeats: FloatArray

    def __len__(self) -> int:
        return self.n_total.size

    @property
    def f(self) -> FloatArray:
        """Fraction kept."""
        return self.n_kept / self.n_total


def by_rule(selection: npt.NDArray[np.str_]) -> list[tuple[FractionRule, IntArray]]:
    """Rules by name, and the positions where each stands."""
    return [(run_rule(str(name)), np.flatnonzero(selection == name)) for name in np.unique(selection)]


def cells_of(runs: Runs, chance: float) -> Cells:
    """Repetitions of the same run taken together.

    Parameters
    ----------
    runs : Runs
        Of one metric.
    chance : float
        Test error of guessing, in (0, 1).

    Raises
    ------
    InvalidInputError
        If errors lie above chance, an error of 0 cannot be told from a small one, or metrics are mixed.

    Examples
    --------
    >>> import pandas as pd
    >>> from perceptron_theory.calibration.runs import Runs
    >>> table = pd.DataFrame({"test_error": [0.1, 0.2], "seed": [0, 1]})
    >>> table = table.assign(n_total=1000, n_kept=300, selection="hard")
    >>> cells = cells_of(Runs(table), chance=0.5)
    >>> len(cells), cells.log_error.round(3).tolist(), cells.repeats.tolist()
    (1, [-1.956], [2.0])
    """
    table = runs.table.copy()
    ranked = table["selection"].where(table["n_kept"] < table["n_total"], "random")
    table["selection"] = ranked
    # The same run may be listed under every rule.
    whole = table["n_kept"] == table["n_total"]
    table = table[~(whole & table.duplicated(["n_total", "n_kept", "seed", "test_error"]))].copy()
    _one_metric(table)
    _not_above_chance(table, chance)
    table["log"] = _log_error(table)
    table["binomial"] = _binomial(table)
    weight = table.get("weight", pd.Series(1.0, index=table.index))
    table["w"] = weight / weight.mean()
    table["w2"], table["wlog"] = table["w"] ** 2, table["w"] * table["log"]
    entries = table.groupby(["n_total", "n_kept", "selection"], sort=True).agg(
        w=("w", "sum"), w2=("w2", "sum"), wlog=("wlog", "sum"), binomial=("binomial", "mean")
    )
    entries["log"], entries["repeats"] = entries["wlog"] / entries["w"], entries["w"] ** 2 / entries["w2"]
    entries["weight"] = entries["w"] / entries["repeats"]
    grouped = table.groupby(["n_total", "n_kept", "selection"])
    mean = grouped["wlog"].transform("sum") / grouped["w"].transform("sum")
    share = table["w"] / grouped["w"].transform("sum")
    # Less what a finite test set alone adds to the sum of squares within entries.
    table["scatter"] = table["w"] * ((table["log"] - mean) ** 2 - table["binomial"] * (1.0 - share))
    entries["scatter"] = table.groupby(["n_total", "n_kept", "selection"], sort=True)["scatter"].sum()
    where = entries.index.to_frame()
    numbers = {name: entries[name].to_numpy(dtype=np.float64) for name in ("binomial", "scatter", "weight")}
    return Cells(
        where["n_total"].to_numpy(dtype=np.float64),
        where["n_kept"].to_numpy(dtype=np.float64),
        where["selection"].to_numpy(dtype=np.str_),
        entries["log"].to_numpy(dtype=np.float64),
        repeats=entries["repeats"].to_numpy(dtype=np.float64),
        **numbers,
    )


def _one_metric(table: pd.DataFrame) -> None:
    """Runs ranked by several metrics have several angles."""
    if "metric" not in table:
        return
    used = sorted(
        table.loc[~table["selection"].map(lambda name: isinstance(run_rule(name), Random)), "metric"].unique()
    )
    if len(used) > 1:
        raise InvalidInputError(
            f"runs must be of one metric, got {', '.join(map(repr, used))}: each has its own angle to the truth; "
            "calibrate them one after the other."
        )


def _not_above_chance(table: pd.DataFrame, chance: float) -> None:
    mean = table.groupby(["n_total", "n_kept", "selection"], as_index=False)["test_error"].mean()
    worst = mean.iloc[int(mean["test_error"].to_numpy().argmax())]
    if worst["test_error"] > chance * (1.0 + ABOVE_CHANCE):
        raise InvalidInputError(
            f"test errors must not exceed chance, got {worst['test_error']:.4g} for {worst['n_kept']} of "
            f"{worst['n_total']} {worst['selection']}, chance is {chance:g}: set chance (0.9 for ten equal classes), "
            "or leave out runs that learned the opposite."
        )


def _log_error(table: pd.DataFrame) -> FloatArray:
    error = table["test_error"].to_numpy(dtype=np.float64)
    if "n_test" in table:
        # Jeffreys' estimate, which an error of 0 does not send to infinity.
        n = table["n_test"].to_numpy(dtype=np.float64)
        error = (error * n + 0.5) / (n + 1.0)
    if not np.all(error > 0.0):
        row = int(np.flatnonzero(error == 0.0)[0])
        raise InvalidInputError(
            f"test_error must be > 0 where n_test is not given, got 0 in row {row} (from 0): on how many test "
            "examples? Add a column n_test."
        )
    return np.asarray(np.log(error))


def _binomial(table: pd.DataFrame) -> FloatArray:
    """Variance of ln(test error) that comes of a finite test set."""
    if "n_test" not in table:
        return np.zeros(len(table))
    error = np.exp(table["log"].to_numpy(dtype=np.float64))
    return np.asarray((1.0 - error) / (error * table["n_test"].to_numpy(dtype=np.float64)))
