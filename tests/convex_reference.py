"""Students with a convex loss and a ridge penalty on pruned data, a second time and from scratch.

An independent implementation of the theory that ``perceptron_theory`` computes: nothing is imported from the package,
the equations were derived again as follows and the averages are taken in other coordinates.

**The problem.** Input ``x`` of ``N`` standard normal components, probe and teacher at angle ``theta``, ``z`` the field
along the unit probe, ``g`` the coordinate in the plane of teacher and probe orthogonal to the probe, so that the field
of the teacher is ``A = z cos(theta) + g sin(theta)``. Observed labels ``y = +-1``::

    P(y = 1 | A) = flip + (1 - 2 flip) F(slope A),    F = step, Phi (probit) or 1/(1 + e^-t) (logistic)

An example is kept with probability ``k(m)``, ``m = y z`` its observed signed margin; ``f = E k(m)``; ``alpha_prune`` is
the number of kept examples per input dimension. The student minimises, with ``v = 1`` or ``v = 1/k(m)``::

    sum_mu v_mu l(y_mu w.x_mu) + lam N/2 |w|^2,     |w| = O(1), that is, entries of order 1/sqrt(N)

**Derivation (Gordon's inequality, convex form).** After ``x <- y x`` label and orientation are gone: inputs have, in
the plane, the density ``phi(m) phi(g) 2 P(1 | A)``, ``A = m cos + g sin`` (both labels contribute the same, because
``1 - P(1 | -A) = P(1 | A)`` when ``F(-t) = 1 - F(t)``), and outside the plane they are standard normal and independent.
Split ``w = rho' (probe) + c (orthogonal, in plane) + w_perp``, ``s = |w_perp|``. With a multiplier for each field
``t_mu``, the bilinear form in the Gaussian part ``X_perp`` is ``u.X_perp w_perp``, and Gordon replaces it by
``s u.h + |u| w_perp.q`` with standard normal vectors ``h``, ``q``, whose optimum over directions is
``-s |u| sqrt(N)``. With ``|u| = beta sqrt(N)`` and ``|a| = min_tau |a|^2/2 tau + tau/2`` the value per dimension is::

    min_{rho', c, s, tau} max_beta  lam/2 (rho'^2 + c^2 + s^2) + beta tau/2 - beta s + alpha E M_V(omega)

    V = tau/beta,   omega = rho' m + c g + s h,   M_V(omega) = min_t v l(t) + (t - omega)^2/2V

the average over the kept measure ``k(m)/f`` times the density above and over ``h``. Stationary in ``beta``: ``beta =
s/V``. With ``f_out = (prox - omega)/V = -v l'(prox)``, so that ``dM/domega = -f_out``, the other four derivatives are::

    in tau    s^2 = alpha V^2 E f_out^2                                                   (C1)
    in s      lam s - s/V = alpha E[h f_out]    ( = alpha s E[df_out/domega], Stein )     (C2)
    in rho'   lam rho' = alpha E[m f_out]                                                 (C3)
    in c      lam c    = alpha E[g f_out]                                                 (C4)

(C2) with Stein's lemma is ``V = 1/(lam + Vhat)``, ``Vhat = -alpha E[df_out/domega]``. The value at the saddle point is
``lam/2 |w|^2 + alpha E[v l(prox)]``, the training objective, as it must be. The programme is strictly convex for
``lam > 0``: one solution. ``R`` is the cosine of ``(rho', c, s)`` with ``(cos theta, sin theta, 0)``.

**Averages.** ``c g + s h = sigma chi``, ``sigma^2 = c^2 + s^2``, with ``chi`` standard normal; given ``m`` and ``chi``
the orthogonal combination ``xi`` (``g = (c chi + s xi)/sigma``, ``h = (s chi - c xi)/sigma``) enters through the label
alone, and linearly in (C2)-(C4). With ``a = m cos + sin c chi/sigma`` and ``b = sin s/sigma`` all that is needed is
``E P(1 | a + b xi)`` and ``E xi P(1 | a + b xi)``, closed for step and probit, a trapezium rule for the logistic link.
What remains is a double integral over ``m`` and ``chi``: Gauss-Legendre on panels graded around every transition.

**Other normalisations.** Inputs of variance ``1/N`` and weights of order one: the same equations, the penalty is then
``lam/2 |w|^2``. A loss *averaged over the pool* of ``alpha_tot N`` examples plus ``lam'/2 |w|^2``: multiply by the size
of the pool, ``lam = alpha_tot lam'``, whatever fraction is kept (see ``selection_under_weak_supervision``).
A penalty ``lam' |w|^2`` without the half is ``lam = 2 lam'``.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, root
from scipy.special import expit, ndtr, ndtri

__all__ = [
    "EVERYTHING",
    "NOISELESS",
    "Labels",
    "Rule",
    "easy",
    "hard",
    "largest",
    "mixture",
    "population_square",
    "selection_under_weak_supervision",
    "smallest",
    "soft",
    "solve",
    "uncertainty",
    "write_table",
]

Array = NDArray[np.float64]
Loss = Literal["logistic", "hinge", "square", "squared hinge"]
Link = Literal["step", "probit", "logistic"]

_CUT = 8.5  # integrals over a Gaussian stop here: its tail is 2e-17
_SQRT_2PI = math.sqrt(2.0 * math.pi)


@dataclass(frozen=True)
class Labels:
    """Labels given the field ``A`` of the teacher: P(y = 1 | A) = flip + (1 - 2 flip) F(slope A)."""

    link: Link = "step"
    slope: float = 1.0
    flip: float = 0.0


NOISELESS = Labels()


@dataclass(frozen=True)
class Rule:
    """Keep probability of the observed signed margin, and the margins between which it is smooth.

    Where ``keep`` varies over less than one unit, points in ``breaks`` must make the panels as narrow as that.
    """

    keep: Callable[[Array], Array]
    breaks: tuple[float, ...] = ()


EVERYTHING = Rule(np.ones_like)


def hard(f: float) -> Rule:
    """Keep the fraction ``f`` of smallest ``|z|``."""
    edge = -float(ndtri((1.0 - f) / 2.0))
    return Rule(lambda m: np.where(np.abs(m) < edge, 1.0, 0.0), (-edge, edge))


def easy(f: float) -> Rule:
    """Keep the fraction ``f`` of largest ``|z|``."""
    edge = -float(ndtri(f / 2.0))
    return Rule(lambda m: np.where(np.abs(m) > edge, 1.0, 0.0), (-edge, edge))


def mixture(f: float, random: float) -> Rule:
    """Keep ``(1 - random) f`` by smallest ``|z|`` and ``random f`` at random out of the others."""
    inside = (1.0 - random) * f
    edge = -float(ndtri((1.0 - inside) / 2.0))
    outside = random * f / (1.0 - inside)
    return Rule(lambda m: np.where(np.abs(m) < edge, 1.0, outside), (-edge, edge))


def smallest(f: float, theta: float, labels: Labels = NOISELESS) -> Rule:
    """Keep the fraction ``f`` of smallest observed signed margins (label-aware: the worst for the probe)."""
    edge = margin_quantile(f, theta, labels)
    return Rule(lambda m: np.where(m < edge, 1.0, 0.0), (edge,))


def largest(f: float, theta: float, labels: Labels = NOISELESS) -> Rule:
    """Keep the fraction ``f`` of largest observed signed margins (label-aware: what the probe is surest of)."""
    edge = margin_quantile(1.0 - f, theta, labels)
    return Rule(lambda m: np.where(m > edge, 1.0, 0.0), (edge,))


def soft(centre: float, slope: float) -> Rule:
    """Keep with probability ``1/(1 + exp(slope (m - centre)))``: a smooth label-aware rule."""
    step = 1.0 / slope
    return Rule(lambda m: expit(-slope * (m - centre)), tuple(centre + step * k for k in range(-6, 7)))


def uncertainty(f: float, power: float) -> Rule:
    """Keep with probability ``min(1, C [p (1 - p)]^power)``, ``p`` the sigmoid of ``5 z`` clipped at +-10, mean ``f``.

    ``C`` makes the mean ``f``. ``power = 0`` is a random subset.
    """

    def score(m: Array) -> Array:
        p = expit(np.clip(5.0 * m, -10.0, 10.0))
        return np.asarray((p * (1.0 - p)) ** power)

    fixed = sorted({sign * 0.25 * k for sign in (-1.0, 1.0) for k in range(9)})

    def rule(log_c: float) -> Rule:
        constant = math.exp(log_c)

        def keep(m: Array) -> Array:
            return np.minimum(1.0, constant * score(m))

        # The probability reaches 1 where p(1 - p) = 1/(4 cosh^2(5 m/2)) = C^(-1/power).
        ratio = math.exp(0.5 * log_c / power) / 2.0
        clipped = 0.4 * math.acosh(ratio) if 1.0 < ratio < math.cosh(5.0) else 0.0
        return Rule(keep, (*fixed, -clipped, clipped))

    if f == 1.0 or power == 0.0:
        return Rule(lambda m: np.full_like(m, f))

    def excess(log_c: float) -> float:
        tried = rule(log_c)
        m, w = (part[0] for part in _nodes(_edges(np.array([tried.breaks]), np.full(len(tried.breaks), np.inf)), 12))
        return float(w @ tried.keep(m)) - f

    return rule(float(brentq(excess, -30.0, 30.0, xtol=1e-15, rtol=1e-15)))


def margin_quantile(p: float, theta: float, labels: Labels = NOISELESS) -> float:
    """Observed signed margin below which the fraction ``p`` of the unpruned examples lies."""

    def excess(edge: float) -> float:
        m, w = _margin_nodes(Rule(np.ones_like, (edge,)), theta, labels, 16, 2)
        return float((w * _margin_density(labels, theta, m))[m < edge].sum()) - p

    return float(brentq(excess, -8.0, 8.0, xtol=1e-15, rtol=1e-14))


# ---------------------------------------------------------------------------------------------------------------------
# Quadrature


def _edges(points: Array, widths: Array, split: int = 1) -> Array:
    """Panel edges between -8.5 and 8.5, one row per row of ``points``.

    ``points`` has shape (rows, transitions) and ``widths``, of shape (transitions,), says over what distance the
    integrand changes there: panels grow from it in powers of two up to one unit. An infinite width is a point where
    panels must end and no more.
    """
    rows = points.shape[0]
    parts = [np.broadcast_to(np.linspace(-_CUT, _CUT, 18), (rows, 18))]
    for j, width in enumerate(widths):
        centre = points[:, j : j + 1]
        parts.append(centre)
        reach = width
        while reach < 1.5:
            parts += [centre - reach, centre + reach]
            reach *= 2.0
    edges = np.sort(np.clip(np.concatenate(parts, axis=1), -_CUT, _CUT), axis=1)
    for _ in range(split - 1):
        middles = 0.5 * (edges[:, 1:] + edges[:, :-1])
        edges = np.sort(np.concatenate([edges, middles], axis=1), axis=1)
    return edges


def _nodes(edges: Array, order: int) -> tuple[Array, Array]:
    """Nodes and weights (Gaussian density included) of Gauss-Legendre of ``order`` nodes on each panel of each row."""
    x, w = np.polynomial.legendre.leggauss(order)
    half = 0.5 * np.diff(edges, axis=1)[..., None]
    middle = 0.5 * (edges[:, 1:] + edges[:, :-1])[..., None]
    nodes = (middle + half * x).reshape(edges.shape[0], -1)
    weights = (half * w).reshape(edges.shape[0], -1)
    return nodes, weights * np.exp(-0.5 * nodes**2) / _SQRT_2PI


def _margin_nodes(
    rule: Rule, theta: float, labels: Labels, order: int, split: int, more: Sequence[tuple[float, float]] = ()
) -> tuple[Array, Array]:
    """Nodes and weights along the probe: the label turns over at m = 0 within tan(theta) and the slope of the link."""
    slope = math.inf if labels.link == "step" else labels.slope
    label_width = math.hypot(math.tan(theta), 1.0 / (slope * math.cos(theta))) if theta < 1.57 else math.inf
    graded = [(0.0, label_width or math.inf), *((edge, math.inf) for edge in rule.breaks), *more]
    points = np.array([[point for point, _ in graded]])
    m, w = _nodes(_edges(points, np.array([width for _, width in graded]), split), order)
    return m[0], w[0]


# ---------------------------------------------------------------------------------------------------------------------
# Labels


def _label_averages(labels: Labels, a: Array, b: float) -> tuple[Array, Array]:
    """E P(1 | a + b xi) and E xi P(1 | a + b xi) over a standard normal xi."""
    signal = 1.0 - 2.0 * labels.flip
    if labels.link == "step":
        if b == 0.0:
            return labels.flip + signal * (0.5 + 0.5 * np.sign(a)), np.zeros_like(a)
        u = a / b
        return labels.flip + signal * ndtr(u), signal * np.exp(-0.5 * u**2) / _SQRT_2PI
    if labels.link == "probit":
        width = math.hypot(1.0, labels.slope * b)
        u = labels.slope * a / width
        slope_b = labels.slope * b / width
        return labels.flip + signal * ndtr(u), signal * slope_b * np.exp(-0.5 * u**2) / _SQRT_2PI
    if b == 0.0:
        return labels.flip + signal * expit(labels.slope * a), np.zeros_like(a)
    # Trapezium rule on an analytic function: error exp(-2 pi^2 / step^2) and exp(-2 pi^2 / (slope b step)).
    step = min(0.5, 0.5 / (labels.slope * b))
    total, first = np.zeros_like(a), np.zeros_like(a)
    for xi in step * np.arange(-math.ceil(_CUT / step), math.ceil(_CUT / step) + 1):
        weight = step * math.exp(-0.5 * xi**2) / _SQRT_2PI
        value = weight * expit(labels.slope * (a + b * xi))
        total += value
        first += xi * value
    return labels.flip + signal * total, signal * first


def _margin_density(labels: Labels, theta: float, m: Array) -> Array:
    """Density of the unpruned observed signed margin divided by the standard normal one."""
    return 2.0 * _label_averages(labels, m * math.cos(theta), math.sin(theta))[0]


# ---------------------------------------------------------------------------------------------------------------------
# Losses: t = prox solves t + V v l'(t) = omega


def _logistic_prox(omega: Array, step: Array) -> Array:
    # g(t) = t - step/(1 + e^t) - omega increases, is concave for t > 0 and convex for t < 0, and g(0) says on which
    # side the root lies: Newton from 0, or from the bound omega < t < omega + step if closer, runs to it from one side.
    positive = omega > -0.5 * step
    t = np.where(positive, np.maximum(0.0, omega), np.minimum(0.0, omega + step))
    for _ in range(200):
        p = expit(-t)
        change = (t - step * p - omega) / (1.0 + step * p * (1.0 - p))
        t = t - change
        if np.all(np.abs(change) <= 1e-8 * (1.0 + np.abs(t))):  # quadratic: the next step is below 1e-15
            p = expit(-t)
            return np.asarray(t - (t - step * p - omega) / (1.0 + step * p * (1.0 - p)))
    raise RuntimeError("Newton's method for the proximal point of the logistic loss did not converge.")


class _Output(NamedTuple):
    prox: Array
    f_out: Array
    slope: Array  # d f_out / d omega


def _output(loss: Loss, omega: Array, V: float, v: Array) -> _Output:
    if loss == "logistic":
        t = _logistic_prox(omega, V * v)
        p = expit(-t)
        curvature = v * p * (1.0 - p)
        return _Output(t, v * p, -curvature / (1.0 + V * curvature))
    if loss == "hinge":
        t = np.where(omega < 1.0 - V * v, omega + V * v, np.maximum(omega, 1.0))
        middle = (omega >= 1.0 - V * v) & (omega < 1.0)
        return _Output(t, (t - omega) / V, np.where(middle, -1.0 / V, 0.0))
    active = np.ones_like(omega) if loss == "square" else np.where(omega < 1.0, 1.0, 0.0)
    f_out = active * v * (1.0 - omega) / (1.0 + V * v)
    return _Output(omega + V * f_out, f_out, -active * v / (1.0 + V * v))


def _loss(loss: Loss, t: Array) -> Array:
    if loss == "logistic":
        return np.logaddexp(0.0, -t)
    if loss == "hinge":
        return np.maximum(1.0 - t, 0.0)
    return 0.5 * (1.0 - t if loss == "square" else np.maximum(1.0 - t, 0.0)) ** 2


def _transitions(loss: Loss, step: Array) -> list[tuple[Array, float]]:
    """Where in omega the output function turns, and over what distance (0: a kink); ``step`` is V v."""
    if loss == "logistic":
        # Branch points of t(omega), 1 + step l''(t) = 0, at t = +-2 asinh(sqrt(step)/2) + i pi; omega = t + step l'(t).
        t = 2.0 * np.arcsinh(0.5 * np.sqrt(step)) + 1j * math.pi
        above = np.real(t - step / (1.0 + np.exp(t)))
        below = np.real(-t - step / (1.0 + np.exp(-t)))
        return [(above, math.pi), (below, math.pi)]
    if loss == "hinge":
        return [(1.0 - step, 0.0), (np.ones_like(step), 0.0)]
    return [(np.ones_like(step), 0.0)] if loss == "squared hinge" else []


def _slope_at_zero(loss: Loss) -> float:
    return 0.5 if loss == "logistic" else 1.0


# ---------------------------------------------------------------------------------------------------------------------
# The equations


@dataclass(frozen=True)
class _Problem:
    loss: Loss
    alpha: float
    theta: float
    rule: Rule
    labels: Labels
    inverse_weights: bool


class _Averages(NamedTuple):
    f2: float
    hf: float
    slope: float
    mf: float
    gf: float
    train_error: float
    train_loss: float
    f: float  # fraction kept
    mass: float  # 1, by the double quadrature: a check of its own


def _averages(problem: _Problem, rho: float, c: float, s: float, V: float, order: int, split: int) -> _Averages:
    """Averages over the kept measure at given order parameters."""
    labels, theta = problem.labels, problem.theta
    cos, sin = math.cos(theta), math.sin(theta)
    sigma = math.hypot(c, s)

    # Along the probe: the loss turns over where rho' m crosses a transition, within sigma, and (oblique labels,
    # s << c) the line on which the label turns crosses the one on which the loss turns.
    more: list[tuple[float, float]] = []
    for point, width in _transitions(problem.loss, np.array([V])):
        omega = float(point[0])
        if abs(rho) > 1e-3 * sigma:
            more.append((omega / rho, math.hypot(sigma, width) / abs(rho)))
        lean = rho - cos * sigma**2 / (sin * c) if sin * abs(c) > 1e-9 else 0.0
        if abs(lean) > 1e-9 and abs(c) > s:
            more.append((omega / lean, math.hypot(width, s * sigma / c) / abs(lean)))
    m, weight = _margin_nodes(problem.rule, theta, labels, order, split, more)
    keep = problem.rule.keep(m)
    inside = keep > 0.0
    m, keep, weight = m[inside], keep[inside], (weight * keep)[inside]
    fraction = float(weight @ _margin_density(labels, theta, m))
    v = 1.0 / keep if problem.inverse_weights else np.ones_like(m)

    # Across: transitions of the loss, of the label, and the place where prox = 0.
    points, widths = [], []
    for line, width in _transitions(problem.loss, V * v):
        points.append((line - rho * m) / sigma)
        widths.append(width / sigma or math.inf)
    points.append((-V * v * _slope_at_zero(problem.loss) - rho * m) / sigma)
    widths.append(math.inf)
    tilt = sin * c / sigma
    if abs(tilt) > 1e-12:
        slope = math.inf if labels.link == "step" else labels.slope
        points.append(np.clip(-m * cos / tilt, -20.0, 20.0))
        widths.append(math.hypot(1.0 / slope, sin * s / sigma) / abs(tilt) or math.inf)
    chi, w = _nodes(_edges(np.stack(points, axis=1), np.array(widths), split), order)

    m = m[:, None]
    out = _output(problem.loss, rho * m + sigma * chi, V, v[:, None])
    label, label_xi = _label_averages(labels, m * cos + tilt * chi, sin * s / sigma)
    w = 2.0 * w * weight[:, None] / fraction
    wl, wx = w * label, w * label_xi
    f_out = out.f_out
    chi_f, xi_f = float(np.sum(wl * chi * f_out)), float(np.sum(wx * f_out))
    return _Averages(
        f2=float(np.sum(wl * f_out**2)),
        hf=(s * chi_f - c * xi_f) / sigma,
        slope=float(np.sum(wl * out.slope)),
        mf=float(np.sum(wl * m * f_out)),
        gf=(c * chi_f + s * xi_f) / sigma,
        train_error=float(np.sum(wl * (out.prox < 0.0))),
        train_loss=float(np.sum(wl * _loss(problem.loss, out.prox))),
        f=fraction,
        mass=float(np.sum(wl)),
    )


def _residuals(problem: _Problem, lam: float, x: Array, order: int, split: int) -> Array:
    """Relative residuals of (C1), (C2) in Stein's form, (C3), (C4), at x = (rho', c, ln s, ln V)."""
    rho, c, s, V = float(x[0]), float(x[1]), math.exp(float(x[2])), math.exp(float(x[3]))
    mean = _averages(problem, rho, c, s, V, order, split)
    alpha = problem.alpha
    return np.array(
        [
            alpha * V**2 * mean.f2 / s**2 - 1.0,
            V * (lam - alpha * mean.slope) - 1.0,
            (lam * rho - alpha * mean.mf) * V / s,
            (lam * c - alpha * mean.gf) * V / s,
        ]
    )


def _largest_weight(problem: _Problem) -> float:
    if not problem.inverse_weights:
        return 1.0
    keep = problem.rule.keep(np.linspace(-6.0, 6.0, 1201))
    return 1.0 / float(np.min(keep[keep > 0.0]))


def _start(problem: _Problem, lam: float) -> Array:
    """Leading order at large lam: f_out = -v l'(0) everywhere."""
    m, w = _margin_nodes(problem.rule, problem.theta, problem.labels, 12, 1)
    keep = problem.rule.keep(m)
    inside = keep > 0.0
    m, w, keep = m[inside], w[inside], keep[inside]
    p, xi = _label_averages(problem.labels, m * math.cos(problem.theta), math.sin(problem.theta))
    v = 1.0 / keep if problem.inverse_weights else np.ones_like(m)
    f = float(2.0 * (w * keep) @ p)
    scale = problem.alpha * _slope_at_zero(problem.loss) * 2.0 / (f * lam)
    second = float(2.0 * (w * keep) @ (p * v**2)) / f
    s = math.sqrt(problem.alpha * second) * _slope_at_zero(problem.loss) / lam
    rho, c = scale * float((w * keep) @ (p * v * m)), scale * float((w * keep) @ (xi * v))
    return np.array([rho, c, math.log(s), -math.log(lam)])


