"""Sweeps of students other than max-margin: the same numbers as `solve`, the same refusals."""

from __future__ import annotations

import numpy as np
import pytest

import perceptron_theory as pt

LOGISTIC = pt.ConvexLoss("logistic", 0.01)
NOISY = pt.Labels(flip=0.05)


def test_learning_curve_is_solve_point_by_point() -> None:
    curve = pt.learning_curve([1.0, 3.0], [0.3, 1.0], 0.2, student=LOGISTIC, labels=NOISY)
    for alpha in (1.0, 3.0):
        for f in (0.3, 1.0):
            s = pt.solve(alpha, f, 0.2, student=LOGISTIC, labels=NOISY)
            here = curve.sel(alpha_prune=alpha, f=f)
            for name in ("test_error", "norm", "train_loss", "label_error"):
                # Both go to a residual of 1e-10, from other starts.
                assert float(here[name]) == pytest.approx(float(getattr(s, name)), rel=1e-9)
    assert curve.attrs["theory"].startswith("logistic loss, lam = 0.01, Labels(flip=0.05")
    gibbs = pt.learning_curve([1.0, 3.0], 1.0, student="gibbs")
    np.testing.assert_array_equal(gibbs.gain, pt.solve([1.0, 3.0], 1.0, student="gibbs").gain)


@pytest.mark.parametrize("student", [LOGISTIC, pt.ConvexLoss("square", "optimal"), "gibbs"])
def test_no_fraction_beats_the_frontier(student: pt.ConvexLoss | str) -> None:
    labels = NOISY if isinstance(student, pt.ConvexLoss) else None
    frontier = pt.pareto_frontier([1.4, 4.0], 0.2, alpha_tot_max=40.0, student=student, labels=labels)
    for i, alpha in enumerate((1.4, 4.0)):
        f = np.geomspace(alpha / 40.0, 1.0, 60)
        tried = pt.solve(alpha, f, 0.2, student=student, labels=labels)
        assert tried.converged.all()
        assert float(frontier.test_error[i]) <= tried.test_error.min() * (1.0 + 1e-9)
        best = pt.solve(alpha, float(frontier.f[i]), 0.2, student=student, labels=labels)
        assert float(frontier.test_error[i]) == pytest.approx(float(best.test_error), rel=1e-9)
        everything = pt.solve(alpha, 1.0, 0.2, selection="random", student=student, labels=labels)
        assert float(frontier.test_error_random[i]) == pytest.approx(float(everything.test_error), rel=1e-9)


def test_hinge_without_penalty_has_the_frontier_of_the_margin() -> None:
    """On measured margins too, where the max-margin frontier is found another way."""
    z = np.abs(np.random.default_rng(3).standard_normal(50))
    margins = pt.MeasuredMargins(z, signed=False)
    hinge, margin = (
        pt.pareto_frontier([1.5, 6.0], 0.3, alpha_tot_max=20.0, student=student, margins=margins)
        for student in (pt.ConvexLoss("hinge", 0.0), "max-margin")
    )
    np.testing.assert_allclose(hinge.test_error, margin.test_error, rtol=1e-8)


def test_a_sweep_is_of_one_student() -> None:
    several = pt.ConvexLoss("hinge", [0.1, 1.0])
    with pytest.raises(pt.InvalidInputError, match="a sweep is of one student"):
        pt.learning_curve([1.0, 2.0], 0.5, student=several)
    with pytest.raises(pt.InvalidInputError, match="a sweep is of one student"):
        pt.pareto_frontier(1.0, alpha_tot_max=10.0, student=several)
