"""What `test_symbolic_kernels` leaves open of the equations of the max-margin student: edges, limits, other averages.

Averages over few measured examples with plain Gauss-Legendre nodes in the coordinate beside the probe.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import ndtr
from scipy.stats import norm

import perceptron_theory as pt
from perceptron_theory.gaussian import FINE
from perceptron_theory.margins.frame import Frame, frame_at
from perceptron_theory.margins.kept import KeptMeasure, gaussian_window
from perceptron_theory.students.max_margin import equations

FloatArray = npt.NDArray[np.float64]

VALUES, WEIGHTS = np.array([0.3, 0.5, 1.1, -0.2, 2.0]), np.array([1.0, 2.0, 0.5, 0.3, 1.0])
#: An angle between teacher and probe, and a student (r, delta).
TURNED = [(0.6, 1.2, -0.5), (0.6, 1.2, 0.9), (1.3, 0.4, 0.8), (0.2, 5.0, 1.5), (math.pi / 2, 0.7, -0.2)]

# Not cached on disk: numba would not notice that a kernel below them has changed.
_compile = numba.njit(nogil=True, error_model="numpy")


@_compile
def measured_error(measure: Any, x: Any) -> float:
    return equations.measured_error(measure, x, 1.0, FINE)


@_compile
def residual(s: Any, x: Any, size: float) -> float:
    return equations.residual(s, x, size)


@_compile
def overlaps(x: Any) -> Any:
    return equations.overlaps(x)


@_compile
def at(k: float, r: float, delta: float, m0: float, theta: float) -> Any:
    return frame_at(k, r, delta, m0, theta)


def measured(theta: float) -> KeptMeasure:
    return pt.MeasuredMargins(VALUES, WEIGHTS, signed=True).unpruned(theta)


def examples(theta: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(A, B, weight) of the measured examples: g beyond the teacher's boundary, at 200 nodes each."""
    nodes, w = np.polynomial.legendre.leggauss(200)
    edge = -VALUES / np.tan(theta)
    start = np.maximum(edge, -9.0)[:, None]
    half = 0.5 * (np.maximum(edge, 0.0)[:, None] + 9.0 - start)
    g = start + half * (1.0 + nodes)
    density = np.exp(-0.5 * g * g) / np.sqrt(2.0 * np.pi) / ndtr(-edge)[:, None]
    m = VALUES[:, None]
    weight = half * w * density * (WEIGHTS / WEIGHTS.sum())[:, None]
    return m * np.cos(theta) + g * np.sin(theta), m * np.sin(theta) - g * np.cos(theta), weight


@pytest.mark.parametrize(("theta", "r", "delta"), TURNED)
@pytest.mark.parametrize("margin", [0.1, 3.0])
def test_error_on_measured_margins(theta: float, r: float, delta: float, margin: float) -> None:
    """E[Phi(-(r A + delta B))], whatever margin the student has on the data it was trained on."""
    A, B, weight = examples(theta)
    expected = float(np.sum(weight * ndtr(-(r * A + delta * B))))
    # 200 nodes on at most 18 standard deviations and the fine rule: rounding.
    for m0 in (0.0, 0.3):
        x = at(margin, r, delta, m0, theta)
        assert measured_error(measured(theta), x) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("theta", [0.2, 0.6, 1.3])
def test_kept_mass(theta: float) -> None:
    A, B, weight = examples(theta)
    expected = (1.0, np.sum(weight * A), np.sum(weight * B))
    # A margin of 1e3 makes every example a support vector, and moments of it are sums: rounding.
    assert equations.kept_mass(measured(theta), theta) == pytest.approx(expected, rel=1e-12, abs=1e-13)
    # All Gaussian data: E|A| = sqrt(2 / pi) along the teacher. A measure in excess shows as mass.
    for f in (1.0, 0.5):
        found = equations.kept_mass(gaussian_window(0.0, math.inf, f), theta)
        assert found == pytest.approx((1.0 / f, math.sqrt(2.0 / math.pi), 0.0), rel=1e-12, abs=1e-12)


def test_mass_in_excess_leaves_the_means() -> None:
    theta = 0.6
    once, twice = measured(theta), measured(theta)._replace(scale=2.0)
    mass, A, B = equations.kept_mass(once, theta)
    # Rounding.
    assert equations.kept_mass(twice, theta) == pytest.approx((2.0 * mass, A, B), rel=1e-14)


