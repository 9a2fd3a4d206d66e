"""Solves (M1)-(M3) for one kept measure: sequential quadratic steps on a convex programme.

With the margin scaled to 1 the student is W = (W_r, W_d, S) = (r, delta, 1) / k and the equations are
the optimality conditions of

    minimise |W|^2 / 2   subject to   N(W) = sqrt(alpha E[(1 - W_r A - W_d B - S h)_+^2]) - S <= 0.

N is convex, so the solution is unique and a step with the exact Hessian of the Lagrangian is always
well posed. A penalty line search makes it safe from afar; continuation in ln alpha from the dilute
limit stands behind it.
"""

import math
from typing import NamedTuple

import numpy as np

from perceptron_theory.gaussian import (
    COARSE,
    FINE,
    INV_SQRT_2PI,
    VERIFY,
    FloatArray,
    inner_kernel,
    inverse_survival_weight,
    kernel,
    pdf_cdf,
)
from perceptron_theory.margins.frame import Frame, frame_at, moved
from perceptron_theory.margins.kept import KeptMeasure, gaussian_window
from perceptron_theory.margins.nodes import ORTHOGONAL_CAPACITY, margin_nodes, orthogonal_nodes
from perceptron_theory.students.max_margin import (
    Moments,
    kept_mass,
    measured_error,
    moments,
    overlaps,
    residual,
)

#: Newton stops here: rounding in the moments is of this order.
_RESIDUAL_GOAL = 2e-14
#: Below this no alpha in double precision tells the probe from the teacher.
_THETA_RESOLVED = 1e-100
#: A student that follows the probe has 1 / k = O(sqrt(load)): at this load the limit 1 / k = 0 is good to 5e-10.
_PINNED_LOAD = 1e-20
#: The coarse rule is left for the fine one at this residual; both are then in the quadratic regime.
_COARSE_GOAL = 1e-3
_COARSE_STEPS = 25
_FINE_STEPS = 14


class Step(NamedTuple):
    """An increment of (k, r, delta), and what the line search needs to know about it."""

    dWr: float
    dWd: float
    dWs: float
    multiplier: float
    excess: float
    ok: bool


@inner_kernel
def _solve_linear(K: FloatArray, b: FloatArray, n: int) -> bool:
    """Gaussian elimination with partial pivoting, in place; False if singular or not finite."""
    for i in range(n):
        pivot = i
        for j in range(i + 1, n):
            if abs(K[j, i]) > abs(K[pivot, i]):
                pivot = j
        if not (abs(K[pivot, i]) > 0.0 and math.isfinite(K[pivot, i])):
            return False
        if pivot != i:
            for j in range(n):
                K[i, j], K[pivot, j] = K[pivot, j], K[i, j]
            b[i], b[pivot] = b[pivot], b[i]
        for j in range(i + 1, n):
            factor = K[j, i] / K[i, i]
            for column in range(i, n):
                K[j, column] -= factor * K[i, column]
            b[j] -= factor * b[i]
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            b[i] -= K[i, j] * b[j]
        b[i] /= K[i, i]
        if not math.isfinite(b[i]):
            return False
    return True


