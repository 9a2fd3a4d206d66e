"""Convex loss and ridge penalty: exact (replica symmetric; the problem is convex).

    minimise over w:   sum_mu v_mu l(y_mu w.x_mu) + lam N / 2 |w|^2

The student has components p = rho' along the probe, c orthogonal to it in the plane of teacher and probe, and s in
all other directions. An example (m, g), multiplied by its label, has the field omega = p m + c g + s h, h ~ N(0, 1),
before it is put into the training, and omega + F after, F the proximal step (`proximal`) at the susceptibility V
times the weight v of the example. With gamma = lam V, F' = dF / d omega, and averages over kept data and h,

    (C1)  gamma = 1 + alpha E[F']
    (C2)  s^2 = alpha E[F^2]
    (C3)  gamma p = alpha E[m F]
    (C4)  gamma c = alpha E[g F]

In (C1) E[F'] is taken as E[h F] / s (Stein), which kinks of the loss do not disturb. These are the equations of
theory of convex M-estimation (Thrampoulidis, Abbasi and Hassibi, IEEE Trans. Inf. Theory 64, 5592 (2018);
Mignacco et al., ICML 2020, arXiv:2002.11544) averaged over pruned data. lam -> 0 is gamma = 0 where the kept data
cannot be fitted, and V = infinity with gamma unknown where they can; for the hinge the latter are (M1)-(M3) of the
maximum-margin student with margin 1.

Labels: P(y = 1 | A) = flip + (1 - 2 flip) F(slope A) at the teacher's field A; multiplied by the label, an example has
the unpruned density 2 phi(m) phi(g) P(y = 1 | A = m cos(theta) + g sin(theta)).
"""

import math
from typing import NamedTuple

import numpy as np

from perceptron_theory.compiling import inner_kernel, kernel
from perceptron_theory.gaussian import (
    FINE,
    INV_SQRT_2PI,
    MAX_ORDER,
    NODES,
    TAIL,
    WEIGHTS,
    FloatArray,
    cut_panels,
    panel_order,
    pdf_cdf,
)
from perceptron_theory.margins.atoms import atom_panel
from perceptron_theory.margins.kept import KeptMeasure
from perceptron_theory.margins.nodes import keep_probability
from perceptron_theory.students.convex_loss.proximal import HINGE, LOGISTIC, SIGN, SQUARE, loss_at, step

#: Links of the teacher; probit with slope infinity is the sign.
PROBIT = 0.0
LOGISTIC_LINK = 1.0

_MOST_PANELS = 256
#: Width of the transitions of the logistic step: its singularities lie pi off the real axis. Panels widen with the
#: distance from them, by grades.
_LOGISTIC_WIDTH = 1.0
_GRADE = 4.0
_GRADE_REACH = 4.0
_GRADES = 4
_MOST_FEATURES = 2 * _GRADES + 1
#: Nodes of the trapezoidal rule over a logistic teacher's noise reach so far, in standard deviations.
_NOISE_REACH = 8.7


class Weights(NamedTuple):
    """Student in the plane, noise and susceptibility."""

    p: float
    c: float
    s: float
    V: float


class Setting(NamedTuple):
    """Everything else that the averages depend on."""

    loss: float
    reweight: bool
    flip: float
    link: float
    slope: float
    alpha: float
    cos: float
    sin: float


class Sums(NamedTuple):
    """Averages that enter (C1)-(C4), and their derivatives with respect to p, c, s and ln V."""

    h: float
    F2: float
    m: float
    g: float
    abs_m: float
    abs_F: float
    h_p: float
    h_c: float
    h_s: float
    h_V: float
    F2_p: float
    F2_c: float
    F2_s: float
    F2_V: float
    m_p: float
    m_c: float
    m_s: float
    m_V: float
    g_c: float
    g_s: float
    g_V: float
    one: float
    mean_m: float
    mean_g: float
    error: float
    loss: float


#: Nothing averaged yet.
EMPTY = Sums(*[0.0] * len(Sums._fields))


@inner_kernel
def with_alpha(x: Setting, alpha: float) -> Setting:
    """The same with another number of examples."""
    return Setting(x.loss, x.reweight, x.flip, x.link, x.slope, alpha, x.cos, x.sin)


@inner_kernel
def with_loss(x: Setting, loss: float) -> Setting:
    """The same with another loss."""
    return Setting(loss, x.reweight, x.flip, x.link, x.slope, x.alpha, x.cos, x.sin)


