"""`lam="optimal"`: no penalty of a grid, nor none at all, has a smaller test error."""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt
import pytest

import perceptron_theory as pt
from perceptron_theory.convex_loss import LOSSES, Loss


def measured(rng: np.random.Generator, signed: bool) -> pt.MeasuredMargins:
    values = rng.laplace(size=60) / np.sqrt(2.0) + 0.7 * signed
    return pt.MeasuredMargins(values if signed else np.abs(values), signed=signed)


def check(seed: int) -> None:
    rng = np.random.default_rng(seed)
    kind = ("gaussian", "magnitudes", "signed")[rng.integers(3)]
    margins = None if kind == "gaussian" else measured(rng, kind == "signed")
    labels = pt.Labels() if kind == "signed" else pt.Labels(flip=float(rng.choice([0.0, 0.1])))
    loss = LOSSES[rng.integers(len(LOSSES))]
    alpha, f, theta = np.exp(rng.uniform(-1.0, 3.0)), rng.uniform(0.1, 1.0), rng.uniform(0.1, 1.2)
    rule = ("hard", "easy", "random")[rng.integers(3)]

    def solved(lam: npt.ArrayLike, throw: bool = True) -> pt.ConvexSolution:
        student = pt.ConvexLoss(cast(Loss, loss), lam)
        return pt.solve(alpha, f, theta, selection=rule, student=student, margins=margins, labels=labels, throw=throw)

    best = solved("optimal")
    lam = np.append(np.geomspace(1e-6, 1e3, 46) * (1.0 + alpha), 0.0)
    tried = solved(lam, throw=False)
    assert tried.converged.sum() >= 0.9 * lam.size, (seed, tried.status)
    # Errors of certified points are good to 1e-9, relatively.
    assert best.test_error <= np.nanmin(tried.test_error) * (1.0 + 1e-8), (
        seed,
        best.lam,
        lam[tried.test_error.argmin()],
    )
    if np.isinf(best.lam):
        # The limit is reached as 1 / lam; 1e7 is far beyond every scale here.
        again = solved(1e7)
        assert float(again.test_error) == pytest.approx(float(best.test_error), rel=1e-5)
        assert float(again.train_error) == pytest.approx(float(best.train_error), rel=1e-4)
    else:
        again = solved(best.lam)
        assert float(again.test_error) == pytest.approx(float(best.test_error), rel=1e-8)


@pytest.mark.parametrize("seed", range(12))
def test_no_penalty_is_better(seed: int) -> None:
    check(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12, 132))
def test_no_penalty_is_better_in_many_settings(seed: int) -> None:
    check(seed)
