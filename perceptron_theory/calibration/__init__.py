"""Measured pruning runs: what the theory is to be confronted with."""
