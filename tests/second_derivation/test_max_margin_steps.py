"""The steps of the max-margin solver against the convex programme they are made for, `margin_programme`.

Linear systems are numpy's, solutions scipy's.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pytest
from margin_programme import DATA, Data, frame, scaled
from scipy.optimize import root

from perceptron_theory.gaussian import COARSE, FINE
from perceptron_theory.students.max_margin import steps
from perceptron_theory.students.max_margin.equations import moments, residual

FloatArray = npt.NDArray[np.float64]

# Not cached on disk: numba would not notice that a kernel below them has changed.
_compile = numba.njit(nogil=True, error_model="numpy")


@_compile
def one_step(measure: Any, x: Any, size: float, multiplier: float, fraction: float) -> Any:
    s = moments(measure, x, size, FINE)
    step = steps.newton_step(s, x, size, multiplier)
    return s, step, steps.safe_fraction(x, step), steps.advance(x, step, fraction)


@_compile
def newton_step(s: Any, x: Any, size: float, multiplier: float) -> Any:
    return steps.newton_step(s, x, size, multiplier)


@_compile
def safe(x: Any, step: Any) -> Any:
    return steps.safe_fraction(x, step), steps._half_norm2(x)


@_compile
def solve_linear(system: Any) -> bool:
    return steps._solve_linear(system)


@_compile
def solved(measure: Any, size: float, theta: float, x: Any) -> Any:
    near = steps.approach(measure, size, x)
    start = residual(moments(measure, x, size, COARSE), x, size)
    return start, near, steps.polish(measure, size, near[0], near[1])


#: (k, r, delta), alpha, multiplier. Off the solution, on either side of N = 0.
STUDENTS = [
    ((0.7, 1.2, -0.3), 2.0, 0.8),
    ((2.5, 0.4, 0.5), 0.3, 5.0),
    ((0.4, 2.0, 0.7), 12.0, 1e-3),
    ((0.7, 1.2, -0.3), 2.0, 0.0),
    ((1.3, 2.2, 0.9), 4.0, -1.0),
    # Away from the teacher: more of W is worse, and no multiplier is estimated.
    ((0.5, -2.0, 0.6), 3.0, -1.0),
]


def lagrange_step(data: Data, size: float, w: FloatArray, multiplier: float) -> tuple[FloatArray, float, float]:
    """Newton's step on W + lambda grad N = 0, N = 0: (dW, new multiplier, N)."""
    excess, gradient, hessian = float(data.excess(size, w)), data.gradient(size, w), data.hessian(size, w)
    free = [0, 2] if data.theta == 0.0 else [0, 1, 2]
    if multiplier < 0.0:
        # The best multiple of grad N in the direction of W itself, if it can help.
        along = float(w @ gradient)
        multiplier = -float(w @ w) / along if along < 0.0 else 0.0
    system = np.zeros((len(free) + 1, len(free) + 1))
    system[:-1, :-1] = (np.eye(3) + multiplier * hessian)[np.ix_(free, free)]
    system[-1, :-1] = system[:-1, -1] = gradient[free]
    change = np.linalg.solve(system, -np.append((w + multiplier * gradient)[free], excess))
    dW = np.zeros(3)
    dW[free] = change[:-1]
    return dW, max(multiplier + float(change[-1]), 1e-3 * multiplier), excess


@pytest.mark.parametrize("name", DATA)
def test_newton_step(name: str) -> None:
    data = DATA[name]
    for (k, r, delta), size, multiplier in STUDENTS:
        x = data.student(k, r, 0.0 if data.theta == 0.0 else delta)
        _, step, fraction, after = one_step(data.measure, x, size, multiplier, 0.3)
        w = scaled(x)
        dW, new_multiplier, excess = lagrange_step(data, size, w, multiplier)
        found = np.array([step.dWr, step.dWd, step.dWs])
        assert step.ok
        # Differences of order 4: (1e-3)^4 times fifth derivatives of order 100, and a condition of order 10.
        assert np.abs(found - dW).max() < 1e-8 * np.abs(dW).max()
        assert step.multiplier == pytest.approx(new_multiplier, rel=1e-8)
        assert step.excess == pytest.approx(excess, rel=1e-11)
        # S may fall to a tenth of itself, no further.
        assert fraction == pytest.approx(1.0 if dW[2] > -0.9 * w[2] else -0.9 * w[2] / dW[2], rel=1e-9)
        new = w + 0.3 * found
        if new[2] > 0.0:
            expected = frame(1.0 / new[2], new[0] / new[2], new[1] / new[2], x.m0, data.theta)
            # Rounding of a sum of a few terms of the size of the student.
            np.testing.assert_allclose(after, expected, rtol=0.0, atol=1e-13 * np.abs(expected).max())


