"""The adjoint of the max-margin equations against the linear response of the convex programme, `margin_programme`."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from margin_programme import DATA, Data, frame, scaled
from scipy.special import ndtr

from perceptron_theory.derivation.symbols import A, B
from perceptron_theory.students.max_margin import adjoint
from perceptron_theory.students.max_margin.solver import solve_measure

FloatArray = npt.NDArray[np.float64]

#: Complex step: slopes without differences.
_STEP = 1e-30


def gaussian_error(w: npt.NDArray[Any]) -> Any:
    """arctan(x) / pi is analytic where arctan2 is not."""
    return 0.5 - np.arctan(w[0] / np.sqrt(w[1] ** 2 + w[2] ** 2)) / np.pi


def measured_error(data: Data, w: npt.NDArray[Any]) -> Any:
    return data.nodes.weights @ ndtr(-(w[0] * data.nodes.examples[A] + w[1] * data.nodes.examples[B]) / w[2])


def slope_of(error: Any, w: FloatArray) -> FloatArray:
    return np.array([error(w + 1j * _STEP * e).imag for e in np.eye(3)]) / _STEP


@pytest.mark.parametrize(("k", "r", "delta"), [(0.7, 1.2, -0.3), (2.5, 0.4, 0.5), (0.4, 6.0, 3.0), (0.5, -2.0, 0.6)])
def test_slopes_of_the_error(k: float, r: float, delta: float) -> None:
    data = DATA["measured"]
    x = data.student(k, r, delta)
    # Rounding.
    np.testing.assert_allclose(adjoint.gaussian_slope(x), slope_of(gaussian_error, scaled(x)), rtol=1e-13)
    expected = slope_of(lambda w: measured_error(data, w), scaled(x))
    # The fine rule.
    np.testing.assert_allclose(
        adjoint.measured_slope(data.measure, x, 2.0), expected, rtol=1e-11, atol=1e-12 * np.abs(expected).max()
    )
    assert adjoint.error_student(x) == pytest.approx(frame(0.0, r, delta, data.m0, data.theta), rel=1e-14, abs=1e-15)


def moments_of(data: Data, x: Any, weights: FloatArray) -> FloatArray:
    """E[x^2], E[A x], E[B x], P(x > 0) of examples of other weights."""
    a, b = data.nodes.examples[A], data.nodes.examples[B]
    u = x.k - x.r * a - x.d * b
    first = u * ndtr(u) + np.exp(-0.5 * u * u) / np.sqrt(2.0 * np.pi)
    return np.array([weights @ (u * first + ndtr(u)), weights @ (a * first), weights @ (b * first), weights @ ndtr(u)])


def response(data: Data, size: float, w: FloatArray, weights: FloatArray) -> FloatArray:
    """dW per unit of more examples: the optimality conditions, linearised by numpy."""
    free = [0, 2] if data.theta == 0.0 else [0, 1, 2]

    def with_more(eta: float) -> Data:
        return data._replace(nodes=data.nodes._replace(weights=data.nodes.weights + eta / size * weights))

    step = 1e-3
    fourth = np.array([1, -8, 8, -1]) / (12 * step)
    more = [with_more(j * step) for j in (-2, -1, 1, 2)]
    excess = float(fourth @ [d.excess(size, w) for d in more])
    change = fourth @ np.array([d.gradient(size, w) for d in more])
    gradient = data.gradient(size, w)
    multiplier = -float(w @ w) / float(w @ gradient)
    K = np.zeros((len(free) + 1, len(free) + 1))
    K[:-1, :-1] = (np.eye(3) + multiplier * data.hessian(size, w))[np.ix_(free, free)]
    K[-1, :-1] = K[:-1, -1] = gradient[free]
    dW = np.zeros(3)
    dW[free] = -np.linalg.solve(K, np.append(multiplier * change[free], excess))[:-1]
    return dW


@pytest.mark.parametrize(
    "name", ["measured", "perfect", *(pytest.param(n, marks=pytest.mark.slow) for n in ("hard", "easy"))]
)
@pytest.mark.parametrize("size", [0.4, 6.0])
def test_response_to_more_examples(name: str, size: float) -> None:
    data = DATA[name]
    x, residual, _ = solve_measure(data.measure, size, data.theta)
    assert residual < 1e-13
    s = adjoint.averages(data.measure, x, size)
    np.testing.assert_allclose(
        [s.x2, s.Ax, s.Bx, s.one], moments_of(data, x, data.nodes.weights), rtol=1e-11, atol=1e-13
    )
    slopes = adjoint.gaussian_slope(x), np.array([0.3, -0.7, 1.1])
    # Examples with five different weights see four numbers of the response.
    rng = np.random.default_rng(11)
    for _ in range(5):
        direction = rng.normal(size=2)
        tilt = np.exp(0.5 * (direction[0] * data.nodes.examples[A] + direction[1] * data.nodes.examples[B]))
        weights = data.nodes.weights * tilt
        dW = response(data, size, scaled(x), weights)
        for slope in slopes:
            found = adjoint.response_of(s, x, size, slope.copy())
            expected = float(slope @ dW)
            # Differences of order 4: (1e-3)^4 times fifth derivatives of order 100, and a condition of order 10.
            assert np.array(found) @ moments_of(data, x, weights) == pytest.approx(
                expected, rel=1e-8, abs=1e-9 * float(np.abs(slope) @ np.abs(dW))
            )
