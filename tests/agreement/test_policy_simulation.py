"""An optimal policy on finite students: it keeps what the theory promises."""

from __future__ import annotations

import numpy as np

import perceptron_theory as pt
from perceptron_theory.comparison import extrapolate

#: A probe off by 34 degrees, pool of 8, kept 30 %: chosen, with the sizes, after a pilot of 100 trials with seed 0.
ALPHA_TOT, F, THETA = 8.0, 0.3, 0.6
SIZES, TRIALS, SEED = (100, 200), 200, 1


def test_better_than_the_best_band() -> None:
    policy = pt.optimal_policy(ALPHA_TOT, F, THETA, label_aware=True)
    with_policy = [
        pt.simulate(N, ALPHA_TOT * F, theta=THETA, selection=policy.k, trials=TRIALS, seed=SEED) for N in SIZES
    ]
    with_band = [
        pt.simulate(N, ALPHA_TOT * F, F, THETA, selection=policy.band, trials=TRIALS, seed=SEED) for N in SIZES
    ]
    gain = [b.mean.test_error - p.mean.test_error for b, p in zip(with_band, with_policy, strict=True)]
    error = [
        np.hypot(b.standard_error.test_error, p.standard_error.test_error)
        for b, p in zip(with_band, with_policy, strict=True)
    ]
    limit, limit_error = extrapolate(np.array(SIZES), np.array(gain), np.array(error))
    print(f"gain {limit:.4f} +- {limit_error:.4f}, theory {policy.errors.band - policy.test_error:.4f}")
    assert limit > 4 * limit_error
    assert abs(limit - (policy.errors.band - policy.test_error)) < 4 * limit_error
    for simulated in (with_policy, with_band):
        assert pt.compare(pt.solve, simulated).worst < 4