def solve(
    loss: Loss,
    alpha_prune: float,
    lam: float,
    *,
    theta: float = 0.0,
    rule: Rule = EVERYTHING,
    labels: Labels = NOISELESS,
    inverse_weights: bool = False,
    order: int = 12,
    split: int = 1,
) -> dict[str, float]:
    """Order parameters and errors of the student.

    Starts at a penalty so large that the loss is linear and follows the solution down to ``lam`` with a secant
    predictor, on coarse panels; the last solve and a last Newton step are on panels of ``order`` nodes, halved
    ``split - 1`` times: compare ``order=12, split=1`` with ``order=16, split=2`` for the error of the quadrature.

    ``test_error`` is the probability of disagreeing with the *noiseless* teacher on a fresh input; on labels of the
    same noise a fixed error rate is added for the step link: ``flip + (1 - 2 flip) test_error``. ``train_error`` and
    ``train_loss`` are averages over the kept examples, each counted once whatever its weight. ``residual_*`` are
    relative residuals of (C1), (C2), (C3), (C4), and of (C2) without Stein's lemma.
    """
    problem = _Problem(loss, alpha_prune, theta, rule, labels, inverse_weights)
    high = max(lam, 4.0 * (1.0 + alpha_prune) * _largest_weight(problem))
    steps = math.ceil(math.log(high / lam) / math.log(4.0))
    path = [high * (lam / high) ** (k / max(steps, 1)) for k in range(steps + 1)]

    def equations(x: Array, at: float, nodes: int, parts: int) -> Array:
        if not np.all(np.isfinite(x)) or np.max(np.abs(x[2:])) > 60.0:
            return np.full(4, 1e3)
        return _residuals(problem, at, x, nodes, parts)

    x, known = _start(problem, high), list[tuple[float, Array]]()
    waiting = path[::-1]
    while waiting:
        at = waiting[-1]
        guess = x
        if len(known) > 1:
            (l0, x0), (l1, x1) = known[-2:]
            guess = x1 + (x1 - x0) * math.log(at / l1) / math.log(l1 / l0)
        found = root(equations, guess, args=(at, 6, 1), method="hybr", options={"xtol": 1e-7})
        if np.max(np.abs(found.fun)) < 1e-4:
            x = np.asarray(found.x, dtype=np.float64)
            known.append((at, x))
            waiting.pop()
        elif known and known[-1][0] / at > 1.001:
            waiting.append(math.sqrt(at * known[-1][0]))
        else:
            raise RuntimeError(f"No solution at lam = {at}: residual {np.max(np.abs(found.fun)):.1e}.")
    found = root(equations, x, args=(lam, order, split), method="hybr", options={"xtol": 1e-13})
    x = np.asarray(found.x, dtype=np.float64)
    x = x - np.linalg.solve(_jacobian(lambda y: equations(y, lam, order, split), x), equations(x, lam, order, split))
    return _result(problem, lam, x, order, split)


