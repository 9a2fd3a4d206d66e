"""Limits of the version space: many examples, no pruning, and the largest margin."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

import perceptron_theory as pt


def test_errors_without_pruning_fall_as_one_over_alpha() -> None:
    """Laws from one integral, I = int phi^2 / Phi.

    Fields near 0 are uniformly distributed, and with t = 1 (V1) becomes alpha sqrt(2 / pi) I / r = 1. Hence
    0.44170 / alpha for the mean of the version space and, with the noise of a student on top of the noise of the
    mean, sqrt(2) times that, 0.62466, for a typical one. Corrections are of order 1 / alpha^2.
    """
    integral = quad(lambda x: np.exp(2 * norm.logpdf(x) - norm.logcdf(x)), -30, 30, epsabs=1e-13, epsrel=1e-13)[0]
    law = 1.0 / (np.pi * np.sqrt(2 / np.pi) * integral)
    bayes = pt.solve(1e5, 1.0, student="bayes-point").test_error * 1e5
    gibbs = pt.solve(1e5, 1.0, student="gibbs").test_error * 1e5
    assert bayes == pytest.approx(law, rel=1e-8)
    assert gibbs == pytest.approx(np.sqrt(2) * law, rel=1e-8)
    assert bayes == pytest.approx(0.4417, abs=5e-5)
    assert pt.solve(1e5, 1.0).test_error * 1e5 == pytest.approx(0.5005, abs=5e-5)


def test_gain_without_pruning_falls_as_one_over_alpha() -> None:
    alpha = np.array([1e2, 1e3, 1e4])
    product = pt.information_gain(alpha, 1.0).gain * alpha
    assert np.abs(product - 1.0).tolist() == sorted(np.abs(product - 1.0), reverse=True)
    assert product[-1] == pytest.approx(1.0, abs=1e-6)


def test_gain_saturates_when_the_pool_grows_but_not_what_is_kept() -> None:
    """alpha_prune = 2: the closed form tends to 1 nat, the true gain exceeds it; without pruning it vanishes."""
    f = np.array([1.0, 0.1, 0.01, 0.001])
    s = pt.information_gain(2.0, f)
    paper = pt.paper_information_gain(s.R, f)
    assert np.all(np.diff(paper) > 0)
    assert paper[-1] == pytest.approx(1.0, abs=0.02)  # its distance to 1 falls as sqrt(1 - R), 0.01 here
    assert s.gain[0] == pytest.approx(float(paper[0]), rel=1e-12)  # f = 1: q = R
    assert np.all(s.gain[1:] > paper[1:])
    everything = pt.information_gain(2.0 / f, 1.0).gain
    assert everything[-1] == pytest.approx(f[-1] / 2, rel=1e-3)


@pytest.mark.parametrize(
    ("alpha", "f", "theta_deg", "selection"),
    [(1.0, 0.5, 0.0, "hard"), (3.0, 0.3, 10.0, "hard"), (2.0, 0.4, 20.0, "easy")],
)
def test_margin_volume_joins_the_max_margin_student(alpha: float, f: float, theta_deg: float, selection: str) -> None:
    """kappa -> kappa_max over three decades of u = 1 - kappa / kappa_max.

    Near the best margin a fraction alpha_s of directions is cut off linearly, the others quadratically, so that
    S = (1 + alpha_s) / 2 ln u, with alpha_s the support vectors per parameter. With dS / dkappa from (V1)-(V3) this
    makes 1 - q = 2 (1 - alpha_s) / (1 + alpha_s) u. alpha_s follows from the max-margin student alone: the multiplier
    of its programme says d ln kappa / d ln alpha = -s^2 / (2 (1 - alpha_s)), s^2 the student's share outside the plane.
    Corrections are of relative order sqrt(u); R and rho tend to those of max-margin as u ln u.
    """
    theta = np.deg2rad(theta_deg)
    best = pt.solve(alpha, f, theta, selection=selection)
    u = np.array([1e-1, 1e-2, 1e-3, 1e-4])
    s = pt.solve(alpha, f, theta, selection=selection, student="gibbs", kappa=best.kappa * (1 - u))
    assert s.converged.all()
    h = 1e-4
    near = pt.solve(alpha * np.exp([-h, h]), f, theta, selection=selection).kappa
    d = (best.rho - best.R * np.cos(theta)) / np.sin(theta) if theta else 0.0
    free = -(1.0 - best.R**2 - d**2) * h / np.log(near[1] / near[0])  # 1 - alpha_s
    law = 2.0 * free / (2.0 - free)
    distance = (1.0 - s.q) / u / law - 1.0
    # Falls by sqrt(10) per decade: the law is approached, not crossed.
    assert np.all((distance[:-1] / distance[1:] > 2.0) & (distance[:-1] / distance[1:] < 5.0))
    assert abs(distance[-1]) < 2.0 * np.sqrt(u[-1])
    for name in ("R", "rho"):
        gap = getattr(s, name) - getattr(best, name)
        growth = np.diff(gap / u)
        # (gap / u) grows by the same amount in each decade.
        assert growth[-1] == pytest.approx(growth[-2], rel=0.35)
        assert abs(gap[-1]) < 1e-4
