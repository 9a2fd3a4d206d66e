"""The saddle point of the pruned max-margin perceptron, written the way the paper prints it.

Equations (P1)-(P3) are the three conditions of Sorscher, Geirhos, Shekhar, Ganguli and Morcos, "Beyond neural scaling
laws: beating power law scaling via data pruning" (arXiv:2206.14486, appendix A) on the overlaps of a student trained
on what a probe at angle ``theta`` from the teacher kept. They are averages over the probe field ``z`` of the kept data
and integrals over the student field ``t <= kappa``. Nothing here is shared with the package under test, whose
equations are averages in the basis of the teacher: agreement of the two is evidence for both.

With ``alpha = alpha_prune``, ``L`` for the paper's Lambda, ``H(x) = erfc(x / sqrt 2) / 2`` and ``<.>`` the average over
the kept ``z``::

    L^2   = sin^2 theta - R^2 - rho^2 + 2 rho R cos theta
    Gamma = z (rho R - cos theta) - t (R - rho cos theta)
    Delta = z^2 (rho^2 + cos^2 theta - 2 rho R cos theta) + 2 t z (R cos theta - rho) + t^2 sin^2 theta
    N(t)  = exp(-(t - rho z)^2 / 2(1 - rho^2)) / sqrt(2 pi (1 - rho^2))
    h     = H(Gamma / (sqrt(1 - rho^2) L)),    e = exp(-Delta / 2 L^2)

    (P1)  (R - rho cos theta) / sin^2 theta = alpha / (pi L) < int_-inf^kappa dt e (kappa - t) >
    (P2)  1 - (rho^2 + R^2 - 2 rho R cos theta) / sin^2 theta = 2 alpha < int_-inf^kappa dt N h (kappa - t)^2 >
    (P3)  (rho - R cos theta) / sin^2 theta = 2 alpha < int_-inf^kappa dt [ N h (z - rho t) / (1 - rho^2)
                                                 + e / (2 pi L) (rho R - cos theta) / (1 - rho^2) ] (kappa - t) >

Several of these expressions are small differences of numbers of order one. They are evaluated through the components
of the unit student, which make every one of them a sum of squares or a product::

    d = (rho - R cos theta) / sin theta      in the teacher-probe plane, orthogonal to the teacher
    c = (R - rho cos theta) / sin theta      in the teacher-probe plane, orthogonal to the probe
    s = sqrt(1 - R^2 - d^2)                  orthogonal to the plane

    L = s sin theta,    1 - rho^2 = s^2 + c^2 =: sigma^2,    rho R - cos theta = rho c sin theta - sigma^2 cos theta
    -Gamma / (sigma L) = (c tau + sigma z cot theta) / s,                 t = rho z + sigma tau
    Delta / L^2        = z^2 cot^2 theta + nu^2,                          t = d z / sin theta + s nu
    (z - rho t) / (1 - rho^2) = z - rho tau / sigma

Angles are in radians and ``theta > 0`` throughout.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import root
from scipy.special import erfinv, ndtr, ndtri

__all__ = ["residuals", "solve"]

_CUT = 12.0  # a Gaussian is cut at 12 standard deviations: exp(-72) = 5e-32
_STEPS = np.arange(-4, 5) * 3.0  # break points around a transition, in units of its width: -12, -9, ..., 12
_SQRT_2PI = math.sqrt(2.0 * math.pi)
_SMALL_ALPHA = 0.05  # continuation starts here, where the expansion in sqrt(alpha) is a good guess


class _Student(NamedTuple):
    """Unit student by its components: along teacher, along probe, d, c and s of the module docstring, and margin."""

    R: float
    rho: float
    d: float
    c: float
    s: float
    kappa: float


def residuals(
    alpha_prune: float,
    f: float,
    theta: float,
    selection: str,
    R: float,
    rho: float,
    kappa: float,
    *,
    s: float | None = None,
    nodes: int = 20,
    subdivisions: int = 1,
) -> NDArray[np.float64]:
    """Relative residuals of the paper's equations (P1), (P2), (P3).

    Parameters
    ----------
    alpha_prune : float
        Examples kept per parameter, the ``alpha`` of (P1)-(P3). Accurate in [0.05, 100].
    f : float
        Fraction kept, in (0, 1]. Accurate from 0.02.
    theta : float
        Angle between probe and teacher in radians, in (0, pi/2). Accurate up to 85 degrees.
    selection : {"hard", "easy"}
        Keep small or large ``|z|``.
    R, rho : float
        Cosine of the student with the teacher and with the probe.
    kappa : float
        Margin of the student.
    s : float, optional
        Norm of the student orthogonal to the teacher-probe plane. Without it, ``s`` is the root of a difference of
        numbers near one, and errors of 1e-16 in ``R`` and ``rho`` become errors of 1e-16/s^2 relative to the
        residuals; with it, what remains is the error 1e-16/sin(theta) of ``c`` and ``d``, relative to ``s``: below
        2e-11 from 1 degree up, 2e-10 at 0.1 degrees with ``f = 0.02`` and ``alpha_prune = 100``.
    nodes, subdivisions : int
        Gauss-Legendre nodes per panel, and parts that each panel is cut into. For checks of the quadrature only.

    Returns
    -------
    ndarray of shape (3,)
        Left minus right hand side of each equation, over a scale:

        (P1) ``sqrt(1 - rho^2) / sin(theta)`` plus the modulus of the right hand side. The left hand side is
        ``c / sin(theta)`` with ``c`` one component of a vector of length ``sqrt(1 - rho^2)``; both sides can be
        exponentially small, so they are no scale themselves.
        (P2) the larger modulus of the two sides.
        (P3) ``sqrt(1 - R^2) / sin(theta)``, for the same reason, plus the moduli of the two terms on the right.

    Raises
    ------
    ValueError
        If the selection is unknown, a parameter lies outside its range, or the overlaps are not those of a unit
        student (``R^2 + d^2 >= 1``).
    """
    _check_problem(alpha_prune, f, theta, selection)
    d = (rho - R * math.cos(theta)) / math.sin(theta)
    c = (R - rho * math.cos(theta)) / math.sin(theta)
    if s is None:
        s_squared = 1.0 - R * R - d * d
        if not s_squared > 0.0:
            raise ValueError(f"no unit student has R={R!r} and rho={rho!r}: R^2 + d^2 must lie below 1, pass s= near 1")
        s = math.sqrt(s_squared)
    if not s > 0.0:
        raise ValueError(f"s must be positive, got {s!r}: at s = 0 the student lies in the teacher-probe plane")
    student = _Student(R, rho, d, c, s, kappa)
    return _residuals(alpha_prune, f, theta, selection, student, nodes, subdivisions)


def solve(
    alpha_prune: float,
    f: float,
    theta: float,
    selection: str,
    guess: tuple[float, float, float] | None = None,
) -> tuple[float, float, float]:
    """Solve the paper's equations (P1)-(P3) for the order parameters.

    Parameters
    ----------
    alpha_prune, f, theta, selection
        As in `residuals`.
    guess : (R, rho, kappa), optional
        Where to start. By default the solution is followed in ``log alpha_prune`` from small ``alpha_prune``.

    Returns
    -------
    R, rho, kappa : float
        Cosine with the teacher, cosine with the probe, margin. The test error is ``arccos(R) / pi``.

    Raises
    ------
    RuntimeError
        If the relative residuals do not fall below 1e-9.
    """
    student = _solve_student(alpha_prune, f, theta, selection, guess)
    return student.R, student.rho, student.kappa


def _check_problem(alpha_prune: float, f: float, theta: float, selection: str) -> None:
    """Refuse what the equations are not written for."""
    if selection not in ("hard", "easy"):
        raise ValueError(f"selection must be 'hard' or 'easy', got {selection!r}")
    if not alpha_prune > 0.0:
        raise ValueError(f"alpha_prune must be positive, got {alpha_prune!r}")
    if not 0.0 < f <= 1.0:
        raise ValueError(f"f must lie in (0, 1], got {f!r}")
    if not 0.0 < theta < math.pi / 2:
        raise ValueError(f"theta must lie in (0, pi/2), got {theta!r}: (P1)-(P3) divide by sin(theta)")


def _kept_intervals(f: float, selection: str) -> list[tuple[float, float]]:
    """Intervals of z that are kept, cut at 12 standard deviations."""
    if selection == "hard":  # |z| < gamma = H^-1((1 - f) / 2)
        gamma = min(math.sqrt(2.0) * float(erfinv(f)), _CUT)
        return [(-gamma, gamma)]
    gamma = max(-float(ndtri(f / 2.0)), 0.0)  # |z| > gamma = H^-1(f / 2)
    return [(-_CUT, -gamma), (gamma, _CUT)]


def _ratio(numerator: float, denominator: float) -> float:
    """Quotient, with a tiny denominator in place of zero: a transition at infinity is clipped away later."""
    return numerator / math.copysign(max(abs(denominator), 1e-150), denominator)


def _panel_nodes(edges: NDArray[np.float64], nodes: int, parts: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Gauss-Legendre nodes and weights for sorted panel edges along the last axis, each panel cut into equal parts."""
    x, w = np.polynomial.legendre.leggauss(nodes)
    offset = np.arange(parts)[:, None]
    x = ((offset + 0.5 * (x + 1.0)) / parts).ravel()
    w = np.tile(0.5 * w / parts, parts)
    width = np.diff(edges, axis=-1)[..., None]
    points = edges[..., :-1, None] + width * x
    shape = (*edges.shape[:-1], (edges.shape[-1] - 1) * x.size)
    return points.reshape(shape), (width * w).reshape(shape)