@inner_kernel
def _step(s: Moments, x: Frame, alpha: float, multiplier: float) -> Step:
    """Newton step on W + lambda grad N = 0, N = 0. A negative `multiplier` asks for its best estimate."""
    nu = math.sqrt(alpha * s.x2)
    gk = alpha * s.x / nu
    gr = -alpha * s.Ax / nu
    gd = -alpha * s.Bx / nu
    hkk = alpha * s.one / nu - gk * gk / nu
    hkr = -alpha * s.A / nu - gk * gr / nu
    hkd = -alpha * s.B / nu - gk * gd / nu
    hrr = alpha * s.AA / nu - gr * gr / nu
    hrd = alpha * s.AB / nu - gr * gd / nu
    hdd = alpha * s.BB / nu - gd * gd / nu
    # N = S (nu(k, r, delta) - 1) is the perspective of nu: its gradient and Hessian follow from
    # those of nu by (k, r, delta) = (1, W_r, W_d) / S.
    # By homogeneity k gk + r gr + delta gd = nu - alpha E[one] / nu, without cancellation.
    gs = alpha * s.one / nu - 1.0
    hks = x.k * hkk + x.r * hkr + x.d * hkd
    hrs = x.k * hkr + x.r * hrr + x.d * hrd
    hds = x.k * hkd + x.r * hrd + x.d * hdd
    hss = x.k * hks + x.r * hrs + x.d * hds
    S = 1.0 / x.k
    W = (x.r * S, x.d * S, S)
    g = (gr, gd, gs)
    if multiplier < 0.0:
        # Project stationarity on W itself: scaling W up is what relaxes the constraint.
        along = W[0] * gr + W[1] * gd + W[2] * gs
        multiplier = -(W[0] * W[0] + W[1] * W[1] + W[2] * W[2]) / along if along < 0.0 else 0.0
    scale = multiplier / S
    K = np.zeros((4, 4))
    K[0, 0] = 1.0 + scale * hrr
    K[0, 1] = K[1, 0] = scale * hrd
    K[0, 2] = K[2, 0] = -scale * hrs
    K[1, 1] = 1.0 + scale * hdd
    K[1, 2] = K[2, 1] = -scale * hds
    K[2, 2] = 1.0 + scale * hss
    b = np.empty(4)
    for i in range(3):
        K[i, 3] = K[3, i] = g[i]
        b[i] = -(W[i] + multiplier * g[i])
    excess = S * (nu - 1.0)
    b[3] = -excess
    if x.sin == 0.0:
        # theta = 0: B is pure noise, delta stays 0.
        K[0, 1] = K[1, 0] = K[1, 2] = K[2, 1] = K[1, 3] = K[3, 1] = b[1] = 0.0
        K[1, 1] = 1.0
    scales = np.ones(4)
    for i in range(3):
        if not K[i, i] > 0.0:
            return Step(0.0, 0.0, 0.0, multiplier, excess, False)
        scales[i] = 1.0 / math.sqrt(K[i, i])
    largest = max(abs(g[0] * scales[0]), abs(g[1] * scales[1]), abs(g[2] * scales[2]))
    scales[3] = 1.0 / largest
    for i in range(4):
        b[i] *= scales[i]
        for j in range(4):
            K[i, j] *= scales[i] * scales[j]
    ok = _solve_linear(K, b, 4)
    return Step(
        b[0] * scales[0],
        b[1] * scales[1],
        b[2] * scales[2],
        max(multiplier + b[3] * scales[3], 1e-3 * multiplier),
        excess,
        ok,
    )


@inner_kernel
def _advance(x: Frame, step: Step, fraction: float) -> Frame:
    """Student after `fraction` of a step in W, which S must survive positive."""
    S = 1.0 / x.k
    dS = fraction * step.dWs
    new = S + dS
    dk = -x.k * dS / new
    dr = (fraction * step.dWr - x.r * dS) / new
    dd = (fraction * step.dWd - x.d * dS) / new
    return moved(x, dk, dr, dd)


@inner_kernel
def _safe_fraction(x: Frame, step: Step) -> float:
    """Largest fraction (at most 1) of a step that leaves S above a tenth of its value."""
    S = 1.0 / x.k
    if S + step.dWs > 0.1 * S:
        return 1.0
    return -0.9 * S / step.dWs


@inner_kernel
def _half_norm2(x: Frame) -> float:
    return 0.5 * (1.0 + x.r * x.r + x.d * x.d) / (x.k * x.k)


@inner_kernel
def approach(measure: KeptMeasure, alpha: float, x: Frame) -> tuple[Frame, float, float]:
    """Bring a crude guess into the quadratic regime with the coarse rule: (student, multiplier, residual)."""
    multiplier = -1.0
    s = moments(measure, x, alpha, COARSE)
    error = residual(s, x, alpha)
    for _ in range(_COARSE_STEPS):
        if error < _COARSE_GOAL:
            break
        if not (s.x2 > 0.0 and s.x > 0.0):
            return x, multiplier, math.inf
        step = _step(s, x, alpha, multiplier)
        if not step.ok:
            return x, multiplier, math.inf
        penalty = 2.0 * step.multiplier
        before = _half_norm2(x) + penalty * max(step.excess, 0.0)
        fraction = _safe_fraction(x, step)
        for _ in range(12):
            trial = _advance(x, step, fraction)
            s = moments(measure, trial, alpha, COARSE)
            trial_error = residual(s, trial, alpha)
            if trial_error < 0.5 * error:
                break
            after = _half_norm2(trial) + penalty * max((math.sqrt(alpha * s.x2) - 1.0) / trial.k, 0.0)
            if math.isfinite(after) and after < before and s.x > 0.0:
                break
            fraction *= 0.4
        x = trial
        error = trial_error
        multiplier = step.multiplier
    return x, multiplier, error


