"""Solves (B1) for one kept measure: iteration from both ends, then Newton; the likelier solution counts."""

import math

import numpy as np

from perceptron_theory.compiling import inner_kernel, kernel
from perceptron_theory.gaussian import COARSE, FINE, VERIFY, FloatArray
from perceptron_theory.margins.kept import KeptMeasure
from perceptron_theory.students.bayes_optimal.equations import Overlap, entropy, student, update

_GOAL = 1e-13
#: Newton takes over from plain iteration here; it also ends where iteration is slow, beside a critical point.
_NEAR = 0.02
_ITERATIONS = 60
#: Steps of Newton, or of plain iteration where those do not help: just beyond a transition it creeps past the place
#: where the other solution was.
_STEPS = 400
_INCREMENT = 1e-6
#: Knowledge that stands for having seen everything, in units of (alpha / f)^2: the error is at best of order f / alpha.
_FULL = 1e3


@inner_kernel
def _defect(
    measure: KeptMeasure, x: Overlap, alpha: float, theta: float, level: float
) -> tuple[float, float, float, float, float]:
    """Right-hand side of (B1) minus Qhat; its size relative to Qhat; E[Z] - 1."""
    u = update(measure, x, alpha, theta, level)
    d = (u.mm - x.mm, u.mg - x.mg, u.gg - x.gg)
    size = max(abs(d[0]), max(abs(d[1]), abs(d[2]))) / max(x.mm + x.gg, 1e-300)
    if not math.isfinite(size):
        size = math.inf
    return d[0], d[1], d[2], size, u.one - 1.0


@inner_kernel
def _newton(measure: KeptMeasure, x: Overlap, alpha: float, theta: float, level: float) -> Overlap:
    """Newton step for (B1), by differences; NaN if there is none."""
    e = _defect(measure, x, alpha, theta, level)
    h = _INCREMENT * (x.mm + x.gg)
    n = 3 if theta > 0.0 else 1
    J = np.eye(3)
    for j in range(n):
        up = Overlap(x.mm + (h if j == 0 else 0.0), x.mg + (h if j == 1 else 0.0), x.gg + (h if j == 2 else 0.0))
        moved = _defect(measure, up, alpha, theta, level)
        for i in range(n):
            J[i, j] = (moved[i] - e[i]) / h
    if not np.isfinite(J).all() or np.linalg.det(J) == 0.0:
        return Overlap(math.nan, math.nan, math.nan)
    step = np.linalg.solve(J, np.array([-e[0], -e[1] if n == 3 else 0.0, -e[2] if n == 3 else 0.0]))
    return Overlap(x.mm + step[0], x.mg + step[1], x.gg + step[2])


@inner_kernel
def _possible(x: Overlap, perfect: bool) -> bool:
    """Whether Qhat is positive (semi-)definite."""
    if perfect:
        return x.mm > 0.0
    return x.mm + x.gg > 0.0 and x.mm >= 0.0 and x.gg >= 0.0 and x.mm * x.gg - x.mg * x.mg >= -1e-12 * x.mm * x.gg


@inner_kernel
def _solve_from(measure: KeptMeasure, x: Overlap, alpha: float, theta: float) -> tuple[Overlap, float]:
    """Solution reached from a start: (Qhat, residual)."""
    for _ in range(_ITERATIONS):
        u = update(measure, x, alpha, theta, COARSE)
        change = max(abs(u.mm - x.mm), max(abs(u.mg - x.mg), abs(u.gg - x.gg)))
        x = Overlap(u.mm, u.mg, u.gg)
        if change < _NEAR * (x.mm + x.gg):
            break
    error = _defect(measure, x, alpha, theta, FINE)[3]
    for _ in range(_STEPS):
        if error < _GOAL or not error < math.inf:
            break
        trial = _newton(measure, x, alpha, theta, FINE)
        trial_error = math.inf
        if _possible(trial, theta == 0.0):
            trial_error = _defect(measure, trial, alpha, theta, FINE)[3]
        if not trial_error < 0.5 * error:
            if error < 1e-10:
                break
            u = update(measure, x, alpha, theta, FINE)
            trial = Overlap(u.mm, u.mg, u.gg)
            trial_error = _defect(measure, trial, alpha, theta, FINE)[3]
        x, error = trial, trial_error
    return x, error


@kernel
def solve_bayes(measure: KeptMeasure, alpha: FloatArray, theta: FloatArray, out: FloatArray) -> None:
    """Rows of `out`: test error, R, rho, residual, quadrature error.

    From no knowledge and from full knowledge; should they end apart, the solution of larger evidence is the one that
    holds. The quadrature error is the larger of the relative change of the test error under a finer rule and one
    more Newton step, and of the mass that quadrature loses.
    """
    for i in range(alpha.size):
        most = _FULL * measure.scale * measure.scale * (1.0 + alpha[i] * alpha[i])
        full = Overlap(most, 0.0, most if theta[i] > 0.0 else 0.0)
        x, error = _solve_from(measure, Overlap(0.0, 0.0, 0.0), alpha[i], theta[i])
        y, other = _solve_from(measure, full, alpha[i], theta[i])
        best = entropy(x, update(measure, x, alpha[i], theta[i], FINE).log, alpha[i])
        rival = entropy(y, update(measure, y, alpha[i], theta[i], FINE).log, alpha[i])
        if rival > best + 1e-9 * abs(best):
            x = y
        # With one of the two unknown the other may be the wrong one.
        error = max(error, other)
        out[i, 3] = error
        out[i, 4] = math.inf
        if not error < math.inf:
            continue
        out[i, 0], out[i, 1], out[i, 2] = student(x, theta[i])
        finer = student(_newton(measure, x, alpha[i], theta[i], VERIFY), theta[i])[0]
        lost = abs(_defect(measure, x, alpha[i], theta[i], VERIFY)[4])
        change = max(lost, abs(finer / out[i, 0] - 1.0))
        if math.isfinite(change):
            out[i, 4] = change
