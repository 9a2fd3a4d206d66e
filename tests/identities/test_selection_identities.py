"""Different descriptions of the same kept data give the same student."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

import perceptron_theory as pt

ALPHA = np.array([0.1, 1.0, 3.0, 30.0, 1e3])
THETA = np.deg2rad([0.0, 1e-6, 5.0, 30.0, 75.0, 90.0])

#: Two routes through different quadratures: each is good to 1e-12, see quadrature_error.
SAME = 1e-11


def assert_same(a: pt.Solution, b: pt.Solution, tolerance: float = SAME) -> None:
    assert np.all(a.converged)
    assert np.all(b.converged)
    for name in ("test_error", "kappa", "R"):
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=tolerance, atol=0)
    np.testing.assert_allclose(a.rho, b.rho, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("rule", ["hard", "easy", pt.Band(0.0)])
def test_keeping_all_is_random(rule: str | pt.Band) -> None:
    theta = THETA[:, None]
    assert_same(pt.solve(ALPHA, 1.0, theta, selection=rule), pt.solve(ALPHA, 0.3, theta, selection="random"))


@pytest.mark.parametrize("rule", ["hard", "easy", pt.Band(0.3)])
def test_right_angle_is_random(rule: str | pt.Band) -> None:
    """At 90 degrees the probe knows nothing of the truth: the error of any rule is that of a random subset."""
    f = np.array([0.01, 0.2, 0.7])[:, None]
    assert_same(pt.solve(ALPHA, f, np.pi / 2, selection=rule), pt.solve(ALPHA, f, np.pi / 2, selection="random"))


def test_bands() -> None:
    theta = np.deg2rad(15)
    assert_same(pt.solve(ALPHA, 0.3, theta, selection=pt.Band(0.0)), pt.solve(ALPHA, 0.3, theta, selection="hard"))
    assert_same(pt.solve(ALPHA, 0.3, theta, selection=pt.Band(0.7)), pt.solve(ALPHA, 0.3, theta, selection="easy"))


@pytest.mark.parametrize("theta_deg", [0.0, 3.0, 30.0])
def test_keep_probability_reproduces_rules(theta_deg: float) -> None:
    theta = np.deg2rad(theta_deg)
    z = float(ndtri(0.65))
    hard = pt.KeepProbability(lambda m: np.abs(m) < z, breakpoints=[-z, z])
    easy = pt.KeepProbability(lambda m: np.abs(m) > z, breakpoints=[-z, z])
    constant = pt.KeepProbability(lambda m: np.full_like(m, 0.25))
    assert_same(pt.solve(ALPHA, theta=theta, selection=hard), pt.solve(ALPHA, 0.3, theta, selection="hard"))
    assert_same(pt.solve(ALPHA, theta=theta, selection=easy), pt.solve(ALPHA, 0.7, theta, selection="easy"))
    s = pt.solve(ALPHA, theta=theta, selection=constant)
    assert_same(s, pt.solve(ALPHA, 0.25, theta, selection="random"))
    np.testing.assert_allclose(s.f, 0.25, rtol=1e-13)


def test_fraction_kept_by_a_label_aware_rule() -> None:
    """Keep what the probe gets wrong: a fraction theta / pi, the probe's error rate."""
    theta = np.deg2rad(25)
    s = pt.solve(2.0, theta=theta, selection=pt.KeepProbability(lambda m: m < 0, breakpoints=[0.0]))
    assert abs(s.f / (theta / np.pi) - 1) < 1e-12


def test_smooth_keep_probability_is_a_mixture() -> None:
    """k = (1 - e) hard + e random lies between the two and tends to them at e = 0 and 1."""
    z = float(ndtri(0.65))
    errors = []
    for e in (0.0, 0.5, 1.0):
        rule = pt.KeepProbability(lambda m, e=e: (1 - e) * (np.abs(m) < z) + e * 0.3, breakpoints=[-z, z])  # type: ignore[misc]
        errors.append(float(pt.solve(5.0, theta=0.1, selection=rule).test_error))
    assert errors[0] < errors[1] < errors[2]


def gaussian_quantiles(n: int) -> np.ndarray:
    return np.asarray(ndtri(0.5 * (1 + (np.arange(n) + 0.5) / n)))


