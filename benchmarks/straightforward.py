"""The pruned max-margin perceptron as one would solve it from the paper, with SciPy's adaptive quadrature.

The yardstick for the package's speed, and a second opinion on its numbers: the equations (P1)-(P3) of Sorscher,
Geirhos, Shekhar, Ganguli and Morcos (arXiv:2206.14486, appendix A) typed in, `scipy.integrate.quad` inside
`scipy.integrate.quad` for the averages, `scipy.optimize.root` for the solution. Nothing is made slow on purpose: the
integrands are plain `math`, constants are computed once per set of overlaps, ranges are finite and split where the
integrand changes, and the tolerances are what an answer good to about 1e-9 needs. Lambda and 1 - rho^2 come from the
components of the unit student, since as the paper prints them they lose their digits at large alpha: with R along the
teacher, d = (rho - R cos theta)/sin theta, c = (R - rho cos theta)/sin theta, and s orthogonal to teacher and probe,
Lambda = s sin theta and 1 - rho^2 = s^2 + c^2. At theta = 0 teacher and probe coincide, s^2 = 1 - R^2, and the average
over the direction orthogonal to them is elementary, which leaves two equations with one integral each.

Run as a script for the times per solve.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.optimize import root
from scipy.special import ndtri

SQRT_2 = math.sqrt(2.0)
SQRT_2PI = math.sqrt(2.0 * math.pi)
CUT = 7.0  # a Gaussian is integrated over this many standard deviations: exp(-24.5) = 2e-11
ERROR = 1e-9  # what one quad may leave, relative to the scale of its equation


def solve_quad(alpha_prune: float, f: float, theta: float, selection: str) -> tuple[float, float, float, float]:
    """Solve for the student trained on the examples that a probe at angle theta keeps.

    Accurate to about 1e-9 for alpha_prune in [0.05, 100], f from 0.02 and theta zero or 1 to 85 degrees.

    Parameters
    ----------
    alpha_prune : float
        Examples kept per parameter.
    f : float
        Fraction kept, in (0, 1].
    theta : float
        Angle between probe and teacher in radians, in [0, pi/2).
    selection : {"hard", "easy"}
        Keep small or large ``|z|``.

    Returns
    -------
    test_error, R, rho, kappa : float
        ``arccos(R) / pi``, cosine with the teacher, cosine with the probe, margin.

    Raises
    ------
    RuntimeError
        If no solution is found.
    """
    if theta == 0.0:
        r, k = (float(x) for x in solve_teacher(alpha_prune, f, selection))
        s = 1.0 / math.hypot(1.0, r)
        return math.atan2(1.0, r) / math.pi, r * s, r * s, k * s
    R, rho, d, _, s, kappa = components(solve_probe(alpha_prune, f, theta, selection), theta)
    return math.atan2(math.hypot(s, d), R) / math.pi, R, rho, kappa


def rough(alpha: float, f: float, selection: str) -> tuple[float, float]:
    """R/s and kappa/s with the powers of small and of large alpha without pruning, the margin past what is removed."""
    angle = 0.5 * math.pi / (1.0 + alpha)
    r, k = 1.0 / math.tan(angle), 1.0 / (math.sqrt(alpha + alpha * alpha) * math.sin(angle))
    return r, k + r * max(kept_intervals(f, selection)[-1][0], 0.0)


def solve_teacher(alpha: float, f: float, selection: str) -> NDArray[np.float64]:
    """theta = 0: R/s and kappa/s from a rough student or, if that fails, from half the alpha."""
    for guess in (rough(alpha, f, selection), None):
        start = np.array(guess) if guess else solve_teacher(0.5 * alpha, f, selection)
        found = root(teacher_equations, start, args=(alpha, f, selection), options={"xtol": 1e-10})
        if np.max(np.abs(found.fun)) < 1e-8:
            return np.asarray(found.x, dtype=np.float64)
        if alpha < 0.01:
            break
    raise RuntimeError(f"no solution at alpha_prune={alpha}, f={f}, theta=0, {selection}")


def solve_probe(alpha: float, f: float, theta: float, selection: str) -> NDArray[np.float64]:
    """theta > 0: rho/s, c/s, kappa/s from students along the teacher or, if that fails, from half the alpha."""

    def guesses() -> Iterator[NDArray[np.float64]]:
        for r, k in (solve_teacher(alpha, f, selection), rough(alpha, 1.0, selection)):
            yield np.array([r * math.cos(theta), r * math.sin(theta), k])
        if alpha > 0.01:
            yield solve_probe(0.5 * alpha, f, theta, selection)

    for guess in guesses():
        found = root(probe_equations, guess, args=(alpha, f, theta, selection), options={"xtol": 1e-10})
        if np.max(np.abs(found.fun)) < 1e-8:
            return np.asarray(found.x, dtype=np.float64)
    raise RuntimeError(f"no solution at alpha_prune={alpha}, f={f}, theta={theta}, {selection}")


def components(unknowns: NDArray[np.float64], theta: float) -> tuple[float, float, float, float, float, float]:
    """R, rho, d, c, s and kappa of the unit student with given rho/s, c/s, kappa/s."""
    a, b, k = (float(x) for x in unknowns)
    s = 1.0 / math.sqrt(1.0 + a * a + b * b)
    rho, c, sin, cos = a * s, b * s, math.sin(theta), math.cos(theta)
    return rho * cos + c * sin, rho, rho * sin - c * cos, c, s, k * s


def integrate(function: Callable[[float], float], low: float, high: float, breaks: list[float], error: float) -> float:
    """Adaptive quadrature from low to high, piece by piece between the break points that lie inside."""
    ends = [low, *sorted(x for x in breaks if low < x < high), high]
    return sum(quad(function, a, b, epsabs=error, epsrel=ERROR, limit=200)[0] for a, b in pairwise(ends) if b > a)


def kept_intervals(f: float, selection: str) -> list[tuple[float, float]]:
    """Intervals of z that are kept."""
    if selection == "hard":
        gamma = min(-float(ndtri((1.0 - f) / 2.0)), CUT)
        return [(-gamma, gamma)]
    gamma = -float(ndtri(f / 2.0))
    return [(-CUT, -gamma), (gamma, CUT)]


def teacher_equations(unknowns: NDArray[np.float64], alpha: float, f: float, selection: str) -> list[float]:
    """theta = 0: alpha E[(k - rA - h)_+^2] = 1 (its logarithm) and E[A (.)_+] / E[(.)_+] = k r / (1 + r^2), A = |z|."""
    r, k = (float(x) for x in unknowns)
    low, high = kept_intervals(f, selection)[-1]

    def average(power: int) -> float:
        def integrand(a: float) -> float:
            u = k - r * a
            cdf, pdf = 0.5 * math.erfc(-u / SQRT_2), math.exp(-0.5 * u * u) / SQRT_2PI
            value = (1.0 + u * u) * cdf + u * pdf if power == 2 else (u * cdf + pdf) * (a if power == 1 else 1.0)
            return math.exp(-0.5 * a * a) * value

        return (
            2.0 / (SQRT_2PI * f) * integrate(integrand, max(low, 0.0), high, [(k - CUT) / r, k / r, (k + CUT) / r], 0.0)
        )

    mass = max(average(0), 1e-300)
    return [math.log(alpha * max(average(2), 1e-300)), average(1) / mass * (1.0 + r * r) / r - k]


def probe_equations(unknowns: NDArray[np.float64], alpha: float, f: float, theta: float, selection: str) -> list[float]:
    """(P1)-(P3), theta > 0: times sin(theta)/s, the logarithm of the ratio of the sides, times sin(theta)/s."""
    _, rho, d, c, s, kappa = components(unknowns, theta)
    sin, cos, sigma = math.sin(theta), math.cos(theta), math.hypot(s, c)
    cot, step = cos / sin, SQRT_2 * s * sigma
    error_edge, error_2, error_1 = (ERROR * x / alpha for x in (s * sigma, s * s, math.hypot(s, d) / sin))

    def edge(z: float) -> float:  # int dt exp(-Delta / 2 Lambda^2) (kappa - t)
        def integrand(t: float) -> float:
            return math.exp(constant - 0.5 * ((t - mean) / s) ** 2) * (kappa - t)

        mean, constant = d * z / sin, -0.5 * (z * z + (z * cot) ** 2)
        return integrate(integrand, mean - CUT * s, min(kappa, mean + CUT * s), [], error_edge)

    def inside(z: float, second: bool) -> float:  # int dt N H (kappa - t)^2, N H (z - rho t) / (1 - rho^2) (kappa - t)
        def integrand(t: float) -> float:
            tau = t - mean
            factor = kappa - t if second else z - rho * tau / sigma**2
            return (
                norm * math.exp(-0.5 * (tau / sigma) ** 2) * math.erfc(-(c * tau + shift) / step) * (kappa - t) * factor
            )

        mean, shift, norm = rho * z, sigma * sigma * z * cot, 0.5 / (SQRT_2PI * sigma) * math.exp(-0.5 * z * z)
        ends = mean - CUT * sigma, min(kappa, mean + CUT * sigma)
        return integrate(integrand, *ends, [mean - shift / c] if c else [], error_2 if second else error_1)

    def average(function: Callable[[float], float], error: float) -> float:
        breaks = [0.0, -CUT / cot, CUT / cot, kappa / rho, (kappa - CUT * sigma) / rho, (kappa + CUT * sigma) / rho]
        return sum(integrate(function, a, b, breaks, error) for a, b in kept_intervals(f, selection)) / (SQRT_2PI * f)

    p1 = alpha / (math.pi * s * sin) * average(edge, error_edge)
    p2 = 2.0 * alpha * average(lambda z: inside(z, True), error_2)
    p3 = 2.0 * alpha * average(lambda z: inside(z, False), error_1) + p1 * (rho * c * sin / sigma**2 - cos)
    return [(c - p1 * sin) / s, math.log(max(p2, 1e-300) / (s * s)), (d - p3 * sin) / s]


def main() -> None:
    """Print the time per solve at two points."""
    for theta_deg, f, alpha_prune in ((10.0, 0.3, 3.0), (0.0, 0.2, 3.0)):
        start = time.perf_counter()
        solution = solve_quad(alpha_prune, f, math.radians(theta_deg), "hard")
        seconds = time.perf_counter() - start
        print(f"theta={theta_deg} deg, f={f}, hard, alpha_prune={alpha_prune}: {seconds:.3g} s, {solution}")


if __name__ == "__main__":
    main()
