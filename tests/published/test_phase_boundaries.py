"""Boundaries of the phase diagram and the rule of thumb, to every printed digit."""

from __future__ import annotations

import numpy as np
import pytest
from printed import assert_printed

import perceptron_theory as pt


def test_hard_equals_easy() -> None:
    """theta = 0, same f and same alpha_tot."""
    printed = {0.05: "39.96", 0.1: "20.11", 0.2: "10.34", 0.3: "7.21", 0.5: "5.05"}
    boundary = pt.hard_easy_boundary(list(printed))
    for f, alpha_tot in printed.items():
        at = boundary.sel(f=f)
        assert_printed(float(at.alpha_tot), alpha_tot)
        assert at.outcome.item() == "found"
        assert float(at.alpha_prune) == pytest.approx(f * float(at.alpha_tot), rel=1e-15)
        hard, easy = (pt.solve(at.alpha_prune, f, selection=rule).test_error for rule in ("hard", "easy"))
        # The root is good to its own error estimate, and slopes here are of order 1.
        assert abs(np.log(hard / easy)) < 10 * float(at.alpha_tot_error)


def test_hard_equals_random() -> None:
    """theta = 0, same alpha_prune."""
    printed = {0.05: "1.935", 0.2: "1.760", 0.5: "1.453"}
    boundary = pt.hard_random_boundary(list(printed), theta=[0.0, np.deg2rad(90)])
    for f, alpha in printed.items():
        at = boundary.sel(f=f, theta=0.0)
        assert_printed(float(at.alpha_prune), alpha)
        assert float(at.alpha_tot) == pytest.approx(float(at.alpha_prune) / f, rel=1e-15)
        assert boundary.sel(f=f).outcome.values.tolist() == ["found", "tied"]


@pytest.mark.parametrize("theta_deg", [0.0, 20.0])
def test_the_winner_changes_at_the_boundary(theta_deg: float) -> None:
    """Two independent routes: a boundary by root finding, and winners on both sides of it."""
    theta = np.deg2rad(theta_deg)
    for f in (0.1, 0.5):
        root = float(pt.hard_easy_boundary(f, theta).alpha_tot)
        errors = pt.phase_diagram([0.999 * root, 1.001 * root], f, theta).test_error
        gap = np.log(errors.sel(selection="hard") / errors.sel(selection="easy")).values
        assert gap[0] > 0 > gap[1]


def test_rule_of_thumb() -> None:
    """Var(z | |z| < gamma) = sin(theta)^2: the 24 % and 46 % of the paper; the exact theory keeps less."""
    smallest = pt.smallest_useful_f(np.deg2rad([10.0, 20.0]))
    for i, printed in enumerate(["0.238", "0.456"]):
        assert_printed(float(smallest.f_rule_of_thumb[i]), printed)
    # No wall: there the prefactor is still half as large again as its floor.
    assert np.all(smallest.f_exact < 0.5 * smallest.f_rule_of_thumb)
    assert np.all(smallest.prefactor_excess_rule_of_thumb > 0.4)
