"""Pictures: axes or datasets in, axes out. Loads matplotlib, which nothing else does."""

from perceptron_theory.plotting.frontier import draw_frontier, frontier_figure

__all__ = ["draw_frontier", "frontier_figure"]
