"""Pictures: axes or datasets in, axes out. Loads matplotlib, which nothing else does."""

from perceptron_theory.plotting.comparison import comparison_figure, draw_comparison, draw_deviations, draw_differences
from perceptron_theory.plotting.frontier import draw_frontier, frontier_figure

__all__ = [
    "comparison_figure",
    "draw_comparison",
    "draw_deviations",
    "draw_differences",
    "draw_frontier",
    "frontier_figure",
]