@inner_kernel
def with_angle(x: Setting, theta: float) -> Setting:
    """The same at another angle."""
    return Setting(x.loss, x.reweight, x.flip, x.link, x.slope, x.alpha, math.cos(theta), math.sin(theta))


@inner_kernel
def label_share(x: Setting, mean: float, spread: float) -> tuple[float, float, float]:
    """E[P xi^k], k = 0, 1, 2, for P = P(y = 1 | A) at A = mean + spread xi, xi ~ N(0, 1)."""
    certain = 1.0 - 2.0 * x.flip
    if x.link == PROBIT:
        if not math.isfinite(x.slope):
            if spread == 0.0:
                share = x.flip + certain if mean > 0.0 else x.flip
                return share, 0.0, share
            beta, ratio = mean / spread, 1.0
        else:
            root = math.sqrt(1.0 + (x.slope * spread) ** 2)
            beta, ratio = x.slope * mean / root, x.slope * spread / root
        density, below = pdf_cdf(beta)
        share = x.flip + certain * below
        return share, certain * ratio * density, share - certain * ratio * ratio * beta * density
    e = x.slope * spread
    h = min(0.6, 0.7 / e) if e > 0.0 else 0.6
    n = int(_NOISE_REACH / h) + 1
    zero = one = two = 0.0
    for i in range(-n, n + 1):
        xi = i * h
        b = x.slope * mean + e * xi
        power = math.exp(-abs(b))
        share = 1.0 / (1.0 + power) if b > 0.0 else power / (1.0 + power)
        weight = h * INV_SQRT_2PI * math.exp(-0.5 * xi * xi) * share
        zero += weight
        one += weight * xi
        two += weight * xi * xi
    return x.flip + certain * zero, certain * one, x.flip + certain * two


@inner_kernel
def label_width(x: Setting, cosine: float) -> float:
    """Width over which labels and density vary along a unit direction at this cosine to the teacher.

    Away from its boundary a logistic teacher is wrong with probability exp(-slope |A|): two e-folds count as one width.
    """
    if x.link == PROBIT or x.slope * cosine <= 2.0:
        return 1.0
    return 2.0 / (x.slope * cosine)


@inner_kernel
def features(loss: float, V: float, centres: FloatArray, widths: FloatArray) -> int:
    """Fields at which the step has a kink (width 0) or bends, and the one that it moves to 0; their number."""
    n = 0
    if loss == LOGISTIC:
        width = _LOGISTIC_WIDTH
        for _ in range(_GRADES):
            centres[n], widths[n] = -0.5 * V, width
            if V > 3.0:
                centres[n] = 1.0 + math.log(V)
                n += 1
                centres[n], widths[n] = -V - 1.0 - math.log(V), width
            n += 1
            width *= _GRADE
    elif loss != SQUARE:
        centres[0], widths[0] = (0.0 if loss == SIGN else 1.0), 0.0
        n = 1
        if loss == HINGE and math.isfinite(V):
            centres[1], widths[1] = 1.0 - V, 0.0
            n = 2
    if math.isfinite(V) and loss != SIGN:
        centres[n], widths[n] = (-0.5 * V if loss == LOGISTIC else -V), 0.0
        n += 1
    return n


@inner_kernel
def _margin_zones(x: Setting, w: Weights, reach: float, centres: FloatArray, widths: FloatArray, n: int) -> FloatArray:
    """Where averages over g and h vary fast along the probe; rows (centre, reach, width)."""
    zones = np.zeros((2 * n + 1, 3))
    spread = math.sqrt(w.c * w.c + w.s * w.s)
    edge = 0.0
    if x.cos > 0.0:
        edge = x.sin / x.cos
        if x.link != PROBIT or math.isfinite(x.slope):
            edge = math.hypot(edge, 1.0 / (x.slope * x.cos))
        zones[0, 1], zones[0, 2] = reach * edge, edge
    if edge >= 1.0 or x.cos <= 0.0:
        zones[0, 0] = math.inf
    for k in range(n):
        for wedge in range(2):
            row = 1 + 2 * k + wedge
            zones[row, 0] = math.inf
            noise = math.hypot(w.s if wedge == 1 else spread, widths[k])
            slope = w.p
            if wedge == 1:
                slope = w.p - w.c * x.cos / x.sin if x.sin > 0.0 else 0.0
            if abs(slope) <= noise:
                continue
            centre = centres[k] / slope
            if wedge == 1 and abs(centre) > reach * (edge + noise / abs(slope)):
                continue
            zones[row, 0], zones[row, 1], zones[row, 2] = centre, reach * noise / abs(slope), noise / abs(slope)
    return zones


