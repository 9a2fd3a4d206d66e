"""Convex losses and labels: input that makes no sense is refused with a way out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import perceptron_theory as pt
from perceptron_theory.convex_loss import penalty
from perceptron_theory.presets import curated_labels, randomised_rule, surrogate_rule, verification_breakdown

ANY = pt.ConvexLoss("hinge", 1.0)
SIGNED = pt.MeasuredMargins([-0.5, 1.0, 2.0], signed=True)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pt.ConvexLoss("hinge", -1.0), "lam must be >= 0 and finite, got -1"),
        (lambda: pt.ConvexLoss("hinge", np.nan), "lam must be >= 0 and finite, got nan"),
        (lambda: pt.ConvexLoss("hinge", "best"), "lam must be a number >= 0 or 'optimal', got 'best'"),
        (
            lambda: pt.ConvexLoss("huber", 1.0),  # type: ignore[arg-type]
            "unknown loss 'huber': use one of 'logistic', 'hinge', 'square', 'squared-hinge'",
        ),
        (lambda: pt.ConvexLoss("hinge", 1.0, reweight=1), "reweight must be True or False"),  # type: ignore[arg-type]
        (lambda: pt.Labels(0.5), r"flip must lie in \[0, 1/2\), got 0.5"),
        (lambda: pt.Labels(-0.1), r"flip must lie in \[0, 1/2\), got -0.1"),
        (lambda: pt.Labels(link="tanh"), "unknown link 'tanh': use one of 'sign', 'probit', 'logistic'"),  # type: ignore[arg-type]
        (lambda: pt.Labels(link="probit"), "slope must be > 0 and finite for a probit teacher, got None"),
        (lambda: pt.Labels(slope=1.0), "slope must be left out for a sign"),
        (lambda: pt.solve(1.0, 0.5, student="gibbs", labels=pt.Labels(0.1)), "noisy labels need a ConvexLoss"),
        (lambda: pt.solve(1.0, 0.5, student=ANY, labels=0.1), "labels must be Labels"),  # type: ignore[call-overload]
        (lambda: pt.solve(1.0, 0.5, student=ANY, kappa=0.1), "kappa cannot be asked of a ConvexLoss"),  # type: ignore[call-overload]
        (lambda: pt.solve(1.0, 0.5, 0.5, student=ANY, labels=pt.Labels(0.1), margins=SIGNED), "carry their labels"),
        (
            lambda: pt.solve([1.0, 2.0], 0.5, student=pt.ConvexLoss("hinge", [1.0, 2.0, 3.0])),
            "lam must broadcast with alpha_prune, f and theta",
        ),
        (
            lambda: pt.solve(1.0, selection=pt.KeepProbability(lambda m: 0.0 * m), student=ANY, labels=pt.Labels(0.1)),
            "a rule must keep something",
        ),
        (
            lambda: pt.solve(1.0, 0.5, 0.5, student=pt.ConvexLoss("hinge", 1.0, reweight=True), margins=SIGNED),
            "reweight needs Gaussian margins",
        ),
        (lambda: penalty(1.0, "batch"), "unknown normalisation 'batch': use one of 'kept example'"),
        (lambda: penalty(1.0, "kept example"), "alpha_prune is required"),
        (lambda: randomised_rule(0.5, 1.5), r"random_share must lie in \[0, 1\], got 1.5"),
        (lambda: surrogate_rule(0.5, np.inf), "exponent must be finite"),
        (lambda: curated_labels(1.0, 0.5, (1.0, 0.0, 1.0), lam=1.0), "no three directions have the cosines"),
        (lambda: verification_breakdown(0.0, 0.0), "must not both be 0"),
    ],
)
def test_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(pt.InvalidInputError, match=message):
        call()


def test_constant_weights_are_a_weaker_penalty() -> None:
    rule = pt.KeepProbability(lambda m: np.full(m.shape, 0.5))
    s = pt.solve(2.0, selection=rule, theta=0.3, student=pt.ConvexLoss("logistic", 0.1, reweight=True))
    half = pt.solve(2.0, selection=rule, theta=0.3, student=pt.ConvexLoss("logistic", 0.05))
    # A weight of 2 for all is half the penalty.
    assert float(s.test_error) == pytest.approx(float(half.test_error), rel=1e-10)


@pytest.mark.parametrize("call", [pt.solve, lambda *args, **given: pt.simulate(20, *args, **given)])
def test_weights_need_everything_kept_sometimes(call: Callable[..., object]) -> None:
    rule = pt.KeepProbability(lambda m: 0.5 * (m > 0.5), breakpoints=[0.5])
    with pytest.raises(
        pt.InvalidInputError, match="reweight needs a keep probability above 0 everywhere, got 0 at margin -6"
    ):
        call(2.0, selection=rule, theta=0.3, student=pt.ConvexLoss("logistic", 0.1, reweight=True))
