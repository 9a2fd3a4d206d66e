"""Refusals that no other test meets."""

from __future__ import annotations

import numpy as np
import pytest

import perceptron_theory as pt


def test_a_rule_that_keeps_no_measured_margin() -> None:
    margins = pt.MeasuredMargins([0.2, 0.5], signed=False)
    # It does keep Gaussian data, far out.
    rule = pt.KeepProbability(lambda m: np.where(np.abs(m) > 2.0, 1.0, 0.0), breakpoints=(-2.0, 2.0))
    with pytest.raises(pt.InvalidInputError, match="the keep probability is 0 for every measured margin"):
        pt.solve(2.0, theta=0.3, selection=rule, margins=margins)


def test_a_store_that_is_no_path() -> None:
    with pytest.raises(pt.InvalidInputError, match="store must be the path of a folder, got int"):
        pt.simulate_sweep(3, 20, 1.0, 0.5, trials=2)  # type: ignore[arg-type]
