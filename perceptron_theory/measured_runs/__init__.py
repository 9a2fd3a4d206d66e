"""Pruning runs measured by this project: the scripts that make them, and their tables in `data`."""
