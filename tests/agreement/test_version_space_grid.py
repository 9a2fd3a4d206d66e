"""The committed samples of version spaces: what they say, that they are of this theory, and one cell made again."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import version_space_grid as grid
from scipy.stats import chi2

import perceptron_theory as pt


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return pd.read_csv(grid.TABLE)


def test_grid_is_as_large_as_it_says(table: pd.DataFrame) -> None:
    assert len(grid.CELLS) == 12
    assert len(table) == 12 * len(grid.OVERLAPS)
    assert set(table.theta_deg) == {0.0, 20.0}
    assert set(table.selection) == {"hard", "easy"}


@pytest.mark.parametrize("overlap", grid.OVERLAPS)
def test_theory_agrees_in_every_cell(table: pd.DataFrame, overlap: str) -> None:
    """No cell beyond 4 standard errors, the sum of squares as it should be."""
    deviation = table[table.overlap == overlap].deviation
    assert np.abs(deviation).max() < 4.0
    assert 0.001 < chi2.sf((deviation**2).sum(), len(deviation)) < 0.999


def test_standard_errors_can_tell(table: pd.DataFrame) -> None:
    """At half the theory's R the grid would be off by many standard errors."""
    rows = table[table.overlap == "R"]
    assert (0.5 * rows.theory / rows.error).median() > 10.0


def test_table_is_of_this_theory(table: pd.DataFrame) -> None:
    """The table has 10 digits."""
    for rule, rows in table.groupby("selection"):
        s = pt.solve(rows.alpha_prune, rows.f, np.deg2rad(rows.theta_deg), selection=str(rule), student="gibbs")
        for i, name in enumerate(rows.overlap):
            assert getattr(s, name)[i] == pytest.approx(rows.theory.iloc[i], rel=1e-9)


@pytest.mark.slow
def test_samples_made_again_are_the_same(table: pd.DataFrame) -> None:
    """The cell that samples quickest, N = 100. Chains are chaotic, but the same on one kind of processor."""
    cell = (1.0, 0.5, 0.0, "easy")
    samples = [grid.sample(grid.CELLS.index(cell), 100, trial) for trial in range(grid.TRIALS[100])]
    rows = table[(table.alpha_prune == 1.0) & (table.theta_deg == 0.0) & (table.selection == "easy")]
    # Students drawn elsewhere are others: then within the scatter of the data sets.
    scatter = np.std(samples, axis=0, ddof=1) / np.sqrt(len(samples))
    assert np.all(np.abs(np.mean(samples, axis=0) - rows["N = 100"]) < 4 * np.sqrt(2) * scatter)
