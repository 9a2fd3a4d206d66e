"""The test error as a differentiable function of tensors."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch

import perceptron_theory as pt
from perceptron_theory import torch_bridge
from perceptron_theory.analyses.gradients import error_gradient

VALUES = np.array([0.3, -0.2, 1.1, 0.3, 0.8, 2.0, 1.6])


def leaf(value: Any, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.tensor(value, dtype=dtype, requires_grad=True)


@pytest.mark.parametrize("rule", ["hard", "easy", "random", pt.Band(0.1)])
def test_gradcheck_on_gaussian_data(rule: str | pt.Band) -> None:
    def error(alpha: torch.Tensor, f: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
        return torch_bridge.solved_test_error(alpha, f, theta, selection=rule)

    inputs = leaf([[0.7], [5.0]]), leaf([0.3, 0.6, 0.8]), leaf(0.4)
    # Steps of 1e-5: truncation 1e-10 of third derivatives, rounding 1e-14 / 1e-5.
    assert torch.autograd.gradcheck(error, inputs, eps=1e-5, atol=1e-7, rtol=1e-6)


@pytest.mark.parametrize("rule", ["hard", "easy", "random", pt.Band(0.1)])
@pytest.mark.parametrize("signed", [True, False])
def test_gradcheck_on_measured_margins(rule: str | pt.Band, signed: bool) -> None:
    values = VALUES if signed else np.abs(VALUES)

    def error(alpha: torch.Tensor, f: torch.Tensor, theta: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        return torch_bridge.solved_test_error(alpha, f, theta, weights, values=values, signed=signed, selection=rule)

    weights = leaf([1.3, 0.8, 2.0, 0.4, 1.0, 0.7, 1.9])
    inputs = leaf([[0.7], [5.0]]), leaf([0.37, 0.65]), leaf(0.5), weights
    # As above.
    assert torch.autograd.gradcheck(error, inputs, eps=1e-5, atol=1e-7, rtol=1e-6)


def test_backward_is_the_gradient() -> None:
    alpha, f, theta = leaf([2.0, 3.0]), leaf(0.4), leaf(0.2)
    error = torch_bridge.solved_test_error(alpha, f, theta)
    slopes = torch.autograd.grad(3.0 * error.sum(), (alpha, f, theta))
    expected = error_gradient([2.0, 3.0], 0.4, 0.2)
    np.testing.assert_array_equal(error.detach().numpy(), expected.solution.test_error)
    # The same numbers, multiplied and added.
    np.testing.assert_allclose(slopes[0].numpy(), 3.0 * expected.alpha_prune, rtol=1e-14)
    assert slopes[1].item() == pytest.approx(3.0 * expected.f.sum(), rel=1e-14)
    assert slopes[2].item() == pytest.approx(3.0 * expected.theta.sum(), rel=1e-14)


def test_no_points() -> None:
    alpha = leaf([])
    error = torch_bridge.solved_test_error(alpha, 0.3, 0.2)
    assert torch.autograd.grad(error.sum(), alpha)[0].shape == error.shape == (0,)


def test_without_gradients_it_is_the_solved_error() -> None:
    error = torch_bridge.solved_test_error(3.0, torch.tensor(0.3), 0.2, values=VALUES, signed=True)
    assert not error.requires_grad
    assert error.dtype == torch.float64
    expected = pt.solve(3.0, np.float32(0.3), 0.2, margins=pt.MeasuredMargins(VALUES, signed=True))
    assert error.item() == expected.test_error


def test_values_may_be_a_tensor() -> None:
    values = torch.tensor(VALUES)
    error = torch_bridge.solved_test_error(3.0, 0.3, 0.2, values=values, signed=True)
    assert error == torch_bridge.solved_test_error(3.0, 0.3, 0.2, values=VALUES, signed=True)


def test_other_types_get_gradients_of_their_own() -> None:
    f = leaf(0.3, torch.float32)
    (slope,) = torch.autograd.grad(torch_bridge.solved_test_error(3.0, f), f)
    assert slope.dtype == torch.float32
    # Rounding to float32.
    assert slope.item() == pytest.approx(float(error_gradient(3.0, np.float32(0.3)).f), rel=1e-6)


def test_descent_finds_the_best_fraction() -> None:
    f = leaf(0.6)
    optimiser = torch.optim.LBFGS([f], tolerance_grad=1e-10, tolerance_change=1e-14, line_search_fn="strong_wolfe")

    def closure() -> float:
        optimiser.zero_grad()
        error = torch_bridge.solved_test_error(3.0, f.clamp(0.05, 1.0), 0.2)
        (f.grad,) = torch.autograd.grad(error, f)
        return error.item()

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    best = pt.pareto_frontier(3.0, 0.2, f_min=0.05)
    # The frontier finds its f to about 1e-6.
    assert f.item() == pytest.approx(float(best.f), abs=1e-5)


def test_second_derivatives_are_refused() -> None:
    f = leaf(0.3)
    (slope,) = torch.autograd.grad(torch_bridge.solved_test_error(3.0, f), f, create_graph=True)
    with pytest.raises(pt.InvalidInputError, match="differentiated once"):
        torch.autograd.grad(slope, f)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"f": torch.tensor(1.5)}, r"f must lie in \(0, 1\], got 1.5"),
        ({"f": torch.tensor(1)}, r"f must be floating-point numbers, got torch.int64: use f.double\(\)"),
        ({"f": torch.tensor(float("nan"))}, "got nan"),
        ({"f": np.array([0.3])}, "f must be a torch tensor or a number, got ndarray"),
        ({"f": torch.tensor([0.1, 0.2]), "theta": torch.zeros(3)}, r"must broadcast, got shapes \(\), \(2,\), \(3,\)"),
        ({"weights": torch.ones(3)}, "weights need values"),
        ({"weights": torch.ones(3), "values": [1.0, 2.0]}, r"of shape \(2,\), got shape \(3,\)"),
        ({"weights": -torch.ones(2), "values": [1.0, 2.0]}, "weights must be positive"),
        ({"values": [1.0, -2.0]}, "magnitudes must be >= 0"),
        ({"values": ["a"]}, "values must be a real number"),
        ({"values": leaf([1.0, 2.0])}, "values must not ask for a gradient"),
        ({"selection": "best"}, "unknown selection"),
    ],
)
@pytest.mark.parametrize("wants_gradient", [True, False])
def test_bad_input(arguments: dict[str, Any], says: str, wants_gradient: bool) -> None:
    alpha = torch.tensor(2.0, dtype=torch.float64, requires_grad=wants_gradient)
    with pytest.raises(pt.InvalidInputError, match=says):
        torch_bridge.solved_test_error(**{"alpha_prune": alpha, "f": 0.3, **arguments})


def test_where_there_is_no_gradient() -> None:
    alpha = leaf([2.0, 1e300])
    for given in (alpha, alpha.detach()):
        with pytest.raises(
            pt.ConvergenceError, match=r"1 of 2 points.*alpha_prune=1e\+300, f=0.6, theta=0.3: the resid"
        ):
            torch_bridge.solved_test_error(given, 0.6, 0.3)


def test_without_torch_it_names_the_extra() -> None:
    code = (
        "import sys\n"
        "sys.modules['torch'] = None\n"
        "import perceptron_theory.analyses.gradients\n"
        "try:\n"
        "    import perceptron_theory.torch_bridge\n"
        "except perceptron_theory.MissingExtraError as error:\n"
        "    print(error)\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 'pip install "perceptron_theory[torch]"' in found.stdout
