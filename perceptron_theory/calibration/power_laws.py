"""Laws of measured errors that know no theory: a power law for each rule, or that of random data for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from perceptron_theory.calibration.law_fits import RuleFit, RuleLaw, Terms
from perceptron_theory.calibration.runs import Runs, run_rule
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.margins.selection import Band
from perceptron_theory.validation import check_plain, check_points, number_array, one_number, positive

FloatArray = npt.NDArray[np.float64]
Kind = Literal["power law", "broken power law", "same as random"]

#: Different n_kept that a law needs: its parameters of n; two more for the floor, lest it be read off the last point.
_SIZES: Final = 2
_SIZES_BROKEN: Final = 5
_SIZES_FLOOR: Final = 2
#: The fraction has an exponent of its own if ln f differs by this from what n_kept says: pools 10 % apart.
_APART: Final = 0.1


@dataclass(frozen=True, eq=False)
class Law:
    """Test error of runs by a law that was fitted to other runs.

    Attributes
    ----------
    kind : str
        "power law", "broken power law" or "same as random".
    chance : float
        Error of a guess: predictions are capped there.
    parameters : dict of str to RuleLaw
        By rule, none where it could not be fitted. "same as random" has one for "random", used for every rule.
    status : dict of str to str
        By rule: "fitted", with what was left out of its law and why, or "not fitted" and why.

    Examples
    --------
    >>> from perceptron_theory.calibration.law_fits import RuleLaw
    >>> from perceptron_theory.calibration.power_laws import Law
    >>> law = Law("power law", 0.5, {"hard": RuleLaw(floor=0.0, A=2.0, c0=0.5, d=1.0)}, {"hard": "fitted"})
    >>> law.predict(1000, [10, 100, 400], "hard").round(3).tolist()
    [0.5, 0.5, 0.25]
    """

    kind: Kind
    chance: float
    parameters: dict[str, RuleLaw]
    status: dict[str, str]

    def predict(self, n_total: npt.ArrayLike, n_kept: npt.ArrayLike, selection: npt.ArrayLike) -> FloatArray:
        """Test error of other runs.

        Parameters
        ----------
        n_total, n_kept : array_like
            Examples in the pool and kept of these, 1 <= n_kept <= n_total.
        selection : str or array_like of str
            Rules, named as in `Runs`; all three broadcast.

        Returns
        -------
        ndarray
            Of their shape; NaN for a rule without a law.

        Raises
        ------
        InvalidInputError
            If a count lies outside its range, a name is none of a rule, or the shapes do not broadcast.
        """
        total, kept, rules = _broadcast(n_total, n_kept, selection)
        errors = np.full(total.shape, np.nan)
        for name in np.unique(rules):
            key = "random" if self.kind == "same as random" else _key(name)
            if key in self.parameters:
                at = rules == name
                errors[at] = self.parameters[key].error(kept[at], kept[at] / total[at])
        return np.asarray(np.minimum(errors, self.chance))


def fit_law(runs: Runs, kind: Kind, chance: float) -> Law:
    """Law fitted to runs, without any theory: what a theory has to beat.

    Log errors are fitted by least squares, every run with the same weight, from several fixed starts: a law is a
    function of the runs. Where all is kept rules do not differ: such runs, of whatever rule, belong to every rule,
    and a rule that is seen there only is not known. The law of "random" depends on n_kept alone.

    Parameters
    ----------
    runs : Runs
        Of one task, student and metric, with test errors > 0.
    kind : {"power law", "broken power law", "same as random"}
        "power law": floor + A n_kept^-c0 f^-d for each rule. d = 0 where f says no more than n_kept, as in runs on one
        pool; floor = 0 for fewer than 4 different n_kept.
        "broken power law": with a break in n_kept, see `RuleLaw`, for each rule with 5 different n_kept or more (7 for
        a floor); else the power law.
        "same as random": the power law of random data for every rule.
    chance : float
        Largest possible error, in (0, 1): 0.5 for two classes, 0.9 for ten. Laws are capped there, in the fit too.

    Returns
    -------
    Law
        Its `status` says by rule what could not be fitted.

    Raises
    ------
    InvalidInputError
        If no rule can be fitted, or an argument lies outside its range.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from perceptron_theory.calibration.power_laws import fit_law
    >>> from perceptron_theory.calibration.runs import Runs
    >>> n = np.array([100, 200, 400, 800])
    >>> table = {"n_total": n, "n_kept": n, "selection": "random", "test_error": 3.0 / n, "seed": 0}
    >>> law = fit_law(Runs(pd.DataFrame(table)), "power law", chance=0.5)
    >>> law.predict(6000, 1500, "random").round(6).item(), law.status
    (0.002, {'random': 'fitted'})
    """
    if kind not in get_args(Kind):
        raise InvalidInputError(f"unknown kind of law {kind!r}: use {', '.join(map(repr, get_args(Kind)))}.")
    cap = _chance(chance)
    parameters, status = {}, {}
    points = _points(runs)
    for rule in ["random"] if kind == "same as random" else points:
        law, status[rule] = _fit_rule(rule, points[rule], kind, cap)
        if law is not None:
            parameters[rule] = law
    if not parameters:
        said = "; ".join(f"{rule}: {text}" for rule, text in status.items())
        needed = f"with test errors > 0 and {_SIZES} different n_kept or more"
        which = "runs at random or with f = 1," if kind == "same as random" else "runs"
        raise InvalidInputError(f"no {kind!r} can be fitted ({said}): give {which} {needed}.")
    return Law(kind, cap, parameters, status)


def _points(runs: Runs) -> dict[str, pd.DataFrame]:
    """Runs that the law of each rule is fitted to, by rule; none for a rule that is seen at f = 1 only."""
    table = runs.table.assign(rule=runs.table["selection"].map(_key), f=runs.f)
    # The same run may be listed under several rules.
    whole = table[table["f"] == 1.0].drop_duplicates(["n_total", "seed", "test_error"])
    names = dict.fromkeys(["random", *table["rule"]])
    own = {rule: table[(table["rule"] == rule) & (table["f"] < 1.0)] for rule in names}
    return {rule: pd.concat([whole, own[rule]]) if rule == "random" or len(own[rule]) else own[rule] for rule in names}


def _fit_rule(rule: str, points: pd.DataFrame, kind: Kind, chance: float) -> tuple[RuleLaw | None, str]:
    """Law of one rule, None if it has none, and its status."""
    if points.empty:
        return None, f"not fitted: no run with f < 1{' or f = 1' * (rule == 'random')}"
    sizes = points["n_kept"].nunique()
    if zero := int((points["test_error"] == 0.0).sum()):
        return None, f"not fitted: a test error of 0 has no logarithm ({zero} of {len(points)} runs)"
    if sizes < _SIZES:
        return None, f"not fitted: {sizes} different n_kept, {_SIZES} needed"
    n_kept, f, error = (points[name].to_numpy(dtype=np.float64) for name in ("n_kept", "f", "test_error"))
    terms, left_out = _terms(n_kept, f, rule, kind)
    law, converged = RuleFit(n_kept, f, error, chance, terms).best()
    return law, "; ".join(["fitted", *left_out, *["least squares did not end"] * (not converged)])


def _terms(n_kept: FloatArray, f: FloatArray, rule: str, kind: Kind) -> tuple[Terms, list[str]]:
    """What runs tell of a law, and what they do not."""
    sizes = np.unique(n_kept).size
    broken = kind == "broken power law" and sizes >= _SIZES_BROKEN
    floor_needs = _SIZES_FLOOR + (_SIZES_BROKEN if broken else _SIZES)
    terms = Terms(floor=sizes >= floor_needs, fraction=rule != "random" and _independent(n_kept, f), broken=broken)
    left_out = {
        f"no break ({sizes} different n_kept, {_SIZES_BROKEN} needed)": kind == "broken power law" and not broken,
        f"floor = 0 ({sizes} different n_kept, {floor_needs} needed)": not terms.floor,
        "d = 0 (f does not vary independently of n_kept)": rule != "random" and not terms.fraction,
    }
    return terms, [note for note, holds in left_out.items() if holds]


def _independent(n_kept: FloatArray, f: FloatArray) -> bool:
    """Whether f varies at equal n_kept: whether ln f is no straight line in ln n_kept."""
    line = np.polynomial.Polynomial.fit(np.log(n_kept), np.log(f), 1)
    return bool(np.abs(np.log(f) - line(np.log(n_kept))).max() > _APART)


def _broadcast(
    n_total: npt.ArrayLike, n_kept: npt.ArrayLike, selection: npt.ArrayLike
) -> tuple[FloatArray, FloatArray, npt.NDArray[np.str_]]:
    total = positive("n_total", n_total, "n_total counts the examples in the pool")
    kept = positive("n_kept", n_kept, "n_kept counts the examples kept")
    check_plain("selection", selection)
    try:
        rules = np.asarray(selection, dtype=np.str_)
        shape = np.broadcast_shapes(total.shape, kept.shape, rules.shape)
    except ValueError:
        raise InvalidInputError(
            f"n_total, n_kept and selection must broadcast, got shapes {total.shape}, {kept.shape} and "
            f"{np.shape(selection)}: give one value or as many."
        ) from None
    check_points(shape)
    total, kept, rules = np.broadcast_arrays(total, kept, rules)
    if (more := kept > total).any():
        raise InvalidInputError(
            f"n_kept must be at most n_total, got {kept[more][0]:g} of {total[more][0]:g}: both count examples."
        )
    return total, kept, rules


def _key(name: str) -> str:
    """Name of a rule, one for each way to write the quantile of a band."""
    rule = run_rule(str(name))
    return f"band:{rule.lower}" if isinstance(rule, Band) else rule.name


def _chance(chance: float) -> float:
    meaning = "it is the error of a guess, 0.5 for two classes, 0.9 for ten"
    if not 0.0 < (value := one_number("chance", number_array("chance", chance, meaning))) < 1.0:
        raise InvalidInputError(f"chance must lie in (0, 1), got {value:g}: {meaning}.")
    return value
