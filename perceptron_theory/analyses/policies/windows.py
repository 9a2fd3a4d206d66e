"""Windows of margins: what a policy keeps, as edges, as a rule and as kept data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri, owens_t

from perceptron_theory.margins.kept import KeptMeasure
from perceptron_theory.margins.selection import KeepProbability
from perceptron_theory.students.max_margin.sensitivity import Sensitivity, sensitivity_of

FloatArray = npt.NDArray[np.float64]

#: Beyond this a Gaussian margin has probability 1e-20, as in `margins.keep_table`.
_END: Final = 9.3
#: The solver takes a smaller angle for 0.
_PERFECT: Final = 1e-100
_TABLE_STEP: Final = 0.01
_SWITCH_NODES: Final = 200
_NEWTON_STEPS: Final = 4

_NOTHING: Final = np.empty((0, 0))
_NO_ATOMS: Final = np.empty((2, 0))


@dataclass(frozen=True)
class InWindows:
    """k(m) of a policy: 1 inside the windows, 0 outside.

    Parameters
    ----------
    windows : tuple of (float, float)
        Of the signed margin m if `signed`, else of |m|.
    signed : bool
        Whether the policy looks at labels.
    """

    windows: tuple[tuple[float, float], ...]
    signed: bool

    def __call__(self, m: FloatArray) -> FloatArray:
        """Keep probability at each signed margin."""
        t = m if self.signed else np.abs(m)
        kept = np.zeros(t.shape)
        for low, high in self.windows:
            kept[(t >= low) & (t <= high)] = 1.0
        return kept

    def rule(self) -> KeepProbability:
        """As a selection for `solve` and `simulate`."""
        edges = {edge for window in self.windows for edge in window if math.isfinite(edge)}
        return KeepProbability(self, sorted(edges if self.signed else edges | {-edge for edge in edges}))


class MarginAxis:
    """The line that windows lie on, with the distribution of the pool along it.

    Signed margins with density 2 phi(m) Phi(m cot(theta)) for a policy that sees labels; distances |z| for one that
    does not, and at theta = 0, where every margin is positive.

    Parameters
    ----------
    theta : float
        Angle between probe and teacher, radians.
    label_aware : bool
        Whether the policy looks at labels.
    """

    def __init__(self, theta: float, label_aware: bool) -> None:
        self.theta = theta
        self.signed = label_aware and theta > _PERFECT
        self.start = -_END if self.signed else 0.0
        self.end = _END
        if self.signed:
            self._cot = math.cos(theta) / math.sin(theta)
            # The density switches on across |m| = tan(theta).
            switch = math.tan(theta) * np.geomspace(0.01, 100.0, _SWITCH_NODES)
            t = np.unique(np.clip(np.concatenate([np.arange(-_END, _END, _TABLE_STEP), switch, -switch]), -_END, _END))
            rising = np.concatenate([[True], np.diff(np.maximum.accumulate(self.mass(t))) > 0.0])
            self._table = t[rising]
            self._below = self.mass(self._table)

    @np.errstate(under="ignore")  # tails vanish
    def mass(self, t: FloatArray) -> FloatArray:
        """Fraction of the pool below `t`."""
        if self.signed:
            return np.asarray(ndtr(t) - 2.0 * owens_t(t, self._cot))
        return np.asarray(1.0 - 2.0 * ndtr(-t))

    @np.errstate(under="ignore")  # tails vanish
    def quantile(self, q: FloatArray) -> FloatArray:
        """Margin below which a fraction `q` of the pool lies, in [start, end]."""
        if not self.signed:
            return np.asarray(np.clip(-ndtri(0.5 * (1.0 - q)), 0.0, _END) + 0.0)
        cell = np.clip(np.searchsorted(self._below, q), 1, self._below.size - 1)
        low, high = self._table[cell - 1], self._table[cell]
        t = np.clip(np.interp(q, self._below, self._table), low, high)
        for _ in range(_NEWTON_STEPS):
            density = math.sqrt(2.0 / math.pi) * np.exp(-0.5 * t * t) * ndtr(t * self._cot)
            # Where the density is below rounding of the mass any margin will do.
            t = np.clip(t - (self.mass(t) - q) / np.maximum(density, 1e-18), low, high)
        return np.asarray(np.where(q <= 0.0, -_END, np.where(q >= 1.0, _END, t)))

    def kept(self, windows: FloatArray, f: float) -> KeptMeasure:
        """Data in `windows`, shape (n, 2), which hold a fraction `f` of the pool."""
        intervals = windows
        if not self.signed and self.theta > 0.0:
            # A window that starts at 0 is one interval.
            apart = windows[windows[:, 0] > 0.0]
            joined = np.column_stack([-windows[:, 1], windows[:, 1]])[windows[:, 0] <= 0.0]
            intervals = np.concatenate([-apart[::-1, ::-1], joined, apart])
        return KeptMeasure(np.ascontiguousarray(intervals), _NOTHING, _NO_ATOMS, _NOTHING, _NO_ATOMS, False, 1.0 / f)

    def sensitivity(self, windows: FloatArray, alpha_tot: float, f: float) -> Sensitivity:
        """Student trained on the windows, and its response to one more example."""
        return sensitivity_of(self.kept(windows, f), alpha_tot * f, self.theta)

    def sensitivity_of_random(self, alpha: float) -> Sensitivity:
        """Student trained on `alpha` random examples per parameter."""
        return self.sensitivity(np.array([[self.start, self.end]]), alpha, 1.0)

    def influence(self, student: Sensitivity, t: FloatArray) -> FloatArray:
        """Response of the test error to one more example at `t`, per parameter."""
        return student.labelled(t) if self.signed else student.unlabelled(t)

    def rule(self, windows: FloatArray) -> InWindows:
        """The keep probability, windows that reach the end of the axis opened to infinity."""
        opened = np.where(windows >= _END, np.inf, np.where(windows <= -_END, -np.inf, windows))
        return InWindows(tuple((float(low), float(high)) for low, high in opened), self.signed)