@inner_kernel
def polish(measure: KeptMeasure, alpha: float, x: Frame, multiplier: float) -> tuple[Frame, float, float]:
    """Full Newton steps until the residual stops falling: (student, multiplier, residual)."""
    s = moments(measure, x, alpha, FINE)
    error = residual(s, x, alpha)
    for _ in range(_FINE_STEPS):
        if error < _RESIDUAL_GOAL or not math.isfinite(error):
            break
        step = _step(s, x, alpha, multiplier)
        if not step.ok:
            break
        trial = _advance(x, step, _safe_fraction(x, step))
        s = moments(measure, trial, alpha, FINE)
        trial_error = residual(s, trial, alpha)
        if error < 1e-9 and not trial_error < 0.5 * error:
            if trial_error < error:
                x, error, multiplier = trial, trial_error, step.multiplier
            break
        x, error, multiplier = trial, trial_error, step.multiplier
    return x, multiplier, error


@inner_kernel
def gap_origin(measure: KeptMeasure) -> float:
    """Smallest positive kept margin: the field of the student is measured from there."""
    smallest = math.inf
    for j in range(measure.intervals.shape[0]):
        if measure.intervals[j, 1] > 0.0:
            smallest = min(smallest, max(measure.intervals[j, 0], 0.0))
    for j in range(measure.edges.shape[1]):
        if measure.edges[0, j] > 0.0:
            smallest = min(smallest, measure.edges[0, j])
    return smallest if math.isfinite(smallest) else 0.0


@inner_kernel
def boundary_density(measure: KeptMeasure, theta: float, m0: float) -> float:
    """Density of kept data on the teacher's boundary A = 0, relative to unpruned Gaussian data.

    Sets the error at large alpha, where only the data next to the boundary still teach.
    """
    at_rest = frame_at(1.0, 0.0, 0.0, m0, theta)
    m, w, bound, count = margin_nodes(measure, at_rest, 1.0, FINE)
    total = 0.0
    if at_rest.sin > 0.0:
        for i in range(bound):
            a = m[i] * at_rest.cos / at_rest.sin
            if measure.conditional:
                total += w[i] * inverse_survival_weight(-a)
            else:
                total += w[i] * INV_SQRT_2PI * math.exp(-0.5 * a * a)
        return total / at_rest.sin / (2.0 * INV_SQRT_2PI)
    width = 0.0
    for i in range(measure.intervals.shape[0]):
        width = max(width, measure.intervals[i, 1])
    width = min(0.2, width)
    for i in range(count):
        if m[i] < width:
            total += w[i]
    return total / width / (2.0 * INV_SQRT_2PI) if width > 0.0 else 0.0


@inner_kernel
def weight_at_gap(measure: KeptMeasure, m0: float) -> float:
    """Kept weight of the atom at the smallest positive margin; 0 for a density."""
    if measure.atoms.shape[1] == 0:
        return 0.0
    weight = 0.0
    nearly = m0 * (1.0 + 4e-12)  # intervals around a lone atom are a little wider than it
    i = np.searchsorted(measure.atoms[0], m0)
    for j in range(measure.intervals.shape[0]):
        if i < measure.atoms.shape[1] and measure.intervals[j, 0] <= measure.atoms[0, i] <= nearly:
            weight = measure.atoms[1, i]
    for j in range(measure.edges.shape[1]):
        if m0 <= measure.edges[0, j] <= nearly:
            weight = measure.edges[1, j]
    return weight * measure.scale


@inner_kernel
def wrong_side_load(measure: KeptMeasure, theta: float, m0: float) -> tuple[float, float]:
    """Data that the probe gets wrong: (P(m < 0), E[(1 + |m| / m0)^2; m < 0]), the price of following it."""
    at_rest = frame_at(1.0, 0.0, 0.0, m0, theta)
    m, w, bound, count = margin_nodes(measure, at_rest, 1.0, FINE)
    mass = 0.0
    load = 0.0
    for i in range(count):
        if m[i] < 0.0:
            weight = w[i]
            if i < bound and not measure.conditional:
                weight *= pdf_cdf(m[i] * at_rest.cos / at_rest.sin)[1]
            mass += weight
            load += weight * (1.0 - m[i] / m0) ** 2
    return mass, load


