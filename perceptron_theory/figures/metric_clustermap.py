"""Which metrics agree: rank correlations of six metrics of CIFAR-10, signed so that positive means "the same are hard".

Ordered by average linkage. Metrics of the same cross-validated network lie together; forgetting and the largest
increase of the loss, which come from other runs, lie apart.
"""

from __future__ import annotations

import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from perceptron_theory.figures import measured_data
from perceptron_theory.plotting.clustermap import draw_clustermap
from perceptron_theory.plotting.style import new_figure
from perceptron_theory.scores.averaging import rank_correlation


def compute(fast: bool = False) -> xr.DataTree:
    """Matrix of Spearman's coefficients."""
    matrix = rank_correlation(measured_data.cifar10())
    names = list(matrix.index)
    found = xr.Dataset({"spearman": (("metric", "other"), matrix.to_numpy())}, {"metric": names, "other": names})
    return xr.DataTree.from_dict({"correlations": found.assign_attrs(n=50_000)})


def draw(numbers: xr.DataTree) -> Figure:
    """The matrix, its tree on the left."""
    found = numbers["correlations"].to_dataset()
    names = [str(name) for name in found.metric.values]
    figure = new_figure(7.2, 4.8)
    tree, matrix = figure.subplots(1, 2, width_ratios=[1.0, 3.6])
    draw_clustermap(tree, matrix, pd.DataFrame(found.spearman.values, names, names))
    figure.suptitle(f"Spearman's rank correlation of metrics, CIFAR-10, n = {found.attrs['n']:,}")
    return figure
