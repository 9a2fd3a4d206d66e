"""What the first guess of the max-margin student says of the data, by scipy's integrals; and how good the guess is."""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.stats import norm

import perceptron_theory as pt
from perceptron_theory.margins.frame import Frame
from perceptron_theory.margins.kept import KeptMeasure, gaussian_window
from perceptron_theory.margins.selection import as_selection
from perceptron_theory.students.max_margin import guess, pinned
from perceptron_theory.students.max_margin.solver import solve_measure

FloatArray = npt.NDArray[np.float64]

#: A guess need not be good: these tests watch that it is not worse than it was made to be.
pytestmark = pytest.mark.slow

# Not cached on disk: numba would not notice that a kernel below them has changed.
_compile = numba.njit(nogil=True, error_model="numpy")


@_compile
def seen(measure: Any, theta: float, m0: float) -> Any:
    return (
        guess.gap_origin(measure),
        guess.boundary_density(measure, theta, m0),
        guess.weight_at_gap(measure, m0),
    )


@_compile
def wrong_side(measure: Any, theta: float, m0: float) -> Any:
    return guess.wrong_side_load(measure, theta, m0)


@_compile
def first_guess(measure: Any, size: float, theta: float) -> Any:
    return guess.first_guess(measure, size, theta, guess.gap_origin(measure))


@_compile
def boundary_cost(edge: float, conditional: bool) -> float:
    return pinned._boundary_cost(edge, conditional)


@_compile
def is_pinned(measure: Any, size: float, theta: float) -> bool:
    return pinned.pinned_to_probe(measure, size, theta, guess.gap_origin(measure))


VALUES, WEIGHTS = np.array([0.3, 0.5, 1.1, -0.2, 2.0]), np.array([1.0, 2.0, 0.5, 0.3, 1.0])


def measured(signed: bool, theta: float, rule: str = "random", f: float = 1.0) -> KeptMeasure:
    values = VALUES if signed else np.abs(VALUES)
    return pt.MeasuredMargins(values, WEIGHTS, signed=signed).kept(as_selection(rule), f, theta)


def test_smallest_kept_margin() -> None:
    assert seen(gaussian_window(0.0, 0.7, 0.5), 0.4, 0.0)[0] == 0.0
    assert seen(gaussian_window(0.7, math.inf, 0.48), 0.4, 0.7)[0] == 0.7
    assert seen(measured(True, 0.4), 0.4, 0.3)[0] == 0.3
    assert seen(measured(False, 0.4), 0.4, 0.2)[0] == 0.2
    # Easy: 2.0 in full, 1.1 in part, which is an edge; then an edge alone.
    assert seen(measured(True, 0.4, "easy", 0.25), 0.4, 1.1)[0] == 1.1
    assert seen(measured(True, 0.4, "easy", 0.1), 0.4, 2.0)[0] == 2.0
    assert seen(gaussian_window(0.2, 0.7, 0.36), 0.4, 0.2)[0] == 0.2
    # What is kept in part counts, below 1 too, and beside an interval around 0.
    edge = pt.MeasuredMargins([0.4, 0.6], signed=True).kept(as_selection("easy"), 0.3, 0.4)
    assert seen(edge, 0.4, 0.6)[0] == 0.6
    assert seen(edge._replace(intervals=np.array([[-0.5, 0.5]])), 0.4, 0.6)[0] == 0.0
    # Hard: only the example on the wrong side, in part and in full.
    assert seen(measured(True, 0.4, "hard", 0.1 / 4.8), 0.4, 1.0)[0] == 0.0
    assert seen(measured(True, 0.4, "hard", 0.3 / 4.8), 0.4, 1.0)[0] == 0.0


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.7), (0.5, 1.2), (0.9, math.inf)])
@pytest.mark.parametrize("theta", [0.3, 1.2, math.pi / 2])
def test_windows(low: float, high: float, theta: float) -> None:
    f = 2.0 * (norm.cdf(high) - norm.cdf(low))
    _, density, at_gap = seen(gaussian_window(low, high, f), theta, low)
    # On A = 0 margins are B sin(theta), B ~ N(0, 1).
    on_boundary = 2.0 * (norm.cdf(high / math.sin(theta)) - norm.cdf(low / math.sin(theta))) / f
    # The fine rule, on what it is not made for.
    assert density == pytest.approx(on_boundary, rel=1e-8)
    assert at_gap == 0.0
    if low == 0.0:
        # Only a gap is compared with what lies on the wrong side of it.
        return
    for m0 in (low, 0.5 * low):
        for power, found in zip((0, 2), wrong_side(gaussian_window(low, high, f), theta, m0), strict=True):

            def wrong(m: float, m0: float = m0, power: int = power) -> float:
                return float(2.0 * norm.pdf(m) / f * norm.cdf(-m / math.tan(theta)) * (1.0 + m / m0) ** power)

            expected, _ = quad(wrong, low, min(high, 12.0), epsabs=0.0, epsrel=1e-10)
            # The fine rule, on what it is not made for.
            assert found == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("theta", [0.3, 1.2])
