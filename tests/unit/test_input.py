"""Bad input: named errors that say what is wrong, the value, and what to do next."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import perceptron_theory as pt

BAD_CALLS: list[tuple[dict[str, Any], list[str]]] = [
    ({"alpha_prune": -1.0}, ["alpha_prune", "-1"]),
    ({"alpha_prune": 0.0}, ["alpha_prune", "0"]),
    ({"alpha_prune": np.inf}, ["alpha_prune", "inf"]),
    ({"alpha_prune": np.nan}, ["alpha_prune", "nan"]),
    ({"alpha_prune": "three"}, ["alpha_prune", "'three'"]),
    ({"alpha_prune": 1j}, ["alpha_prune", "1j"]),
    ({"alpha_prune": 1e308}, ["alpha_prune / f", "1e+308", "0.3"]),
    ({"alpha_prune": [1.0, 3.0], "f": [0.3, 5e-324]}, ["alpha_prune / f", "3", "4.94066e-324"]),
    ({"f": 0.0}, ["(0, 1]", "0"]),
    ({"f": 1.5}, ["(0, 1]", "1.5"]),
    ({"f": np.nan}, ["(0, 1]", "nan"]),
    ({"f": None}, ["f is required", "hard"]),
    ({"theta": -0.1}, ["theta", "-0.1"]),
    ({"theta": 10.0}, ["theta", "10", "deg2rad"]),
    ({"theta": np.nan}, ["theta", "nan"]),
    ({"selection": "hardest"}, ["'hardest'", "'hard'", "'easy'", "'random'"]),
    ({"selection": 3}, ["3", "'hard'"]),
    ({"selection": pt.Band(0.8)}, ["0.3", "0.2"]),
    ({"alpha_prune": [1.0, 2.0], "f": [0.1, 0.2, 0.3]}, ["(2,)", "(3,)"]),
    ({"margins": np.ones(3)}, ["MeasuredMargins", "ndarray"]),
    ({"selection": pt.KeepProbability(lambda m: np.ones_like(m))}, ["0.3", "E[k(m)]"]),
]


@pytest.mark.parametrize(("change", "parts"), BAD_CALLS)
def test_solve_refuses(change: dict[str, Any], parts: list[str]) -> None:
    arguments: dict[str, Any] = {"alpha_prune": 3.0, "f": 0.3, "theta": 0.1, "selection": "hard"} | change
    with pytest.raises(pt.InvalidInputError) as error:
        pt.solve(**arguments)
    message = str(error.value)
    assert "\n" not in message
    for part in parts:
        assert part in message


def test_a_right_angle_in_degrees_is_accepted_at_the_boundary() -> None:
    assert pt.solve(1.0, 0.5, np.deg2rad(90.0)).converged


@pytest.mark.parametrize(
    ("k", "part"),
    [
        (lambda m: 2.0 * np.ones_like(m), "[0, 1]"),
        (lambda m: np.full_like(m, np.nan), "[0, 1]"),
        (lambda m: 0.5, "shape"),
        (lambda m: np.zeros_like(m), "keep something"),
        (lambda m: (m > 0.1234).astype(float), "0.1234"),
    ],
)
def test_keep_probability_refuses(k: Any, part: str) -> None:
    with pytest.raises(pt.InvalidInputError, match="m") as error:
        pt.solve(1.0, theta=0.2, selection=pt.KeepProbability(k))
    assert part in str(error.value)


def test_band_refuses() -> None:
    with pytest.raises(pt.InvalidInputError, match=r"1\.0"):
        pt.Band(1.0)


def test_measured_margins_refuse() -> None:
    with pytest.raises(pt.InvalidInputError, match="non-empty"):
        pt.MeasuredMargins([], signed=False)
    with pytest.raises(pt.InvalidInputError, match="index 1"):
        pt.MeasuredMargins([1.0, np.nan], signed=False)
    with pytest.raises(pt.InvalidInputError, match="-2"):
        pt.MeasuredMargins([1.0, -2.0], signed=False)
    with pytest.raises(pt.InvalidInputError, match="weight"):
        pt.MeasuredMargins([1.0, 2.0], [1.0, 0.0], signed=False)
    margins = pt.MeasuredMargins([-1.0, 1.0, 2.0], signed=True)
    with pytest.raises(pt.InvalidInputError, match="theta = 0 contradicts"):
        pt.solve(1.0, 0.5, 0.0, margins=margins)


@pytest.mark.parametrize("bad", ["abc", [1 + 1j], [], True, [[1.0, 2.0], [3.0]]])
def test_sweep_axes_refuse(bad: Any) -> None:
    with pytest.raises(pt.InvalidInputError):
        pt.learning_curve(bad, 0.3)
    with pytest.raises(pt.InvalidInputError):
        pt.pareto_frontier(bad, alpha_tot_max=10.0)


@pytest.mark.parametrize(
    "make",
    [
        lambda: pt.Band("0.1"),  # type: ignore[arg-type]
        lambda: pt.Band(None),  # type: ignore[arg-type]
        lambda: pt.KeepProbability(None),  # type: ignore[arg-type]
        lambda: pt.KeepProbability(np.ones_like, breakpoints=[np.nan]),
        lambda: pt.MeasuredMargins(["a"], signed=False),
        lambda: pt.MeasuredMargins([1.0, 2.0], ["x", "y"], signed=False),
        lambda: pt.MeasuredMargins([1.0, 2.0], signed="no"),  # type: ignore[arg-type]
        lambda: pt.Scores([[1], [1, 2]], higher_is="harder"),  # type: ignore[arg-type]
        lambda: pt.pareto_frontier([1.0], alpha_tot_max=[1.0, 2.0]),  # type: ignore[arg-type]
        lambda: pt.solve(1.0, theta=0.0, selection=pt.KeepProbability(lambda m: m < 0, breakpoints=[0.0])),
    ],
)
def test_rules_and_data_refuse(make: Any) -> None:
    with pytest.raises(pt.InvalidInputError):
        make()


def test_sweeps_refuse() -> None:
    with pytest.raises(pt.InvalidInputError, match="outer product"):
        pt.learning_curve(np.ones((2, 2)), 0.5)
    with pytest.raises(pt.InvalidInputError, match="alpha_tot_max or f_min"):
        pt.pareto_frontier([1.0, 2.0])
    with pytest.raises(pt.InvalidInputError, match="f_min"):
        pt.pareto_frontier([1.0, 2.0], f_min=1.5)
    with pytest.raises(pt.InvalidInputError, match=r"at most 0\.5"):
        pt.pareto_frontier([1.0], f_min=0.7, selection=pt.Band(0.5))
    with pytest.raises(pt.InvalidInputError, match="KeepProbability"):
        pt.pareto_frontier([1.0], f_min=0.7, selection=pt.KeepProbability(lambda m: np.ones_like(m)))


def test_a_failed_point_raises_or_is_nan_with_a_status() -> None:
    """An absurdly large problem fails its certificate: it must say so and carry the result."""
    with pytest.raises(pt.ConvergenceError) as error:
        pt.solve(1e18, 0.5, 0.0, selection="easy")
    assert "throw=False" in str(error.value)
    assert error.value.solution.status != pt.Status.CONVERGED
    s = pt.solve([1.0, 1e18, 1e300], 0.5, 0.0, selection="easy")
    assert s.converged.tolist() == [True, False, False]
    for name in ("test_error", "R", "rho", "kappa"):
        value = getattr(s, name)
        assert np.isfinite(value[0])
        assert np.isnan(value[1:]).all()
    assert pt.Status(int(s.status[1])).sentence
    curve = pt.learning_curve([1.0, 1e18], 0.5, 0.0, selection="easy")
    assert np.isnan(curve.test_error.values[1])
    assert curve.status.values[1] != pt.Status.CONVERGED


def test_rules_take_one_number_or_a_list() -> None:
    with pytest.raises(pt.InvalidInputError, match=r"Band\.lower must be one number"):
        pt.Band([0.1, 0.2])  # type: ignore[arg-type]
    with pytest.raises(pt.InvalidInputError, match="breakpoints must be a list of margins"):
        pt.KeepProbability(np.ones_like, breakpoints=0.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("student", ["max-margin", "gibbs", "bayes-point", pt.ConvexLoss("logistic", 0.1)])
def test_next_to_no_examples_are_solved_or_said_to_fail(student: str | pt.ConvexLoss) -> None:
    """At the least of double precision overlaps underflow: NaN with a status, without a warning."""
    solution = pt.solve([1e-308, 1e-5], 0.3, 0.1, student=student)
    assert solution.converged[1]
    assert solution.converged[0] or np.isnan(solution.R[0])
