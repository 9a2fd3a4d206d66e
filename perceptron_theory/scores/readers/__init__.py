"""Score files in: one module per format, one function for all of them."""

from perceptron_theory.scores.readers.read import read_scores

__all__ = ["read_scores"]
