"""How much of a pool to keep, and which part, with what error: a calibrated theory asked for advice."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import brentq
from scipy.special import ndtr

from perceptron_theory.calibration.forecasts import log_errors
from perceptron_theory.calibration.identifiability import possible
from perceptron_theory.convex_loss import ConvexLoss
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.validation import number_array, one_number, whole_number

if TYPE_CHECKING:
    from perceptron_theory.calibration.calibration import Calibration

FloatArray = npt.NDArray[np.float64]

#: What is tried beside a random subset; bands leave out the hardest examples, up to these quantiles of |z|.
RULES: Final = ("hard", "easy", "band:0.05", "band:0.1", "band:0.2")
#: Pools that are ranked: all of it, and random parts of it down to the budget.
_POOLS: Final = 7
#: Fractions that are tried where the budget is the whole pool.
_FRACTIONS: Final = (0.7, 0.4, 0.2, 0.1)
#: Training sets that are tried on the way to an error: so many, twice, from so few.
_SIZES, _FEWEST = 33, 10
#: Random subsets as good as the advice are looked for up to this many times the pool.
_FARTHEST: Final = 1e4
#: Advice against a random subset is given where it is better with this probability.
CONFIDENT: Final = 0.8
#: And where the error is expected to be smaller by at least this share.
WORTHWHILE: Final = 0.01


@dataclass(frozen=True, eq=False)
class Recommendation:
    """What to keep.

    Attributes
    ----------
    selection : str
        "hard", "easy", "band:Q" or "random"; "all" where everything is kept.
    n_pool : int
        Examples to rank; a random part of the pool where that is smaller.
    n_kept : int
        Examples to keep of these.
    test_error, low, high : float
        What to expect, and where a run falls at the level of the calibration.
    random_error, random_low, random_high : float
        The same for a random subset of as many examples.
    all_error : float
        What to expect of the whole pool.
    random_needed : float
        Random examples that reach the same error; infinite if no number does.
    probability : float
        That the best pruning is better than a random subset of the same size, over the parameters that the runs allow
        and the misfit of both, whatever the seed; NaN if nothing else can be done with so many.
    table : DataFrame
        Expected errors of everything that was compared.
    reasons : tuple of str
        In plain sentences.
    student : "max-margin" or ConvexLoss
        Whose theory was calibrated.
    """

    selection: str
    n_pool: int
    n_kept: int
    test_error: float
    low: float
    high: float
    random_error: float
    random_low: float
    random_high: float
    all_error: float
    random_needed: float
    probability: float
    table: pd.DataFrame
    reasons: tuple[str, ...] = ()
    student: str | ConvexLoss = "max-margin"

    def __str__(self) -> str:
        return " ".join(self.reasons)


def recommend(
    calibration: Calibration, *, pool: int, budget: float | None = None, error: float | None = None
) -> Recommendation:
    """What to keep of a pool within a budget, or to reach an error; see `Calibration.recommend`."""
    n_pool = whole_number("pool", pool, 1, "it is the number of examples that there are")
    if budget is not None and error is None:
        return _advice(calibration, n_pool, min(whole_number("budget", budget, 1, "it is to be trained on"), n_pool))
    if budget is not None or error is None:
        raise InvalidInputError(
            f"give either budget or error, got {budget!r} and {error!r}: one follows from the other."
        )
    goal = one_number("error", number_array("error", error, "it is the test error to reach"))
    if not 0.0 < goal < 1.0:
        raise InvalidInputError(f"error must lie in (0, 1), got {goal:g}: it is the test error to reach.")
    advice = _advice(calibration, n_pool, _size_for(calibration, n_pool, goal))
    if not advice.test_error > goal:
        return advice
    # A random subset was advised, of a size at which only something else was expected to reach the error.
    return _advice(calibration, n_pool, _size_for(calibration, n_pool, goal, only_random=True))


def _advice(calibration: Calibration, n_pool: int, n_kept: int) -> Recommendation:
    table = _options(calibration, n_pool, np.array([float(n_kept)]))
    told = table.dropna(subset=["test_error"])
    random = table.iloc[0]
    best = told.iloc[int(told["test_error"].to_numpy().argmin())] if len(told) else random
    probability = _probability(calibration, best, random) if best.name != random.name else math.nan
    worthwhile = best["test_error"] < (1.0 - WORTHWHILE) * random["test_error"]
    rejected = None if math.isnan(probability) or (probability >= CONFIDENT and worthwhile) else best
    found = _described(calibration, n_pool, random if rejected is not None else best, random, probability, table)
    return replace(found, reasons=tuple(_sentences(calibration, n_pool, found, rejected)))


def frontier(calibration: Calibration, budgets: npt.ArrayLike, pool: int) -> pd.DataFrame:
    """Best expected test error at each budget; see `Calibration.frontier`."""
    sizes = np.atleast_1d(number_array("budgets", budgets, "they are numbers of examples to train on")).ravel()
    shown = ("n_pool", "n_kept", "selection", "test_error", "low", "high", "random_error", "probability")
    if not sizes.size:
        raise InvalidInputError("budget must not be empty: give numbers of examples to train on.")
    whole = [int(size) if math.isfinite(size) and size == math.floor(size) else size for size in sizes.tolist()]
    rows = [recommend(calibration, pool=pool, budget=size) for size in whole]
    return pd.DataFrame([{name: getattr(row, name) for name in shown} for row in rows])


def _described(
    calibration: Calibration, n_pool: int, best: pd.Series, random: pd.Series, probability: float, table: pd.DataFrame
) -> Recommendation:
    """Numbers of the advice."""
    rows = pd.DataFrame([best, random])
    bands = calibration.forecast(*(rows[name].to_numpy() for name in ("n_total", "n_kept", "selection")))
    expected, other = bands[["test_error", "run_low", "run_high"]].to_numpy(dtype=np.float64).tolist()
    return Recommendation(
        selection="all" if best["n_kept"] == n_pool else str(best["selection"]),
        n_pool=round(best["n_total"]),
        n_kept=round(best["n_kept"]),
        test_error=expected[0],
        low=expected[1],
        high=expected[2],
        random_error=other[0],
        random_low=other[1],
        random_high=other[2],
        all_error=float(_centre(calibration, [float(n_pool)], [float(n_pool)], ["random"])[0]),
        random_needed=_random_needed(calibration, n_pool, float(best["test_error"])),
        probability=probability,
        table=table,
        student=calibration.task.curves.student,
    )


def _options(calibration: Calibration, n_pool: int, sizes: FloatArray) -> pd.DataFrame:
    """Random subsets first, then all rules on pools from all of it down to the size."""
    measured = [str(name) for name in np.unique(calibration.task.cells.selection) if name != "random"]
    rules = list(dict.fromkeys([*RULES, *measured]))
    rows = [(float(n_pool), size, "random") for size in sizes.tolist()]
    for size in sizes.tolist():
        pools = np.unique(np.rint(np.geomspace(size, n_pool, _POOLS)))[::-1].tolist()
        pairs = [(pool, size) for pool in pools] if size < n_pool else [(size, round(f * size)) for f in _FRACTIONS]
        rows += [
            (pool, kept, rule)
            for (pool, kept), rule in itertools.product(pairs, rules)
            if kept >= 1.0 and possible(rule, kept / pool)
        ]
    total, kept, names = (list(column) for column in zip(*rows, strict=True))
    errors = _centre(calibration, total, kept, names)
    return pd.DataFrame({"n_total": total, "n_kept": kept, "selection": names, "test_error": errors})


def _centre(calibration: Calibration, total: list[float], kept: list[float], names: list[str]) -> FloatArray:
    """Expected errors; NaN where they depend on what the runs do not tell."""
    return calibration.expected(np.array(total), np.array(kept), np.array(names))


def _probability(calibration: Calibration, one: pd.Series, other: pd.Series) -> float:
    """That one run is better than another."""
    total, kept = (np.array([run[name] for run in (one, other)], dtype=np.float64) for name in ("n_total", "n_kept"))
    names = np.array([one["selection"], other["selection"]])
    errors = log_errors(calibration.task, calibration.draws, total, kept, names)
    gap = (errors[:, 1] - errors[:, 0])[np.isfinite(errors).all(axis=1)]
    noise = math.sqrt(2.0) * calibration.misfit
    return float(np.mean(ndtr(gap / noise) if noise > 0.0 else gap > 0.0)) if gap.size else math.nan


def _random_needed(calibration: Calibration, n_pool: int, error: float) -> float:
    """Size of a random subset with this error."""

    def excess(log_size: float) -> float:
        size = math.exp(log_size)
        return float(_centre(calibration, [size], [size], ["random"])[0]) - error

    if math.isnan(error):
        return math.nan
    low, high = 0.0, math.log(_FARTHEST * n_pool)
    ends = excess(low), excess(high)
    if math.isnan(ends[0] + ends[1]) or ends[1] > 0.0:
        return math.nan if math.isnan(ends[0] + ends[1]) else math.inf
    return math.exp(brentq(excess, low, high, rtol=1e-6)) if ends[0] > 0.0 else 1.0


def _size_for(calibration: Calibration, n_pool: int, goal: float, only_random: bool = False) -> int:
    """Fewest examples with which the best pruning, or a random subset, is expected to reach an error."""
    low, high = float(min(_FEWEST, n_pool)), float(n_pool)
    for _ in range(2):
        sizes = np.unique(np.rint(np.geomspace(low, high, _SIZES)))
        table = _options(calibration, n_pool, sizes)
        if only_random:
            table = table[table["selection"] == "random"]
        best = table.groupby("n_kept")["test_error"].min().reindex(sizes)
        reached = np.flatnonzero((best <= goal).to_numpy())
        if not reached.size:
            raise InvalidInputError(
                f"an error of {goal:g} is out of reach with {n_pool:,} examples, the best expected is "
                f"{best.min():.4g}: ask for a higher error, or get a larger pool."
            )
        first = int(reached[0])
        low, high = float(sizes[max(first - 1, 0)]), float(sizes[first])
    return round(high)


def _sentences(calibration: Calibration, n_pool: int, found: Recommendation, rejected: pd.Series | None) -> list[str]:
    band = f"{100 * calibration.level:.0f} % of runs between {found.low:.4g} and {found.high:.4g}"
    said = []
    if found.selection == "all":
        said.append(
            f"Do not prune: train on all {n_pool:,} examples. Expected test error {found.test_error:.4g} ({band})."
        )
    else:
        of = (
            f"{found.n_pool:,} examples"
            if found.n_pool == n_pool
            else f"a random {found.n_pool:,} of {n_pool:,} examples"
        )
        said.append(
            f"Keep {found.n_kept:,} of {of}: {_WORDS.get(found.selection, found.selection)}. Expected test error "
            f"{found.test_error:.4g} ({band})."
        )
    if found.selection not in ("all", "random"):
        needed = f"{found.random_needed:,.0f}" if math.isfinite(found.random_needed) else "no number of"
        said.append(
            f"A random subset of that size: {found.random_error:.4g}; {needed} random examples would reach the same. "
            f"Better than random with probability {found.probability:.2f}. All {n_pool:,}: {found.all_error:.4g}."
        )
    if rejected is not None:
        said.append(
            f"The best pruning found ({rejected.selection}, {rejected.n_kept:,.0f} of {rejected.n_total:,.0f}: "
            f"{rejected.test_error:.4g} against {found.test_error:.4g}) is better with probability "
            f"{found.probability:.2f}; {CONFIDENT:g} and a gain of {100 * WORTHWHILE:g} % are asked for."
        )
    largest = calibration.task.cells.n_total.max()
    if n_pool > largest:
        said.append(f"The pool is {n_pool / largest:.3g} times the largest that was measured: this is extrapolated.")
    fewest = calibration.task.cells.n_kept.min()
    if found.n_kept < fewest:
        said.append(f"The fewest examples that were trained on are {fewest:,.0f}: fewer are extrapolated.")
    doubts = [doubt for doubt in (calibration.lack_of_fit, calibration.identifiability) if doubt]
    return said + doubts


_WORDS: Final = {
    "hard": "the hardest",
    "easy": "the easiest",
    "random": "a random subset",
} | {f"band:{q:g}": f"the hardest but for the top {100 * q:g} % in difficulty" for q in (0.05, 0.1, 0.2)}
