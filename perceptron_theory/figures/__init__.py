"""Figures that the project regenerates: one module each, with ``compute`` (numbers) and ``draw`` (picture)."""
