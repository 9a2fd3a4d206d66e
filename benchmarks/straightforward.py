"""The pruned max-margin perceptron as one would solve it from the paper, with SciPy's adaptive quadrature.

The yardstick for the package's speed, and a second opinion on its numbers: the equations (P1)-(P3) of Sorscher, Geirhos,
Shekhar, Ganguli and Morcos (arXiv:2206.14486, appendix A) typed in, `scipy.integrate.quad` inside
`scipy.integrate.quad` for the averages, `scipy.optimize.root` for the solution. Nothing is made slow on purpose: the
integrands are plain `math`, constants are computed once per set of overlaps, ranges are finite and split where the
integrand changes, and the tolerances are what an answer good to about 1e-9 needs. Lambda and 1 - rho^2 come from the
components of the unit student, since as the paper prints them they lose their digits at large alpha: with R along the
teacher, d = (rho - R cos theta)/sin theta, c = (R - rho cos theta)/sin theta, and s orthogonal to teacher and probe,
Lambda = s sin theta and 1 - rho^2 = s^2 + c^2.

Run as a script for the times per solve.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.optimize import root
from scipy.special import ndtri

SQRT_2 = math.sqrt(2.0)
SQRT_2PI = math.sqrt(2.0 * math.pi)
CUT = 8.0  # a Gaussian is integrated over this many standard deviations: exp(-32) = 1e-14


def solve_quad(alpha_prune: float, f: float, theta: float, selection: str) -> tuple[float, float, float, float]:
    """Solve for the student trained on the examples that a probe at angle theta keeps.

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
    r, k, delta = unpack(follow(alpha_prune, f, theta, selection))
    s = 1.0 / math.sqrt(1.0 + r * r + delta * delta)
    rho = s * (r * math.cos(theta) + delta * math.sin(theta))
    return math.atan2(math.hypot(1.0, delta), r) / math.pi, r * s, rho, k * s


def unpack(unknowns: NDArray[np.float64]) -> tuple[float, float, float]:
    """R/s, kappa/s and d/s from the unknowns log R/s, log kappa/s and, for theta > 0, asinh d/s."""
    delta = math.sinh(unknowns[2]) if len(unknowns) == 3 else 0.0
    return math.exp(unknowns[0]), math.exp(unknowns[1]), delta


def follow(alpha: float, f: float, theta: float, selection: str) -> NDArray[np.float64]:
    """Solve from a rough unpruned student; if that fails, from the solution at half the alpha."""
    equations, args = (probe_equations, (alpha, f, theta, selection)) if theta > 0.0 else (teacher_equations, (alpha, f, selection))
    error, kappa = 0.5 / (1.0 + alpha), 1.0 / math.sqrt(alpha + alpha * alpha)  # right for small and for large alpha
    guess = np.array([-math.log(math.tan(math.pi * error)), math.log(kappa / math.sin(math.pi * error)), 0.0])
    for attempt in range(2):
        found = root(equations, guess if theta > 0.0 else guess[:2], args=args, method="hybr", options={"xtol": 1e-10})
        print('   ', alpha, attempt, found.nfev, found.success, found.fun)
        if np.max(np.abs(found.fun)) < 1e-8:
            return found.x
        if attempt == 0 and alpha > 0.1:
            guess = follow(0.5 * alpha, f, theta, selection)
    raise RuntimeError(f"no solution at alpha_prune={alpha}, f={f}, theta={theta}, {selection}")


def integrate(function: Callable[[float], float], low: float, high: float, breaks: list[float], error: float) -> float:
    """Adaptive quadrature from low to high, piece by piece between the break points that lie inside."""
    ends = [low, *sorted(x for x in breaks if low < x < high), high]
    pieces = zip(ends[:-1], ends[1:], strict=True)
    return sum(quad(function, a, b, epsabs=error, epsrel=1e-10, limit=200)[0] for a, b in pieces if b > a)


def kept_intervals(f: float, selection: str) -> list[tuple[float, float]]:
    """Intervals of z that are kept."""
    if selection == "hard":
        gamma = min(-float(ndtri((1.0 - f) / 2.0)), CUT)
        return [(-gamma, gamma)]
    gamma = -float(ndtri(f / 2.0))
    return [(-CUT, -gamma), (gamma, CUT)]


