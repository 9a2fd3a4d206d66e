"""How far a policy is from stationary: the largest first-order improvement within its budget."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from perceptron_theory.analyses.policies.windows import MarginAxis
from perceptron_theory.students.max_margin.sensitivity import Sensitivity

FloatArray = npt.NDArray[np.float64]

#: Nodes on the whole axis, near 0, and across the strip where the student's field meets its margin.
_WHOLE: Final = 300
_NEAR_ZERO: Final = 60
_STRIP: Final = 80
_STRIP_REACH: Final = 9.0
_TIE: Final = 1e-9


class Optimality(NamedTuple):
    """Certificate of a policy at first order."""

    gap: float
    """alpha_tot (E[k I] - min over k' of E[k' I]) / eps, with E[k'] = E[k]."""
    threshold: float
    """Influence I at which keeping starts to pay, tau."""
    worst: float
    """Margin at which the policy errs most, by influence times density."""


@np.errstate(under="ignore")  # tails vanish
def optimality(axis: MarginAxis, windows: FloatArray, student: Sensitivity, alpha_tot: float, f: float) -> Optimality:
    """Frank-Wolfe gap of keeping `windows`, relative to the test error.

    By duality gap <= alpha_tot E[k (I - tau)_+ + (1 - k) (tau - I)_+] / eps for any tau, with equality at the level
    that meets the budget. I is taken as linear between nodes, which are dense where it varies.
    """
    t = _nodes(axis, windows, student)
    # In units of eps / alpha_prune, the influence of the average kept example but for a factor of order 1.
    unit = student.error / (alpha_tot * f)
    influence = axis.influence(student, t) / unit
    mass = np.maximum(np.diff(axis.mass(t)), 0.0)
    threshold = _level(influence, mass, f)
    kept = _inside(0.5 * (t[1:] + t[:-1]), windows)
    excess = np.where(kept, 1.0, -1.0) * (np.stack([influence[:-1], influence[1:]]) - threshold)
    loss = mass * _mean_positive_part(*excess)
    worst = int(np.argmax(loss))
    at = t[worst] if excess[0, worst] > excess[1, worst] else t[worst + 1]
    return Optimality(float(loss.sum()) / f, threshold * unit, float(at))


@np.errstate(under="ignore")  # tails vanish
def best_response(axis: MarginAxis, student: Sensitivity, f: float) -> FloatArray:
    """Quantiles of the windows that hold the fraction `f` of lowest influence, shape (n, 2)."""
    t = _nodes(axis, np.empty((0, 2)), student)
    # Where examples do nothing the nearest to the boundary are taken.
    influence = axis.influence(student, t) + _TIE * student.error * np.abs(t)
    q = axis.mass(t)
    level = _level(influence, np.maximum(np.diff(q), 0.0), f)
    below = influence < level
    turns = np.flatnonzero(below[1:] != below[:-1])
    share = (level - influence[turns]) / (influence[turns + 1] - influence[turns])
    edges = q[turns] + share * (q[turns + 1] - q[turns])
    return np.concatenate([[0.0] * int(below[0]), edges, [1.0] * int(below[-1])]).reshape(-1, 2)


def _nodes(axis: MarginAxis, windows: FloatArray, student: Sensitivity) -> FloatArray:
    x = student.student
    u = np.linspace(-_STRIP_REACH, _STRIP_REACH, _STRIP)
    with np.errstate(over="ignore"):  # a node at infinity lies outside the axis
        strip = x.m0 + (x.k0 - u * np.sqrt(1.0 + x.c * x.c)) / x.p if x.p != 0.0 else np.empty(0)
    near = np.geomspace(1e-5, 1.0, _NEAR_ZERO)
    whole = np.linspace(axis.start, axis.end, _WHOLE)
    t = np.concatenate([whole, near, -near, strip, -strip, windows.ravel()])
    return np.unique(t[(t >= axis.start) & (t <= axis.end)])


def _inside(t: FloatArray, windows: FloatArray) -> npt.NDArray[np.bool_]:
    return np.asarray(((t[:, None] >= windows[:, 0]) & (t[:, None] <= windows[:, 1])).any(axis=1))


def _level(influence: FloatArray, mass: FloatArray, f: float) -> float:
    """Level below which a fraction `f` of the pool lies; where that is ambiguous any level bounds the gap."""
    low = np.minimum(influence[:-1], influence[1:])
    high = np.maximum(influence[:-1], influence[1:])

    def surplus(level: float) -> float:
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            below = np.clip((level - low) / (high - low), 0.0, 1.0)
        return float(mass @ np.where(high > low, below, level >= high)) - f

    least, most = float(low.min()), float(high.max())
    if not surplus(most) > 0.0:
        return most
    if not surplus(least) < 0.0:
        return least
    return float(brentq(surplus, least, most, xtol=1e-16, rtol=1e-15, maxiter=1_000))


def _mean_positive_part(a: FloatArray, b: FloatArray) -> FloatArray:
    """Mean of max(y, 0) for y linear from `a` to `b`."""
    top, bottom = np.maximum(a, b), np.minimum(a, b)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        crossing = 0.5 * top * top / (top - bottom)
    return np.where(top <= 0.0, 0.0, np.where(bottom >= 0.0, 0.5 * (a + b), crossing))
