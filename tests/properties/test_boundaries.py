"""Boundaries everywhere: always found, always an odd number of crossings; a full diagram in time."""

from __future__ import annotations

import time

import numpy as np
import pytest

import perceptron_theory as pt


def check_boundaries(rng: np.random.Generator, size: int) -> None:
    f = np.sort(10.0 ** rng.uniform(-3, 0, size))
    theta = np.sort(np.concatenate([rng.uniform(0, 1.55, 2), 10.0 ** rng.uniform(-6, 0, 1), [0.0]]))
    for boundary in (pt.hard_easy_boundary(f, theta), pt.hard_random_boundary(f, theta)):
        assert set(boundary.outcome.values.ravel()) <= {"found", "several"}
        # Random or easy wins at small sizes, hard at large ones.
        assert np.all(boundary.crossings % 2 == 1)
        # Three at most, and only beyond pi/4 and for small f.
        several = boundary.outcome.values == "several"
        assert np.all(np.broadcast_to(theta, several.shape)[several] >= np.pi / 4 - 0.01)
        assert np.all(np.broadcast_to(f[:, None], several.shape)[several] < 0.06)
        assert boundary.crossings.max() <= 3
    assert np.all(boundary.crossings == 1)  # against random


def test_boundaries_always_exist() -> None:
    check_boundaries(np.random.default_rng(0), 8)


@pytest.mark.slow
def test_boundaries_always_exist_everywhere() -> None:
    for seed in range(1, 6):
        check_boundaries(np.random.default_rng(seed), 30)


@pytest.mark.slow
@pytest.mark.parametrize(("theta_deg", "seconds"), [(0.0, 5.0), (10.0, 60.0)])
def test_full_phase_diagram(theta_deg: float, seconds: float) -> None:
    """200 x 200, three rules: every point certified, in time on two cores."""
    pt.phase_diagram(1.0, 0.5, np.deg2rad(theta_deg))  # compiles
    start = time.perf_counter()
    diagram = pt.phase_diagram(np.geomspace(0.5, 200, 200), np.linspace(0.005, 1, 200), np.deg2rad(theta_deg))
    assert time.perf_counter() - start < seconds
    assert np.all(diagram.status == pt.Status.CONVERGED)
    assert "unknown" not in diagram.winner.values
    assert np.all((diagram.winner == "tie") == (diagram.f == 1.0))
