"""Newton's method for (V1)-(V3), in logarithms."""

import math

import numpy as np

from perceptron_theory.compiling import inner_kernel
from perceptron_theory.margins.kept import KeptMeasure
from perceptron_theory.students.version_space.equations import Volume, averages, residuals

_STEPS = 30
_CUTS = 8
#: Relative increment of the differences that make the Jacobian: half the digits, and enough for Newton.
_INCREMENT = 1e-6
#: Longest step in ln r, ln t and delta / r.
_LONGEST = 0.7


@inner_kernel
def moved(v: Volume, step: tuple[float, float, float], fraction: float) -> Volume:
    """Volume after a fraction of a step in (ln r, ln t, delta / r)."""
    r = v.r * math.exp(fraction * step[0])
    return Volume(r, r * (v.d / v.r + fraction * step[2]), v.t * math.exp(fraction * step[1]), v.kappa)


@inner_kernel
def _size(e: tuple[float, float, float]) -> float:
    """Largest residual; infinite if one is not finite."""
    if not math.isfinite(e[0] + e[1] + e[2]):
        return math.inf
    return max(abs(e[0]), max(abs(e[1]), abs(e[2])))


@inner_kernel
def residuals_at(
    measure: KeptMeasure, v: Volume, alpha: float, theta: float, m0: float, level: float
) -> tuple[float, float, float]:
    """Residuals of (V1)-(V3) at `v`."""
    return residuals(averages(measure, v, alpha, theta, m0, level), v, alpha, theta)


@inner_kernel
def newton_step(
    measure: KeptMeasure, v: Volume, alpha: float, theta: float, m0: float, level: float, e: tuple[float, float, float]
) -> tuple[float, float, float]:
    """Newton step in (ln r, ln t, delta / r)."""
    n = 3 if theta > 0.0 else 2
    J = np.eye(3)
    for j in range(n):
        # At small angles (V3) bends over delta / r of the order of the angle.
        h = _INCREMENT * math.sin(theta) if j == 2 else _INCREMENT
        by = (h if j == 0 else 0.0, h if j == 1 else 0.0, h if j == 2 else 0.0)
        up = residuals_at(measure, moved(v, by, 1.0), alpha, theta, m0, level)
        for i in range(n):
            J[i, j] = (up[i] - e[i]) / h
    if not np.isfinite(J).all() or np.linalg.det(J) == 0.0:
        return math.nan, math.nan, math.nan
    step = np.linalg.solve(J, np.array([-e[0], -e[1], -e[2] if n == 3 else 0.0]))
    return step[0], step[1], step[2]


@inner_kernel
def newton(
    measure: KeptMeasure, v: Volume, alpha: float, theta: float, m0: float, level: float, goal: float
) -> tuple[Volume, float]:
    """Newton from a guess, with a step cut back until the residual falls: (volume, residual)."""
    e = residuals_at(measure, v, alpha, theta, m0, level)
    error = _size(e)
    for _ in range(_STEPS):
        if error < goal or not error < math.inf:
            break
        step = newton_step(measure, v, alpha, theta, m0, level, e)
        longest = max(abs(step[0]), max(abs(step[1]), abs(step[2])))
        if not math.isfinite(longest):
            break
        fraction = min(1.0, _LONGEST / longest)
        better = False
        for _ in range(_CUTS):
            trial = moved(v, step, fraction)
            e_trial = residuals_at(measure, trial, alpha, theta, m0, level)
            trial_error = _size(e_trial)
            if trial_error < error:
                better = True
                break
            fraction *= 0.35
        if not better:
            break
        v, e, error = trial, e_trial, trial_error
    return v, error
