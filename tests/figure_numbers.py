"""Numbers behind the figures: those committed, and those made now."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import xarray as xr

from perceptron_theory.figures.gallery import module, stamped

COMMITTED = Path(__file__).parents[1] / "figures"


@lru_cache
def committed(name: str) -> xr.DataTree:
    """As read from the file."""
    with xr.open_datatree(COMMITTED / f"{name}.nc", engine="netcdf4") as tree:
        return tree.load()


@lru_cache
def made_now(name: str) -> xr.DataTree:
    """In full, once in a process."""
    return stamped(name, module(name).compute(), fast=False)
