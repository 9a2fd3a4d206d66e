"""Which metrics agree: a matrix of rank correlations, similar ones side by side, with their tree."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.cluster.hierarchy import dendrogram, leaves_list, linkage
from scipy.spatial.distance import squareform

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.plotting.style import new_figure, style_sheet

FloatArray = npt.NDArray[np.float64]

#: Colour of the branches.
TREE_COLOUR = "0.35"


def clustermap_figure(correlations: pd.DataFrame, title: str = "") -> Figure:
    """Figure of a correlation matrix in the order of its tree, the tree beside it.

    Parameters
    ----------
    correlations : pandas.DataFrame
        From `perceptron_theory.scores.averaging.rank_correlation`.
    title : str
        Says what the data are.

    Raises
    ------
    InvalidInputError
        If this is no correlation matrix of at least two scores.
    """
    with style_sheet():
        size = 0.48 * len(correlations) + 2.4
        figure = new_figure(1.35 * size, size)
        tree, matrix = figure.subplots(1, 2, width_ratios=[1.0, 3.6])
        draw_clustermap(tree, matrix, correlations)
        figure.suptitle(title.replace("$", r"\$"), x=0.01, ha="left")  # the title is data, not mathematics
    return figure


def draw_clustermap(tree: Axes, matrix: Axes, correlations: pd.DataFrame) -> tuple[Axes, Axes]:
    """Draw on two given axes side by side, the tree on the left; see `clustermap_figure`.

    Rows are ordered by average linkage of 1 - correlation: where two branches meet is the mean of that
    over the pairs of scores they hold.
    """
    values = _checked(correlations)
    distances = squareform(np.clip(1.0 - values, 0.0, 2.0), checks=False)
    links = linkage(distances, "average", optimal_ordering=True)
    order = [int(leaf) for leaf in leaves_list(links)]
    _draw_tree(tree, links)
    _draw_matrix(matrix, values[np.ix_(order, order)], [str(correlations.index[i]) for i in order])
    return tree, matrix


def _checked(correlations: pd.DataFrame) -> FloatArray:
    values = correlations.to_numpy(dtype=np.float64)
    n = len(values)
    if n < 2 or values.shape != (n, n) or list(correlations.index) != list(correlations.columns):
        raise InvalidInputError(
            f"correlations must be a square table of at least two scores, named alike on both sides, got shape "
            f"{values.shape}: use rank_correlation."
        )
    # Rounding errors of a mean over millions of ranks.
    if not (np.abs(values) <= 1.0 + 1e-9).all() or not np.allclose(values, values.T, rtol=0.0, atol=1e-9):
        raise InvalidInputError(
            "correlations must be symmetric, finite and in [-1, 1], got others: use rank_correlation."
        )
    return values


def _draw_tree(axes: Axes, links: FloatArray) -> None:
    """Leaves at 0, 1, ... from the top, like the rows of the matrix; distance grows to the left."""
    drawn = dendrogram(links, no_plot=True)
    for leaf, distance in zip(drawn["icoord"], drawn["dcoord"], strict=True):
        # scipy puts leaves at 5, 15, 25, ...
        axes.plot(distance, (np.asarray(leaf) - 5.0) / 10.0, color=TREE_COLOUR, lw=1.2, clip_on=False)
    axes.set_ylim(len(links) + 0.5, -0.5)
    axes.set_xlim(1.05 * float(links[:, 2].max(initial=0.0)) or 1.0, 0.0)
    axes.set_xlabel(r"1 $-$ correlation")
    axes.set_yticks([])
    axes.grid(False)
    axes.spines["left"].set_visible(False)


def _draw_matrix(axes: Axes, values: FloatArray, names: list[str]) -> None:
    axes.imshow(values, cmap="RdBu_r", vmin=-1.0, vmax=1.0, aspect="auto")
    places = range(len(names))
    axes.set_xticks(places, names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(places, names)
    axes.yaxis.tick_right()
    axes.tick_params(length=0.0)
    axes.grid(False)
    axes.spines[:].set_visible(False)
    for row in places:
        for column in places:
            value = values[row, column]
            colour = "white" if abs(value) > 0.6 else "black"
            axes.text(column, row, f"{value:.2f}", ha="center", va="center", color=colour, fontsize="small")
