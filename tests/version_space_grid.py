"""The version space sampled: overlaps of Gibbs students against theory, in cells chosen before looking.

Run as ``python tests/version_space_grid.py`` (about twenty minutes on two cores) to write
``agreement/version_space.csv``: for each cell and overlap the means at both N, their extrapolation to
N -> infinity by a line in 1/N, its standard error, and the theory.

12 cells: theta = 0 and 20 degrees, hard and easy, three sizes; 60 data sets at N = 100 and 30 at N = 200, with four
independent students on each. All alpha_prune N and alpha_prune N / f are whole.
"""

from __future__ import annotations

import itertools
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

import perceptron_theory as pt
from perceptron_theory.problem import Problem
from perceptron_theory.simulation.data import draw
from perceptron_theory.simulation.finite import FiniteProblem
from perceptron_theory.simulation.generalisation import overlaps

SIZES_AND_FRACTIONS = ((1.0, 0.5), (2.0, 0.25), (3.0, 0.6))
CELLS = [
    (alpha, f, theta_deg, rule)
    for theta_deg, rule, (alpha, f) in itertools.product((0.0, 20.0), ("hard", "easy"), SIZES_AND_FRACTIONS)
]
TRIALS = {100: 60, 200: 30}
SEED = 2206
OVERLAPS = ("R", "rho", "q")
TABLE = Path(__file__).parent / "agreement" / "version_space.csv"


def sample(cell: int, N: int, trial: int) -> npt.NDArray[np.float64]:
    """R and rho, averaged over the students of one data set, and q, averaged over their pairs."""
    alpha, f, theta_deg, rule = CELLS[cell]
    theta = np.deg2rad(theta_deg)
    rng = np.random.default_rng([SEED, cell, N, trial])
    w = pt.Gibbs().samples(draw(FiniteProblem.of(Problem.of(alpha, f, theta, rule), N), rng), rng).w
    q = (w @ w.T)[np.triu_indices(len(w), 1)].mean()
    return np.array([*np.mean([overlaps(student, theta) for student in w], axis=0), q])


def simulated(cell: int, pool: ProcessPoolExecutor) -> dict[int, npt.NDArray[np.float64]]:
    """All data sets of one cell, shape (trials, 3), by N."""
    runs = {N: [pool.submit(sample, cell, N, trial) for trial in range(TRIALS[N])] for N in sorted(TRIALS)}
    return {N: np.array([run.result() for run in waiting]) for N, waiting in runs.items()}


def rows(cell: int, samples: dict[int, npt.NDArray[np.float64]]) -> pd.DataFrame:
    """One row for each overlap."""
    alpha, f, theta_deg, rule = CELLS[cell]
    theory = pt.solve(alpha, f, np.deg2rad(theta_deg), selection=rule, student="gibbs")
    small, large = sorted(samples)
    means = {N: values.mean(axis=0) for N, values in samples.items()}
    errors = {N: values.std(axis=0, ddof=1) / np.sqrt(len(values)) for N, values in samples.items()}
    # A line in 1/N through both.
    share = large / (large - small)
    limit = share * means[large] + (1.0 - share) * means[small]
    error = np.hypot(share * errors[large], (1.0 - share) * errors[small])
    frame = pd.DataFrame({"overlap": OVERLAPS, "theory": [getattr(theory, name) for name in OVERLAPS]})
    frame = frame.assign(**{f"N = {N}": means[N] for N in (small, large)}, limit=limit, error=error)
    frame["deviation"] = (frame.limit - frame.theory) / frame.error
    for name, value in (("selection", rule), ("theta_deg", theta_deg), ("f", f), ("alpha_prune", alpha)):
        frame.insert(0, name, value)
    return frame


def main() -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        frames = []
        for cell in range(len(CELLS)):
            frames.append(rows(cell, simulated(cell, pool)))
            print(frames[-1].to_string(header=not cell, index=False), flush=True)
    pd.concat(frames).to_csv(TABLE, index=False, float_format="%.10g")


if __name__ == "__main__":
    main()
