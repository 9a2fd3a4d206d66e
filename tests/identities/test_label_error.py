"""Test errors are against the sign of the teacher; errors on noisy labels are those of fresh labels."""

from __future__ import annotations

import numpy as np
import pytest

import perceptron_theory as pt

LABELS = {
    "flip": pt.Labels(0.1),
    "probit": pt.Labels(link="probit", slope=2.0),
    "flipped probit": pt.Labels(0.1, "probit", 0.7),
    "logistic": pt.Labels(0.05, "logistic", 3.0),
}


def solved(labels: pt.Labels) -> pt.ConvexSolution:
    return pt.solve(3.0, 0.3, 0.2, student=pt.ConvexLoss("logistic", 0.1), labels=labels)


@pytest.mark.parametrize("name", LABELS)
def test_errors_are_those_on_fresh_examples(name: str) -> None:
    """A million fields of teacher and student with the cosine R, labelled afresh: within four standard errors."""
    labels, rng, n = LABELS[name], np.random.default_rng(0), 1_000_000
    s = solved(labels)
    A, h = rng.normal(size=(2, n))
    student = s.R * A + np.sqrt(1.0 - s.R**2) * h > 0.0
    fresh = rng.random(n) < labels.positive(A)
    for error, truth in ((s.test_error, A > 0.0), (s.label_error, fresh)):
        assert abs(np.mean(student != truth) - error) < 4.0 * np.sqrt(error * (1.0 - error) / n)
    assert s.label_error - s.test_error > 0.01  # twenty standard errors: the two are told apart


@pytest.mark.parametrize("name", ["flip", "probit", "flipped probit"])
def test_errors_on_fresh_labels_in_closed_form(name: str) -> None:
    """As `Labels` says. A probit teacher decides by slope A + noise, whose cosine with the student is smaller."""
    labels = LABELS[name]
    s = solved(labels)
    slope = labels.slope or np.inf
    angle = np.arccos(s.R / np.hypot(1.0, 1.0 / slope))
    # The quadrature over the teacher's field is good to rounding.
    assert s.label_error == pytest.approx(labels.flip + (1.0 - 2.0 * labels.flip) * angle / np.pi, abs=1e-13)
    assert s.test_error == pytest.approx(np.arccos(s.R) / np.pi, abs=1e-13)


def test_flips_on_measured_magnitudes() -> None:
    margins = pt.MeasuredMargins(np.abs(np.random.default_rng(0).laplace(size=50)), signed=False)
    s = pt.solve(3.0, 0.3, 0.2, student=pt.ConvexLoss("square", 0.1), labels=pt.Labels(0.1), margins=margins)
    assert s.label_error == pytest.approx(0.1 + 0.8 * s.test_error, abs=1e-15)
    assert abs(s.test_error - np.arccos(s.R) / np.pi) > 1e-3  # on Gaussian data only
    probit = pt.Labels(link="probit", slope=2.0)
    assert np.isnan(
        pt.solve(3.0, 0.3, 0.2, student=pt.ConvexLoss("square", 0.1), labels=probit, margins=margins).label_error
    )
