"""The gradient of the test error against differences of certified solves, and where it is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import ndtri

import perceptron_theory as pt
from perceptron_theory.analyses.gradients import error_gradient

FloatArray = npt.NDArray[np.float64]
N_VALUES = 12


class Point(NamedTuple):
    alpha: float
    f: float
    theta: float
    rule: str | pt.Band
    values: FloatArray | None
    weights: FloatArray | None
    signed: bool

    def error(self, alpha: float = 0.0, f: float = 0.0, theta: float = 0.0, weights: FloatArray | float = 0.0) -> float:
        """Test error with every argument changed by a share of itself."""
        margins = None
        if self.values is not None and self.weights is not None:
            margins = pt.MeasuredMargins(self.values, self.weights * (1.0 + weights), signed=self.signed)
        at = (self.alpha * (1.0 + alpha), self.f * (1.0 + f), self.theta * (1.0 + theta))
        return float(pt.solve(*at, selection=self.rule, margins=margins).test_error)

    def margins(self) -> pt.MeasuredMargins | None:
        return None if self.values is None else pt.MeasuredMargins(self.values, self.weights, signed=self.signed)


def random_point(seed: int) -> Point:
    """Rules and data in turn. Thresholds on measured data lie in the middle of an atom, away from kinks."""
    rng = np.random.default_rng(seed)
    alpha, theta = 10 ** rng.uniform(-0.7, 2.0), rng.uniform(0.05, 1.5)
    kind = ("hard", "easy", "random", "band")[seed % 4]
    if seed % 3 == 0:
        f = rng.uniform(0.05, 0.8)
        return Point(alpha, f, theta, pt.Band(0.1) if kind == "band" else kind, None, None, False)
    signed = seed % 3 == 1
    values, weights = rng.laplace(0.3, 0.7, N_VALUES), rng.uniform(0.5, 1.5, N_VALUES)
    values = values if signed else np.abs(values)
    ends = np.append(0.0, np.cumsum(weights[np.argsort(np.abs(values))])) / weights.sum()
    middles = 0.5 * (ends[1:] + ends[:-1])
    low, high = middles[int(rng.integers(0, 3))], middles[int(rng.integers(4, N_VALUES - 1))]
    f = {"easy": 1.0 - high, "band": high - low}.get(kind, high)
    return Point(alpha, float(f), theta, pt.Band(float(low)) if kind == "band" else kind, values, weights, signed)


def central(function: Callable[[float], float], h: float) -> float:
    """Derivative at 0 by differences of fourth order."""
    return (8 * (function(h) - function(-h)) - (function(2 * h) - function(-2 * h))) / (12 * h)


def backward(function: Callable[[float], float], h: float) -> float:
    """Derivative at 0 from below, of second order."""
    return (3 * function(0.0) - 4 * function(-h) + function(-2 * h)) / (2 * h)


@pytest.mark.parametrize("seed", range(60))
def test_against_differences(seed: int) -> None:
    point = random_point(seed)
    gradient = error_gradient(point.alpha, point.f, point.theta, selection=point.rule, margins=point.margins())
    error = float(gradient.solution.test_error)
    # Rounding of the solves, 1e-14 of the error, over a step of 2e-4.
    noise = 1e-9 * error
    for name, scale in (("alpha", point.alpha), ("f", point.f), ("theta", point.theta)):
        found = scale * float(getattr(gradient, "alpha_prune" if name == "alpha" else name))
        expected = central(lambda h, name=name: point.error(**{name: h}), 2e-4)  # type: ignore[misc]
        assert abs(found - expected) <= 1e-6 * abs(expected) + noise, name
    if point.values is None or point.weights is None:
        assert gradient.weights is None
        return
    assert gradient.weights is not None
    direction = np.random.default_rng(seed + 1000).normal(size=N_VALUES)
    change = (point.weights * direction / point.weights.sum())[np.argsort(point.values)]
    expected = central(lambda h: point.error(weights=h * direction), 2e-4)
    assert abs(float(gradient.weights @ change) - expected) <= 1e-6 * abs(expected) + noise


@pytest.mark.parametrize("seed", [1, 2, 4, 5])
def test_only_ratios_of_weights_count(seed: int) -> None:
    point = random_point(seed)
    assert point.values is not None
    assert point.weights is not None
    gradient = error_gradient(point.alpha, point.f, point.theta, selection=point.rule, margins=point.margins())
    assert gradient.weights is not None
    weights = (point.weights / point.weights.sum())[np.argsort(point.values)]
    # Rounding of a sum of 12 terms.
    assert abs(gradient.weights @ weights) < 1e-13 * np.abs(gradient.weights).max()


def test_fine_atoms_are_gaussian_data() -> None:
    quantiles = (np.arange(4000) + 0.5) / 4000
    margins = pt.MeasuredMargins(ndtri(0.5 * (1.0 + quantiles)), signed=False)
    gaussian, atoms = (error_gradient(3.0, 0.4, 0.3, margins=given) for given in (None, margins))
    for name in ("alpha_prune", "f", "theta"):
        # The rule of the middle point is good to about 1 / 4000 where the integrand is smooth.
        assert float(getattr(atoms, name)) == pytest.approx(float(getattr(gaussian, name)), rel=2e-3)


@pytest.mark.parametrize("rule", ["hard", "easy", pt.Band(0.0)])
@pytest.mark.parametrize("theta", [0.0, 0.3])
def test_one_sided_where_all_is_kept(rule: str | pt.Band, theta: float) -> None:
    gradient = error_gradient(3.0, 1.0, theta, selection=rule)
    expected = backward(lambda h: float(pt.solve(3.0, 1.0 + h, theta, selection=rule).test_error), 1e-4)
    # The threshold, |z| ~ sqrt(2 ln(1 / h)), is not smooth in the step h = 1e-4: it counts to first order.
    assert float(gradient.f) == pytest.approx(expected, rel=1e-3)
    # All data are kept: the probe counts for nothing.
    assert abs(gradient.theta) < 1e-12


@pytest.mark.parametrize("rule", ["hard", "easy", "random", pt.Band(0.2)])
def test_even_in_the_angle(rule: str | pt.Band) -> None:
    assert error_gradient(3.0, 0.3, 0.0, selection=rule).theta == 0.0
    near = float(error_gradient(3.0, 0.3, 1e-3, selection=rule).theta)
    at = [float(pt.solve(3.0, 0.3, theta, selection=rule).test_error) for theta in (0.0, 1e-2)]
    # The next even order in the angle is of order 1e-4; what rule 'easy' feels of it is exponentially small.
    assert near / 1e-3 == pytest.approx(2e4 * (at[1] - at[0]), rel=1e-2, abs=1e-8)


@pytest.mark.parametrize("rule", ["hard", "easy", pt.Band(0.2)])
def test_at_a_right_angle(rule: str | pt.Band) -> None:
    gradient = error_gradient(3.0, 0.3, np.pi / 2, selection=rule)
    expected = backward(lambda h: float(pt.solve(3.0, 0.3, np.pi / 2 + h, selection=rule).test_error), 1e-3)
    # The error is even about pi/2: differences of second order see nothing but their fourth.
    assert abs(float(gradient.theta) - expected) < 1e-6
    # The probe says nothing: which part is kept does not matter.
    assert abs(float(gradient.f)) < 1e-12


def test_random_data_have_no_angle_and_no_fraction() -> None:
    gradient = error_gradient(3.0, [0.2, 1.0], 0.7, selection="random")
    assert not gradient.f.any()
    assert not gradient.theta.any()
    assert gradient.alpha_prune[0] == gradient.alpha_prune[1]


def test_a_kink_in_f_has_the_mean_of_both_slopes() -> None:
    values = np.array([0.2, 0.5, 0.9, 1.4])
    gradient = error_gradient(3.0, 0.5, 0.3, margins=pt.MeasuredMargins(values, signed=False))
    halves = [error_gradient(3.0, f, 0.3, margins=pt.MeasuredMargins(values, signed=False)).f for f in (0.499, 0.501)]
    # The slopes themselves change by a few parts in 1000 from 0.499 to 0.5.
    assert float(gradient.f) == pytest.approx(0.5 * float(halves[0] + halves[1]), rel=1e-2)
    # Between two atoms there is a kink to speak of.
    assert abs(halves[0] - halves[1]) > 0.01


def test_weights_at_a_kink() -> None:
    values, direction = np.array([0.2, 0.5, 0.9, 1.4]), np.array([0.3, 0.1, -0.2, -0.4])

    def error(h: float) -> float:
        margins = pt.MeasuredMargins(values, 1.0 + h * direction, signed=False)
        return float(pt.solve(3.0, 0.5, 0.3, margins=margins).test_error)

    gradient = error_gradient(3.0, 0.5, 0.3, margins=pt.MeasuredMargins(values, signed=False))
    assert gradient.weights is not None
    # The mean of two one-sided differences: truncation 1e-4, the step, times the difference of two curvatures.
    expected = (error(1e-4) - error(-1e-4)) / 2e-4
    assert gradient.weights @ direction / 4.0 == pytest.approx(expected, rel=1e-3)


def test_shapes() -> None:
    margins = pt.MeasuredMargins([0.5, -0.1, 0.5, 2.0, 3.0], signed=True)
    gradient = error_gradient([1.0, 2.0, 3.0], 0.4, [[0.2], [0.4]], margins=margins)
    assert gradient.alpha_prune.shape == gradient.theta.shape == gradient.status.shape == (2, 3)
    assert gradient.weights is not None
    assert gradient.weights.shape == (2, 3, 4)
    assert error_gradient([], 0.4, 0.2).theta.shape == (0,)
    one = error_gradient(2.0, 0.4, 0.4, margins=margins)
    assert one.weights is not None
    assert one.theta == gradient.theta[1, 1]
    np.testing.assert_array_equal(one.weights, gradient.weights[1, 1])


@pytest.mark.parametrize("signed", [True, False])
def test_a_student_held_to_the_probe(signed: bool) -> None:
    """All kept examples at one margin, more than the other directions can take."""
    values = np.array([-0.1, 1.0, 0.2]) if signed else np.array([0.1, 1.0, 0.2])
    point = Point(60.0, 0.25, 0.1, "easy", values, np.array([3.0, 4.0, 2.0]), signed)
    gradient = error_gradient(point.alpha, point.f, point.theta, selection="easy", margins=point.margins())
    assert gradient.solution.rho == 1.0
    assert gradient.alpha_prune == gradient.f == 0.0
    # Rounding, 1e-16 / 1e-3.
    assert 0.1 * float(gradient.theta) == pytest.approx(central(lambda h: point.error(theta=h), 1e-3), abs=1e-11)
    assert gradient.weights is not None
    direction = np.array([0.4, -0.2, 0.7])
    expected = central(lambda h: point.error(weights=h * direction), 1e-3)
    change = (np.array([3.0, 4.0, 2.0]) * direction / 9.0)[np.argsort(values)]
    assert expected > 0.001
    assert gradient.weights @ change == pytest.approx(expected, abs=1e-11)


def test_no_derivative_is_nan_with_a_status() -> None:
    failed = error_gradient([1e300, 3.0], 0.5, 0.3)
    assert failed.status.tolist() == [pt.Status.NOT_CONVERGED, pt.Status.CONVERGED]
    assert np.isnan([failed.alpha_prune[0], failed.f[0], failed.theta[0]]).all()
    assert np.isfinite([failed.alpha_prune[1], failed.f[1], failed.theta[1]]).all()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"f": 1.5}, r"f must lie in \(0, 1\], got 1.5"),
        ({"alpha_prune": -1.0}, "alpha_prune must be positive"),
        ({"theta": 2.0}, "theta must lie in"),
        ({"f": [0.1, 0.2], "theta": [0.1, 0.2, 0.3]}, "must broadcast"),
        ({"selection": pt.KeepProbability(np.ones_like)}, "`influence` answers for a keep probability"),
        ({"selection": "best"}, "unknown selection 'best'"),
        ({"f": 0.5, "selection": pt.Band(0.6)}, "f must be at most 0.4"),
    ],
)
def test_bad_input(arguments: dict[str, object], says: str) -> None:
    with pytest.raises(pt.InvalidInputError, match=says):
        error_gradient(**({"alpha_prune": 2.0, "f": 0.3, "theta": 0.1} | arguments))  # type: ignore[arg-type]