def _jacobian(function: Callable[[Array], Array], x: Array) -> Array:
    columns = []
    for j in range(x.size):
        step = np.zeros_like(x)
        step[j] = 1e-5 * max(1.0, abs(float(x[j])))
        columns.append((function(x + step) - function(x - step)) / (2.0 * step[j]))
    return np.stack(columns, axis=1)


def _result(problem: _Problem, lam: float, x: Array, order: int, split: int) -> dict[str, float]:
    rho, c, s, V = float(x[0]), float(x[1]), math.exp(float(x[2])), math.exp(float(x[3]))
    mean = _averages(problem, rho, c, s, V, order, split)
    cos, sin = math.cos(problem.theta), math.sin(problem.theta)
    norm = math.hypot(rho, c, s)
    along, across = rho * cos + c * sin, math.hypot(rho * sin - c * cos, s)
    residuals = _residuals(problem, lam, x, order, split)
    result = {
        "test_error": math.atan2(across, along) / math.pi,
        "R": along / norm,
        "rho": rho / norm,
        "norm": norm,
        "V": V,
        "train_error": mean.train_error,
        "train_loss": mean.train_loss,
        "f": mean.f,
        "mass": mean.mass,
        "probe_part": rho,
        "plane_part": c,
        "noise_part": s,
    }
    names = ("C1", "C2", "C3", "C4")
    result |= {f"residual_{name}": float(value) for name, value in zip(names, residuals, strict=True)}
    result["residual_C2_without_Stein"] = V * (lam - problem.alpha * mean.hf / s) - 1.0
    return result


