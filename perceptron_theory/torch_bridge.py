"""The solved test error as a function of torch tensors that can be differentiated.

Its backward pass is the implicit function theorem at the solution (`error_gradient`), not a tape through the solver.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from perceptron_theory.analyses.gradients import ErrorGradient, error_gradient
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.extras import require
from perceptron_theory.margins.distributions import MeasuredMargins
from perceptron_theory.margins.selection import Selection
from perceptron_theory.solving.saddle_point import solve
from perceptron_theory.solving.solution import ConvergenceError, Status
from perceptron_theory.validation import number_array

require("torch", "the test error of tensors is one itself")

import torch  # noqa: E402
from torch import Tensor  # noqa: E402

FloatArray = npt.NDArray[np.float64]


def solved_test_error(
    alpha_prune: Tensor | float,
    f: Tensor | float,
    theta: Tensor | float = 0.0,
    weights: Tensor | None = None,
    *,
    values: npt.ArrayLike | Tensor | None = None,
    signed: bool = False,
    selection: str | Selection = "hard",
) -> Tensor:
    """Test error of the max-margin student, differentiable once in alpha_prune, f, theta and the weights.

    Parameters
    ----------
    alpha_prune, f, theta : Tensor or float
        As in `solve`; tensors of real floating-point numbers whose shapes broadcast.
    weights : Tensor, shape (n,), optional
        Positive weights of `values`, of any sum. Default: equal.
    values : array_like or Tensor, shape (n,), optional
        Measured signed margins, or magnitudes |z|, as in `MeasuredMargins`. Default: Gaussian data.
    signed : bool
        If True `values` are signed margins, else magnitudes.
    selection : {"hard", "easy", "random"} or Band
        Which examples are kept.

    Returns
    -------
    Tensor
        float64, of the broadcast shape, on the device of the first tensor; computed on the CPU in double precision.

    Raises
    ------
    InvalidInputError
        If an argument is no real tensor, lies outside its range, or weights come without values; if `values` or the
        gradient itself are to be differentiated.
    ConvergenceError
        If a point fails its certificate, or a gradient is asked for where the student has none.

    Notes
    -----
    One-sided derivatives and kinks are as in `error_gradient`. A second derivative is refused.

    Examples
    --------
    >>> import torch
    >>> from perceptron_theory import torch_bridge
    >>> f = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    >>> error = torch_bridge.solved_test_error(3.0, f, theta=0.17)
    >>> error.backward()
    >>> print(f"{error.item():.5f} {f.grad.item():.5f}")
    0.06428 0.04855
    """
    if weights is not None and values is None:
        raise InvalidInputError("weights need values, got none: pass the measured margins that they belong to.")
    given = [x for x in (alpha_prune, f, theta, weights) if isinstance(x, Tensor)]
    numbers = _broadcast(*(_tensor(name, x) for name, x in (("alpha_prune", alpha_prune), ("f", f), ("theta", theta))))
    points = None if values is None else _values(values)
    weighed = None if weights is None else _tensor("weights", weights)
    error: Tensor = _TestError.apply(*numbers, weighed, points, signed, selection)  # type: ignore[no-untyped-call]
    return error.to(given[0].device) if given else error


def _tensor(name: str, value: Tensor | float) -> Tensor:
    """`value` as a tensor of real floating-point numbers; a plain number is one of float64."""
    if not isinstance(value, Tensor):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise InvalidInputError(
                f"{name} must be a torch tensor or a number, got {type(value).__name__}: use torch.as_tensor."
            )
        return torch.tensor(float(value), dtype=torch.float64)
    if not value.is_floating_point():
        raise InvalidInputError(f"{name} must be floating-point numbers, got {value.dtype}: use {name}.double().")
    return value.to("cpu", torch.float64)


def _values(values: npt.ArrayLike | Tensor) -> FloatArray:
    if isinstance(values, Tensor):
        if values.requires_grad:
            raise InvalidInputError(
                "values must not ask for a gradient: only alpha_prune, f, theta and weights have one; detach them."
            )
        values = values.to("cpu", torch.float64).numpy()
    return number_array("values", values, "values are signed margins or magnitudes |z|")


def _broadcast(alpha_prune: Tensor, f: Tensor, theta: Tensor) -> Sequence[Tensor]:
    try:
        numbers: Sequence[Tensor] = torch.broadcast_tensors(alpha_prune, f, theta)  # type: ignore[no-untyped-call]
    except RuntimeError:
        raise InvalidInputError(
            f"alpha_prune, f and theta must broadcast, got shapes {tuple(alpha_prune.shape)}, {tuple(f.shape)}, "
            f"{tuple(theta.shape)}: add dimensions with [:, None]."
        ) from None
    return numbers


class _TestError(torch.autograd.Function):
    """Solves forward; the gradient, where one is asked for, is found at the same time."""

    @staticmethod
    def forward(
        ctx: Any,
        alpha_prune: Tensor,
        f: Tensor,
        theta: Tensor,
        weights: Tensor | None,
        values: FloatArray | None,
        signed: bool,
        selection: str | Selection,
    ) -> Tensor:
        numbers = [x.detach().numpy() for x in (alpha_prune, f, theta)]
        mass = None if weights is None else weights.detach().numpy()
        margins = None if values is None else MeasuredMargins(values, mass, signed=signed)
        if not any(ctx.needs_input_grad):
            solution = solve(*numbers, selection=selection, margins=margins, throw=True)
            return torch.as_tensor(np.array(solution.test_error))
        gradient = error_gradient(*numbers, selection=selection, margins=margins)
        slopes = [gradient.alpha_prune, gradient.f, gradient.theta]
        if values is not None and mass is not None and gradient.weights is not None:
            # Equal values have one derivative, and weights count relative to their sum.
            slopes.append(gradient.weights[..., np.unique(values, return_inverse=True)[1]] / mass.sum())
        _refuse_failed(gradient)
        inputs = (alpha_prune, f, theta) if weights is None else (alpha_prune, f, theta, weights)
        ctx.save_for_backward(*inputs, *(torch.as_tensor(np.array(s)) for s in slopes[: len(inputs)]))
        return torch.as_tensor(np.array(gradient.solution.test_error))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        half = len(ctx.saved_tensors) // 2
        inputs, slopes = ctx.saved_tensors[:half], ctx.saved_tensors[half:]
        slopes = [_Slope.apply(x, *inputs) for x in slopes]  # type: ignore[no-untyped-call]
        by_weight = torch.tensordot(grad, slopes[3], grad.ndim) if half > 3 else None
        return (*(grad * slope for slope in slopes[:3]), by_weight, None, None, None)


class _Slope(torch.autograd.Function):
    """A slope that knows what it depends on, so that nobody takes it for a constant (as `once_differentiable` does)."""

    @staticmethod
    def forward(ctx: Any, slope: Tensor, *inputs: Tensor) -> Tensor:
        return slope.clone()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        raise InvalidInputError(
            "the test error can be differentiated once, got a second derivative asked for: leave out "
            "create_graph=True, or take differences of the gradient."
        )


def _refuse_failed(gradient: ErrorGradient) -> None:
    """Raise where there is no solution, or no gradient of it."""
    solution = gradient.solution
    missing = np.ravel(gradient.status != Status.CONVERGED)
    if not missing.any():
        return
    at = int(np.flatnonzero(missing)[0])
    status = Status(int(np.ravel(gradient.status)[at]))
    alpha_prune, f, theta = (float(np.ravel(x)[at]) for x in (solution.alpha_prune, solution.f, solution.theta))
    raise ConvergenceError(
        f"{int(missing.sum())} of {missing.size} points have no gradient; the first, alpha_prune={alpha_prune:g}, "
        f"f={f:g}, theta={theta:g}: {status.sentence}. Leave such points out; error_gradient has the status of each.",
        solution,
    )
