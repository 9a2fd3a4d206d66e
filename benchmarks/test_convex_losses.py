"""Convex losses beside the way it is usually done: ``python -m pytest benchmarks/test_convex_losses.py -s``.

The opponent is a damped fixed-point iteration with `scipy.integrate.quad` (`damped_fixed_point.py`): unpruned data,
logistic loss, noiseless labels, with the teacher's field integrated out by hand, its strongest form, and nested, the
way it is mostly written. Both sides run in turn in one process and thread; ours includes the certificate. Second, a
family of learning curves at the best penalty, on all processors.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
import pytest

import perceptron_theory as pt
from benchmarks.damped_fixed_point import damped_fixed_point

#: alpha_prune and lam, fixed before looking; nested quadrature only where it ends within a minute.
CASES = [(3.0, 0.1, True), (3.0, 0.1, False), (10.0, 0.1, True), (10.0, 0.1, False), (10.0, 0.01, False)]
PAIRS = 3
#: The opponent stops at this change of a step; its error is then about as large.
STOP = 1e-9
#: Both must agree to this for the comparison to count.
SAME = 1e-7


def timed(run: Callable[[], float]) -> tuple[float, float]:
    started = time.perf_counter()
    value = run()
    return time.perf_counter() - started, value


@pytest.mark.parametrize(("alpha", "lam", "nested"), CASES)
def test_one_point(alpha: float, lam: float, nested: bool) -> None:
    student = pt.ConvexLoss("logistic", lam)

    def ours() -> float:
        return float(pt.solve(alpha, 1.0, selection="random", student=student).test_error)

    def theirs() -> float:
        return damped_fixed_point(alpha, lam, tol=STOP, nested=nested)["test_error"]

    ours()
    ratios = []
    for _ in range(PAIRS):
        (slow, other), (fast, mine) = timed(theirs), timed(ours)
        assert other == pytest.approx(mine, rel=SAME)
        ratios.append(slow / fast)
    kind = "nested" if nested else "single integral"
    print(
        f"alpha {alpha:g}, lam {lam:g}, {kind}: ours {1e3 * fast:.2f} ms, {statistics.median(ratios):.0f} times faster"
    )


def test_family_at_the_best_penalty() -> None:
    sizes, fractions = np.geomspace(0.5, 50.0, 100), np.linspace(0.05, 0.95, 10)
    started = time.perf_counter()
    s = pt.solve(
        sizes[:, None],
        fractions,
        np.deg2rad(10.0),
        student=pt.ConvexLoss("logistic", "optimal"),
        labels=pt.Labels(0.05),
    )
    print(f"{s.test_error.size} points in {time.perf_counter() - started:.1f} s, {int((~s.converged).sum())} failed")
    assert s.converged.mean() > 0.99