def test_step_that_keeps_the_norm_positive() -> None:
    x = frame(0.5, 1.0, 0.2, 0.0, 0.4)
    for fall, expected in ((-1.0, 1.0), (-1.7, 1.0), (-1.9, 0.9 * 2.0 / 1.9), (-20.0, 0.09), (3.0, 1.0)):
        step = steps.Step(0.1, 0.1, fall, 1.0, 0.0, True)
        # Rounding.
        assert safe(x, step) == pytest.approx((expected, 0.5 * float(scaled(x) @ scaled(x))), rel=1e-15)


def test_no_step_from_nan() -> None:
    data = DATA["hard"]
    x = data.student(0.7, 1.2, -0.3)
    s, *_ = one_step(data.measure, x, 2.0, 0.8, 1.0)
    for name in s._fields:
        if name not in ("x", "A", "B"):
            assert not newton_step(s._replace(**{name: math.nan}), x, 2.0, 0.8).ok, name
    # A Lagrangian that is not convex, which no data have.
    for name in ("AA", "BB", "uu"):
        assert not newton_step(s._replace(**{name: -1e3}), x, 2.0, 0.8).ok, name


def test_linear_systems() -> None:
    rng = np.random.default_rng(7)
    for _ in range(30):
        A, b = rng.normal(size=(4, 4)), rng.normal(size=4)
        A[rng.integers(4), rng.integers(4)] = 0.0
        # Rows of very different size, and a zero in the corner: pivots must be looked for.
        A *= 10.0 ** rng.integers(-6, 6, (4, 1))
        if rng.random() < 0.5:
            A[0, 0] = 0.0
        system = np.column_stack([A, b])
        assert solve_linear(system)
        expected = np.linalg.solve(A, b)
        # Rounding times a condition of up to 1e3, apart from the scale of rows, which pivoting by size may not see.
        np.testing.assert_allclose(system[:, 4], expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())


def test_pivots_keep_digits() -> None:
    """One number per row and column, wherever it stands, between others of 1e-18: only it will do as a pivot."""
    rng = np.random.default_rng(8)
    b = np.array([1.0, -2.0, 3.0, 0.5])
    for order in itertools.permutations(range(4)):
        A = np.eye(4)[list(order)] * np.array([2.0, -0.5, 1.5, 1.0]) + 1e-18 * rng.normal(size=(4, 4))
        system = np.column_stack([A, b])
        assert solve_linear(system)
        # Rounding.
        np.testing.assert_allclose(system[:, 4], np.linalg.solve(A, b), rtol=1e-15)


def test_singular_systems() -> None:
    for i in range(4):
        system = np.column_stack([np.eye(4), np.ones(4)])
        system[i, i] = 0.0
        assert not solve_linear(system.copy())
        for broken in (math.nan, math.inf):
            system[i, i] = broken
            assert not solve_linear(system.copy())
        system[i, i] = 1.0
        system[i, 4] = math.nan
        assert not solve_linear(system.copy())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["measured", "perfect", "hard"])
@pytest.mark.parametrize("size", [0.4, 6.0])
def test_solved_from_afar(name: str, size: float) -> None:
    """Whatever the start, the line search leads into the quadratic regime, and to the one solution."""
    data = DATA[name]
    _, _, (x, *_) = solved(data.measure, size, data.theta, data.student(1.0, 1.0, 0.0))
    rng = np.random.default_rng(9)
    for _ in range(12):
        k, r = np.exp(rng.uniform(np.log(0.1), np.log(10.0), 2))
        delta = float(r * rng.uniform(-1.0, 1.0)) if data.theta > 0.0 else 0.0
        _, near, (there, *_) = solved(data.measure, size, data.theta, data.student(float(k), float(r), delta))
        assert near[2] < steps.COARSE_GOAL
        # Rounding of the moments.
        np.testing.assert_allclose(there, x, rtol=1e-11, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("size", [0.4, 6.0])
def test_programme_is_solved(name: str, size: float) -> None:
    """From a poor start to the optimality conditions, and to where scipy's root finder takes them."""
    data = DATA[name]
    start, (near, _, near_error), (x, multiplier, error) = solved(
        data.measure, size, data.theta, data.student(1.0, 1.0, 0.0)
    )
    assert start > steps.COARSE_GOAL
    assert near_error < steps.COARSE_GOAL
    # Rounding of the moments.
    assert error < 1e-13
    w = scaled(x)

    def conditions(unknowns: FloatArray) -> FloatArray:
        slope = unknowns[:3] + unknowns[3] * data.gradient(size, unknowns[:3])
        if data.theta == 0.0:
            slope[1] = unknowns[1]
        return np.append(slope, data.excess(size, unknowns[:3]))

    found = root(conditions, np.append(scaled(near), multiplier), options={"xtol": 1e-12}).x
    assert np.abs(conditions(np.append(w, multiplier))).max() < 1e-11 * np.abs(w).max()
    # What the root finder was asked for, with a margin; `near` is off by the coarse rule and its goal.
    np.testing.assert_allclose(found, np.append(w, multiplier), rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(scaled(near), w, rtol=0.05, atol=0.05 * np.abs(w).max())
    np.testing.assert_allclose(x, data.student(x.k, x.r, x.d), rtol=1e-11, atol=1e-12)
