"""Curves of a calibrated theory behind its measured runs: along fixed fractions of many pools, or along few pools."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.interpolate import PchipInterpolator

from perceptron_theory.calibration.calibration import Calibration
from perceptron_theory.calibration.runs import run_rule
from perceptron_theory.progress import track

FloatArray = npt.NDArray[np.float64]

#: Fractions, or pools, that are drawn at most.
MOST_PANELS: Final = 4
#: Beyond the largest measured run, curves go on for this factor.
BEYOND: Final = 4.0
#: Points of a curve, and of its band relative to the curve, which is smooth and slow to compute.
_POINTS, _BAND_POINTS = 49, 7
#: Numbers that differ by less, relatively, are meant to be the same: n_kept is rounded.
_SAME: Final = 0.03
#: Bands stand between.
_ORDER: Final = {"random": 0, "hard": 1, "easy": 3}


class Panel(NamedTuple):
    """Runs that one set of curves goes through.

    Attributes
    ----------
    by : {"f", "n_total"}
        What they share.
    value : float
        The fraction kept in (0, 1], or the number of examples in the pool.
    """

    by: Literal["f", "n_total"]
    value: float

    def holds(self, n_total: npt.ArrayLike, n_kept: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Which runs belong to it."""
        total, kept = np.asarray(n_total, dtype=np.float64), np.asarray(n_kept, dtype=np.float64)
        shared = kept / total if self.by == "f" else total
        return np.asarray(np.abs(np.log(shared / self.value)) <= _SAME)

    def pools(self, n_kept: FloatArray) -> FloatArray:
        """Examples in the pool that so many are kept of."""
        return n_kept / self.value if self.by == "f" else np.full(n_kept.shape, self.value)

    @property
    def title(self) -> str:
        """What they share, in words."""
        return f"f = {self.value:.3g}" if self.by == "f" else f"pool of {self.value:,.0f}"


def distinct(values: FloatArray) -> FloatArray:
    """Different values, ascending, without those that differ by rounding.

    Examples
    --------
    >>> import numpy as np
    >>> distinct(np.array([0.1, 0.4, 0.1003, 1.0])).tolist()
    [0.1, 0.4, 1.0]
    """
    kept: list[float] = []
    for value in np.unique(values).tolist():
        if not kept or value > kept[-1] * (1.0 + _SAME):
            kept.append(value)
    return np.array(kept)


def ordered(rules: Iterable[str]) -> list[str]:
    """Different rules from random over the hardest to the easiest.

    Examples
    --------
    >>> ordered(["easy", "band:0.1", "random", "hard", "easy"])
    ['random', 'hard', 'band:0.1', 'easy']
    """
    return sorted(set(rules), key=lambda name: (_ORDER.get(name, 2), float(name.partition(":")[2] or 0.0)))


def panels(calibration: Calibration) -> list[Panel]:
    """At most four panels: by fraction or by pool, whichever is fewer; evenly picked where there are more."""
    runs = calibration.residuals
    pruned = runs[runs["f"] < 1.0]
    if pruned.empty:
        return [Panel("f", 1.0)]
    fractions, pools = (distinct(column.to_numpy(dtype=np.float64)) for column in (pruned["f"], runs["n_total"]))
    by: Literal["f", "n_total"] = "f" if fractions.size <= pools.size else "n_total"
    values = fractions if by == "f" else pools
    if values.size > MOST_PANELS:
        values = values[np.rint(np.linspace(0, values.size - 1, MOST_PANELS)).astype(int)]
    return [Panel(by, value) for value in values.tolist()]


def calibrated_curves(calibration: Calibration, *, progress: bool = False) -> pd.DataFrame:
    """Expected test error along n_kept, with its band, for each rule that was measured and a random subset.

    Parameters
    ----------
    calibration : Calibration
        From `calibrate`.
    progress : bool
        Show a progress bar.

    Returns
    -------
    DataFrame
        by ("f" or "n_total": what the curve keeps fixed), value, selection, n_total, n_kept, test_error, low, high
        (band of the expected error at the level of the calibration; interpolated between 7 sizes relative to the
        curve), extrapolated (more kept than in any run of that panel; of random subsets, than in any of all pools).

    Examples
    --------
    >>> import numpy as np, pandas as pd, perceptron_theory as pt
    >>> from perceptron_theory.plotting.calibrated_curves import calibrated_curves
    >>> n = np.array([100, 300, 1000, 3000])
    >>> error = pt.solve(n / 100, 1.0, 0.0, selection="random").test_error
    >>> table = {"n_total": n, "n_kept": n, "selection": "random", "test_error": error, "seed": 0}
    >>> curves = calibrated_curves(pt.calibrate(pd.DataFrame(table), free=["N"], fixed={"theta": 0.0}))
    >>> float(curves["n_kept"].min()), float(curves["n_kept"].max().round()), set(curves["selection"])
    (100.0, 12000.0, {'random'})
    """
    found = [_curve(calibration, *one) for one in track(list(_wanted(calibration)), "curves", progress)]
    return pd.concat(found, ignore_index=True)


def _wanted(calibration: Calibration) -> Iterator[tuple[Panel, str, tuple[float, float], float]]:
    """Each panel with each rule, the ends of its curve, and the largest n_kept that was measured."""
    runs = calibration.residuals
    for panel in panels(calibration):
        here = runs[panel.holds(runs["n_total"], runs["n_kept"])]
        low, largest = float(here["n_kept"].min()), float(here["n_kept"].max())
        for name in ordered({"random", *here["selection"]}):
            # Random subsets of other pools tell as much.
            measured = max(runs.loc[runs["selection"] == name, "n_kept"], default=0.0) if name == "random" else largest
            high = BEYOND * largest if panel.by == "f" else panel.value * run_rule(name).largest_f()
            yield panel, name, (low, max(low, high)), measured


def _curve(
    calibration: Calibration, panel: Panel, name: str, ends: tuple[float, float], measured: float
) -> pd.DataFrame:
    kept, nodes = (np.geomspace(ends[0], ends[1], n) for n in (_POINTS, _BAND_POINTS))
    total = panel.pools(kept)
    curve = calibration.expected(total, kept, np.full(_POINTS, name))
    band = calibration.forecast(panel.pools(nodes), nodes, np.full(_BAND_POINTS, name))
    columns = {"by": panel.by, "value": panel.value, "selection": name, "n_total": total, "n_kept": kept}
    table = pd.DataFrame(columns).assign(test_error=curve)
    for end in ("low", "high"):
        table[end] = curve * _between(nodes, (band[end] / band["test_error"]).to_numpy(dtype=np.float64), kept)
    return table.assign(extrapolated=~(kept <= measured * (1.0 + 1e-9)))


def _between(nodes: FloatArray, ratio: FloatArray, at: FloatArray) -> FloatArray:
    """Ratios between the sizes where they are known; NaN where a neighbour is not."""
    known = np.isfinite(ratio)
    if known.sum() < 2 or nodes[0] == nodes[-1]:
        return np.full(at.size, np.nan)
    found = np.exp(PchipInterpolator(np.log(nodes[known]), np.log(ratio[known]))(np.log(at)))
    gap = np.interp(np.log(at), np.log(nodes), np.where(known, 0.0, 1.0)) > 0.0
    return np.asarray(np.where(gap, np.nan, found))
