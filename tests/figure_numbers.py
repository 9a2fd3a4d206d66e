"""Numbers behind the figures: those committed, and those made now."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import pytest
import xarray as xr

from perceptron_theory.figures.gallery import module, stamped
from perceptron_theory.figures.measured_data import DataNotFoundError

COMMITTED = Path(__file__).parents[1] / "figures"


@lru_cache
def committed(name: str) -> xr.DataTree:
    """As read from the file."""
    with xr.open_datatree(COMMITTED / f"{name}.nc", engine="netcdf4") as tree:
        return tree.load()


@lru_cache
def made_now(name: str) -> xr.DataTree:
    """In full, once in a process."""
    try:
        return stamped(name, module(name).compute(), fast=False)
    except DataNotFoundError as absent:
        pytest.skip(str(absent))