def test_atoms(signed: bool, theta: float) -> None:
    m0 = 0.3 if signed else 0.2
    _, density, at_gap = seen(measured(signed, theta), theta, m0)
    mass, load = wrong_side(measured(signed, theta), theta, m0)
    weights = WEIGHTS / WEIGHTS.sum()
    cot = 1.0 / math.tan(theta)
    if signed:
        # Density of A at 0 given g > -m cot(theta), relative to 2 phi(0) of data that the teacher labels.
        rate = weights * norm.pdf(VALUES * cot) / norm.cdf(VALUES * cot)
        wrong = np.array([0.3 / 4.8])
        below = np.array([-0.2])
    else:
        # Both signs have the weight, and the g that makes it one label or the other.
        rate = 2.0 * weights * norm.pdf(VALUES * cot)
        wrong, below = weights * norm.cdf(-np.abs(VALUES) * cot), -np.abs(VALUES)
    # Rounding.
    assert density == pytest.approx(rate.sum() / math.sin(theta) / (2.0 * norm.pdf(0.0)), rel=1e-12)
    assert mass == pytest.approx(wrong.sum(), rel=1e-12)
    assert load == pytest.approx(wrong @ (1.0 - below / m0) ** 2, rel=1e-12)
    assert at_gap == pytest.approx(1.0 / 4.8 if signed else 0.3 / 4.8, rel=1e-12)


def test_weight_at_gap_of_what_is_kept() -> None:
    # Easy f = 0.25: 2.0 weighs 1.0 of 4.8 in full, 1.1 the rest.
    f = 0.25
    assert seen(measured(True, 0.4, "easy", f), 0.4, 1.1)[2] == pytest.approx((f - 1.0 / 4.8) / f, rel=1e-12)
    # Between the atoms and beyond them there is none.
    assert seen(measured(True, 0.4, "easy", f), 0.4, 1.2)[2] == 0.0
    assert seen(measured(True, 0.4), 0.4, 5.0)[2] == 0.0
    # A lone atom, whose interval is a little wider than it.
    alone = measured(True, 0.4, "easy", 1.0 / 4.8)
    assert seen(alone, 0.4, seen(alone, 0.4, 2.0)[0])[2] == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize(("high", "smallest"), [(0.7, 1.0), (0.1, 0.99)])
def test_boundary_density_of_a_perfect_probe(high: float, smallest: float) -> None:
    """Kept margins up to 0.2 or as far as they go: their mean density there, relative to 2 phi(0)."""
    f = 2.0 * norm.cdf(high) - 1.0
    density = seen(gaussian_window(0.0, high, f), 0.0, 0.0)[1]
    # Nodes are counted as in or out: a node of the fine rule weighs a tenth of 0.2.
    expected = (norm.cdf(min(high, 0.2)) - 0.5) / (min(high, 0.2) * norm.pdf(0.0) * f)
    assert density == pytest.approx(expected, rel=0.5 if high > 0.2 else 1e-9)
    assert seen(gaussian_window(0.7, math.inf, 0.48), 0.0, 0.7)[1] == 0.0


