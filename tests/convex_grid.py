"""Convex losses on finite data against theory, in cells chosen before looking.

Run as ``python tests/convex_grid.py`` (about ten minutes on two cores) to write ``agreement/convex_losses.csv``: for
each cell and observable the means at N = 200 and 400, their extrapolation to N -> infinity by a line in 1/N, its
standard error, and the theory.

40 cells: four losses in ten settings of labels and selection (noiseless, flipped, probit and logistic teachers; hard,
easy, everything; label-aware, smooth and mixed rules; weights 1 / k), 100 trials at each N, each with its own seed.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit
from scipy.stats import chi2

import perceptron_theory as pt
from perceptron_theory.comparison import extrapolate
from perceptron_theory.convex_loss import Loss
from perceptron_theory.presets import randomised_rule
from perceptron_theory.simulation.execution import one_per_core

PENALTIES: dict[Loss, float] = {"logistic": 0.1, "hinge": 0.3, "square": 1.0, "squared-hinge": 0.05}
SIZES, TRIALS = (200, 400), 100
OBSERVABLES = ("test_error", "R", "rho", "norm")
TABLE = Path(__file__).parent / "agreement" / "convex_losses.csv"


class Cell(NamedTuple):
    """Labels and selection; `f` is None where a keep probability decides it."""

    name: str
    alpha_prune: float
    f: float | None
    theta: float
    selection: Callable[[], str | pt.KeepProbability]
    labels: pt.Labels = pt.Labels()
    reweight: bool = False


SETTINGS = (
    Cell("hard", 2.0, 0.5, 0.2, lambda: "hard"),
    Cell("hard, flipped", 3.0, 0.5, 0.2, lambda: "hard", pt.Labels(0.1)),
    Cell("easy, flipped", 2.0, 0.4, 0.4, lambda: "easy", pt.Labels(0.1)),
    Cell("everything, probit", 4.0, 1.0, 0.0, lambda: "random", pt.Labels(link="probit", slope=2.0)),
    Cell("hard, logistic", 3.0, 0.6, 0.0, lambda: "hard", pt.Labels(link="logistic", slope=3.0)),
    Cell("label-aware, margin < 0.3", 3.0, None, 0.3, lambda: pt.KeepProbability(lambda m: m < 0.3, [0.3])),
    Cell("only agreed", 2.0, None, 0.3, lambda: pt.KeepProbability(lambda m: m > 0.0, [0.0]), pt.Labels(0.2)),
    Cell("smooth", 2.0, None, 0.3, lambda: pt.KeepProbability(lambda m: expit(2.0 - 2.0 * m)), pt.Labels(0.05)),
    Cell("mixed", 1.5, None, 0.1, lambda: randomised_rule(0.3, 0.3), pt.Labels(0.05)),
    Cell("mixed, weighted", 3.0, None, 0.2, lambda: randomised_rule(0.5, 0.5), pt.Labels(0.05), True),
)
CELLS = tuple(itertools.product(PENALTIES, SETTINGS))


def rows(number: int) -> pd.DataFrame:
    """One row for each observable of a cell."""
    loss, cell = CELLS[number]
    student, rule = pt.ConvexLoss(loss, PENALTIES[loss], cell.reweight), cell.selection()
    theory = pt.solve(
        cell.alpha_prune, cell.f, cell.theta, selection=rule, student=student, labels=cell.labels, throw=True
    )
    sims = [
        pt.simulate(
            N,
            cell.alpha_prune,
            cell.f,
            cell.theta,
            selection=rule,
            student=student,
            labels=cell.labels,
            trials=TRIALS,
            seed=number,
            executor=one_per_core(),
        )
        for N in SIZES
    ]
    table = []
    for name in OBSERVABLES:
        values = [getattr(sim, name) for sim in sims]
        mean = np.array([v.mean() for v in values])
        error = np.array([v.std(ddof=1) / np.sqrt(TRIALS) for v in values])
        limit, limit_error = extrapolate(np.array(SIZES), mean, error)
        predicted = float(getattr(theory, name))
        table.append(
            (loss, cell.name, name, *mean, *error, limit, limit_error, predicted, (limit - predicted) / limit_error)
        )
    names = ["loss", "setting", "observable", *(f"{what}_{N}" for what in ("mean", "error") for N in SIZES)]
    return pd.DataFrame(table, columns=[*names, "limit", "limit_error", "theory", "deviation"])


def p_values(table: pd.DataFrame) -> dict[str, float]:
    """Probability of a larger chi^2 over the cells, by observable."""
    return {
        str(name): float(chi2.sf((group.deviation**2).sum(), len(group)))
        for name, group in table.groupby("observable", sort=False)
    }


def main() -> None:
    parts = []
    for number in range(len(CELLS)):
        parts.append(rows(number))
        print(CELLS[number][0], CELLS[number][1].name, parts[-1].deviation.round(2).tolist(), flush=True)
    table = pd.concat(parts, ignore_index=True)
    table.to_csv(TABLE, index=False, float_format="%.10g")
    print(f"worst {table.deviation.abs().max():.2f} of {len(table)}; p {p_values(table)}")


if __name__ == "__main__":
    main()
