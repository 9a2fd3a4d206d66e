"""What turning the teacher away from the probe changes, for students with a convex loss.

Gaussian data look alike from everywhere: to turn the teacher is to turn student and window of the rule the other way,
and to turn student and teacher together changes no error. So the error changes by what the turning window gains and
loses at its edges, examples of margin m weighted by their coordinate g, for labels of any kind:

    d eps / d theta = alpha sum over edges of +-2 phi(m) / f  q . E[g (h F, F^2, m F, g F) | m]

with + at upper ends and q as in `response`. Measured margins do not turn. With a sign teacher the angle enters through
the cut g = a = -m cot(theta) alone, as in `max_margin.turning`: F is then that of an example on the teacher's boundary,
(m, g) = B (sin, -cos) with B = m / sin(theta), whose field (p sin - c cos) B + s h is that of a margin B without label.
"""

import math

import numpy as np
from scipy.special import erfcx

from perceptron_theory.compiling import inner_kernel, kernel
from perceptron_theory.gaussian import FINE, INV_SQRT_2PI, NODES, TAIL, WEIGHTS, FloatArray, cut_panels, panel_order
from perceptron_theory.margins.atoms import atom_cells
from perceptron_theory.margins.frame import Frame
from perceptron_theory.margins.kept import KeptMeasure
from perceptron_theory.students.convex_loss.equations import (
    PROBIT,
    Setting,
    Sums,
    Weights,
    averages,
    features,
    label_share,
    label_width,
)
from perceptron_theory.students.convex_loss.proximal import step
from perceptron_theory.students.max_margin.turning import turned_atoms

#: cut_panels of one margin.
_MOST_PANELS = 128
_MOST_FEATURES = 10
#: Graded widths count so far (`averages`).
_GRADE_REACH = 4.0
#: Weights relative to the largest that do not count.
_NEGLIGIBLE = 1e-40


@inner_kernel
def label_free(x: Setting) -> Setting:
    """The same with labels drawn by a coin: neither angle nor link count."""
    return Setting(x.loss, x.reweight, 0.5, PROBIT, math.inf, x.alpha, 1.0, 0.0)


@inner_kernel
def _zones(x: Setting, w: Weights, m: float, reach: float, zones: FloatArray) -> None:
    """Where, along c g + s h at margin `m`, the step or the label change fast; rows as for `cut_panels`."""
    centres, widths = np.zeros(_MOST_FEATURES), np.zeros(_MOST_FEATURES)
    tau2 = w.c * w.c + w.s * w.s
    zones[:, 0] = math.inf
    n = features(x.loss, w.V, centres, widths)
    for k in range(n):
        if widths[k] < math.sqrt(tau2):
            zones[k, 0] = centres[k] - w.p * m
            zones[k, 1], zones[k, 2] = _GRADE_REACH * widths[k], max(widths[k], 1e-300)
    slope = x.sin * abs(w.c) / tau2
    if slope > 0.0:
        width = math.hypot(x.sin * w.s / math.sqrt(tau2), 1.0 / x.slope) / slope
        if width < math.sqrt(tau2):
            zones[n, 0], zones[n, 1], zones[n, 2] = -m * x.cos / (x.sin * w.c) * tau2, reach * width, width


@inner_kernel
def _sideways(x: Setting, w: Weights, m: float, reach: float, q: FloatArray) -> float:
    """Sum q . E[g (h F, F^2, m F, g F) | m], with the label that the teacher gives."""
    tau = math.hypot(w.c, w.s)
    s, c = w.s / tau, w.c / tau
    zones, panels = np.zeros((_MOST_FEATURES + 1, 3)), np.empty((_MOST_PANELS, 3))
    _zones(x, w, m, reach, zones)
    total = 0.0
    for piece in range(cut_panels(-reach * tau, reach * tau, tau * label_width(x, x.sin * abs(c)), zones, panels)):
        half = 0.5 * (panels[piece, 1] - panels[piece, 0])
        order = panel_order(2.0 * half / panels[piece, 2], FINE)
        for k in range(order):
            y = panels[piece, 0] + half * (1.0 + NODES[order, k])
            z = y / tau
            P0, P1, P2 = label_share(x, m * x.cos + x.sin * c * z, x.sin * s)
            # g = c z + s xi, h = s z - c xi
            g = c * z * P0 + s * P1
            gg = c * c * z * z * P0 + 2.0 * c * s * z * P1 + s * s * P2
            gh = c * s * (z * z * P0 - P2) + (s * s - c * c) * z * P1
            F = step(x.loss, w.p * m + y, w.V)[0]
            density = half * WEIGHTS[order, k] * INV_SQRT_2PI * math.exp(-0.5 * z * z) / tau
            total += density * F * (q[0] * gh + q[1] * g * F + q[2] * m * g + q[3] * gg)
    return total