# ---------------------------------------------------------------------------------------------------------------------
# The square loss with infinitely many examples


def population_square(
    theta: float,
    rule: Rule = EVERYTHING,
    labels: Labels = NOISELESS,
    *,
    truth: tuple[float, float] | None = None,
) -> dict[str, float]:
    """Least squares on infinitely many kept examples: w = E[x x^T]^-1 E[x y], in the plane of teacher and probe.

    The average over g is closed: with a = m cot(theta), E[1; g > -a] = Phi(a), E[g; ...] = phi(a),
    E[g^2; ...] = Phi(a) - a phi(a); what remains are integrals over m. (Step and probit links.)

    ``truth = (cosine with the teacher, cosine with the probe)`` counts errors with respect to a third direction:
    the teacher then is the generator of the labels. By default the truth is the teacher.
    """
    if labels.link == "logistic":
        raise ValueError("Closed only for the step and probit links, got logistic: use solve at a large alpha_prune.")
    m, w = _margin_nodes(rule, theta, labels, 16, 2)
    keep = rule.keep(m)
    p, xi = _label_averages(labels, m * math.cos(theta), math.sin(theta))
    # E[xi^2 P(1 | a + b xi)] by Stein: E P + b E[xi P'], and xi P' integrates to -a b / width^2 times E P'.
    width = math.sin(theta) if labels.link == "step" else math.hypot(1.0 / labels.slope, math.sin(theta))
    bend = 0.0 if width == 0.0 else m * math.cos(theta) * math.sin(theta) / width**2 * xi
    xi2 = p - bend
    w = 2.0 * w * keep
    f = float(w @ p)
    moments = np.array([[w @ (p * m**2), w @ (xi * m)], [w @ (xi * m), w @ xi2]]) / f
    rho, c = np.linalg.solve(moments, np.array([w @ (p * m), w @ xi]) / f)
    norm = math.hypot(rho, c)
    cos, sin = math.cos(theta), math.sin(theta)
    R, rho_cos = (rho * cos + c * sin) / norm, rho / norm
    if truth is None:
        test_error = math.atan2(abs(rho * sin - c * cos), rho * cos + c * sin) / math.pi
    else:
        with_teacher, with_probe = truth
        across = (with_teacher - with_probe * cos) / sin if sin > 0.0 else 0.0
        test_error = math.acos(min(1.0, (rho * with_probe + c * across) / norm)) / math.pi
    return {"test_error": test_error, "R": R, "rho": rho_cos, "norm": norm, "f": f}


