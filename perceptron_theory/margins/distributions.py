"""Distributions of the unpruned data along the probe: Gaussian, or measured."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.margins.atoms import atom_cells
from perceptron_theory.margins.keep_table import overlooked, tabulate
from perceptron_theory.margins.kept import KeptMeasure
from perceptron_theory.margins.selection import Easy, KeepProbability, QuantileRule, Random, Selection
from perceptron_theory.validation import number_array

FloatArray = npt.NDArray[np.float64]

_NO_ATOMS: FloatArray = np.empty((2, 0))
_NO_TABLE: FloatArray = np.empty((0, 0))
_NO_INTERVALS: FloatArray = np.empty((0, 2))

#: Shares of an atom closer than this to 0 or 1 are rounding in sums of weights.
_SHARE_ROUNDING = 1e-9

#: Stands for a margin of exactly 0, so that its two signs are different atoms.
_SMALLEST_MAGNITUDE = 1e-300

#: The equations take a smaller angle for 0.
_SMALLEST_ANGLE = 1e-100


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

    def keep_probability(self, rule: KeepProbability, m: FloatArray) -> FloatArray:
        """Keep probability of examples at the margins `m`."""
        return rule(m)

    def kept(self, rule: KeepProbability) -> KeptMeasure:
        """Kept measure of a keep probability, not yet divided by f."""
        intervals, coefficients = tabulate(rule)
        return KeptMeasure(intervals, coefficients, _NO_ATOMS, _NO_TABLE, _NO_ATOMS, False, 1.0)

    def overlooked(self, rule: KeepProbability) -> float:
        """Bound on what the kept measure of a keep probability does not see of the data that it keeps."""
        return overlooked(rule)


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
    scores : array_like, shape (n,), optional
        What a rule sees of each example instead of |z|; rises with |z|. A rule cannot tell equal scores
        apart: where its threshold falls among them it keeps a random part of these examples. Default: |z|
        itself.

    Attributes
    ----------
    n : int
        Number of values given.
    n_distinct : int
        Number of distinct |z|.

    Raises
    ------
    InvalidInputError
        If an argument is not usable, or the scores do not rise with |z|.

    Examples
    --------
    >>> import numpy as np, perceptron_theory as pt
    >>> z = np.random.default_rng(0).laplace(size=4000) / np.sqrt(2)
    >>> margins = pt.MeasuredMargins(np.abs(z), signed=False)
    >>> s = pt.solve(alpha_prune=2.0, f=0.4, theta=np.deg2rad(20), selection="easy", margins=margins)
    >>> bool(s.converged)
    True
    """

    def __init__(
        self,
        values: npt.ArrayLike,
        weights: npt.ArrayLike | None = None,
        *,
        signed: bool,
        scores: npt.ArrayLike | None = None,
    ) -> None:
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
        self._magnitudes, index, group = np.unique(np.abs(v), return_index=True, return_inverse=True)
        self._weights = np.bincount(group, w)
        self.n_distinct = self._magnitudes.size
        #: Of each group that a rule cannot tell apart: its first magnitude, and after the last their number.
        self._first = np.append(np.arange(self.n_distinct), self.n_distinct)
        if scores is not None:
            self._first = _groups_of_equal(_rising_scores(scores, index, group))
        self._ends = np.append(0.0, np.cumsum(self._weights))[self._first]
        self._ends[-1] = 1.0
        if signed:
            m, index = np.unique(v, return_inverse=True)
            atoms = np.array([m, np.bincount(index, w)])
        else:
            atoms = np.array(
                [
                    np.concatenate([-self._magnitudes[::-1], self._magnitudes]),
                    np.concatenate([self._weights[::-1], self._weights]),
                ]
            )
        self._atoms: FloatArray = np.ascontiguousarray(atoms)
        self._cells: FloatArray = atom_cells(self._atoms)
        self.mass_wrong = float(w[v < 0.0].sum()) if signed else float("nan")

    @property
    def second_moment(self) -> float:
        """E[z^2] of the unpruned data; 1 for the paper's Gaussian data."""
        with np.errstate(under="ignore"):  # the smallest do not count
            return float(self._weights @ self._magnitudes**2)

    @property
    def tied(self) -> bool:
        """Whether a rule sees different |z| as equal scores."""
        return self._first.size <= self.n_distinct

    def groups(self, m: FloatArray) -> npt.NDArray[np.intp]:
        """Group of each margin, one of the measured ones: examples of one group look alike to a rule."""
        return np.searchsorted(self._magnitudes[self._first[:-1]], np.abs(m), side="right") - 1

    def at_quantiles(self, beyond: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """|z| at the quantiles 1 - `beyond` of the score, and the probability that the signed value is positive.

        Any example of a group may stand where the rule sees equal scores.
        """
        quantile = 1.0 - beyond
        if self.tied:
            group = np.clip(np.searchsorted(self._ends, quantile, side="right") - 1, 0, self._ends.size - 2)
            quantile = self._ends[group] + np.diff(self._ends)[group] * rng.random(beyond.size)
        ends = np.append(0.0, np.cumsum(self._weights))
        at = np.clip(np.searchsorted(ends, quantile, side="right") - 1, 0, self.n_distinct - 1)
        if not self.signed:
            return np.asarray(self._magnitudes[at]), np.full(beyond.shape, 0.5)
        positive = np.zeros(self.n_distinct)
        above = self._atoms[:, self._atoms[0] > 0.0]
        positive[np.searchsorted(self._magnitudes, above[0])] = above[1]
        return np.asarray(self._magnitudes[at]), np.asarray((positive / self._weights)[at])

    def keep_probability(self, rule: KeepProbability, m: FloatArray) -> FloatArray:
        """Keep probability of examples at the measured margins `m`: the mean of k over equal scores of one sign."""
        return np.asarray(self._kept_shares(rule)[np.searchsorted(self._atoms[0], m)])

    def overlooked(self, rule: KeepProbability) -> float:
        """0: a keep probability is asked at every measured margin."""
        return 0.0

    def _kept_shares(self, rule: KeepProbability) -> FloatArray:
        """Keep probability of every atom."""
        m, weights = self._atoms
        k = rule(np.where(np.abs(m) > _SMALLEST_MAGNITUDE, m, 0.0))
        if not self.tied:
            return k
        alike = 2 * self.groups(m) + (m > 0.0)
        size = np.bincount(alike, weights)
        return np.asarray(np.bincount(alike, weights * k)[alike] / size[alike], dtype=np.float64)

    def signed_values(self, theta: float) -> tuple[FloatArray, FloatArray]:
        """Values m and their weights.

        If the values are magnitudes: both signs of each, with half its weight; at theta = 0, where the
        label follows the probe, the positive one with all of it.
        """
        if self.signed:
            return np.asarray(self._atoms[0]), np.asarray(self._atoms[1])
        if theta == 0.0:
            return self._magnitudes, np.asarray(self._weights, dtype=np.float64)
        return np.asarray(self._atoms[0]), np.asarray(0.5 * self._atoms[1])

    def digest(self) -> str:
        """Fingerprint of values, weights, ties and their meaning."""
        content = hashlib.sha256(self._atoms.tobytes())
        if self.tied:
            content.update(self._first.astype(np.int64).tobytes())
        return f"{'signed margins' if self.signed else 'magnitudes'} {content.hexdigest()}"

    def check_theta(self, theta: float, sign_teacher: bool) -> None:
        """Refuse an angle under which the measured margins are impossible, or the labels of a sign teacher unknown."""
        if theta < _SMALLEST_ANGLE and sign_teacher and self._magnitudes[0] == _SMALLEST_MAGNITUDE:
            raise InvalidInputError(
                f"theta must be > 0 with these margins, got {theta:g}: a fraction {self._weights[0]:.3g} of them is "
                "exactly 0, on the boundary of a perfect probe, where no label is known; give a small theta, or leave "
                "these examples out."
            )
        if self.signed and theta == 0.0 and self._atoms[0, 0] < 0.0:
            raise InvalidInputError(
                f"theta = 0 contradicts the measured margins: a perfect probe has no negative margin, but a fraction "
                f"{self.mass_wrong:.3g} is negative; their error rate says theta = {np.pi * self.mass_wrong:.3g} rad."
            )

    @np.errstate(under="ignore")  # the width of a tiny atom vanishes
    def _intervals(self, start: int, stop: int, at_zero: bool) -> FloatArray:
        """Signed intervals around the atoms whose magnitudes are number `start` to `stop` - 1."""
        rows = []
        low, high = self._magnitudes[start], self._magnitudes[stop - 1]
        atoms = self._atoms[0]
        for lo, hi in ((-high, -low), (low, high)):
            inside = atoms[np.searchsorted(atoms, lo) : np.searchsorted(atoms, hi, side="right")]
            if inside.size and not (at_zero and inside[-1] < 0.0):
                # A lone atom needs an interval of some width to stand in.
                width = 1e-12 * abs(inside[-1]) if inside.size == 1 else 0.0
                rows.append((inside[0] - width, inside[-1] + width))
        return np.array(rows).reshape(-1, 2)

    def unpruned(self, theta: float) -> KeptMeasure:
        """All data: what the test error is measured on."""
        intervals = self._intervals(0, self.n_distinct, theta == 0.0)
        return KeptMeasure(intervals, _NO_TABLE, self._atoms, self._cells, _NO_ATOMS, self.signed, 1.0)

    def kept(self, rule: Selection, f: float, theta: float) -> KeptMeasure:
        """Kept data, divided by f. Examples tied at a threshold are kept in equal part.

        For a keep probability the measure is not divided: its mass is the fraction it keeps.
        """
        if isinstance(rule, Random):
            return self.unpruned(theta)
        if isinstance(rule, KeepProbability):
            return self._kept_by_probability(rule, theta == 0.0)
        intervals, shares, edges = [_NO_INTERVALS], [_NO_INTERVALS[:, :1]], [_NO_ATOMS]
        for start, stop, share in self._parts(rule, f):
            if share < 1.0 and stop == start + 1:
                edges.append(self._edges(start, share, theta == 0.0))
                continue
            rows = self._intervals(start, stop, theta == 0.0)
            intervals.append(rows)
            shares.append(np.full((rows.shape[0], 1), share))
        keep = np.concatenate(shares)
        return KeptMeasure(
            np.concatenate(intervals),
            keep if np.any(keep < 1.0) else _NO_TABLE,
            self._atoms,
            self._cells,
            np.concatenate(edges, axis=1),
            self.signed,
            1.0 / f,
        )

    def _kept_by_probability(self, rule: KeepProbability, at_zero: bool) -> KeptMeasure:
        atoms = self._atoms.copy()
        atoms[1] *= self._kept_shares(rule)
        atoms = np.ascontiguousarray(atoms[:, atoms[1] > 0.0])
        if at_zero:
            atoms = np.ascontiguousarray(atoms[:, atoms[0] >= 0.0])
        if atoms.shape[1] == 0:
            raise InvalidInputError("the keep probability is 0 for every measured margin: a rule must keep something.")
        inner = [atoms[0][atoms[0] < 0.0], atoms[0][atoms[0] >= 0.0]]
        rows = [(a[0] - 1e-12 * abs(a[0]), a[-1] + 1e-12 * abs(a[-1])) for a in inner if a.size]
        return KeptMeasure(np.array(rows), _NO_TABLE, atoms, atom_cells(atoms), _NO_ATOMS, self.signed, 1.0)

    def _edges(self, i: int, share: float, at_zero: bool) -> FloatArray:
        """The atoms of magnitude number `i`, kept in part."""
        edges = []
        for m in (-self._magnitudes[i], self._magnitudes[i]):
            at = np.searchsorted(self._atoms[0], m)
            if at < self._atoms.shape[1] and self._atoms[0, at] == m and not (at_zero and m < 0.0):
                edges.append((m, share * self._atoms[1, at]))
        return np.array(edges).reshape(-1, 2).T.copy()

    def threshold_ties(self, rule: QuantileRule, f: float) -> float:
        """Fraction of all examples that are tied at a threshold of the rule and kept only in part."""
        return float(sum(self._weights[i:j].sum() for i, j, share in self._parts(rule, f) if share < 1.0))

    def edges(self, rule: QuantileRule, low: float, high: float) -> FloatArray:
        """Fractions between `low` and `high` at which the threshold that moves with f lies between two groups."""
        lower, upper = rule.window(high)
        fractions = 1.0 - self._ends[::-1] if isinstance(rule, Easy) else self._ends - lower
        return np.asarray(fractions[(fractions > low) & (fractions < upper - lower)], dtype=np.float64)

    def _parts(self, rule: QuantileRule, f: float) -> list[tuple[int, int, float]]:
        """Ranges of magnitudes that are kept: (first, last + 1, share kept), one of them whole."""
        low, high = rule.window(f)
        start = int(np.searchsorted(self._ends, low, side="right")) - 1
        stop = int(np.searchsorted(self._ends, high, side="left"))
        parts = []
        for i in sorted({start, stop - 1}):
            overlap = min(self._ends[i + 1], high) - max(self._ends[i], low)
            share = overlap / (self._ends[i + 1] - self._ends[i])
            if share <= 1.0 - _SHARE_ROUNDING:
                if share > _SHARE_ROUNDING:
                    parts.append((int(self._first[i]), int(self._first[i + 1]), float(share)))
                if i == start:
                    start += 1
                else:
                    stop -= 1
        if stop > start:
            parts.append((int(self._first[start]), int(self._first[stop]), 1.0))
        return parts


def _rising_scores(scores: npt.ArrayLike, first: npt.NDArray[np.intp], group: npt.NDArray[np.intp]) -> FloatArray:
    """Score of each distinct magnitude; `first` is an example of each, `group` the magnitude of each example."""
    given = number_array("scores", scores, "scores are what a rule sees of each example")
    if given.shape != group.shape or not np.isfinite(given).all():
        raise InvalidInputError(
            f"scores must be finite and of shape {group.shape}, got shape {given.shape}: give one per value."
        )
    of_magnitude = given[first]
    if np.any(np.diff(of_magnitude) < 0.0) or np.any(given != of_magnitude[group]):
        raise InvalidInputError(
            "scores must rise with |z|, got a larger |z| with a smaller score, or two scores at one |z|: change their "
            "sign if a high score means hard."
        )
    return of_magnitude


def _groups_of_equal(scores: FloatArray) -> npt.NDArray[np.intp]:
    """Where each group of equal scores starts, and their number after the last."""
    return np.flatnonzero(np.concatenate([[True], np.diff(scores) > 0.0, [True]]))


Margins = GaussianMargins | MeasuredMargins