@pytest.mark.parametrize("rule", ["hard", "easy", "random", pt.Band(0.2)])
@pytest.mark.parametrize("theta_deg", [0.0, 10.0, 60.0])
def test_measured_half_normal_tends_to_gaussian(rule: str | pt.Band, theta_deg: float) -> None:
    """Quantiles of the half normal as measured scores; the gap falls as 1/n."""
    theta = np.deg2rad(theta_deg)
    exact = pt.solve(3.0, 0.3, theta, selection=rule)
    gaps = []
    for n in (1_000, 100_000):
        s = pt.solve(3.0, 0.3, theta, selection=rule, margins=pt.MeasuredMargins(gaussian_quantiles(n), signed=False))
        gaps.append(max(abs(s.test_error / exact.test_error - 1), abs(s.kappa / exact.kappa - 1)))
    # The last quantile cuts off a tail of weight 1/n, which counts where far examples still teach.
    assert gaps[0] < 1e-4
    assert gaps[1] < 1e-6


def test_signed_and_unsigned_measures_of_the_model_agree() -> None:
    """Signed margins with exactly the label statistics of the model are the same data as their magnitudes."""
    theta = np.deg2rad(20)
    z = np.linspace(0.01, 3.0, 300)
    weight = np.exp(-(z**2))
    right = ndtr(z / np.tan(theta))
    signed = pt.MeasuredMargins(
        np.concatenate([z, -z]), np.concatenate([weight * right, weight * (1 - right)]), signed=True
    )
    unsigned = pt.MeasuredMargins(z, weight, signed=False)
    for rule, f in (("hard", 0.37), ("easy", 0.21), ("random", 1.0)):
        assert_same(
            pt.solve(ALPHA, f, theta, selection=rule, margins=signed),
            pt.solve(ALPHA, f, theta, selection=rule, margins=unsigned),
            1e-9,
        )


def test_measured_keep_probability_matches_quantile_rule() -> None:
    z = gaussian_quantiles(1000)
    margins = pt.MeasuredMargins(z, signed=False)
    cut = float(0.5 * (z[299] + z[300]))
    rule = pt.KeepProbability(lambda m: np.abs(m) < cut, breakpoints=[-cut, cut])
    for theta in (0.0, 0.2):
        s = pt.solve(3.0, theta=theta, selection=rule, margins=margins)
        assert_same(s, pt.solve(3.0, 0.3, theta, selection="hard", margins=margins), 1e-9)
        assert abs(s.f - 0.3) < 1e-12


def test_margins_of_exactly_zero() -> None:
    """A margin of 0 is a margin like any other: nothing lost, nothing counted twice."""
    rng = np.random.default_rng(0)
    v = np.concatenate([np.zeros(30), rng.normal(0.8, 1.0, 70)])
    nearly = np.where(v == 0.0, 1e-9, v)
    for f in (0.2, 0.3, 0.302, 1.0):
        a, b = (pt.solve(2.0, f, 0.4, margins=pt.MeasuredMargins(m, signed=True)) for m in (v, nearly))
        assert_same(a, b, 1e-7)
    only_zero = pt.KeepProbability(lambda m: np.abs(m) < 0.001, breakpoints=[-0.001, 0.001])
    s = pt.solve(1.0, theta=0.4, selection=only_zero, margins=pt.MeasuredMargins(v, signed=True))
    assert abs(s.f - 0.3) < 1e-12


@pytest.mark.parametrize("window", [(0.6, 0.9), (0.3, 0.5), (0.61, 0.62)])
def test_unlisted_windows_are_not_overlooked(window: tuple[float, float]) -> None:
    low, high = window
    rule = pt.KeepProbability(lambda m: np.where((m > low) & (m < high), 1.0, 0.2))
    with pytest.raises(pt.InvalidInputError, match="not smooth"):
        pt.solve(3.0, theta=0.3, selection=rule)
    listed = pt.KeepProbability(rule.k, breakpoints=window)
    mass = 2 * (ndtr(high) - ndtr(low))
    at_right_angle = pt.solve(3.0, theta=np.pi / 2, selection=listed)
    assert abs(at_right_angle.f - (0.2 + 0.8 * mass / 2)) < 1e-12