@pytest.mark.parametrize(("m", "theta"), [(0.7, 0.0), (0.7, 0.6), (-0.2, 0.6)])
def test_mass_of_one_example(m: float, theta: float) -> None:
    none = np.empty((2, 0))
    example = KeptMeasure(np.empty((0, 2)), np.empty((0, 0)), none, none, np.array([[m], [1.0]]), True, 1.0)
    # Beside the probe a Gaussian beyond the teacher's boundary, with its mean.
    beside = norm.pdf(m / math.tan(theta)) / norm.cdf(m / math.tan(theta)) if theta > 0.0 else 0.0
    expected = (
        1.0,
        m * math.cos(theta) + beside * math.sin(theta),
        m * math.sin(theta) - beside * math.cos(theta),
    )
    assert equations.kept_mass(example, theta) == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_residual_of_each_equation() -> None:
    """Averages that satisfy every equation but one: that one is what is returned."""
    x = Frame(0.9, 1.2, -0.5, 0.0, 0.0, 0.0, 0.0, 0.8, 0.6)
    size = 2.5
    norm2 = 1.0 + 1.2**2 + 0.5**2
    mean = 0.4
    names = equations.Moments._fields
    values = dict.fromkeys(names, 0.3) | {
        "x2": 1.0 / size,
        "x": mean,
        "Ax": mean * 0.9 * 1.2 / norm2,
        "Bx": -mean * 0.9 * 0.5 / norm2,
        "one": 1.0 / size - mean * 0.9 / norm2,
    }
    balanced = equations.Moments(**values)
    # Rounding.
    assert residual(balanced, x, size) < 1e-15
    spread = math.sqrt(values["BB"] / values["one"])
    for name, change, expected in (
        ("Ax", 0.3 * values["Ax"], 0.3),
        ("Ax", -0.3 * values["Ax"], 0.3),
        ("Bx", 0.02, 0.02 / mean / spread),
        ("Bx", -0.02, 0.02 / mean / spread),
    ):
        off = balanced._replace(**{name: values[name] + change})
        assert residual(off, x, size) == pytest.approx(expected, rel=1e-13)
    # (M1) and the mean gap share E[x^2]; `one` belongs to the mean gap, and to the spread.
    assert residual(balanced, x, 1.1 * size) == pytest.approx(0.1, rel=1e-12)
    assert residual(balanced, x, 0.9 * size) == pytest.approx(0.1, rel=1e-12)
    for change in (0.01, -0.01):
        off = balanced._replace(one=values["one"] + change)
        assert residual(off, x, size) == pytest.approx(0.01 * size, rel=1e-12)
    # Where the others hold to the last digit, with numbers that binary fractions can write.
    exact = equations.Moments(**(values | {"x2": 1.0, "x": 0.5, "Ax": 0.5, "Bx": 0.1, "one": 0.5, "BB": 0.125}))
    student = Frame(2.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.8, 0.6)
    assert residual(exact, student, 1.0) == pytest.approx(0.4, rel=1e-14)
    # A perfect probe has nothing along B.
    off = balanced._replace(Bx=7.0)
    assert residual(off, x._replace(sin=0.0, cos=1.0), size) < 1e-15


@pytest.mark.parametrize("name", ["x2", "x", "Ax", "Bx", "one", "BB"])
def test_residual_of_nan_is_infinite(name: str) -> None:
    s = equations.Moments(*np.linspace(0.3, 0.9, 13).tolist())
    x = Frame(0.9, 1.2, -0.5, 0.0, 0.0, 0.0, 0.0, 0.8, 0.6)
    assert residual(s, x, 2.0) < math.inf
    assert residual(s._replace(**{name: math.nan}), x, 2.0) == math.inf


def test_cosines_do_not_exceed_one() -> None:
    # Angles of 1e-9 between student and teacher or probe; 1e-16 of rounding may take the cosine to either side of 1.
    rng = np.random.default_rng(5)
    for _ in range(50):
        r = float(np.exp(rng.uniform(18.0, 40.0)))
        theta = float(rng.uniform(0.1, 1.5))
        error, R, rho, kappa = overlaps(at(0.5 * r, r, 0.0, 0.0, theta))
        assert R <= 1.0
        assert R > 1.0 - 1e-15
        assert rho == pytest.approx(math.cos(theta), rel=1e-14)
        assert kappa == pytest.approx(0.5, rel=1e-14)
        # The error keeps its digits where arccos(R) has none.
        assert error == pytest.approx(1.0 / (math.pi * r), rel=1e-14)
        along = at(0.5 * r, r * math.cos(theta), r * math.sin(theta), 0.0, theta)
        assert overlaps(along)[2] <= 1.0
        assert overlaps(along)[2] == pytest.approx(1.0, rel=1e-15)
    # One unit of rounding too much along the probe.
    assert overlaps(Frame(1.0, 1e9, 0.0, 1.000000001e9, 0.0, 1.0, 0.0, 1.0, 0.0))[1:3] == (1.0, 1.0)