@inner_kernel
def margin_nodes(
    measure: KeptMeasure, x: Setting, w: Weights, reach: float, zones: FloatArray, level: float
) -> tuple[FloatArray, FloatArray, FloatArray, int]:
    """Margins, their weights, the weights of the examples in the training, and the number of nodes."""
    atoms = measure.atoms.shape[1] > 0
    edges = measure.edges.shape[1]
    panels = np.empty((_MOST_PANELS, 3))
    size = edges + measure.intervals.shape[0] * _MOST_PANELS * 4
    m, weight, v = np.empty(size), np.empty(size), np.ones(size)
    count = 0
    only_positive = x.sin == 0.0 and x.flip == 0.0 and x.link == PROBIT and not math.isfinite(x.slope)
    for j in range(measure.intervals.shape[0]):
        lo, hi = measure.intervals[j, 0], measure.intervals[j, 1]
        if only_positive:
            lo = max(lo, 0.0)
        if not atoms:
            # Kept data in a tail weigh 1 / f more than their density says.
            far = math.sqrt(reach * reach + min(lo * lo, hi * hi)) if lo * hi > 0.0 else reach
            lo, hi = max(lo, -far), min(hi, far)
        if not hi > lo:
            continue
        n = cut_panels(lo, hi, label_width(x, x.cos), zones, panels)
        for i in range(n):
            left, right = panels[i, 0], panels[i, 1]
            order = panel_order((right - left) / panels[i, 2], level)
            if m.size < count + MAX_ORDER + edges:
                grown = np.empty((2, 2 * m.size))
                grown[0, :count], grown[1, :count] = m[:count], weight[:count]
                more = np.ones(2 * m.size)
                more[:count] = v[:count]
                m, weight, v = grown[0], grown[1], more
            if atoms:
                if i + 1 == n:
                    right = hi if hi < measure.intervals[j, 1] else hi + 1e-15 * abs(hi)
                count = atom_panel(measure, j, left, right, max(order, 8), m, weight, count)
                continue
            half = 0.5 * (right - left)
            for k in range(order):
                at = left + half * (1.0 + NODES[order, k])
                keep = keep_probability(measure.keep, j, measure.intervals[j, 0], measure.intervals[j, 1], at)
                density = 2.0 * INV_SQRT_2PI * math.exp(-0.5 * at * at) * measure.scale
                m[count], weight[count] = at, half * WEIGHTS[order, k] * density * keep
                if x.reweight:
                    v[count] = 1.0 / keep
                count += 1
    for i in range(edges):
        m[count], weight[count] = measure.edges[0, i], measure.edges[1, i] * measure.scale
        count += 1
    return m, weight, v, count