def teacher_equations(unknowns: NDArray[np.float64], alpha: float, f: float, selection: str) -> list[float]:
    """theta = 0: alpha E[(k - rA - h)_+^2] = 1 and E[A (.)_+] / E[(.)_+] = k r / (1 + r^2), A = |z| kept, h in closed form."""
    r, k, _ = unpack(unknowns)
    low, high = kept_intervals(f, selection)[-1]

    def average(power: int) -> float:
        def integrand(a: float) -> float:
            u = k - r * a
            cdf, pdf = 0.5 * math.erfc(-u / SQRT_2), math.exp(-0.5 * u * u) / SQRT_2PI
            value = (1.0 + u * u) * cdf + u * pdf if power == 2 else (u * cdf + pdf) * (a if power == 1 else 1.0)
            return math.exp(-0.5 * a * a) * value

        ends = max(low, 0.0), min(high, (k + CUT) / r)
        return 2.0 / (SQRT_2PI * f) * integrate(integrand, *ends, [k / r], 0.0) if ends[1] > ends[0] else 0.0

    return [alpha * average(2) - 1.0, average(1) / average(0) * (1.0 + r * r) / (k * r) - 1.0]


def probe_equations(unknowns: NDArray[np.float64], alpha: float, f: float, theta: float, selection: str) -> list[float]:
    """(P1)-(P3), theta > 0, each divided by the largest value that its left hand side can have at this s."""
    r, k, delta = unpack(unknowns)
    s = 1.0 / math.sqrt(1.0 + r * r + delta * delta)
    R, d, kappa, sin, cos = r * s, delta * s, k * s, math.sin(theta), math.cos(theta)
    rho, c = R * cos + d * sin, R * sin - d * cos
    sigma = math.hypot(s, c)
    slope, cot, step = d / sin, cos / sin, SQRT_2 * s * sigma
    # what quad may leave, so that each equation is met to a fraction 1e-10 of its scale
    error_edge, error_2, error_1 = (1e-10 * x / alpha for x in (s * sigma, s * s, math.hypot(s, d) / sin))

    def edge(z: float) -> float:  # int dt exp(-Delta / 2 Lambda^2) (kappa - t)
        def integrand(t: float) -> float:
            return math.exp(constant - 0.5 * ((t - mean) / s) ** 2) * (kappa - t)

        mean, constant = slope * z, -0.5 * (z * z + (z * cot) ** 2)
        return integrate(integrand, mean - CUT * s, min(kappa, mean + CUT * s), [], error_edge)

    def inside(z: float, second: bool) -> float:  # int dt N H (kappa - t)^2, or N H (z - rho t) / (1 - rho^2) (kappa - t)
        def integrand(t: float) -> float:
            tau = t - mean
            factor = kappa - t if second else z - rho * tau / sigma**2
            return norm * math.exp(-0.5 * (tau / sigma) ** 2) * math.erfc(-(c * tau + shift) / step) * (kappa - t) * factor

        mean, shift, norm = rho * z, sigma * sigma * z * cot, 0.5 / (SQRT_2PI * sigma) * math.exp(-0.5 * z * z)
        ends = mean - CUT * sigma, min(kappa, mean + CUT * sigma)
        return integrate(integrand, *ends, [mean - shift / c] if c else [], error_2 if second else error_1)

    def average(function: Callable[[float], float], error: float) -> float:
        breaks = [0.0, -CUT / cot, CUT / cot, kappa / rho, (kappa - CUT * sigma) / rho, (kappa + CUT * sigma) / rho]
        return sum(integrate(function, a, b, breaks, error) for a, b in kept_intervals(f, selection)) / (SQRT_2PI * f)

    p1 = alpha / (math.pi * s * sin) * average(edge, error_edge)
    p2 = 2.0 * alpha * average(lambda z: inside(z, True), error_2)
    p3 = 2.0 * alpha * average(lambda z: inside(z, False), error_1) + p1 * (rho * c * sin / sigma**2 - cos)
    return [(c / sin - p1) * sin / sigma, 1.0 - p2 / (s * s), (d / sin - p3) * sin / math.hypot(s, d)]


def main() -> None:
    """Print the time per solve at two points."""
    for theta_deg, f, alpha_prune in ((10.0, 0.3, 3.0), (0.0, 0.2, 3.0)):
        start = time.perf_counter()
        solution = solve_quad(alpha_prune, f, math.radians(theta_deg), "hard")
        seconds = time.perf_counter() - start
        print(f"theta={theta_deg} deg, f={f}, hard, alpha_prune={alpha_prune}: {seconds:.3g} s, {solution}")


if __name__ == "__main__":
    main()
