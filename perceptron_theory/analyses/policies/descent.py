"""Downhill from one policy: the edges of its windows, and new windows where they would help."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import LinearConstraint, minimize

from perceptron_theory.analyses.policies.optimality import Optimality, optimality
from perceptron_theory.analyses.policies.windows import MarginAxis
from perceptron_theory.students.max_margin.sensitivity import Sensitivity

FloatArray = npt.NDArray[np.float64]

#: Edges are followed until this gap, far below what is asked of a policy.
_GOAL: Final = 1e-10
_ROUNDS: Final = 6
_STEPS: Final = 60
#: Windows, and gaps between them, that hold less than this share of the budget are closed.
_SLIVER: Final = 1e-9
#: Less than this, relatively, is rounding.
_WORTHWHILE: Final = 1e-13


class Candidate(NamedTuple):
    """A policy met on the way."""

    quantiles: FloatArray
    """Edges as fractions of the pool below them, shape (n, 2)."""
    windows: FloatArray
    """Edges as margins, same shape."""
    student: Sensitivity
    optimality: Optimality

    @property
    def error(self) -> float:
        """Test error."""
        return self.student.error


class Descent:
    """Minimises ln eps over the edges of windows that hold a fraction `f` of the pool.

    In the variables q = (fraction of the pool below an edge) the budget is linear and the gradient of eps is
    -+ alpha_tot times the influence at the edges, from the student just solved. A window of no width is inserted where
    the policy errs most and opens by itself, until the gap is closed.

    Parameters
    ----------
    axis : MarginAxis
        Line that windows lie on.
    alpha_tot, f : float
        Pool per parameter, and fraction of it to keep.
    """

    def __init__(self, axis: MarginAxis, alpha_tot: float, f: float) -> None:
        self.axis = axis
        self.alpha_tot = alpha_tot
        self.f = f

    def candidate(self, quantiles: FloatArray) -> Candidate:
        """Policy with these edges, and its certificate."""
        quantiles = self._tidy(np.asarray(quantiles, dtype=np.float64).reshape(-1, 2))
        windows = self.axis.quantile(quantiles)
        student = self.axis.sensitivity(windows, self.alpha_tot, self.f)
        found = Optimality(math.inf, math.nan, math.nan)
        if student.error < math.inf:
            found = optimality(self.axis, windows, student, self.alpha_tot, self.f)
        return Candidate(quantiles, windows, student, found)

    def minimum(self, start: FloatArray) -> Candidate:
        """Local minimum downhill from `start`."""
        best = self.candidate(start)
        for _ in range(_ROUNDS):
            if best.optimality.gap <= _GOAL or not best.error < math.inf:
                break
            at = float(self.axis.mass(np.array(best.optimality.worst)))
            edges = np.sort(np.append(best.quantiles.ravel(), [at, at]))
            found = self.candidate(self._slide(edges))
            better = found.error < best.error * (1.0 - _WORTHWHILE)
            if not (better or found.optimality.gap < 0.5 * best.optimality.gap):
                break
            best = found
        return best

    def one_window(self, start: FloatArray) -> Candidate:
        """Best policy of a single window downhill from `start`."""
        return self.candidate(self._slide(np.asarray(start, dtype=np.float64).ravel()))

    def error(self, quantiles: FloatArray) -> float:
        """Test error of keeping between these quantiles; inf if the student is not found."""
        return self.axis.sensitivity(self.axis.quantile(quantiles.reshape(-1, 2)), self.alpha_tot, self.f).error

    def _slide(self, edges: FloatArray) -> FloatArray:
        """Edges at the minimum of ln eps for this number of windows."""
        objective = _Edges(self, edges)
        minimize(
            objective,
            edges / self.f,
            jac=True,
            method="SLSQP",
            bounds=[(0.0, 1.0 / self.f)] * edges.size,
            constraints=[
                LinearConstraint(objective.sign, 1.0, 1.0),
                LinearConstraint(np.diff(np.eye(edges.size), axis=0), 0.0, np.inf),
            ],
            options={"ftol": 1e-15, "maxiter": _STEPS},
        )
        return objective.best

    def _tidy(self, quantiles: FloatArray) -> FloatArray:
        """Close slivers and meet the budget to the last digit; all slivers: the hardest."""
        sliver = _SLIVER * self.f
        rows: list[list[float]] = []
        for low, high in quantiles:
            if rows and low - rows[-1][1] <= sliver:
                rows[-1][1] = max(high, rows[-1][1])
            elif high - low > sliver:
                rows.append([low, high])
        out = np.array(rows or [[0.0, self.f]])
        out[out <= sliver] = 0.0
        out[out >= 1.0 - sliver] = 1.0
        missing = self.f - float(np.sum(out[:, 1] - out[:, 0]))
        # The first edge that is free to move takes what is left.
        free = np.flatnonzero((out.ravel() > 0.0) & (out.ravel() < 1.0))
        if free.size:
            out.ravel()[free[0]] += missing if free[0] % 2 else -missing
        return out


class _Edges:
    """ln eps and its slope as functions of the edges, in units of the budget; remembers the best within budget."""

    def __init__(self, descent: Descent, start: FloatArray) -> None:
        self.descent = descent
        self.sign = np.tile([-1.0, 1.0], start.size // 2)
        self.best = start
        self._least = math.inf

    def __call__(self, scaled: FloatArray) -> tuple[float, FloatArray]:
        """(ln eps, slope); where there is no student, a value that a line search retreats from."""
        axis, alpha_tot, f = self.descent.axis, self.descent.alpha_tot, self.descent.f
        q = np.maximum.accumulate(np.clip(scaled * f, 0.0, 1.0))
        t = axis.quantile(q)
        windows = t.reshape(-1, 2)
        student = axis.sensitivity(windows[windows[:, 1] > windows[:, 0]], alpha_tot, f)
        if not student.error < math.inf:
            return 1.0, np.zeros(q.size)
        within_budget = abs(float(self.sign @ q) / f - 1.0) <= _SLIVER
        if within_budget and student.error < self._least:
            self.best, self._least = q, student.error
        slope = self.sign * axis.influence(student, t) * (alpha_tot * f / student.error)
        return math.log(student.error), slope