@inner_kernel
def averages(measure: KeptMeasure, x: Setting, w: Weights, level: float) -> Sums:
    """All averages at the student `w`."""
    centres, widths = np.zeros(_MOST_FEATURES), np.zeros(_MOST_FEATURES)
    n = features(x.loss, w.V, centres, widths)
    tau2 = w.c * w.c + w.s * w.s
    tau = math.sqrt(tau2)
    amplification = 1.0 + x.alpha * (1.0 + w.p * w.p + tau2)
    reach = math.sqrt(TAIL * TAIL + 2.0 * math.log(amplification))
    zones = _margin_zones(x, w, reach, centres, widths, n)
    m, weight, v, count = margin_nodes(measure, x, w, reach, zones, level)
    panels = np.empty((_MOST_PANELS, 3))
    inner = np.zeros((_MOST_FEATURES + 1, 3))
    inner[:, 0] = math.inf
    s_, c_ = w.s / tau, w.c / tau
    cut_slope = x.sin * abs(w.c) / tau2
    spread = x.sin * s_
    smooth = tau * label_width(x, x.sin * abs(c_))
    cut_width = math.hypot(spread, 1.0 / x.slope) / cut_slope if cut_slope > 0.0 else math.inf
    h1 = F2 = m1 = g1 = am = aF = hp = hc = hs = hV = Fp = Fc = Fs = FV = 0.0
    mp = mc = ms = mV = gc = gs = gV = one = mean_m = mean_g = error = total_loss = 0.0
    for i in range(count):
        at = m[i]
        V = w.V * v[i]
        if v[i] != 1.0:
            n = features(x.loss, V, centres, widths)
            inner[:, 0] = math.inf
        lo, hi = -reach * tau, reach * tau
        norm = 1.0
        if measure.conditional:
            a = -at * x.cos / x.sin if x.sin > 0.0 else -math.inf
            if a > 0.0:
                end = a + reach * reach / (math.sqrt(a * a + reach * reach) + a)
                lo = min(lo, min(w.c * a, w.c * end) - reach * w.s)
                hi = max(hi, max(w.c * a, w.c * end) + reach * w.s)
            norm = pdf_cdf(-a)[1]
        inner[n, 0], inner[n, 1], inner[n, 2] = math.inf, 0.0, 1.0
        if cut_width < tau:
            inner[n, 0], inner[n, 1], inner[n, 2] = -at * x.cos / (x.sin * w.c) * tau2, reach * cut_width, cut_width
        for k in range(n):
            inner[k, 0] = centres[k] - w.p * at
            inner[k, 1], inner[k, 2] = _GRADE_REACH * widths[k], max(widths[k], 1e-300)
            if widths[k] >= tau:
                inner[k, 0] = math.inf
        pieces = cut_panels(lo, hi, smooth, inner, panels)
        for piece in range(pieces):
            half = 0.5 * (panels[piece, 1] - panels[piece, 0])
            order = panel_order(2.0 * half / panels[piece, 2], level)
            for k in range(order):
                y = panels[piece, 0] + half * (1.0 + NODES[order, k])
                z = y / tau
                P0, P1, P2 = label_share(x, at * x.cos + x.sin * c_ * z, spread)
                W = weight[i] * half * WEIGHTS[order, k] * INV_SQRT_2PI * math.exp(-0.5 * z * z) / (tau * norm)
                omega = w.p * at + y
                F, dF, FlogV = step(x.loss, omega, V)
                # g = c_ z + s_ xi, h = s_ z - c_ xi
                P0, P1, P2 = P0 * W, P1 * W, P2 * W
                Wg = c_ * z * P0 + s_ * P1
                Wh = s_ * z * P0 - c_ * P1
                Wgg = c_ * c_ * z * z * P0 + 2.0 * c_ * s_ * z * P1 + s_ * s_ * P2
                Whh = s_ * s_ * z * z * P0 - 2.0 * c_ * s_ * z * P1 + c_ * c_ * P2
                Wgh = c_ * s_ * (z * z * P0 - P2) + (s_ * s_ - c_ * c_) * z * P1
                h1 += Wh * F
                F2 += P0 * F * F
                m1 += at * P0 * F
                g1 += Wg * F
                am += abs(at) * P0 * F if F > 0.0 else -abs(at) * P0 * F
                aF += abs(F) * P0
                hp += at * Wh * dF
                hc += Wgh * dF
                hs += Whh * dF
                hV += Wh * FlogV
                Fp += 2.0 * at * P0 * F * dF
                Fc += 2.0 * Wg * F * dF
                Fs += 2.0 * Wh * F * dF
                FV += 2.0 * P0 * F * FlogV
                mp += at * at * P0 * dF
                mc += at * Wg * dF
                ms += at * Wh * dF
                mV += at * P0 * FlogV
                gc += Wgg * dF
                gs += Wgh * dF
                gV += Wg * FlogV
                one += P0
                mean_m += at * P0
                mean_g += Wg
                if omega + F <= 0.0:
                    error += P0
                total_loss += P0 * loss_at(x.loss, omega + F)
    return Sums(
        h1, F2, m1, g1, am, aF, hp, hc, hs, hV, Fp, Fc, Fs, FV, mp, mc, ms, mV, gc, gs, gV, one, mean_m, mean_g,
        error, total_loss,
    )  # fmt: skip


@kernel
def noisy_mass(measure: KeptMeasure, x: Setting) -> float:
    """Mass of the measure under noisy labels: 1 when it is normalised."""
    return averages(measure, x, Weights(0.0, 0.0, 1.0, 1.0), FINE).one
