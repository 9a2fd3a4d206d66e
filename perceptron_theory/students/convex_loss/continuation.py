"""Follows the solution of (C1)-(C4), coarsely, from where it is known to where it is asked for.

In lam, from a penalty so strong that the student is one step of gradient descent, down; where lam vanishes and the kept
data can be fitted, in alpha, from so few examples that they hardly notice each other. Each start is next to its only
solution, and paths are followed by small steps with the residual of all four equations: false roots, which small
penalties with small fractions have, are not met. (Continuation in f is not needed.)
"""

import math

from perceptron_theory.compiling import inner_kernel
from perceptron_theory.gaussian import COARSE
from perceptron_theory.margins.kept import KeptMeasure
from perceptron_theory.students.convex_loss.equations import EMPTY, Setting, Sums, Weights, with_alpha
from perceptron_theory.students.convex_loss.newton import newton
from perceptron_theory.students.convex_loss.proximal import LOGISTIC

#: On the way, with the coarse rule.
PATH_GOAL = 1e-4
#: A penalty so much stronger than the data leaves the student at the gradient.
STRONG = 30.0
#: Few examples per parameter, where fits hardly notice each other.
_DILUTE = 0.01
_STRIDE = 1.0
_LONGEST_STRIDE = 2.5


@inner_kernel
def _predicted(w: Weights, old: Weights, power: float) -> Weights:
    """Secant in p / s, c / s, ln s and ln V."""
    s = w.s * (w.s / old.s) ** power
    r, d = w.p / w.s, w.c / w.s
    V = w.V * (w.V / old.V) ** power if math.isfinite(w.V) else w.V
    return Weights(s * (r + power * (r - old.p / old.s)), s * (d + power * (d - old.c / old.s)), s, V)


@inner_kernel
def follow(
    measure: KeptMeasure, x: Setting, w: Weights, gamma: float, start: float, end: float, over_alpha: bool
) -> tuple[Weights, float, float, Sums]:
    """Follow the solution near `w` at exp(start), of lam or of alpha, to exp(end): as `newton`, coarse."""
    at, stride = start, _STRIDE
    old, old_stride = w, 0.0
    target, trial, first = start, w, True
    S, error = EMPTY, math.inf
    while first or at != end:
        if not first:
            step = min(stride, abs(end - at))
            target = at + step if end > start else at - step
            if abs(end - target) < 1e-9 * (1.0 + abs(end)):
                target = end
            trial = _predicted(w, old, (target - at) / old_stride) if old_stride != 0.0 else w
        here = with_alpha(x, math.exp(target)) if over_alpha else x
        lam = 0.0 if over_alpha else math.exp(target)
        trial, trial_gamma, trial_error, T = newton(measure, here, trial, lam, gamma, COARSE, PATH_GOAL)
        if trial_error <= PATH_GOAL:
            old, old_stride = w, target - at
            w, gamma, error, at, S = trial, trial_gamma, trial_error, target, T
            if not first:
                stride = min(1.6 * stride, _LONGEST_STRIDE)
            first = False
        else:
            stride *= 0.35
            if first or stride < 1e-5:
                return w, gamma, math.inf, S
    return w, gamma, error, S


@inner_kernel
def coarse(measure: KeptMeasure, x: Setting, mean: Sums, lam: float, fits: bool) -> tuple[Weights, float, float, Sums]:
    """Coarse solution at `lam` > 0, or where the kept data are fitted at V = infinity. `mean` has their mean."""
    if fits:
        few = min(x.alpha, _DILUTE)
        w = Weights(few * mean.mean_m, few * mean.mean_g, math.sqrt(few), math.inf)
        return follow(measure, x, w, 1.0 - few, math.log(few), math.log(x.alpha), True)
    # Under a strong penalty the student is one step of gradient descent.
    start = max(lam, STRONG * (1.0 + x.alpha))
    F = (0.5 if x.loss == LOGISTIC else 1.0) / start
    w = Weights(x.alpha * mean.mean_m * F, x.alpha * mean.mean_g * F, math.sqrt(x.alpha) * F, 1.0 / start)
    return follow(measure, x, w, 0.0, math.log(start), math.log(lam), False)