@inner_kernel
def first_guess(measure: KeptMeasure, alpha: float, theta: float, m0: float) -> Frame:
    """Student from the dilute limit (alpha < 3) or from the large-alpha laws.

    Data next to the teacher's boundary pin the student to the teacher, r = 0.64 alpha times their
    density. Data with a gap at m0 > 0 and (almost) nothing beyond it on the wrong side pull it to
    the probe instead, until the few examples that the probe gets wrong cost more than the gap gains.
    """
    if alpha < 3.0:
        _, A, B = kept_mass(measure, theta)
        r = math.sqrt(alpha) * A
        d = math.sqrt(alpha) * B
        p = r * math.cos(theta) + d * math.sin(theta)
        return frame_at(alpha**-0.5 + p * m0, r, d, m0, theta)
    r = 0.64 * alpha * boundary_density(measure, theta, m0)
    if m0 > 0.0:
        k = 0.66 + 0.64 * alpha * m0
        k0 = 0.66
        load = alpha * wrong_side_load(measure, theta, m0)[1]
        at_gap = alpha * weight_at_gap(measure, m0)
        if at_gap > 2.0 and load > 0.0:
            # Examples at the gap alone exceed the capacity: k0 < 0, and only the load limits k.
            k = 1.0 / math.sqrt(2.0 * load)
            k0 = -1.0 - math.log(at_gap) / 4.0
        elif load * k * k > 1.0:
            k = 1.0 / math.sqrt(load)
            k0 = -1.5
        if k > 1.0 or r < 1.0:
            p = (k - k0) / m0
            return frame_at(k, p * math.cos(theta), p * math.sin(theta), m0, theta)
    return frame_at(0.66, max(r, 1.0), 0.0, m0, theta)


@inner_kernel
def continuation(measure: KeptMeasure, alpha: float, theta: float, m0: float) -> tuple[Frame, float, float]:
    """Follow the solution in ln alpha, with a secant predictor, from where a guess suffices."""
    current = alpha
    x = first_guess(measure, current, theta, m0)
    multiplier = -1.0
    error = math.inf
    while not error < _COARSE_GOAL and current > 1e-6:
        current *= 0.25
        x = first_guess(measure, current, theta, m0)
        x, multiplier, error = approach(measure, current, x)
    stride = math.log(2.0)
    old = x
    old_stride = 0.0
    while current < alpha and error < math.inf:
        target = min(alpha, current * math.exp(stride))
        taken = math.log(target / current)
        trial = x
        if old_stride > 0.0:
            # ln k, ln r and delta / r vary slowly with ln alpha.
            power = taken / old_stride
            k = x.k * (x.k / old.k) ** power
            r = x.r * (x.r / old.r) ** power
            d = r * (x.d / x.r + power * (x.d / x.r - old.d / old.r))
            trial = frame_at(k, r, d, m0, theta)
        trial, trial_multiplier, trial_error = approach(measure, target, trial)
        if trial_error < _COARSE_GOAL:
            old = x
            old_stride = taken
            x = trial
            multiplier = trial_multiplier
            error = trial_error
            current = target
            stride = min(1.5 * stride, math.log(4.0))
        else:
            stride *= 0.4
            if stride < 1e-4:
                error = math.inf
    return x, multiplier, error


@kernel
def solve_measure(measure: KeptMeasure, alpha: float, theta: float) -> tuple[Frame, float, float]:
    """Max-margin student on a kept measure: (student, residual, quadrature_error).

    `quadrature_error` is the larger relative change of test error and margin when the equations
    are re-evaluated by a rule of higher order and solved again (one Newton step).
    """
    if theta < _THETA_RESOLVED:
        theta = 0.0
    m0 = gap_origin(measure)
    x, multiplier, error = approach(measure, alpha, first_guess(measure, alpha, theta, m0))
    if error < _COARSE_GOAL:
        x, multiplier, error = polish(measure, alpha, x, multiplier)
    if not error < 1e-9:
        x, multiplier, error = continuation(measure, alpha, theta, m0)
        if error < _COARSE_GOAL:
            x, multiplier, error = polish(measure, alpha, x, multiplier)
    if not math.isfinite(error):
        return x, error, math.inf
    s = moments(measure, x, alpha, VERIFY)
    step = _step(s, x, alpha, multiplier)
    before = overlaps(x)
    after = overlaps(_advance(x, step, _safe_fraction(x, step)))
    change = max(abs(after[0] / before[0] - 1.0), abs(after[3] / before[3] - 1.0))
    if not (step.ok and math.isfinite(change)):
        change = math.inf
    return x, error, change


