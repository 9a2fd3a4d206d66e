"""Theories and laws beside each other, on runs that they were not fitted to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from perceptron_theory.calibration.calibrating import calibrate
from perceptron_theory.calibration.calibration import Calibration
from perceptron_theory.calibration.cells import Cells, cells_of
from perceptron_theory.calibration.power_laws import Kind, Law, fit_law
from perceptron_theory.calibration.runs import Runs, read_runs
from perceptron_theory.convex_loss import ConvexLoss
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.margins.distributions import Margins
from perceptron_theory.progress import track
from perceptron_theory.scores.scores import Scores
from perceptron_theory.validation import number_array, one_number

FloatArray = npt.NDArray[np.float64]


class Theory(NamedTuple):
    """A student and what is fitted of it."""

    student: str | ConvexLoss
    free: tuple[str, ...]


_LOGISTIC: Final = ConvexLoss("logistic", 0.1)
#: Theories that are compared by default; "stretched" has an exponent.
THEORIES: Final[dict[str, Theory]] = {
    "max-margin": Theory("max-margin", ("N", "theta", "floor")),
    "max-margin, stretched": Theory("max-margin", ("N", "theta", "floor", "exponent")),
    "logistic": Theory(_LOGISTIC, ("N", "theta", "floor", "lam")),
    "logistic, noisy labels": Theory(_LOGISTIC, ("N", "theta", "floor", "lam", "flip")),
}
LAWS: Final[tuple[Kind, ...]] = get_args(Kind)

#: Beside the rules in the table of a comparison.
_COLUMNS: Final = ("fitted", "held_out", "predicted", "misfit")


@dataclass(frozen=True, eq=False)
class ModelComparison:
    """How well models predict runs that they have not seen.

    Attributes
    ----------
    table : DataFrame
        A row per model: `fitted` and `held_out`, root mean squares of ln(predicted / measured) over different runs, a
        column per rule for the held-out ones, `predicted` (how many of the held-out runs it has an answer for), and of
        theories `misfit`.
    predictions : DataFrame
        A row per different run: n_total, n_kept, selection, measured, held_out, and a column per model.
    calibrations : dict of Calibration
        Theories, fitted to the smaller runs.
    laws : dict of Law
        Model-free laws, fitted to the same runs.
    """

    table: pd.DataFrame
    predictions: pd.DataFrame
    calibrations: Mapping[str, Calibration]
    laws: Mapping[str, Law]

    @property
    def best(self) -> str:
        """The model with the smallest held-out error among those that predict all held-out runs."""
        whole = self.table[self.table["predicted"] == self.table["predicted"].max()]
        return str(whole["held_out"].idxmin())

    @property
    def verdict(self) -> str:
        """In sentences: what predicts best, and where no theory fits."""
        table = self.table
        theories, off = table.loc[[*self.calibrations]], table["held_out"].to_dict()
        said = [f"Best on held-out runs: {self.best} (ln error off by {off[self.best]:.3f})."]
        first = str(theories["held_out"].idxmin())
        if self.best not in self.calibrations:
            said.append(
                f"No theory predicts as well; the best of them, {first}, is off by {theories['held_out'].min():.3f}."
            )
        if self.calibrations[first].lack_of_fit:
            said.append(self.calibrations[first].lack_of_fit)
        rules = table.drop(columns=[*_COLUMNS]).loc[first].dropna()
        if not rules.empty and rules.max() > 2.0 * rules.min():
            worst, least = str(rules.idxmax()), str(rules.idxmin())
            said.append(f"It is worst for {worst} ({rules.max():.3f}) and best for {least} ({rules.min():.3f}).")
        return " ".join(said)


def compare_models(
    runs: Runs | pd.DataFrame | str,
    scores: Scores | Margins | None = None,
    *,
    chance: float = 0.5,
    largest: float | None = None,
    theories: Mapping[str, Theory] | Sequence[str] = ("max-margin", "max-margin, stretched"),
    progress: bool = False,
) -> ModelComparison:
    """Fit theories and model-free laws to the smaller runs, and predict the larger ones.

    Parameters
    ----------
    runs : Runs, DataFrame or path
        Of one student and one metric; columns in `Runs`.
    scores : Scores, GaussianMargins or MeasuredMargins, optional
        Distribution along the metric, as for `calibrate`.
    chance : float
        Test error of guessing.
    largest : float, optional
        Runs with at most so large a pool are fitted; where all have the same pool, with at most so many examples kept.
        Default: the smaller half of the sizes.
    theories : dict of Theory, or names in THEORIES
        Convex losses take minutes.
    progress : bool
        Show a progress bar.

    Returns
    -------
    ModelComparison
        Errors of every model on the runs that it has not seen, and a verdict in a sentence.

    Raises
    ------
    InvalidInputError
        If there is nothing to hold out, or the smaller runs are too few for a theory.

    Examples
    --------
    >>> import numpy as np, pandas as pd, perceptron_theory as pt
    >>> from perceptron_theory.calibration.comparing import compare_models
    >>> rows = []
    >>> for n_total in (300, 600, 1200, 2400, 4800, 9600):
    ...     for f, rule in ((1.0, "random"), (0.2, "random"), (0.2, "hard")):
    ...         epsilon = pt.solve(f * n_total / 300, f, 0.3, selection=rule).test_error
    ...         rows.append((n_total, round(f * n_total), rule, float(epsilon), 0))
    >>> columns = ["n_total", "n_kept", "selection", "test_error", "seed"]
    >>> compared = compare_models(pd.DataFrame(rows, columns=columns), theories=["max-margin"])
    >>> compared.best
    'max-margin'
    """
    table = runs if isinstance(runs, Runs) else read_runs(runs)
    chosen = _theories(theories)
    guess = one_number("chance", number_array("chance", chance, "it is the error of guessing"))
    cells = cells_of(table, guess)
    size = _sizes(cells)
    given = np.median(np.unique(size)) if largest is None else number_array("largest", largest, "it counts examples")
    limit = one_number("largest", np.asarray(given, dtype=np.float64))
    fitted = size <= limit
    if not fitted.any() or fitted.all():
        raise InvalidInputError(
            f"there must be runs on both sides of largest, got {limit:g} with sizes {np.unique(size).tolist()}: "
            "choose it between them, or measure more sizes."
        )
    smaller = Runs(table.table[_sizes_of_runs(table, cells) <= limit])
    calibrations = {
        name: calibrate(smaller, scores, student=one.student, free=one.free, chance=chance, intervals="normal")
        for name, one in track(list(chosen.items()), "theories", progress)
    }
    laws: dict[str, Law] = {kind: fit_law(smaller, kind, chance) for kind in LAWS}
    predictions = pd.DataFrame({"n_total": cells.n_total, "n_kept": cells.n_kept, "selection": cells.selection})
    predictions["measured"], predictions["held_out"] = np.exp(cells.log_error), ~fitted
    for name, calibration in calibrations.items():
        predictions[name] = calibration.expected(cells.n_total, cells.n_kept, cells.selection)
    for name, law in laws.items():
        predictions[name] = law.predict(cells.n_total, cells.n_kept, cells.selection)
    rows = {name: _row(predictions, name, calibrations) for name in (*calibrations, *laws)}
    return ModelComparison(pd.DataFrame(rows).T.astype(float), predictions, calibrations, laws)


def _theories(theories: Mapping[str, Theory] | Sequence[str]) -> dict[str, Theory]:
    if not theories:
        raise InvalidInputError(
            f"theories must not be empty: use {', '.join(map(repr, THEORIES))}, or a dict of Theory."
        )
    if isinstance(theories, Mapping):
        return dict(theories)
    if isinstance(theories, str):
        theories = [theories]
    for name in theories:
        if name not in THEORIES:
            raise InvalidInputError(
                f"unknown theory {name!r}: use {', '.join(map(repr, THEORIES))}, or a dict of Theory."
            )
    return {name: THEORIES[name] for name in theories}


def _sizes(cells: Cells) -> FloatArray:
    """What runs are small by: the pool, or what is kept of the only one."""
    return cells.n_total if np.unique(cells.n_total).size > 1 else cells.n_kept


def _sizes_of_runs(runs: Runs, cells: Cells) -> FloatArray:
    return (runs.table["n_total"] if np.unique(cells.n_total).size > 1 else runs.table["n_kept"]).to_numpy(np.float64)


def _row(predictions: pd.DataFrame, name: str, calibrations: Mapping[str, Calibration]) -> dict[str, float]:
    off = np.log((predictions[name] / predictions["measured"]).to_numpy(dtype=np.float64))
    held, selection = predictions["held_out"].to_numpy(dtype=np.bool_), predictions["selection"].to_numpy()

    def size(where: npt.NDArray[np.bool_]) -> float:
        told = off[where & np.isfinite(off)]
        return float(np.sqrt(np.mean(told**2))) if told.size else math.nan

    rules = {str(rule): size(held & (selection == rule)) for rule in np.unique(selection.astype(np.str_))}
    misfit = calibrations[name].misfit if name in calibrations else math.nan
    answered = int(np.isfinite(off[held]).sum())
    return {"fitted": size(~held), "held_out": size(held), **rules, "predicted": answered, "misfit": misfit}
