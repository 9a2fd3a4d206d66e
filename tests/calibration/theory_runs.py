"""Runs that the theory itself makes, with noise."""

from __future__ import annotations

import numpy as np
import pandas as pd

import perceptron_theory as pt

INPUTS, FLOOR = 300.0, 0.02
SIZES = (900, 2700, 8100, 24300)
PARTS = ((1.0, "random"), (0.5, "hard"), (0.2, "hard"), (0.5, "easy"), (0.2, "easy"), (0.2, "random"))
COLUMNS = ["n_total", "n_kept", "selection", "test_error", "seed"]


def theory_runs(
    theta_deg: float,
    noise: float,
    rng: np.random.Generator,
    *,
    parts: tuple[tuple[float, str], ...] = PARTS,
    sizes: tuple[int, ...] = SIZES,
    repeats: int = 1,
    chance: float = 0.5,
    n: float = INPUTS,
) -> pd.DataFrame:
    """A run per size, part and repetition, with relative noise of the error."""
    rows = []
    for n_total in sizes:
        for f, rule in parts:
            n_kept = round(f * n_total)
            solved = pt.solve(n_kept / n, n_kept / n_total, np.deg2rad(theta_deg), selection=rule)
            error = FLOOR + 2.0 * (chance - FLOOR) * float(solved.test_error)
            for seed in range(repeats):
                rows.append((n_total, n_kept, rule, error * np.exp(noise * rng.standard_normal()), seed))
    return pd.DataFrame(rows, columns=COLUMNS)
