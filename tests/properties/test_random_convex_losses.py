"""Convex losses everywhere: every random point carries its certificate."""

from __future__ import annotations

import numpy as np
import pytest

import perceptron_theory as pt
from perceptron_theory.convex_loss import LOSSES


def check(seed: int, points: int) -> None:
    rng = np.random.default_rng(seed)
    worst = 0.0
    for _ in range(points):
        link = str(rng.choice(["sign", "probit", "logistic"]))
        labels = pt.Labels(
            float(rng.choice([0.0, rng.uniform(0.0, 0.45)])),
            link,  # type: ignore[arg-type]
            None if link == "sign" else 10 ** rng.uniform(-0.5, 1.0),
        )
        lam = 0.0 if rng.random() < 0.15 else 10 ** rng.uniform(-6.0, 2.0)
        s = pt.solve(
            10 ** rng.uniform(-1.0, 2.5),
            10 ** rng.uniform(-2.0, 0.0),
            float(rng.choice([0.0, 10 ** rng.uniform(-2.0, np.log10(np.pi / 2))])),
            selection=str(rng.choice(["hard", "easy", "random"])),
            student=pt.ConvexLoss(str(rng.choice(LOSSES)), lam),  # type: ignore[arg-type]
            labels=labels,
            throw=True,
        )
        # Of all four equations, each relative to its terms.
        worst = max(worst, float(s.residual))
        assert s.residual <= 1e-9
        assert 0.0 < s.test_error < 1.0
        assert 0.0 <= s.train_error < 1.0
        assert s.train_loss >= 0.0
    print(f"{points} points, worst residual {worst:.1e}")


def test_some() -> None:
    check(3, 100)


@pytest.mark.slow
def test_two_thousand() -> None:
    check(4, 2000)