# ---------------------------------------------------------------------------------------------------------------------
# The setting of Kolossov, Montanari and Tandon (arXiv:2309.14563)


def selection_under_weak_supervision(
    f: float, power: float, ridge: float, *, alpha_pool: float = 2.29, reweighted: bool = False, flip: float = 0.05
) -> dict[str, float]:
    """Logistic loss averaged over the pool plus ``ridge/2 |w|^2``, examples selected by a perfect probe.

    The objective of that paper is (1/n_pool) sum_kept l + ridge/2 |w|^2 with inputs of identity covariance. Times
    n_pool = alpha_pool N it is ours with ``lam = alpha_pool ridge``. ``noisy_test_error`` counts fresh labels of the
    same noise.
    """
    found = solve(
        "logistic",
        f * alpha_pool,
        alpha_pool * ridge,
        rule=uncertainty(f, power),
        labels=Labels(flip=flip),
        inverse_weights=reweighted,
    )
    found["noisy_test_error"] = flip + (1.0 - 2.0 * flip) * found["test_error"]
    return found


# ---------------------------------------------------------------------------------------------------------------------
# The table of reference points


class Point(NamedTuple):
    """One row of the table; ``p1`` and ``p2`` are the parameters of the rule that its name asks for."""

    loss: Loss
    link: Link
    slope: float
    flip: float
    rule: str
    p1: float
    p2: float
    inverse_weights: bool
    theta_deg: float
    alpha_prune: float
    lam: float