@inner_kernel
def _boundary_cost(a: float, conditional: bool) -> float:
    """Least E[(-c g - h)_+^2] over c, for g > a.

    1 / cost is the capacity: how many examples per dimension can be classified by what the probe does not see.
    """
    t = np.empty(ORTHOGONAL_CAPACITY)
    v = np.empty(ORTHOGONAL_CAPACITY)
    c = 0.0
    cost = 0.0
    for _ in range(50):
        count = orthogonal_nodes(a, -c * a, c, conditional, FINE, t, v)
        cost = slope = curvature = 0.0
        for i in range(count):
            g = a + t[i]
            density, below = pdf_cdf(-c * g)
            first = -c * g * below + density
            cost += v[i] * (-c * g * first + below)
            slope -= v[i] * g * first
            curvature += v[i] * g * g * below
        step = -slope / curvature
        # Beyond this the rest is separable by g itself and the least cost is 0.
        if not (math.isfinite(step) and c < 1e3):
            return 0.0
        c += step
        if abs(step) < 1e-9 * (1.0 + abs(c)):
            break
    return cost


@inner_kernel
def pinned_to_probe(measure: KeptMeasure, alpha: float, theta: float, m0: float) -> bool:
    """True if the student is the probe itself (s = 0), which only atoms can bring about.

    Examples that all lie at the margin m0 and cannot be classified by their other coordinates
    (alpha_prune times their weight exceeds the capacity) leave no way to a larger margin than m0. On
    the wrong side (almost) nothing may be kept.
    """
    if m0 == 0.0 or weight_at_gap(measure, m0) == 0.0:
        return False
    if alpha * wrong_side_load(measure, theta, m0)[1] > _PINNED_LOAD:
        return False
    cost = 0.5
    if theta > 0.0:
        cost = _boundary_cost(-m0 * math.cos(theta) / math.sin(theta), measure.conditional)
    return alpha * weight_at_gap(measure, m0) * cost >= 1.0


@inner_kernel
def _write(x: Frame, error: float, change: float, out: FloatArray) -> None:
    """One row of results: test_error, R, rho, kappa, residual, quadrature_error."""
    out[0], out[1], out[2], out[3] = overlaps(x)
    out[4] = error
    out[5] = change


@kernel
def solve_windows(
    alpha: FloatArray,
    theta: FloatArray,
    z_lo: FloatArray,
    z_hi: FloatArray,
    f: FloatArray,
    out: FloatArray,
) -> None:
    """Gaussian data, keeping z_lo < |z| < z_hi: one row of `out` (columns of `_write`) per point."""
    for i in range(alpha.size):
        measure = gaussian_window(z_lo[i], z_hi[i], f[i])
        x, error, change = solve_measure(measure, alpha[i], theta[i])
        _write(x, error, change, out[i])


@kernel
def solve_kept(
    measure: KeptMeasure,
    unpruned: KeptMeasure,
    alpha: FloatArray,
    theta: FloatArray,
    out: FloatArray,
) -> None:
    """Any kept measure; the test error is that on `unpruned` unless it is empty (Gaussian inputs)."""
    m0 = gap_origin(measure)
    for i in range(alpha.size):
        if pinned_to_probe(measure, alpha[i], theta[i], m0):
            # kappa = m0, student = probe, up to terms of order 1 / k.
            out[i, 0] = theta[i] / math.pi
            out[i, 1] = math.cos(theta[i])
            out[i, 2] = 1.0
            out[i, 3] = m0
            out[i, 4] = 0.0
            out[i, 5] = 5.0 * math.sqrt(alpha[i] * wrong_side_load(measure, theta[i], m0)[1])
            if unpruned.intervals.shape[0] > 0:
                out[i, 0] = wrong_side_load(unpruned, theta[i], 1.0)[0]
            continue
        x, error, change = solve_measure(measure, alpha[i], theta[i])
        _write(x, error, change, out[i])
        if unpruned.intervals.shape[0] > 0:
            fine = measured_error(unpruned, x, alpha[i], FINE)
            check = measured_error(unpruned, x, alpha[i], VERIFY)
            out[i, 0] = check
            out[i, 5] = max(change, abs(fine / check - 1.0))
