"""Distributions of the unpruned data along the probe: Gaussian, or measured."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.margins.atoms import atom_cells
from perceptron_theory.margins.keep_table import tabulate
from perceptron_theory.margins.kept import KeptMeasure
from perceptron_theory.margins.selection import KeepProbability, QuantileRule, Random, Selection
from perceptron_theory.validation import number_array

FloatArray = npt.NDArray[np.float64]

_NO_ATOMS: FloatArray = np.empty((2, 0))
_NO_TABLE: FloatArray = np.empty((0, 0))

#: Shares of an atom closer than this to 0 or 1 are rounding in sums of weights.
_SHARE_ROUNDING = 1e-9

#: Stands for a margin of exactly 0, so that its two signs are different atoms.
_SMALLEST_MAGNITUDE = 1e-300


@dataclass(frozen=True)
class GaussianMargins:
    """The paper's data: z ~ N(0, 1) along the probe before pruning.

    Examples
    --------
    >>> import perceptron_theory as pt
    >>> bool(pt.solve(3.0, 0.3, margins=pt.GaussianMargins()).test_error == pt.solve(3.0, 0.3).test_error)
    True
    """

    def window(self, rule: QuantileRule, f: float) -> tuple[float, float]:
        """Range of |z| that the rule keeps; quantile q of |z| is at z = Phi^-1((1 + q) / 2)."""
        low, high = rule.window(f)
        # From the tail, where quantiles near 1 keep their digits.
        z_lo = float(-ndtri(0.5 * (1.0 - low))) if low > 0.0 else 0.0
        z_hi = float(-ndtri(0.5 * (1.0 - high))) if high < 1.0 else np.inf
        return z_lo, z_hi

    def kept(self, rule: KeepProbability) -> KeptMeasure:
        """Kept measure of a keep probability, not yet divided by f."""
        intervals, coefficients = tabulate(rule)
        return KeptMeasure(intervals, coefficients, _NO_ATOMS, _NO_TABLE, _NO_ATOMS, False, 1.0)


class MeasuredMargins:
    """Any measured distribution along the probe, as values and weights.

    Parameters
    ----------
    values : array_like, shape (n,)
        Signed margins m = y z if `signed`, else magnitudes |z| >= 0. Nothing is rescaled: the theory
        takes the coordinate orthogonal to the probe to be N(0, 1), so values are in its units.
    weights : array_like, shape (n,), optional
        Positive weights; normalised to sum 1. Default: equal.
    signed : bool
        If True the sign of the label is known for each example and the distribution of m is taken
        as measured. If False labels follow the model: the sign of z is that of the teacher with
        probability Phi(|z| cot(theta)).

    Attributes
    ----------
    n : int
        Number of values given.
    n_distinct : int
        Number of distinct |z|.

    Examples
    --------
    >>> import numpy as np, perceptron_theory as pt
    >>> z = np.random.default_rng(0).laplace(size=4000) / np.sqrt(2)
    >>> margins = pt.MeasuredMargins(np.abs(z), signed=False)
    >>> s = pt.solve(alpha_prune=2.0, f=0.4, theta=np.deg2rad(20), selection="easy", margins=margins)
    >>> bool(s.converged)
    True
    """

    def __init__(self, values: npt.ArrayLike, weights: npt.ArrayLike | None = None, *, signed: bool) -> None:
        if signed is not True and signed is not False:
            raise InvalidInputError(f"signed must be True or False, got {signed!r}: say whether values carry labels.")
        v = number_array("values", values, "values are signed margins or magnitudes |z|")
        if v.ndim != 1 or v.size == 0:
            raise InvalidInputError(f"values must be a non-empty vector, got shape {v.shape}: give one per example.")
        if not np.isfinite(v).all():
            raise InvalidInputError(
                f"values must be finite, got {v[~np.isfinite(v)][0]} at index "
                f"{int(np.flatnonzero(~np.isfinite(v))[0])}: remove or impute such examples first."
            )
        if not signed and np.any(v < 0.0):
            raise InvalidInputError(
                f"magnitudes must be >= 0, got {v[v < 0.0][0]:g}: pass signed=True for signed margins, "
                "or numpy.abs of them."
            )
        w = np.ones(v.size)
        if weights is not None:
            w = number_array("weights", weights, "weights say how often each value occurs")
        if w.shape != v.shape or not (np.isfinite(w).all() and np.all(w > 0.0)):
            raise InvalidInputError(
                f"weights must be positive, finite and of shape {v.shape}, got shape {w.shape}: "
                "drop examples of weight 0."
            )
        w = w / w.max()
        w = w / w.sum()
        self.signed = signed
        self.n = v.size
        v = np.where(v == 0.0, _SMALLEST_MAGNITUDE, v)
        self._magnitudes, group = np.unique(np.abs(v), return_inverse=True)
        self._group_weights = np.bincount(group, w)
        self._ends = np.concatenate([[0.0], np.cumsum(self._group_weights)])
        self._ends[-1] = 1.0
        self.n_distinct = self._magnitudes.size
        if signed:
            m, index = np.unique(v, return_inverse=True)
            atoms = np.array([m, np.bincount(index, w)])
        else:
            atoms = np.array(
                [
                    np.concatenate([-self._magnitudes[::-1], self._magnitudes]),
                    np.concatenate([self._group_weights[::-1], self._group_weights]),
                ]
            )
        self._atoms: FloatArray = np.ascontiguousarray(atoms)
        self._cells: FloatArray = atom_cells(self._atoms)
        self.mass_wrong = float(w[v < 0.0].sum()) if signed else float("nan")

    @property
    def second_moment(self) -> float:
        """E[z^2] of the unpruned data; 1 for the paper's Gaussian data."""
        return float(self._group_weights @ self._magnitudes**2)

    def at_quantiles(self, beyond: FloatArray) -> tuple[FloatArray, FloatArray]:
        """|z| at the quantiles 1 - `beyond` of |z|, and the probability that the signed value is positive."""
        group = np.searchsorted(self._ends, 1.0 - beyond, side="right") - 1
        group = np.clip(group, 0, self.n_distinct - 1)
        if not self.signed:
            return np.asarray(self._magnitudes[group]), np.full(beyond.shape, 0.5)
        positive = np.zeros(self.n_distinct)
        above = self._atoms[:, self._atoms[0] > 0.0]
        positive[np.searchsorted(self._magnitudes, above[0])] = above[1]
        return np.asarray(self._magnitudes[group]), np.asarray((positive / self._group_weights)[group])

    def signed_values(self, theta: float) -> tuple[FloatArray, FloatArray]:
        """Values m and their weights.

        If the values are magnitudes: both signs of each, with half its weight; at theta = 0, where the
        label follows the probe, the positive one with all of it.
        """
        if self.signed:
            return np.asarray(self._atoms[0]), np.asarray(self._atoms[1])
        if theta == 0.0:
            return self._magnitudes, np.asarray(self._group_weights, dtype=np.float64)
        return np.asarray(self._atoms[0]), np.asarray(0.5 * self._atoms[1])

    def digest(self) -> str:
        """Fingerprint of values, weights and their meaning."""
        content = hashlib.sha256(self._atoms.tobytes())
        return f"{'signed margins' if self.signed else 'magnitudes'} {content.hexdigest()}"

    def check_theta(self, theta: float) -> None:
        """Refuse an angle under which the measured margins are impossible."""
        if self.signed and theta == 0.0 and self._atoms[0, 0] < 0.0:
            raise InvalidInputError(
                f"theta = 0 contradicts the measured margins: a perfect probe has no negative margin, but a fraction "
                f"{self.mass_wrong:.3g} is negative; their error rate says theta = {np.pi * self.mass_wrong:.3g} rad."
            )

    def _intervals(self, low: float, high: float, at_zero: bool) -> FloatArray:
        """Signed intervals with low <= |m| <= high that hold atoms."""
        rows = []
        atoms = self._atoms[0]
        for lo, hi in ((-high, -low), (low, high)):
            inside = atoms[np.searchsorted(atoms, lo) : np.searchsorted(atoms, hi, side="right")]
            if inside.size and not (at_zero and inside[-1] < 0.0):
                # A lone atom needs an interval of some width to stand in.
                width = 1e-12 * abs(inside[-1]) if inside.size == 1 else 0.0
                rows.append((inside[0] - width, inside[-1] + width))
        return np.array(rows).reshape(-1, 2)

    def _measure(self, intervals: FloatArray, edges: FloatArray, scale: float) -> KeptMeasure:
        return KeptMeasure(intervals, _NO_TABLE, self._atoms, self._cells, edges, self.signed, scale)

    def unpruned(self, theta: float) -> KeptMeasure:
        """All data: what the test error is measured on."""
        low, high = self._magnitudes[0], self._magnitudes[-1]
        return self._measure(self._intervals(low, high, theta == 0.0), _NO_ATOMS, 1.0)

    def kept(self, rule: Selection, f: float, theta: float) -> KeptMeasure:
        """Kept data, divided by f. Examples tied at a threshold are kept in equal part.

        For a keep probability the measure is not divided: its mass is the fraction it keeps.
        """
        if isinstance(rule, Random):
            return self.unpruned(theta)
        if isinstance(rule, KeepProbability):
            atoms = self._atoms.copy()
            atoms[1] *= rule(atoms[0])
            atoms = np.ascontiguousarray(atoms[:, atoms[1] > 0.0])
            if theta == 0.0:
                atoms = np.ascontiguousarray(atoms[:, atoms[0] >= 0.0])
            if atoms.shape[1] == 0:
                raise InvalidInputError(
                    "the keep probability is 0 for every measured margin: a rule must keep something."
                )
            inner = [atoms[0][atoms[0] < 0.0], atoms[0][atoms[0] >= 0.0]]
            rows = [(a[0] - 1e-12 * abs(a[0]), a[-1] + 1e-12 * abs(a[-1])) for a in inner if a.size]
            return KeptMeasure(np.array(rows), _NO_TABLE, atoms, atom_cells(atoms), _NO_ATOMS, self.signed, 1.0)
        full, partial = self._shares(rule, f)
        intervals = np.empty((0, 2))
        if full.stop > full.start:
            intervals = self._intervals(self._magnitudes[full.start], self._magnitudes[full.stop - 1], theta == 0.0)
        edges = []
        for i, share in partial.items():
            for m in (-self._magnitudes[i], self._magnitudes[i]):
                at = np.searchsorted(self._atoms[0], m)
                if at < self._atoms.shape[1] and self._atoms[0, at] == m and not (theta == 0.0 and m < 0.0):
                    edges.append((m, share * self._atoms[1, at]))
        return self._measure(intervals, np.array(edges).reshape(-1, 2).T.copy(), 1.0 / f)

    def threshold_ties(self, rule: QuantileRule, f: float) -> float:
        """Fraction of all examples that are tied at a threshold of the rule and kept only in part."""
        return float(sum(self._group_weights[i] for i in self._shares(rule, f)[1]))

    def _shares(self, rule: QuantileRule, f: float) -> tuple[range, dict[int, float]]:
        """Groups of equal |z| that are kept whole, and the share kept of those at the thresholds."""
        low, high = rule.window(f)
        start = int(np.searchsorted(self._ends, low, side="right")) - 1
        stop = int(np.searchsorted(self._ends, high, side="left"))
        partial = {}
        for i in {start, stop - 1}:
            overlap = min(self._ends[i + 1], high) - max(self._ends[i], low)
            share = overlap / self._group_weights[i]
            if share <= 1.0 - _SHARE_ROUNDING:
                if share > _SHARE_ROUNDING:
                    partial[i] = float(share)
                if i == start:
                    start += 1
                else:
                    stop -= 1
        return range(start, stop), partial


Margins = GaussianMargins | MeasuredMargins
