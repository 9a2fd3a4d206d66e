"""The way it is usually done: damped fixed-point iteration over adaptive quadrature."""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy.integrate import dblquad, quad

_SQRT_2PI = math.sqrt(2.0 * math.pi)


def _scalar_prox(omega: float, V: float) -> float:
    """Proximal point of the logistic loss in plain floats, Newton as above."""
    t = max(0.0, omega) if omega > -0.5 * V else min(0.0, omega + V)
    for _ in range(100):
        p = 1.0 / (1.0 + math.exp(min(t, 700.0)))
        change = (t - V * p - omega) / (1.0 + V * p * (1.0 - p))
        t -= change
        if abs(change) < 1e-13 * (1.0 + abs(t)):
            break
    return t


def damped_fixed_point(
    alpha: float,
    lam: float,
    *,
    damping: float = 0.5,
    tol: float = 1e-9,
    max_iterations: int = 10_000,
    nested: bool = True,
) -> dict[str, float]:
    """Unpruned, noiseless logistic student by damped iteration over adaptive quadrature: an opponent for benchmarks.

    The scheme of the literature: conjugate parameters from averages by ``scipy.integrate``, then::

        m = mhat/(lam + Vhat),   q = (mhat^2 + qhat)/(lam + Vhat)^2,   V = 1/(lam + Vhat)

    ``m`` along the teacher, ``q = |w|^2``, new = damping old + (1 - damping) proposed, until the proposal moves no
    parameter by more than ``tol`` relatively. ``nested=True`` averages over the field of the teacher and the noise
    (``dblquad``, what a problem with more than one field needs); ``nested=False`` uses that without pruning the field
    of the teacher can be integrated out, which leaves single integrals: the strongest form of the opponent.
    """
    m, q, V = 0.1, 1.0, 1.0
    iterations, evaluations, change = 0, 0, math.inf
    while iterations < max_iterations and not change <= tol:
        r, s, root_q = m, math.sqrt(max(q - m * m, 1e-12)), math.sqrt(q)
        at_V = V

        def averages_nested(r: float = r, s: float = s, at_V: float = at_V) -> tuple[float, float, float]:
            def average(function: Callable[[float, float], float]) -> float:
                def integrand(h: float, A: float) -> float:
                    nonlocal evaluations
                    evaluations += 1
                    p = 1.0 / (1.0 + math.exp(min(_scalar_prox(r * A + s * h, at_V), 700.0)))
                    return math.exp(-0.5 * (A * A + h * h)) / math.pi * function(A, p)

                value, _ = dblquad(integrand, 0.0, 8.0, -8.0, 8.0, epsabs=1e-10, epsrel=1e-10)
                return float(value)

            slope = average(lambda A, p: -p * (1.0 - p) / (1.0 + at_V * p * (1.0 - p)))
            first = average(lambda A, p: A * p)
            return alpha * (first - r * slope), alpha * average(lambda A, p: p * p), -alpha * slope

        def averages_single(
            r: float = r, s: float = s, root_q: float = root_q, at_V: float = at_V
        ) -> tuple[float, float, float]:
            def average(function: Callable[[float, float], float]) -> float:
                def integrand(xi: float) -> float:
                    nonlocal evaluations
                    evaluations += 1
                    p = 1.0 / (1.0 + math.exp(min(_scalar_prox(root_q * xi, at_V), 700.0)))
                    return math.exp(-0.5 * xi * xi) / _SQRT_2PI * function(r * xi / s, p)

                value, _ = quad(integrand, -8.0, 8.0, epsabs=1e-12, epsrel=1e-12, limit=200)
                return float(value)

            # P(A > 0 | omega) = Phi(u), u = r xi/s, and its derivative with respect to the teacher's mean.
            def teacher(u: float) -> float:
                return 2.0 * 0.5 * math.erfc(-u / math.sqrt(2.0))

            density = 2.0 * root_q / (s * _SQRT_2PI)
            mhat = average(lambda u, p: density * math.exp(-0.5 * u * u) * p)
            qhat = average(lambda u, p: teacher(u) * p * p)
            slope = average(lambda u, p: -teacher(u) * p * (1.0 - p) / (1.0 + at_V * p * (1.0 - p)))
            return alpha * mhat, alpha * qhat, -alpha * slope

        mhat, qhat, Vhat = averages_nested() if nested else averages_single()
        proposed = (mhat / (lam + Vhat), (mhat**2 + qhat) / (lam + Vhat) ** 2, 1.0 / (lam + Vhat))
        change = max(abs(new / old - 1.0) for new, old in zip(proposed, (m, q, V), strict=True))
        m, q, V = (damping * old + (1.0 - damping) * new for new, old in zip(proposed, (m, q, V), strict=True))
        iterations += 1
    return {
        "test_error": math.atan2(math.sqrt(q - m * m), m) / math.pi,
        "R": m / math.sqrt(q),
        "norm": math.sqrt(q),
        "V": V,
        "iterations": float(iterations),
        "evaluations": float(evaluations),
        "change": change,
    }
