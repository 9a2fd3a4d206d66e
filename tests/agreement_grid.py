"""The agreement grid: theory against exact finite perceptrons, in cells chosen before looking.

Run as ``python tests/agreement_grid.py STORE`` to simulate (about five minutes on two cores; may be killed and
started again) and write ``agreement/grid.csv``: for each cell and observable the difference between simulation
and theory, extrapolated to N -> infinity, and its standard error.

67 cells, N = 100, 200 and 400, 100 trials each, alpha_prune from 0.5 to 10, f from 0.1 to 1, theta from 0 to 60
degrees; hard, easy and band on Gaussian data, hard and easy on measured margins. All alpha_prune N and
alpha_prune N / f are whole.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

import perceptron_theory as pt
from perceptron_theory.margins.selection import Selection

SIZES = (100, 200, 400)
TRIALS = 100
SEED = 2206
ALL_SIZES = (0.5, 1.0, 2.0, 3.0, 5.0, 10.0)
TABLE = Path(__file__).parent / "agreement" / "grid.csv"


class Cells(NamedTuple):
    """alpha_prune times (f, theta in degrees) under one rule."""

    name: str
    selection: str | Selection
    alpha_prune: tuple[float, ...]
    f_theta_deg: tuple[tuple[float, float], ...]
    measured: bool = False


GRID = (
    Cells("hard", "hard", ALL_SIZES, ((0.1, 0.0), (0.4, 0.0), (0.2, 10.0), (0.25, 30.0), (0.5, 60.0))),
    Cells("easy", "easy", ALL_SIZES, ((0.4, 0.0), (0.2, 20.0), (0.5, 60.0))),
    Cells("band", pt.Band(0.2), (0.5, 2.0, 5.0, 10.0), ((0.4, 10.0), (0.2, 30.0))),
    Cells("all", "hard", (0.5, 3.0, 10.0), ((1.0, 45.0),)),
    Cells("measured hard", "hard", (0.5, 2.0, 5.0, 10.0), ((0.25, np.nan),), measured=True),
    Cells("measured easy", "easy", (0.5, 2.0, 5.0, 10.0), ((0.4, np.nan),), measured=True),
)


def simulate(cells: Cells, store: Path) -> pt.Sweep:
    """Simulations of all cells under one rule; measured ones are the embedded digits, at the angle of their probe."""
    margins, theta = None, [np.deg2rad(degrees) for _, degrees in cells.f_theta_deg]
    if cells.measured:
        digits = pt.digits_scores()
        margins, theta = digits.margins(by="value"), [digits.theta_from_errors()]
    return pt.simulate_sweep(
        store / cells.name.replace(" ", "-"),
        SIZES,
        np.repeat(cells.alpha_prune, len(cells.f_theta_deg)),
        np.tile([f for f, _ in cells.f_theta_deg], len(cells.alpha_prune)),
        np.tile(theta, len(cells.alpha_prune)),
        selection=cells.selection,
        margins=margins,
        trials=TRIALS,
        seed=SEED,
        progress=True,
    )


def table(comparison: pt.Comparison, sweep: pt.Sweep, name: str) -> pd.DataFrame:
    """One row for each cell and observable."""
    data = comparison.data[["difference", "difference_error", "deviation"]]
    data = data.assign(theory=comparison.data.theory.isel(size=-1))
    frame = data.to_dataframe(dim_order=["cell", "observable"]).reset_index()
    columns = ["alpha_prune", "f", "theta", "observable", "theory", "difference", "difference_error", "deviation"]
    frame = frame[columns]
    frame.insert(0, "cells", name)
    gaps = np.array([sim.gap.max() for sim in sweep]).reshape(-1, len(SIZES)).max(axis=1)
    frame["worst_gap"] = np.repeat(gaps, data.sizes["observable"])
    return frame


def main(store: Path) -> None:
    frames = []
    for cells in GRID:
        sweep = simulate(cells, store)
        frames.append(table(pt.compare(pt.solve, sweep), sweep, cells.name))
    result = pd.concat(frames, ignore_index=True)
    result.to_csv(TABLE, index=False, float_format="%.12g")
    print(result.deviation.abs().groupby(result.observable).max())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
