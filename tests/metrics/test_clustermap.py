"""What the picture of agreeing metrics means: order, tree, colours, names."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from perceptron_theory import InvalidInputError
from perceptron_theory.plotting.clustermap import clustermap_figure

NAMES = ["a1", "b1", "a2", "c", "b2"]


def correlations() -> pd.DataFrame:
    """Two pairs that belong together, and one against all."""
    table = pd.DataFrame(0.1 * np.ones((5, 5)), index=NAMES, columns=NAMES)
    table.loc["c"] = table["c"] = -0.5
    for one, other, value in (("a1", "a2", 0.9), ("b1", "b2", 0.7)):
        table.loc[one, other] = table.loc[other, one] = value
    np.fill_diagonal(values := table.to_numpy(copy=True), 1.0)
    return pd.DataFrame(values, index=NAMES, columns=NAMES)


def test_similar_metrics_stand_side_by_side() -> None:
    matrix = clustermap_figure(correlations(), "some $ data").axes[1]
    rows = [label.get_text() for label in matrix.get_yticklabels()]
    assert rows == [label.get_text() for label in matrix.get_xticklabels()]
    assert sorted(rows) == sorted(NAMES)
    for one, other in (("a1", "a2"), ("b1", "b2")):
        assert abs(rows.index(one) - rows.index(other)) == 1
    assert rows.index("c") in (0, 4)
    drawn = matrix.get_images()[0]
    expected = correlations().loc[rows, rows].to_numpy()
    np.testing.assert_array_equal(np.asarray(drawn.get_array()), expected)
    assert drawn.get_clim() == (-1.0, 1.0)  # white means no correlation
    texts = [text.get_text() for text in matrix.texts]
    assert texts == [f"{value:.2f}" for value in expected.ravel()]


def test_branches_meet_at_the_mean_distance_beside_their_rows() -> None:
    tree, matrix = clustermap_figure(correlations()).axes
    rows = [label.get_text() for label in matrix.get_yticklabels()]
    heights = sorted(float(np.max(line.get_xdata())) for line in tree.get_lines())
    # float64: 1 - 0.9, 1 - 0.7, 1 - 0.1 between the pairs, and c 1 + 0.5 from all.
    np.testing.assert_allclose(heights, [0.1, 0.3, 0.9, 1.5], atol=1e-12)
    closest = min(tree.get_lines(), key=lambda line: float(np.max(line.get_xdata())))
    ends = sorted({float(y) for y in np.asarray(closest.get_ydata())})
    assert {rows[int(end)] for end in ends} == {"a1", "a2"}
    assert tree.get_ylim() == matrix.get_ylim()
    left, right = tree.get_xlim()
    assert left > right == 0.0


@pytest.mark.parametrize(
    "table",
    [
        correlations().iloc[:4],
        correlations().iloc[:1, :1],
        correlations().rename(columns={"c": "d"}),
    ],
)
def test_tables_of_another_shape_are_refused(table: pd.DataFrame) -> None:
    with pytest.raises(InvalidInputError, match="square table"):
        clustermap_figure(table)


def test_tables_that_are_no_correlations_are_refused() -> None:
    for wrong in (correlations() * 1.1, correlations() * np.nan, correlations() + np.triu(np.full((5, 5), -0.05), 1)):
        with pytest.raises(InvalidInputError, match="symmetric"):
            clustermap_figure(wrong)


def test_metrics_that_are_all_alike_can_be_drawn() -> None:
    same = pd.DataFrame(np.ones((2, 2)), index=["a", "b"], columns=["a", "b"])
    figure = clustermap_figure(same)
    figure.canvas.draw()
    left, right = figure.axes[0].get_xlim()
    assert left > right
