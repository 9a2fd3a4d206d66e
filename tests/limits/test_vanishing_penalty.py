"""lam -> 0 as its own solution: max-margin where the kept data can be fitted, the minimum of the loss where not."""

from __future__ import annotations

import numpy as np
import pytest

import perceptron_theory as pt
from perceptron_theory.convex_loss import Loss


def random_problems(n: int, seed: int) -> list[tuple[float, float, float, str]]:
    rng = np.random.default_rng(seed)
    return [
        (
            10 ** rng.uniform(-1, 2),
            10 ** rng.uniform(-2, 0),
            float(rng.choice([0.0, rng.uniform(0.01, 1.5)])),
            str(rng.choice(["hard", "easy", "random"])),
        )
        for _ in range(n)
    ]


@pytest.mark.parametrize("loss", ["hinge", "logistic", "squared-hinge"])
def test_fifty_separable_points_are_max_margin(loss: Loss) -> None:
    for alpha, f, theta, rule in random_problems(50, 11):
        s = pt.solve(alpha, f, theta, selection=rule, student=pt.ConvexLoss(loss, 0.0))
        best = pt.solve(alpha, f, theta, selection=rule)
        # Both are certified to 1e-9; tests on random points ask for the same.
        assert float(s.test_error) == pytest.approx(float(best.test_error), rel=1e-9)
        assert float(s.rho) == pytest.approx(float(best.rho), abs=1e-9)
        if loss == "hinge":  # the margin of a student without errors is 1: its length is 1 / kappa
            assert float(s.norm * best.kappa) == pytest.approx(1.0, rel=1e-9)
        assert np.isinf(s.susceptibility)
        assert s.train_error == 0.0


def test_rates() -> None:
    """Towards max-margin: hinge at once, squared hinge as lam, logistic as 1 / ln(1 / lam).

    Once no example wants more than the hinge's largest slope its solution *is* that of max-margin. The squared hinge
    leaves errors of order 1 / V ~ lam. The logistic student has the length L = ln(1 / lam) in units of 1 / kappa, and
    its margins are smeared over 1 / L (Soudry et al., JMLR 19, 2018, have 1 / ln t for gradient descent).
    """
    best = pt.solve(3.0, 0.3, 0.2)
    lam = 10.0 ** np.array([-6.0, -8.0, -10.0, -12.0, -14.0])

    def excess(loss: Loss) -> np.ndarray:
        return pt.solve(3.0, 0.3, 0.2, student=pt.ConvexLoss(loss, lam)).test_error - best.test_error

    assert abs(excess("hinge")).max() < 1e-12
    square = excess("squared-hinge")[:3]  # below, rounding
    np.testing.assert_allclose(square[1:] / square[:-1], 0.01, rtol=2e-3)
    s = pt.solve(3.0, 0.3, 0.2, student=pt.ConvexLoss("logistic", lam))
    scaled = (s.test_error - best.test_error) * np.log(s.susceptibility)
    assert (abs(np.diff(scaled, 2)) < abs(np.diff(scaled)[:-1])).all()
    # It settles: each factor of 100 in lam changes it by less.
    assert abs(scaled[-1] / scaled[-2] - 1.0) < 0.005
    assert (np.diff(abs(s.test_error - best.test_error)) < 0).all()


@pytest.mark.parametrize("loss", ["hinge", "logistic", "square", "squared-hinge"])
def test_not_separable_is_the_minimum_of_the_loss(loss: Loss) -> None:
    """Analytic in lam there: the difference to a small penalty shrinks in proportion to it."""
    assert pt.separability_threshold(0.4, 0.3, labels=pt.Labels(0.1)) < 10.0
    zero = pt.solve(10.0, 0.4, 0.3, labels=pt.Labels(0.1), student=pt.ConvexLoss(loss, 0.0))
    near = pt.solve(10.0, 0.4, 0.3, labels=pt.Labels(0.1), student=pt.ConvexLoss(loss, [1e-5, 1e-7]))
    change = near.norm / zero.norm - 1.0
    assert np.isfinite(zero.susceptibility)
    assert change[0] / change[1] == pytest.approx(100.0, rel=0.01)  # next order: 40 lam, seen at 1e-3


def test_beside_the_threshold_both_kinds_of_solution_meet() -> None:
    """Just below alpha_c the student grows without bound, just above it comes back from there."""
    labels = pt.Labels(0.2)
    threshold = float(pt.separability_threshold(1.0, selection="random", labels=labels))
    alpha = threshold * np.array([0.9, 0.99, 1.01, 1.1])
    s = pt.solve(alpha, 1.0, selection="random", labels=labels, student=pt.ConvexLoss("hinge", 0.0))
    assert np.isinf(s.susceptibility[:2]).all()
    assert np.isfinite(s.susceptibility[2:]).all()
    assert s.norm[1] > 3 * s.norm[0]
    assert s.train_error[2] > 0.0 == s.train_error[1]
    # The direction is continuous; the error near the threshold has corrections of order |alpha - alpha_c|.
    assert float(s.test_error[2]) == pytest.approx(float(s.test_error[1]), rel=0.02)
