"""Finite perceptrons on pruned data: the experiment that checks the theory."""
