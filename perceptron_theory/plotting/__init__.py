"""Pictures: axes or datasets in, axes out. Loads matplotlib, which nothing else does."""

from perceptron_theory.plotting.class_counts import draw_class_counts
from perceptron_theory.plotting.clustermap import clustermap_figure, draw_clustermap
from perceptron_theory.plotting.comparison import comparison_figure, draw_comparison, draw_deviations, draw_differences
from perceptron_theory.plotting.frontier import draw_frontier, frontier_figure
from perceptron_theory.plotting.scores import draw_histogram, draw_order, scores_figure

__all__ = [
    "clustermap_figure",
    "comparison_figure",
    "draw_class_counts",
    "draw_clustermap",
    "draw_comparison",
    "draw_deviations",
    "draw_differences",
    "draw_frontier",
    "draw_histogram",
    "draw_order",
    "frontier_figure",
    "scores_figure",
]
