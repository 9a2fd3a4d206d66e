"""The committed agreement grid: what it says, that it is of this theory, and that it can be made again."""

from __future__ import annotations

import agreement_grid as grid
import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

import perceptron_theory as pt


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return pd.read_csv(grid.TABLE)


def test_grid_is_as_large_as_it_says(table: pd.DataFrame) -> None:
    cells = sum(len(cells.alpha_prune) * len(cells.f_theta_deg) for cells in grid.GRID)
    assert cells == 67
    assert len(table) == cells * len(table.observable.unique())
    assert (table.alpha_prune.min(), table.alpha_prune.max()) == (0.5, 10.0)
    assert (table.f.min(), table.f.max()) == (0.1, 1.0)
    assert table.theta.min() == 0.0
    assert table.theta.max() == pytest.approx(np.deg2rad(60), rel=1e-9)


@pytest.mark.parametrize("observable", ["test_error", "R", "rho", "kappa"])
def test_theory_agrees_in_every_cell(table: pd.DataFrame, observable: str) -> None:
    """No cell beyond 4 standard errors; the sum of squares as it should be, neither too large nor too small."""
    deviation = table[table.observable == observable].deviation
    assert np.abs(deviation).max() < 4.0
    assert 0.001 < chi2.sf((deviation**2).sum(), len(deviation)) < 0.999


def test_every_trial_was_certified(table: pd.DataFrame) -> None:
    assert table.worst_gap.max() <= 1e-9


def test_table_is_of_this_theory(table: pd.DataFrame) -> None:
    """The theory in the table is what `solve` says today; the table has 12 digits."""
    for cells in grid.GRID:
        rows = table[table.cells == cells.name]
        margins = pt.digits_scores().margins(by="value") if cells.measured else None
        s = pt.solve(rows.alpha_prune, rows.f, rows.theta, selection=cells.selection, margins=margins)
        for i, name in enumerate(rows.observable):
            assert getattr(s, name)[i] == pytest.approx(rows.theory.iloc[i], rel=1e-9)


@pytest.mark.slow
def test_grid_made_again_is_the_same(table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Three groups from scratch. Another processor may round sums differently: 1e-6 of a standard error."""
    for cells in grid.GRID:
        if cells.name in ("band", "all", "measured easy"):
            sweep = grid.simulate(cells, tmp_path_factory.mktemp("grid"))
            again = grid.table(pt.compare(pt.solve, sweep), sweep, cells.name)
            rows = table[table.cells == cells.name]
            assert again.deviation.to_numpy() == pytest.approx(rows.deviation.to_numpy(), abs=1e-6)
