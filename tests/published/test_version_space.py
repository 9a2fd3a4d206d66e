"""Gibbs student, Bayes point and information gain against published and independently checked numbers."""

from __future__ import annotations

import numpy as np
import pytest
from printed import assert_printed

import perceptron_theory as pt

#: Without pruning: alpha, error of the Bayes point and of the Gibbs student.
UNPRUNED = [
    (0.5, 0.322395339606, 0.409557519395),
    (5.0, 0.083935169845, 0.118006033298),
    (100.0, 0.004416386151, 0.006245612996),
]


@pytest.mark.parametrize(("selection", "f", "theta"), [("hard", 1.0, 0.0), ("easy", 1.0, 0.7), ("random", 0.3, 1.2)])
def test_unpruned(selection: str, f: float, theta: float) -> None:
    """12 printed digits; all ways not to prune."""
    for alpha, bayes, gibbs in UNPRUNED:
        b = pt.solve(alpha, f, theta, selection=selection, student="bayes-point")
        g = pt.solve(alpha, f, theta, selection=selection, student="gibbs")
        assert b.test_error == pytest.approx(bayes, abs=6e-13)
        assert g.test_error == pytest.approx(gibbs, abs=6e-13)
        assert abs(g.R - g.q) < 1e-12
        assert abs(b.R**2 - g.q) < 1e-12


@pytest.mark.parametrize(
    ("selection", "f", "theta_deg", "R", "q", "gain", "unit"),
    [
        ("hard", 0.5, 0.0, "0.831141", "0.868484", "0.86127", np.log(2)),
        ("easy", 0.2, 0.0, "0.649990", "0.456066", "0.11798", np.log(2)),
        ("hard", 0.4, 20.0, "0.6675", "0.8169", "0.6488", 1.0),
        ("easy", 0.4, 20.0, "0.6525", "0.5369", "0.1242", 1.0),
    ],
)
def test_pruned(selection: str, f: float, theta_deg: float, R: str, q: str, gain: str, unit: float) -> None:
    """alpha_prune = 2, printed digits."""
    s = pt.information_gain(2.0, f, np.deg2rad(theta_deg), selection=selection)
    for value, printed in ((s.R, R), (s.q, q), (s.gain / unit, gain)):
        assert_printed(float(value), printed)


def test_paper_gain() -> None:
    """ln 2 for a student that knows nothing; 1/2 nat at R = 1/2; 1 nat at the boundary of a perfect one."""
    gain = pt.paper_information_gain
    assert gain(0.0, 1.0) == pytest.approx(np.log(2), abs=1e-14)
    assert gain(0.5, 1.0) == pytest.approx(0.5, abs=1e-14)
    # R -> 1 after f -> 0: corrections of order f / sqrt(1 - R) and sqrt(1 - R).
    assert gain(1 - 1e-6, 1e-8) == pytest.approx(1.0, abs=1e-3)