@pytest.mark.parametrize("conditional", [True, False])
@pytest.mark.parametrize("edge", [-3.0, -1.0, -0.3, -0.1])
def test_boundary_cost(edge: float, conditional: bool) -> None:
    nodes, w = np.polynomial.legendre.leggauss(200)
    g = edge + (6.0 - 0.5 * edge) * (1.0 + nodes)
    density = (6.0 - 0.5 * edge) * w * norm.pdf(g) / (norm.sf(edge) if conditional else 1.0)

    def cost(c: float) -> float:
        u = -c * g
        return float(density @ ((u * u + 1.0) * norm.cdf(u) + u * norm.pdf(u)))

    found = boundary_cost(edge, conditional)
    best = minimize_scalar(cost, bounds=(0.0, 40.0), method="bounded", options={"xatol": 1e-9})
    # The least value is flat: the square of the location's error.
    assert found == pytest.approx(best.fun, rel=1e-9)
    assert found < cost(0.0)
    assert cost(0.0) == pytest.approx(0.5 * (1.0 if conditional else norm.sf(edge)), rel=1e-9)


@pytest.mark.parametrize("conditional", [True, False])
def test_boundary_without_cost(conditional: bool) -> None:
    """All examples on one side of g = 0: separable by g alone."""
    # Gaussian tails are all that is left.
    assert 0.0 <= boundary_cost(0.5, conditional) < 1e-20
    # With examples on the boundary itself the cost falls as 1 / c, until it counts as none.
    assert boundary_cost(0.0, conditional) == 0.0


def test_held_to_the_probe() -> None:
    """Where the atom at the gap, alone, exceeds the capacity of what the probe does not see."""
    theta = 0.5
    kept = pt.MeasuredMargins([1.0, 1.5], [3.0, 1.0], signed=True).unpruned(theta)
    cost = boundary_cost(-1.0 / math.tan(theta), True)
    critical = 1.0 / (0.75 * cost)
    for share, expected in ((0.999, False), (1.001, True), (30.0, True), (0.1, False)):
        assert is_pinned(kept, share * critical, theta) == expected
    # A perfect probe: the Gaussian capacity 2.
    perfect = pt.MeasuredMargins([1.0, 1.5], [3.0, 1.0], signed=True).unpruned(0.0)
    for share, expected in ((0.999, False), (1.001, True)):
        assert is_pinned(perfect, share * 2.0 / 0.75, 0.0) == expected
    # One example on the wrong side of the probe, however light, forbids it until it weighs nothing.
    for weight, expected in ((1e-2, False), (1e-15, False), (1e-30, True)):
        wrong = pt.MeasuredMargins([-0.1, 1.0, 1.5], [weight, 3.0, 1.0], signed=True).unpruned(theta)
        assert is_pinned(wrong, 2.0 * critical, theta) == expected
    # What it costs to have it there counts, (1 + |m| / m0)^2, and not how much there is.
    for m, expected in ((-0.1, True), (-60.0, False)):
        wrong = pt.MeasuredMargins([m, 1.0, 1.5], [1e-22, 3.0, 1.0], signed=True).unpruned(theta)
        assert is_pinned(wrong, 2.0 * critical, theta) == expected
    # Without a gap or an atom there is nothing to hold.
    assert not is_pinned(gaussian_window(0.0, 0.7, 0.516), 1e4, theta)
    assert not is_pinned(gaussian_window(0.7, math.inf, 0.484), 1e4, 0.0)


def far(found: Frame, x: Frame) -> float:
    """Largest factor between a guess and the solution in k and in the length of (r, delta)."""
    return max(abs(math.log(found.k / x.k)), abs(math.log(math.hypot(found.r, found.d) / math.hypot(x.r, x.d))))