_NAN = math.nan
POINTS = (
    Point("logistic", "step", 1.0, 0.0, "everything", _NAN, _NAN, False, 0.0, 3.0, 0.1),
    Point("square", "step", 1.0, 0.0, "everything", _NAN, _NAN, False, 0.0, 3.0, 1.0),
    Point("hinge", "step", 1.0, 0.0, "everything", _NAN, _NAN, False, 0.0, 3.0, 0.1),
    Point("squared hinge", "step", 1.0, 0.0, "everything", _NAN, _NAN, False, 0.0, 10.0, 0.01),
    Point("hinge", "step", 1.0, 0.0, "everything", _NAN, _NAN, False, 0.0, 0.5, 10.0),
    Point("logistic", "step", 1.0, 0.1, "everything", _NAN, _NAN, False, 0.0, 5.0, 1.0),
    Point("logistic", "probit", 2.0, 0.0, "everything", _NAN, _NAN, False, 0.0, 4.0, 0.1),
    Point("logistic", "step", 1.0, 0.0, "hard", 0.3, _NAN, False, 10.0, 3.0, 0.1),
    Point("square", "step", 1.0, 0.0, "hard", 0.3, _NAN, False, 10.0, 3.0, 1.0),
    Point("squared hinge", "step", 1.0, 0.0, "hard", 0.2, _NAN, False, 0.0, 5.0, 0.01),
    Point("logistic", "step", 1.0, 0.0, "hard", 0.5, _NAN, False, 0.0, 20.0, 0.001),
    Point("logistic", "step", 1.0, 0.0, "hard", 0.1, _NAN, False, 1.0, 20.0, 0.01),
    Point("hinge", "step", 1.0, 0.05, "hard", 0.4, _NAN, False, 15.0, 8.0, 0.5),
    Point("hinge", "probit", 1.0, 0.05, "hard", 0.6, _NAN, False, 30.0, 20.0, 0.1),
    Point("square", "step", 1.0, 0.0, "hard", 0.5, _NAN, False, 90.0, 0.5, 1.0),
    Point("hinge", "step", 1.0, 0.0, "easy", 0.5, _NAN, False, 20.0, 2.0, 0.001),
    Point("square", "step", 1.0, 0.2, "easy", 0.3, _NAN, False, 40.0, 0.5, 10.0),
    Point("logistic", "logistic", 5.0, 0.0, "easy", 0.7, _NAN, False, 25.0, 6.0, 0.01),
    Point("squared hinge", "step", 1.0, 0.0, "easy", 0.4, _NAN, False, 60.0, 20.0, 0.001),
    Point("square", "step", 1.0, 0.0, "smallest", 0.3, _NAN, False, 10.0, 3.0, 1.0),
    Point("squared hinge", "logistic", 2.0, 0.02, "smallest", 0.8, _NAN, False, 20.0, 2.0, 1.0),
    Point("logistic", "step", 1.0, 0.1, "largest", 0.6, _NAN, False, 30.0, 10.0, 0.2),
    Point("hinge", "step", 1.0, 0.0, "mixture", 0.3, 0.2, False, 5.0, 1.0, 0.05),
    Point("hinge", "step", 1.0, 0.1, "mixture", 0.5, 0.4, True, 25.0, 4.0, 0.3),
    Point("logistic", "step", 1.0, 0.0, "soft", 0.5, 4.0, False, 15.0, 2.0, 0.3),
    Point("square", "probit", 3.0, 0.05, "soft", 1.0, 1.5, True, 35.0, 6.0, 2.0),
    Point("logistic", "step", 1.0, 0.05, "uncertainty", 0.8, 1.0, False, 0.0, 1.832, 0.00229),
    Point("logistic", "step", 1.0, 0.05, "uncertainty", 0.5, -0.5, False, 0.0, 1.145, 0.229),
)
_RESULTS = ("f", "test_error", "R", "rho", "norm", "V", "train_error", "train_loss")


