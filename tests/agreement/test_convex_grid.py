"""Convex losses on finite data: the committed grid, and some of its cells made again."""

from __future__ import annotations

import convex_grid
import numpy as np
import pandas as pd
import pytest

import perceptron_theory as pt


def test_committed_grid_agrees() -> None:
    """40 cells, four observables: nothing beyond 4 standard errors, and chi^2 neither too large nor too small."""
    table = pd.read_csv(convex_grid.TABLE)
    assert len(table) == len(convex_grid.CELLS) * len(convex_grid.OBSERVABLES) == 160
    worst = table.deviation.abs().max()
    p = convex_grid.p_values(table)
    print(f"worst {worst:.2f}, p {p}")
    assert worst < 4.0
    assert all(0.001 < value < 0.999 for value in p.values())


def test_committed_theory_is_the_theory() -> None:
    """The table holds ten digits."""
    table = pd.read_csv(convex_grid.TABLE).set_index(["loss", "setting", "observable"])
    for loss, cell in convex_grid.CELLS:
        s = pt.solve(
            cell.alpha_prune,
            cell.f,
            cell.theta,
            selection=cell.selection(),
            student=pt.ConvexLoss(loss, convex_grid.PENALTIES[loss], cell.reweight),
            labels=cell.labels,
        )
        for name in convex_grid.OBSERVABLES:
            assert float(getattr(s, name)) == pytest.approx(table.theory[loss, cell.name, name], rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("number", [1, 16, 25, 39])
def test_made_again(number: int) -> None:
    """One cell of each loss; trained students are certified to 1e-9."""
    again = convex_grid.rows(number)
    table = pd.read_csv(convex_grid.TABLE)
    kept = table[(table.loss == again.loss[0]) & (table.setting == again.setting[0])]
    np.testing.assert_allclose(kept.limit.to_numpy(), again.limit.to_numpy(), rtol=1e-6)