def _kept_nodes(
    f: float, theta: float, selection: str, student: _Student, nodes: int, parts: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Nodes in z and weights that include p(z), panels graded where the t-integrals change with z.

    They change at z = 0 over tan(theta) (which side of the teacher), at z = kappa / rho over sigma / rho (margin),
    and where the boundaries of the two meet, z = kappa sin(theta) / d over s sin(theta) / |d|.
    """
    sin, sigma = math.sin(theta), math.hypot(student.s, student.c)
    breaks = np.concatenate(
        [
            np.arange(-8, 9) * 1.5,
            _STEPS * math.tan(theta),
            _ratio(student.kappa, student.rho) + _STEPS * _ratio(sigma, student.rho),
            _ratio(student.kappa * sin, student.d) + _STEPS * _ratio(student.s * sin, student.d),
        ]
    )
    pieces = [
        _panel_nodes(np.unique(np.clip(np.append(breaks, interval), *interval)), nodes, parts)
        for interval in _kept_intervals(f, selection)
    ]
    z = np.concatenate([points for points, _ in pieces])
    weights = np.concatenate([weights for _, weights in pieces])
    return z, weights * np.exp(-0.5 * z * z) / (_SQRT_2PI * f)


def _residuals(
    alpha: float, f: float, theta: float, selection: str, student: _Student, nodes: int = 20, parts: int = 1
) -> NDArray[np.float64]:
    """Relative residuals from the components of the student; see `residuals` for their scale."""
    _, rho, d, c, s, kappa = student
    sin, cos = math.sin(theta), math.cos(theta)
    sigma = math.hypot(s, c)
    z, p = _kept_nodes(f, theta, selection, student, nodes, parts)

    # int dt exp(-Delta / 2 L^2) (kappa - t), in nu; common to (P1) and to the second term of (P3)
    top = (kappa - d * z / sin) / s
    seen = (top > -_CUT) & (np.abs(z) < _CUT * sin / cos)
    upper = np.minimum(top[seen], _CUT)
    nu, weight = _panel_nodes(-_CUT + (upper[:, None] + _CUT) * np.linspace(0.0, 1.0, 9), nodes, parts)
    edge = s * s * np.sum(weight * np.exp(-0.5 * nu * nu) * (top[seen, None] - nu), axis=-1)
    teacher_edge = alpha / (math.pi * s * sin) * float(p[seen] @ (np.exp(-0.5 * (z[seen] * cos / sin) ** 2) * edge))

    # integrals with the Gaussian of t and H, in tau; H = Phi(x) has its step at tau = -sigma z cot(theta) / c
    top = (kappa - rho * z) / sigma
    seen = top > -_CUT
    z, p, top = z[seen, None], p[seen], top[seen, None]
    upper = np.minimum(top, _CUT)
    step = -z * _ratio(sigma * cos / sin, c) + _STEPS * abs(_ratio(s, c))
    edges = np.concatenate([-_CUT + (upper + _CUT) * np.linspace(0.0, 1.0, 9), np.clip(step, -_CUT, upper)], axis=-1)
    tau, weight = _panel_nodes(np.sort(edges, axis=-1), nodes, parts)
    weight *= np.exp(-0.5 * tau * tau) / _SQRT_2PI * ndtr((c * tau + sigma * z * cos / sin) / s)
    shortfall = sigma * (top - tau)  # kappa - t
    weight *= shortfall
    squared = 2.0 * alpha * float(p @ np.sum(weight * shortfall, axis=-1))
    along_probe = 2.0 * alpha * float(p @ np.sum(weight * (z - rho / sigma * tau), axis=-1))

    # (P1), (P2), (P3): left hand side, right hand side, scale
    from_edge = teacher_edge * (rho * c * sin / sigma**2 - cos)
    left = np.array([c / sin, s * s, d / sin])
    right = np.array([teacher_edge, squared, along_probe + from_edge])
    scale = np.array(
        [
            sigma / sin + abs(teacher_edge),
            max(s * s, abs(squared)),
            math.hypot(s, d) / sin + abs(along_probe) + abs(from_edge),
        ]
    )
    return np.asarray((left - right) / scale, dtype=np.float64)


def _from_unknowns(unknowns: NDArray[np.float64], theta: float) -> _Student:
    """Student from asinh(rho/s), asinh(c/s), log(kappa/s): any three real numbers give a unit student."""
    along, across, margin = math.sinh(unknowns[0]), math.sinh(unknowns[1]), math.exp(unknowns[2])
    s = 1.0 / math.sqrt(1.0 + along * along + across * across)
    rho, c = along * s, across * s
    sin, cos = math.sin(theta), math.cos(theta)
    return _Student(rho * cos + c * sin, rho, rho * sin - c * cos, c, s, margin * s)


def _to_unknowns(R: float, rho: float, kappa: float, theta: float) -> NDArray[np.float64]:
    """Inverse of `_from_unknowns`."""
    c = (R - rho * math.cos(theta)) / math.sin(theta)
    s = math.sqrt(max(1.0 - rho * rho - c * c, 1e-12))
    return np.array([math.asinh(rho / s), math.asinh(c / s), math.log(kappa / s)])


def _small_alpha_guess(alpha: float, f: float, theta: float, selection: str) -> NDArray[np.float64]:
    """Student proportional to the mean example: kappa = alpha^-1/2, rho = sqrt(alpha) E[m], c = sqrt(alpha) E[g]."""
    z, p = _kept_nodes(f, theta, selection, _Student(0.0, 0.0, 0.0, 0.0, 1.0, 0.0), 20, 1)
    cot = 1.0 / math.tan(theta)
    along = 2.0 * math.sqrt(alpha) * float(p @ (z * ndtr(z * cot)))
    across = 2.0 * math.sqrt(alpha) * float(p @ np.exp(-0.5 * (z * cot) ** 2)) / _SQRT_2PI
    return np.array([math.asinh(along), math.asinh(across), -0.5 * math.log(alpha)])


def _refine(
    alpha: float, f: float, theta: float, selection: str, start: NDArray[np.float64]
) -> tuple[NDArray[np.float64], bool]:
    """One call of the root finder; the undamped residuals decide whether it counts as solved.

    The same tight tolerance holds along a continuation: a loose one lets in false points with kappa near zero.
    """

    def equations(unknowns: NDArray[np.float64]) -> NDArray[np.float64]:
        if not np.all(np.abs(unknowns) < 30.0):
            return np.full(3, 1e3)
        return _residuals(alpha, f, theta, selection, _from_unknowns(unknowns, theta))

    found = root(equations, start, method="hybr", options={"xtol": 1e-13})
    solution = np.asarray(found.x, dtype=np.float64)
    return solution, bool(np.max(np.abs(found.fun)) < 1e-9)


def _solve_student(
    alpha_prune: float, f: float, theta: float, selection: str, guess: tuple[float, float, float] | None = None
) -> _Student:
    """Solution with all its components, from a guess or by continuation in log alpha with linear extrapolation."""
    _check_problem(alpha_prune, f, theta, selection)
    if guess is not None:
        unknowns, solved = _refine(alpha_prune, f, theta, selection, _to_unknowns(*guess, theta))
        if solved:
            return _from_unknowns(unknowns, theta)
    target, at, stride = math.log(alpha_prune), math.log(min(alpha_prune, _SMALL_ALPHA)), math.log(3.0)
    start = _small_alpha_guess(math.exp(at), f, theta, selection)
    unknowns, solved = _refine(math.exp(at), f, theta, selection, start)
    slope = np.zeros(3)
    while solved and at < target:
        ahead = min(at + stride, target)
        found, reached = _refine(math.exp(ahead), f, theta, selection, unknowns + slope * (ahead - at))
        if reached:
            slope = (found - unknowns) / (ahead - at)
            unknowns, at = found, ahead
        else:
            stride *= 0.5
            solved = stride > 1e-3
    if not solved:
        raise RuntimeError(
            f"(P1)-(P3) not solved at alpha_prune={alpha_prune!r}, f={f!r}, theta={theta!r}, {selection}"
        )
    return _from_unknowns(unknowns, theta)