def rule_of(point: Point) -> Rule:
    """Rules of the table, by name and parameters (p1, p2): the functions above say what they mean."""
    labels, theta = Labels(point.link, point.slope, point.flip), math.radians(point.theta_deg)
    rules: dict[str, Callable[[], Rule]] = {
        "everything": lambda: EVERYTHING,
        "hard": lambda: hard(point.p1),
        "easy": lambda: easy(point.p1),
        "mixture": lambda: mixture(point.p1, point.p2),
        "smallest": lambda: smallest(point.p1, theta, labels),
        "largest": lambda: largest(point.p1, theta, labels),
        "soft": lambda: soft(point.p1, point.p2),
        "uncertainty": lambda: uncertainty(point.p1, point.p2),
    }
    return rules[point.rule]()


def solve_point(point: Point, *, order: int = 12, split: int = 1) -> dict[str, float]:
    """The solution of one row of the table."""
    return solve(
        point.loss,
        point.alpha_prune,
        point.lam,
        theta=math.radians(point.theta_deg),
        rule=rule_of(point),
        labels=Labels(point.link, point.slope, point.flip),
        inverse_weights=point.inverse_weights,
        order=order,
        split=split,
    )


TABLE = Path(__file__).parent / "second_derivation" / "convex_reference.csv"


