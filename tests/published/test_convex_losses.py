"""Convex losses: numbers that others printed, to their digits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import ndtr, owens_t

import perceptron_theory as pt
from perceptron_theory.convex_loss import Loss
from perceptron_theory.presets import (
    curated_labels,
    curated_labels_unlimited,
    surrogate_sampling,
    verification_breakdown,
    verified_labels,
)


@pytest.mark.parametrize(
    ("loss", "lam", "f", "theta_deg", "error"),
    [
        ("square", 1.0, 1.0, 0.0, 0.1509642),
        ("logistic", 0.1, 1.0, 0.0, 0.1382980),
        ("square", 1.0, 0.3, 10.0, 0.2843954),
        ("logistic", 0.1, 0.3, 10.0, 0.2470271),
    ],
)
def test_reference_points(loss: Loss, lam: float, f: float, theta_deg: float, error: float) -> None:
    student = pt.ConvexLoss(loss, lam)
    s = pt.solve(3.0, f, np.deg2rad(theta_deg), selection="random" if f == 1.0 else "hard", student=student)
    assert float(s.test_error) == pytest.approx(error, abs=0.6e-7)  # seven decimals printed


def test_label_aware_rule() -> None:
    """The 30 % smallest signed margins at 10 degrees: P(m < t) of the skew normal is Phi(t) - 2 T(t, cot(theta))."""
    theta = np.deg2rad(10.0)
    t = brentq(lambda x: ndtr(x) - 2.0 * owens_t(x, 1.0 / np.tan(theta)) - 0.3, -3.0, 3.0, xtol=1e-14)
    rule = pt.KeepProbability(lambda m: m < t, breakpoints=[t])
    s = pt.solve(3.0, theta=theta, selection=rule, student=pt.ConvexLoss("square", 1.0))
    assert float(s.f) == pytest.approx(0.3, abs=1e-12)
    assert float(s.R) == pytest.approx(0.6244, abs=0.6e-4)  # four decimals printed


def test_ridge() -> None:
    """Best penalty pi/2 - 1 at every size; its errors; the law of large alpha."""
    alpha = np.array([1.0, 2.0, 5.0, 1e6])
    s = pt.solve(alpha, 1.0, selection="random", student=pt.ConvexLoss("square", "optimal"))
    # A minimum is flat: the root of its slope by differences is good to about 1e-8.
    np.testing.assert_allclose(s.lam[:3], math.pi / 2 - 1.0, rtol=1e-6)
    np.testing.assert_allclose(s.test_error[:3], [0.257075, 0.186028, 0.113401], atol=0.6e-6)
    assert float(s.test_error[3]) * 1e3 == pytest.approx(0.24049, abs=0.6e-5)
    margin = pt.solve(alpha[:3], 1.0).test_error
    assert (s.test_error[:2] < margin[:2]).all()
    assert s.test_error[2] > margin[2]


def test_double_descent() -> None:
    """Without penalty the error peaks where the examples can just be interpolated: .49665 printed, at lam = 1e-9."""
    peak = pt.solve(1.0, 1.0, selection="random", student=pt.ConvexLoss("square", 1e-9)).test_error
    assert float(peak) == pytest.approx(0.49665, abs=0.6e-5)
    errors = pt.solve(
        [0.9, 0.999, 1.001, 1.1], 1.0, selection="random", student=pt.ConvexLoss("square", 0.0)
    ).test_error
    assert errors[1] > 1.2 * errors[0]
    assert errors[2] > 1.2 * errors[3]


def test_margins_of_sign_labels_are_not_gaussian() -> None:
    """Phi(-mean / deviation) of the margin, printed by arXiv:2502.15588, gives .1152 where the error is .0874."""

    student = pt.ConvexLoss("square", math.pi / 2 - 1.0)

    def at(alpha: float) -> pt.ConvexSolution:
        return pt.solve(alpha, 1.0, selection="random", student=student)

    alpha = brentq(lambda a: float(at(a).test_error) - 0.0874, 5.0, 15.0, xtol=1e-9)
    mean = math.sqrt(2.0 / math.pi) * float(at(alpha).R)
    assert ndtr(-mean / math.sqrt(1.0 - mean**2)) == pytest.approx(0.1152, abs=0.6e-4)  # four decimals printed
    # At N = 200 a ridge student's mean error is within 1 / N of the limit, relatively; the formulas differ by 30 %.
    found = pt.simulate(200, alpha, 1.0, selection="random", trials=40, seed=7, student=student)
    assert abs(found.mean.test_error - 0.0874) < 4.0 * found.standard_error.test_error + 0.0874 / 200


@pytest.mark.parametrize(
    ("cosines", "hard", "easy", "everything"),
    [((1.0, 0.8, 0.8), 0.006801, 0.081374, 0.0), ((0.9, 1.0, 0.9), 0.131787, 0.040238, 0.143566)],
)
def test_curated_labels(cosines: tuple[float, float, float], hard: float, easy: float, everything: float) -> None:
    for rule, error in (("hard", hard), ("easy", easy), ("random", everything)):
        assert curated_labels_unlimited(0.5, cosines, rule) == pytest.approx(error, abs=0.6e-6)
        # The equations approach it as 1 / alpha where the error is not 0, else as alpha^(-1/2).
        finite, _ = curated_labels(1e6, 0.5, cosines, lam=0.0, selection=rule)
        assert finite == pytest.approx(error, abs=1e-3)


@pytest.mark.parametrize(
    ("lam", "f", "exponent", "error"),
    [
        (0.001, 1.0, 0.0, 0.26419),
        (0.001, 0.8, 1.0, 0.24738),
        (0.001, 0.5, 1.0, 0.33393),
        (0.001, 0.5, 0.0, 0.30632),
        (0.01, 1.0, 0.0, 0.24546),
        (0.01, 0.9, 1.0, 0.23804),
        (0.1, 1.0, 0.0, 0.23491),
        (0.1, 0.5, -0.5, 0.25430),
    ],
)
def test_surrogate_sampling(lam: float, f: float, exponent: float, error: float) -> None:
    s = surrogate_sampling(2.29, f, lam=lam, exponent=exponent)
    assert float(s.label_error) == pytest.approx(error, abs=2e-5)
    assert float(s.alpha_tot) == pytest.approx(2.29, rel=1e-9)


def test_a_small_penalty_is_no_vanishing_one() -> None:
    """At alpha = 100 and lam = 1e-3 the hinge is 18 % off."""
    small, none = pt.solve(100.0, 1.0, selection="random", student=pt.ConvexLoss("hinge", [1e-3, 0.0])).test_error
    assert small / none == pytest.approx(1.18, abs=0.01)


def test_verified_labels() -> None:
    assert float(verification_breakdown(0.8, 0.2)) == pytest.approx(1.0 / (1.0 + 0.2 / 0.8))
    student = pt.ConvexLoss("logistic", 0.1)
    near = verified_labels(1000.0, 0.79, 0.8, 0.2, student=student)
    assert 0.25 < near.test_error < 0.5
    for wrong in (0.8, 0.9):  # half of what passes is wrong, and more than half
        with pytest.raises(pt.InvalidInputError, match="learns nothing, or the opposite; lower wrong"):
            verified_labels(1000.0, wrong, 0.8, 0.2, student=student)


def test_random_labels_reach_the_capacity() -> None:
    """At the teacher's boundary the labels of a smooth teacher are coins: alpha_c is Cover's 2."""
    labels = pt.Labels(link="logistic", slope=2.0)
    assert float(pt.separability_threshold(1e-4, labels=labels)) == pytest.approx(2.0, abs=1e-6)
    assert np.isinf(pt.separability_threshold(0.3, 0.2))
