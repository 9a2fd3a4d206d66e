"""Questions asked of the phase diagram: shapes, outcomes without a number, failures, bad input."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import perceptron_theory as pt
from perceptron_theory.analyses.crossings import find_crossings


def test_phase_diagram_is_labelled(tmp_path: Path) -> None:
    diagram = pt.phase_diagram([1.0, 10.0], [0.2, 0.5, 1.0], [0.0, 0.3])
    assert diagram.test_error.dims == ("selection", "alpha_tot", "f", "theta")
    assert diagram.winner.dims == ("alpha_tot", "f", "theta")
    point = {"alpha_tot": 10.0, "f": 0.2, "theta": 0.3}
    for rule in ("hard", "easy", "random"):
        error = float(diagram.test_error.sel(selection=rule, **point))
        # Random subsets are solved at f = 1 and theta = 0: the same to rounding.
        assert error == pytest.approx(float(pt.solve(2.0, 0.2, 0.3, selection=rule).test_error), rel=1e-13)
    assert float(diagram.alpha_prune.sel(**point)) == 2.0
    diagram.to_netcdf(tmp_path / "diagram.nc", engine="netcdf4")
    with xr.open_dataset(tmp_path / "diagram.nc", engine="netcdf4") as back:
        assert back.winner.values.tolist() == diagram.winner.values.tolist()
        assert back.selection.values.tolist() == ["hard", "easy", "random"]
    assert pt.phase_diagram(10.0, 0.2).winner.shape == ()


def test_winner_is_the_smallest_error_or_a_tie() -> None:
    diagram = pt.phase_diagram(np.geomspace(1, 300, 12), [0.05, 0.3, 0.7], np.deg2rad([0.0, 10.0, 60.0]))
    best = diagram.selection.values[diagram.test_error.values.argmin(axis=0)]
    assert np.array_equal(diagram.winner.values, best)
    # The easy stall, the hard are too few yet: between the two boundaries of theta > 0 random wins.
    assert set(best.ravel()) == {"hard", "easy", "random"}


def test_ties_are_called_ties() -> None:
    assert set(pt.phase_diagram([0.1, 3.0, 1e4], 1.0, [0.0, 0.4, 1.5]).winner.values.ravel()) == {"tie"}
    assert set(pt.phase_diagram([0.1, 30.0, 1e5], [1e-5, 0.1, 0.9], np.pi / 2).winner.values.ravel()) == {"tie"}
    # Small differences are differences: seen is 1e-8 of the error.
    assert pt.phase_diagram(1e3, 0.999, np.deg2rad(89.99)).winner.item() == "hard"


def test_hard_wins_on_measured_margins_when_data_abound() -> None:
    margins = pt.digits_scores().margins("value")
    diagram = pt.phase_diagram([1.0, 100.0], [0.1, 1.0], 0.3, margins=margins)
    assert diagram.winner.values.tolist() == [["easy", "tie"], ["hard", "tie"]]
    root = float(pt.hard_easy_boundary(0.1, 0.3, margins=margins).alpha_tot)
    around = pt.phase_diagram([0.99 * root, 1.01 * root], 0.1, 0.3, margins=margins).test_error
    assert (around.sel(selection="hard") < around.sel(selection="easy")).values.tolist() == [False, True]


def test_boundaries_that_do_not_exist() -> None:
    boundary = pt.hard_easy_boundary([0.3, 1.0], [0.0, np.pi / 2])
    assert boundary.outcome.values.tolist() == [["found", "tied"], ["tied", "tied"]]
    assert np.isnan(boundary.alpha_tot.values[1]).all()
    assert boundary.crossings.values.tolist() == [[1, 0], [0, 0]]
    # So little is pruned that rounding hides where hard takes over: it is not guessed.
    hidden = pt.hard_easy_boundary(1 - 1e-7)
    assert hidden.outcome.item() in ("out of range", "tied")
    assert np.isnan(hidden.alpha_tot.item())


def test_required_theta_without_a_root() -> None:
    required = pt.required_theta([3.0, 1e3], [0.2, 0.5, 1.0])
    assert required.outcome.values.tolist() == [["none", "found", "tied"], ["any metric", "any metric", "tied"]]
    assert np.isnan(required.theta_required.values[0, 0])
    assert required.theta_required.values[1].tolist()[:2] == [np.pi / 2] * 2
    # A worthless metric loses as little as one allows: it pays again near pi/2.
    again = pt.required_theta(30.0, 0.2, within=0.05)
    assert (again.outcome.item(), int(again.crossings)) == ("several", 2)


def test_required_theta_to_match_all_data() -> None:
    """Far out the prefactors decide: f / density(theta) = (1 + within) f."""
    required = pt.required_theta(1e6, 0.2, reference="all", within=0.1)
    theta = float(required.theta_required)
    # Corrections are of order 1/alpha^2.
    assert pt.tail_prefactor(0.2, theta) == pytest.approx(1.1 * 0.2 * 0.5004889, rel=1e-6)
    assert pt.required_theta(1e3, 0.2, reference="all").outcome.item() == "none"


def test_crossover_outcomes() -> None:
    crossover = pt.crossover(np.deg2rad([0.0, 20.0, 60.0]))
    assert crossover.outcome.values.tolist() == ["perfect metric", "found", "none"]
    assert np.isfinite(crossover.alpha_prune.values).tolist() == [False, True, False]
    at = crossover.isel(theta=1)
    # The exponents there, by another route; the crossover is known to 1e-5.
    ends = [float(at.alpha_prune_start), float(at.alpha_prune)]
    exponent = pt.frontier_exponent(ends, float(at.theta), f_min=1e-3).exponent.values
    np.testing.assert_allclose(exponent, -1.1, atol=1e-5)
    near = pt.frontier_exponent(float(at.alpha_prune_steepest) * np.array([0.9, 1.1]), float(at.theta), f_min=1e-3)
    assert np.all(near.exponent > float(at.exponent_steepest))
    assert ends[0] < float(at.alpha_prune_steepest) < ends[1]


def test_failed_points_are_neither_hidden_nor_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    # No residual passes.
    monkeypatch.setattr("perceptron_theory.solving.solution.RESIDUAL_TOLERANCE", -1.0)
    diagram = pt.phase_diagram([1.0, 10.0], 0.5)
    assert set(diagram.winner.values) == {"unknown"}
    assert np.isnan(diagram.test_error.values).all()
    assert np.all(diagram.status == pt.Status.NOT_CONVERGED)
    for boundary in (pt.hard_easy_boundary(0.3), pt.hard_random_boundary(0.3)):
        assert boundary.outcome.item() == "failed"
        assert np.isnan(boundary.alpha_tot.item())
    assert pt.required_theta(10.0, 0.3).outcome.item() == "failed"
    slope = pt.local_exponent(10.0, 0.3)
    assert np.isnan(slope.exponent.item())
    assert slope.status.item() == pt.Status.NOT_CONVERGED
    assert pt.crossover(0.2).outcome.item() == "failed"


def test_an_exponent_without_a_derivative_is_not_certified() -> None:
    """Error exactly 0 on measured data: ln(0) has no slope."""
    margins = pt.MeasuredMargins([0.5, 1.0, 1.5, 2.0], signed=False)
    slope = pt.local_exponent(4.0, 0.3, 0.0, margins=margins)
    assert slope.test_error.item() == 0.0
    assert np.isnan(slope.exponent.item())
    assert slope.status.item() == pt.Status.INACCURATE


def polynomial(*roots: float) -> Callable[[Any, Any], tuple[Any, Any]]:
    """Gap function with these roots, resolved to 1e-12."""

    def gap(x: Any, _: Any) -> tuple[Any, Any]:
        return np.prod([x - root for root in roots], axis=0), np.full(x.shape, 1e-12)

    return gap


def test_crossings_of_polynomials() -> None:
    grid = np.linspace(-3.0, 3.0, 25)[None, :]
    # 0.01 apart between grid points 0.25 apart: seen at the turning point.
    found = find_crossings(polynomial(-2.1, 1.12, 1.13), grid)
    np.testing.assert_allclose(found.x, [[-2.1, 1.12, 1.13]], atol=1e-12)
    assert (found.count[0], found.first_sign[0], found.last_sign[0]) == (3, -1, 1)
    # A root on a grid point has no sign there; a touch from one side is no crossing.
    np.testing.assert_allclose(find_crossings(polynomial(0.5), grid).x, [[0.5]], atol=1e-12)
    assert find_crossings(polynomial(0.3, 0.3), grid).count[0] == 0


def test_crossings_know_what_they_do_not_know() -> None:
    grid = np.tile(np.linspace(0.0, 1.0, 11), (4, 1))

    def gap(x: Any, row: Any) -> tuple[Any, Any]:
        value = np.select(
            [row == 0, row == 1, row == 2],
            [x - 0.33, np.where(np.abs(x - 0.7) < 0.001, np.nan, x - 0.33), np.where(x > 0.64, np.nan, x - 0.33)],
            1e-6,
        )
        return value, np.full(x.shape, 1e-5)

    found = find_crossings(gap, grid)
    # A single unknown point has a known one beside it; unknown stretches may hide something.
    assert found.failed.tolist() == [False, False, True, False]
    assert found.count.tolist() == [1, 1, 1, 0]
    np.testing.assert_allclose(found.x[:2, 0], 0.33, atol=1e-12)
    # Resolution over slope.
    np.testing.assert_allclose(found.error[:2, 0], 1e-5, rtol=1e-6)
    assert found.last_sign[3] == 0


BAD: list[tuple[Callable[[], object], str]] = [
    (lambda: pt.phase_diagram(-1.0, 0.3), "alpha_tot must be positive"),
    (lambda: pt.phase_diagram(1.0, 1.5), r"\(0, 1\]"),
    (lambda: pt.phase_diagram(1.0, 0.3, 10.0), "deg2rad"),
    (lambda: pt.phase_diagram([[1.0]], 0.3), "outer product"),
    (lambda: pt.phase_diagram(1.0, []), "empty"),
    (lambda: pt.phase_diagram(1.0, None), "None"),  # type: ignore[arg-type]
    (lambda: pt.phase_diagram(1.0, 0.3, margins=np.ones(3)), "MeasuredMargins"),  # type: ignore[arg-type]
    (lambda: pt.hard_easy_boundary(0.0), r"\(0, 1\]"),
    (lambda: pt.hard_easy_boundary(0.3, "ten"), "'ten'"),
    (lambda: pt.hard_random_boundary([0.1, np.nan]), "nan"),
    (lambda: pt.hard_random_boundary(0.3, -0.1), r"-0\.1"),
    (lambda: pt.local_exponent(0.0, 0.3), "alpha_prune must be positive"),
    (lambda: pt.local_exponent(1.0), "f is required"),
    (lambda: pt.local_exponent(1.0, 0.3, along="pool"), "'f' or 'alpha_tot', got 'pool'"),
    (
        lambda: pt.local_exponent(1.0, along="alpha_tot", selection=pt.KeepProbability(np.ones_like)),
        "keep probability",
    ),
    (lambda: pt.frontier_exponent(1.0), "alpha_tot_max or f_min"),
    (lambda: pt.crossover(2.0), "theta must lie"),
    (lambda: pt.crossover(0.1, excess=0.0), "excess must be positive"),
    (lambda: pt.tail_prefactor(1.5), r"\(0, 1\]"),
    (lambda: pt.tail_prefactor(0.3, selection=pt.KeepProbability(np.ones_like)), "KeepProbability"),
    (lambda: pt.smallest_useful_f(0.1, excess=-0.1), "excess must be positive"),
    (lambda: pt.smallest_useful_f(90.0), "deg2rad"),
    (lambda: pt.required_theta(0.0, 0.3), "alpha_tot must be positive"),
    (lambda: pt.required_theta(1.0, 0.3, reference="full"), "'random' or 'all', got 'full'"),
    (lambda: pt.required_theta(1.0, 0.3, within=-0.1), r"at least 0 and finite, got -0\.1"),
    (lambda: pt.required_theta(1.0, 0.3, within=np.nan), "got nan"),
    (lambda: pt.required_theta(1.0, 0.3, selection=pt.KeepProbability(np.ones_like)), "KeepProbability"),
]


@pytest.mark.parametrize(("call", "part"), BAD)
def test_bad_input_is_refused(call: Callable[[], object], part: str) -> None:
    with pytest.raises(pt.InvalidInputError, match=part) as error:
        call()
    assert "\n" not in str(error.value)