def read_table(path: Path = TABLE) -> list[dict[str, float]]:
    """Results of each row of the committed table."""
    with path.open(newline="") as file:
        return [{name: float(row[name]) for name in _RESULTS} for row in csv.DictReader(file)]


def write_table(path: Path = TABLE) -> float:
    """Solve every point on two sets of panels, write the finer, and return the largest relative difference.

    With ``everything`` the probe plays no part; it is put on the teacher, so that ``rho = R``. Rows with ``rho``,
    ``train_error`` or ``train_loss`` zero mean less than 1e-16.
    """
    worst = 0.0
    with path.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow([*Point._fields, *_RESULTS])
        for point in POINTS:
            coarse, fine = solve_point(point), solve_point(point, order=16, split=2)
            residual = max(abs(value) for name, value in fine.items() if name.startswith("residual"))
            if not residual < 1e-11:
                raise RuntimeError(f"Residual {residual:.1e} at {point}.")
            gaps = {name: abs(coarse[name] - fine[name]) / max(abs(fine[name]), 1e-6) for name in _RESULTS}
            if not max(gaps.values()) < 1e-10:
                raise RuntimeError(f"The quadrature is off by {gaps} at {point}.")
            worst = max(worst, *gaps.values())
            given = ["" if value != value else value for value in point]
            table.writerow([*given, *(f"{fine[name] if abs(fine[name]) > 1e-16 else 0.0:.13g}" for name in _RESULTS)])
            file.flush()
    return worst


if __name__ == "__main__":
    print(f"largest relative difference between the two sets of panels: {write_table():.1e}")
