"""Shared by all tests: where the real data lie, if they do."""

from __future__ import annotations

from pathlib import Path

import pytest

#: Fixtures of several tests of sweeps.
pytest_plugins = ["small_sweep"]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real measured scores, which are not part of the project."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"real data not present at {folder}")
    return folder
