"""What a point means, in plain words with its numbers."""

from __future__ import annotations

import math

import xarray as xr

from perceptron_theory.errors import PerceptronTheoryError
from perceptron_theory.explorer.point import Point, status
from perceptron_theory.explorer.setting import Setting
from perceptron_theory.solving.solution import Status


def per_cent(share: float) -> str:
    """A share in three digits.

    Examples
    --------
    >>> per_cent(0.06527), per_cent(1.0), per_cent(3.2e-7)
    ('6.53 %', '100 %', '0.000032 %')
    """
    shown = f"{100.0 * share:.3g}"
    return f"{100.0 * share:.6f} %" if "e" in shown else f"{shown} %"


def kept_words(setting: Setting, f: float) -> str:
    """Which part of a pool is kept.

    Examples
    --------
    >>> kept_words(Setting(), 0.3), kept_words(Setting(selection="band", lower=0.1), 0.25)
    ('the hardest 30 %', 'the 25 % behind the hardest 10 %')
    """
    share = per_cent(f)
    if setting.selection == "random":
        return f"a random {share}"
    if setting.selection == "band":
        return f"the {share} behind the hardest {per_cent(setting.lower)}"
    return f"the {setting.selection}est {share}".replace("easyest", "easiest")


def meaning(setting: Setting, point: Point) -> str:
    """The sentence of a point: its error beside that of as many random examples, and of all.

    Examples
    --------
    >>> from perceptron_theory.explorer.point import solved_point
    >>> first, second = meaning(Setting(), solved_point(Setting())).split(", against ")
    >>> print(first)
    Of 10 examples per parameter keep the hardest 30 %: the error is 6.53 %
    >>> print(second)
    14.3 % with as many random ones and 4.92 % with all.
    """
    kept = f"Of {setting.alpha_tot:g} examples per parameter keep {kept_words(setting, setting.f)}"
    error, random, everything = (float(one.test_error) for one in (point.solution, point.random, point.everything))
    if math.isnan(error):
        return f"{kept}: no number here, the point failed its certificate ({status(point.solution)})."
    beside = (
        [] if math.isnan(random) or setting.selection == "random" else [f"{per_cent(random)} with as many random ones"]
    )
    beside += [] if math.isnan(everything) else [f"{per_cent(everything)} with all"]
    against = f", against {' and '.join(beside)}" if beside else ""
    return f"{kept}: the error is {per_cent(error)}{against}."


def best_meaning(setting: Setting, best: xr.Dataset) -> str:
    """The sentence of the frontier at the size that a setting keeps.

    Parameters
    ----------
    setting : Setting
        Where.
    best : xarray.Dataset
        From `pareto_frontier` at the scalar size `setting.alpha_prune`.
    """
    size = f"{setting.alpha_prune:.3g} kept per parameter"
    if best.active.item() == "infeasible":
        return f"A pool of at most {setting.ceiling:g} has no {size}: raise the ceiling."
    if int(best.status) != Status.CONVERGED:
        return f"The best fraction for {size} is missing: {Status(int(best.status)).sentence}."
    f, error = float(best.f), per_cent(float(best.test_error))
    if best.active.item() == "keep most":
        return f"With {size}, the best is to have no larger pool: keep {per_cent(f)}, the error is {error}."
    held = ", as much as the ceiling allows" if best.active.item() == "alpha_tot_max" else ""
    return (
        f"With {size} from a pool of at most {setting.ceiling:g}, the best is {kept_words(setting, f)} of "
        f"{float(best.alpha_tot):.3g}{held}: the error is {error}."
    )


def unbroken(text: str) -> str:
    """Numbers stay beside their per cent signs at the end of a line."""
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


def said(error: PerceptronTheoryError | MemoryError) -> str:
    """An error in one line."""
    if isinstance(error, MemoryError):
        return "out of memory: use a smaller file."
    return " ".join(str(error).split())
