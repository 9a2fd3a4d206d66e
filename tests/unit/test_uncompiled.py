"""Compiled kernels do what their Python says: the same numbers without compiling, to rounding."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import uncompiled_problems


@pytest.fixture(scope="module")
def without_compiling() -> dict[str, list[float]]:
    """Its own process: numba decides when it is imported. Reading beyond an array, for instance, fails there."""
    found = subprocess.run(
        [sys.executable, "-W", "ignore", str(Path(uncompiled_problems.__file__))],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    results: dict[str, list[float]] = json.loads(found.stdout)
    return results


@pytest.mark.parametrize("name", uncompiled_problems.PROBLEMS)
def test_same_numbers(name: str, without_compiling: dict[str, list[float]]) -> None:
    expected = without_compiling[name]
    assert np.isfinite(expected).all()
    found = np.ravel(np.asarray(uncompiled_problems.PROBLEMS[name](), dtype=np.float64))
    # Solvers stop at residuals of 1e-10 or better; rounding may take them there in another number of steps.
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11)