@pytest.mark.parametrize("theta", [0.0, 0.4, 1.3])
@pytest.mark.parametrize(("low", "high", "f"), [(0.0, 0.7, 0.516), (0.7, math.inf, 0.484)])
def test_guess_at_small_alpha(low: float, high: float, f: float, theta: float) -> None:
    measure = gaussian_window(low, high, f)
    for size in (1e-4, 1e-2):
        x, *_ = solve_measure(measure, size, theta)
        found = first_guess(measure, size, theta)
        # The dilute limit, corrected in powers of sqrt(alpha).
        assert far(found, x) < 3.0 * math.sqrt(size)
        assert found.r * x.d == pytest.approx(found.d * x.r, abs=3.0 * math.sqrt(size) * found.r * found.r + 1e-12)
        assert found == pytest.approx(_rotated(found, theta), rel=1e-12, abs=1e-15)


def _rotated(x: Frame, theta: float) -> Frame:
    p, c = x.r * math.cos(theta) + x.d * math.sin(theta), x.r * math.sin(theta) - x.d * math.cos(theta)
    return Frame(x.k, x.r, x.d, p, c, x.k - p * x.m0, x.m0, math.cos(theta), math.sin(theta))


@pytest.mark.parametrize(
    ("low", "high", "theta", "size", "within"),
    [
        # Data on the boundary: r = 0.64 alpha times their density, k = 0.64.
        (0.0, math.inf, 0.4, 1e3, 0.1),
        (0.0, 0.5, 0.4, 1e4, 0.1),
        (0.0, 0.5, 0.1, 1e4, 0.15),
        (0.0, 0.5, 0.0, 1e4, 0.7),
        (0.5, math.inf, 0.9, 1e3, 0.5),
        # A gap and nothing on the wrong side of it: the probe is followed.
        # The guess leaves out how much denser the data are at the gap: 1.9 and 3.1.
        (1.0, math.inf, 0.0, 1e3, 0.7),
        (2.0, math.inf, 0.1, 1e3, 1.2),
    ],
)
def test_guess_at_large_alpha(low: float, high: float, theta: float, size: float, within: float) -> None:
    f = 2.0 * (norm.cdf(high) - norm.cdf(low))
    measure = gaussian_window(low, high, float(f))
    x, residual, _ = solve_measure(measure, size, theta)
    assert residual < 1e-12
    found = first_guess(measure, size, theta)
    assert far(found, x) < within
    assert found == pytest.approx(_rotated(found, theta), rel=1e-10, abs=1e-10)


def test_guess_between_gap_and_load() -> None:
    """Examples at the gap exceed the capacity, a few on the wrong side of the probe limit how far it is followed."""
    for weight in (1e-4, 1e-6, 1e-10):
        measure = pt.MeasuredMargins([-0.1, 1.0, 1.5], [weight, 3.0, 1.0], signed=True).unpruned(0.5)
        for size in (20.0, 60.0, 600.0):
            x, *_ = solve_measure(measure, size, 0.5)
            found = first_guess(measure, size, 0.5)
            # Three quarters of the solution, which grows by a factor of 1000 from one weight to the next.
            assert far(found, x) < 0.3
            assert found.k0 == pytest.approx(x.k0, abs=0.5)


@pytest.mark.parametrize(("low", "theta", "size"), [(2.0, 0.6, 10.0), (2.0, 0.6, 100.0), (1.0, 0.3, 100.0)])
def test_guess_of_a_window_with_load(low: float, theta: float, size: float) -> None:
    measure = gaussian_window(low, math.inf, 2.0 * float(norm.sf(low)))
    x, *_ = solve_measure(measure, size, theta)
    found = first_guess(measure, size, theta)
    # The load alone says how far, to a third.
    assert far(found, x) < 0.35
    assert found.k0 == pytest.approx(x.k0, abs=1.1)
    assert found == pytest.approx(_rotated(found, theta), rel=1e-10, abs=1e-10)