@inner_kernel
def turned_window(measure: KeptMeasure, x: Setting, w: Weights, q: FloatArray) -> float:
    """d/d theta of q . E[h F, F^2, m F, g F] on a window of Gaussian data, for a student that turns with the teacher.

    Parameters
    ----------
    measure : KeptMeasure
        Gaussian data between thresholds.
    x, w : Setting, Weights
        The solved student.
    q : ndarray, shape (4,)
        What each average counts.
    """
    if x.sin == 0.0:
        return 0.0
    reach = math.sqrt(TAIL * TAIL + 2.0 * math.log(1.0 + x.alpha * (1.0 + w.p * w.p + w.c * w.c + w.s * w.s)))
    total = 0.0
    for j in range(measure.intervals.shape[0]):
        for end in range(2):
            m = measure.intervals[j, end]
            density = 2.0 * INV_SQRT_2PI * math.exp(-0.5 * m * m) * measure.scale
            total += (2.0 * end - 1.0) * density * _sideways(x, w, m, reach, q)
    return total


@kernel
def _averages(measure: KeptMeasure, x: Setting, w: Weights) -> Sums:
    """Averages by the fine rule."""
    return averages(measure, x, w, FINE)


def turned_measured(
    m: FloatArray,
    weights: FloatArray,
    share: FloatArray,
    conditional: bool,
    x: Setting,
    w: Weights,
    q: FloatArray,
) -> float:
    """Derivative of the error in theta > 0 on measured margins, sign teacher: the student answers, so do the test data.

    Parameters
    ----------
    m, weights : ndarray, shape (n,)
        All margins, each once, and their weights as in `KeptMeasure`.
    share : ndarray, shape (n,)
        What is kept of them, over f.
    conditional : bool
        Labels are known; else they follow the model.
    x, w : Setting, Weights
        The solved student.
    q : ndarray, shape (4,)
        Its response.
    """
    kept = share > 0.0
    by_student = x.alpha * q @ _turned_averages(m[kept], (weights * share)[kept], conditional, x, w)
    r, d = (w.p * x.cos + w.c * x.sin) / w.s, (w.p * x.sin - w.c * x.cos) / w.s
    # The gap of a student asked for no margin is positive where it is wrong.
    asked = Frame(0.0, r, d, w.p / w.s, w.c / w.s, 0.0, 0.0, x.cos, x.sin)
    return float(by_student + turned_atoms(m, weights, conditional, asked, x.alpha)[3])


@np.errstate(under="ignore")  # tails vanish
def _turned_averages(m: FloatArray, weights: FloatArray, conditional: bool, x: Setting, w: Weights) -> FloatArray:
    """d/d theta of E[h F], E[F^2], E[m F], E[g F] for a student that stands still."""
    cut = -m * x.cos / x.sin
    rate = weights * m / (x.sin * x.sin)
    if conditional:
        # phi(a) / Phi(-a)
        rate = rate * math.sqrt(2.0 / math.pi) / erfcx(cut / math.sqrt(2.0))
    else:
        rate = (1.0 - 2.0 * x.flip) * INV_SQRT_2PI * rate * np.exp(-0.5 * cut * cut)
    seen = np.abs(rate) > _NEGLIGIBLE * np.max(np.abs(rate), initial=0.0)
    if not seen.any():
        return np.zeros(4)
    along = Weights(w.p * x.sin - w.c * x.cos, 0.0, w.s, w.V)
    coin = x._replace(flip=0.5, link=PROBIT, slope=math.inf, cos=1.0, sin=0.0)
    # A coin gives half of them the label that counts.
    S = _averages(_atoms(m[seen] / x.sin, 2.0 * rate[seen], False), coin, along)
    on_cut = np.array([S.h, S.F2, x.sin * S.m, -x.cos * S.m])
    if not conditional:
        return np.asarray(-on_cut)
    S = _averages(_atoms(m[seen], rate[seen], True), x, w)
    return np.asarray(np.array([S.h, S.F2, S.m, S.g]) - on_cut)


def _atoms(m: FloatArray, weights: FloatArray, conditional: bool) -> KeptMeasure:
    """Weighted margins, of any sign and mass."""
    order = np.argsort(m)
    atoms = np.ascontiguousarray([m[order], weights[order]])
    # A lone margin needs an interval of some width to stand in.
    width = 1e-12 * float(np.abs(m).max())
    none = np.empty((2, 0))
    intervals = np.array([[atoms[0, 0] - width, atoms[0, -1] + width]])
    return KeptMeasure(intervals, np.empty((0, 0)), atoms, atom_cells(atoms), none, conditional, 1.0)