def test_unlisted_spikes_fail_the_certificate() -> None:
    """Narrower than the equations resolve: E[k] asked a second way does not agree. Listed, it is solved."""
    centre, half = 0.50031, 7e-4
    spike = pt.KeepProbability(lambda m: 0.001 + 0.999 * (np.abs(m - centre) < half))
    for student in ("max-margin", "gibbs", "bayes-optimal", pt.ConvexLoss("square", lam=1.0)):
        s = pt.solve(3.0, theta=0.0, selection=spike, student=student, throw=False)
        assert s.status == pt.Status.INACCURATE
    listed = pt.solve(3.0, theta=0.0, selection=pt.KeepProbability(spike.k, [centre - half, centre + half]))
    # At theta = 0 all margins are positive, with density 2 phi.
    mass = 0.001 + 0.999 * 2 * (ndtr(centre + half) - ndtr(centre - half))
    assert float(listed.f) == pytest.approx(mass, rel=1e-12)


def test_keep_probability_is_asked_at_zero() -> None:
    """A margin of 0 has no sign, and k sees 0, not the tiny number that stands for it."""
    margins = pt.MeasuredMargins([0.0] * 50 + [1.0] * 50, signed=False)
    rule = pt.KeepProbability(lambda m: m != 0)
    solution = pt.solve(2.0, theta=0.3, selection=rule, margins=margins)
    assert float(solution.f) == pytest.approx(0.5, rel=1e-12)
    without = pt.solve(2.0, 1.0, 0.3, margins=pt.MeasuredMargins([1.0], signed=False))
    assert float(solution.kappa) == pytest.approx(float(without.kappa), rel=1e-10)
    drawn = margins.keep_probability(rule, np.array([-1e-300, 1e-300, 1.0]))
    assert drawn.tolist() == [0.0, 0.0, 1.0]


ZEROS = pt.MeasuredMargins(np.append(np.zeros(40), np.linspace(0.05, 2.5, 60)), signed=False)


@pytest.mark.parametrize("student", ["max-margin", pt.ConvexLoss("logistic", lam=0.1)])
def test_margins_of_zero_have_no_label_at_zero_angle(student: str | pt.ConvexLoss) -> None:
    """At theta = 0 they are refused, as the simulator's labels would be; every other angle, however small, agrees."""
    for theta in (0.0, [0.1, 0.0], 1e-200):
        with pytest.raises(pt.InvalidInputError, match=r"0\.4 of them is exactly 0"):
            pt.solve(8.0, 1.0, theta, selection="random", margins=ZEROS, student=student)
    with pytest.raises(pt.InvalidInputError, match="theta must be > 0"):
        pt.simulate(20, 8.0, 1.0, 0.0, selection="random", margins=ZEROS, trials=2)
    small = pt.solve(8.0, 1.0, np.geomspace(1e-14, 1e-5, 19), selection="random", margins=ZEROS, student=student)
    assert np.all(small.converged)
    # The error tends to its limit as theta^2 or slower, as theta: 1e-5 at the largest angle.
    np.testing.assert_allclose(small.test_error, small.test_error[0], rtol=3e-5)


def test_margins_of_zero_as_simulated_at_a_tiny_angle() -> None:
    theory = pt.solve(8.0, 1.0, 1e-9, selection="random", margins=ZEROS)
    simulated = pt.simulate(60, 8.0, 1.0, 1e-9, selection="random", margins=ZEROS, trials=40, seed=1)
    gap = abs(float(theory.test_error) - simulated.mean.test_error)
    assert gap < 4 * simulated.standard_error.test_error


def test_few_atoms_equal_many_copies() -> None:
    """Ten distinct values: ties are one atom each, however many examples share it."""
    z = np.linspace(0.1, 2.0, 10)
    a = pt.MeasuredMargins(z, signed=False)
    b = pt.MeasuredMargins(np.repeat(z, 1000), signed=False)
    assert b.n_distinct == 10
    for f in (0.3, 0.34):
        assert_same(
            pt.solve(3.0, f, 0.2, selection="hard", margins=a), pt.solve(3.0, f, 0.2, selection="hard", margins=b)
        )
    assert a.threshold_ties(pt.Hard(), 0.3) == 0.0
    assert abs(a.threshold_ties(pt.Hard(), 0.34) - 0.1) < 1e-12


def test_scalar_and_array_calls_give_the_same_bits() -> None:
    alpha = np.geomspace(0.1, 100, 200)
    many = pt.solve(alpha, 0.3, 0.2)
    for i in (0, 77, 199):
        one = pt.solve(alpha[i], 0.3, 0.2)
        assert one.test_error == many.test_error[i]
        assert one.kappa == many.kappa[i]
