"""Proximal maps: what an example of field omega, left out of the training, moves to when it is put in.

For a loss l and a susceptibility V the field after training is t = argmin_t l(t) + (t - omega)^2 / 2V. Here as the
step F = t - omega, with its derivatives. V = infinity is the limit lam -> 0 where the kept data can be fitted.
"""

import math

from perceptron_theory.compiling import inner_kernel

# Floats, because numba would compile every kernel anew for each integer constant.
LOGISTIC = 0.0
HINGE = 1.0
SQUARE = 2.0
SQUARED_HINGE = 3.0
#: (-t)_+ with V = infinity: asks for a positive field, no more. Its smallest E[F^2] decides what can be separated.
SIGN = 4.0

_STEPS = 60


@inner_kernel
def _logistic_field(omega: float, V: float) -> float:
    """Root t of t = omega + V / (1 + exp(t)), from the side on which Newton's method is monotone."""
    if omega > -0.5 * V:
        # t > 0, where V / (1 + exp(t)) is convex; V exp(-t) instead gives a Lambert function, here its lower bound.
        x = math.log(V) - omega
        L = math.log1p(math.exp(x)) if x < 700.0 else x
        t = max(0.0, omega + L - math.log1p(L))
    else:
        t = min(0.0, omega + V)
    for _ in range(_STEPS):
        e = math.exp(-abs(t))
        below = e / (1.0 + e) if t > 0.0 else 1.0 / (1.0 + e)
        slope = V * e / (1.0 + e) ** 2
        step = (t - omega - V * below) / (1.0 + slope)
        t -= step
        if abs(step) <= 4e-16 * (abs(t) + 1.0):
            break
    return t


@inner_kernel
def step(loss: float, omega: float, V: float) -> tuple[float, float, float]:
    """F and its derivatives with respect to omega and ln V."""
    if loss == LOGISTIC:
        t = _logistic_field(omega, V)
        e = math.exp(-abs(t))
        F = V * (e / (1.0 + e) if t > 0.0 else 1.0 / (1.0 + e))
        curvature = V * e / (1.0 + e) ** 2
        slope = -curvature / (1.0 + curvature)
        return F, slope, F * (1.0 + slope)
    if loss == HINGE:
        if omega >= 1.0:
            return 0.0, 0.0, 0.0
        if 1.0 - omega < V:
            return 1.0 - omega, -1.0, 0.0
        return V, 0.0, V
    if loss == SIGN:
        return (-omega, -1.0, 0.0) if omega < 0.0 else (0.0, 0.0, 0.0)
    if loss == SQUARED_HINGE and omega >= 1.0:
        return 0.0, 0.0, 0.0
    share = V / (1.0 + V) if math.isfinite(V) else 1.0
    F = share * (1.0 - omega)
    return F, -share, F * (1.0 - share)


@inner_kernel
def loss_at(loss: float, t: float) -> float:
    """l(t)."""
    if loss == LOGISTIC:
        return math.log1p(math.exp(-t)) if t > -30.0 else -t
    if loss == HINGE:
        return max(0.0, 1.0 - t)
    gap = 1.0 - t
    if loss == SQUARED_HINGE:
        gap = max(0.0, gap)
    return 0.5 * gap * gap
