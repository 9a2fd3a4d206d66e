"""Pareto frontier: the best test error at each number of kept examples, over the fraction kept."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.optimize import elementwise

from perceptron_theory.analyses.outer_product import OuterProduct
from perceptron_theory.convex_loss import ConvexLoss, one_student
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.labelled import dataset, theory
from perceptron_theory.labels import Labels
from perceptron_theory.margins.distributions import Margins, MeasuredMargins
from perceptron_theory.margins.selection import FractionRule, KeepProbability, QuantileRule, Selection, as_selection
from perceptron_theory.problem import Problem
from perceptron_theory.progress import track
from perceptron_theory.solving.max_margin import screen
from perceptron_theory.solving.saddle_point import solve
from perceptron_theory.solving.solution import Solution, Status
from perceptron_theory.validation import kept_fraction, one_number, positive

FloatArray = npt.NDArray[np.float64]

#: Trial fractions between the constraints, log-spaced. On Gaussian data the error has at most a few, wide
#: minima in f; on measured data it has a kink at every example, hence many small ones.
_TRIALS = 17
_TRIALS_MEASURED = 65
#: On measured data, fractions next to either constraint that keep one group of equal scores more or less: there the
#: error may turn at an example, within the first or the last step between trials.
_EDGES_TRIED = 16
#: Local minima among the trials that are followed to the end, best first, if they come this close to the best.
_FOLLOWED = 3
_CLOSE = 0.01
#: Relative accuracy of the best f. A smooth error is flat there and exact to rounding; on measured data it may
#: have its minimum in a kink, where an atom is just kept whole, and is as accurate as f.
_F_ACCURACY = 1e-7
#: How far inside a constraint the error is probed to see whether it falls away from it.
_STEP_INSIDE = 1e-4
#: An interior f must beat the constraints by this, relatively: less is rounding.
_WORTHWHILE = 1e-12
#: Sizes solved together, between two updates of the progress bar.
_BLOCK = 16


def pareto_frontier(
    alpha_prune: npt.ArrayLike,
    theta: npt.ArrayLike = 0.0,
    *,
    selection: str | Selection = "hard",
    alpha_tot_max: float | None = None,
    f_min: float | None = None,
    student: str | ConvexLoss = "max-margin",
    margins: Margins | None = None,
    labels: Labels | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Best test error at each `alpha_prune` when the fraction kept is free.

    With a perfect metric and unlimited data the best error is zero (keep ever fewer of ever more
    examples), so a frontier is only defined under a ceiling on `alpha_tot` or a floor on `f`: one of
    them is required. `f` is optimised continuously. On measured data the error has a kink at every
    example; the search is global up to what 65 trial fractions, 16 more next to either end, and their best minima can
    see.

    Parameters
    ----------
    alpha_prune : array_like
        Examples kept per parameter: a number or a vector.
    theta : array_like
        Probe angle in radians: a number or a vector.
    selection : {"hard", "easy", "random"} or Band
        Which examples are kept.
    alpha_tot_max : float, optional
        Ceiling on alpha_tot = alpha_prune / f: the pool holds no more examples.
    f_min : float, optional
        Floor on the fraction kept, in (0, 1].
    student : str or ConvexLoss
        Who is trained, as in `solve`; the lam of a `ConvexLoss` is a number or "optimal" here.
    margins : GaussianMargins or MeasuredMargins, optional
        Distribution along the probe. Default: Gaussian.
    labels : Labels, optional
        How labels come about, as in `solve`. Default: noiseless.
    progress : bool
        Show a progress bar if it takes longer than two seconds.

    Returns
    -------
    xarray.Dataset
        On dimensions "alpha_prune" and "theta" (those given as vectors): `test_error`, the `f` and
        `alpha_tot` that reach it, `test_error_random` (same size, random subset), `R`, `rho`, `kappa`,
        certificates, `status`, for a `ConvexLoss` its `lam`, and `active`: the constraint that holds f there, one of
        "alpha_tot_max", "f_min", "keep most" (all, or as much as the rule can keep), "none" (the
        optimum is interior) or "infeasible" (alpha_prune exceeds the ceiling).

    Raises
    ------
    InvalidInputError
        If neither constraint is given, or an argument lies outside its range.

    Examples
    --------
    >>> import perceptron_theory as pt
    >>> frontier = pt.pareto_frontier([1.5, 3.0, 10.0], theta=0.0, selection="hard", alpha_tot_max=30.0)
    >>> frontier.active.values.tolist()
    ['none', 'alpha_tot_max', 'alpha_tot_max']
    """
    rule = as_selection(selection)
    if isinstance(rule, KeepProbability):
        raise InvalidInputError(
            "selection must be a rule with a free f, got a KeepProbability: it decides f itself; "
            "use solve or learning_curve."
        )
    if alpha_tot_max is None and f_min is None:
        raise InvalidInputError(
            "alpha_tot_max or f_min must be given, got neither: without a ceiling on the pool or a floor on f the best "
            "error at theta = 0 is zero, so there is no frontier."
        )
    ceiling = np.inf
    if alpha_tot_max is not None:
        ceiling = one_number(
            "alpha_tot_max",
            positive("alpha_tot_max", alpha_tot_max, "alpha_tot_max is the size of the pool per parameter"),
        )
    floor = 0.0 if f_min is None else one_number("f_min", kept_fraction("f_min", f_min))
    most = rule.largest_f()
    if floor > most:
        raise InvalidInputError(f"f_min must be at most {most:g} for this band, got {floor:g}: lower one of them.")
    sweep = OuterProduct.of(alpha_prune=alpha_prune, theta=theta)
    sizes, angles = sweep.points()
    one_student(student)
    problem = Problem.of(sizes, most, angles, rule, margins, labels)
    search = _Search(rule, student, margins, labels, ceiling, floor, most)
    blocks = np.array_split(np.arange(problem.alpha_prune.size), -(-problem.alpha_prune.size // _BLOCK))
    parts = [
        search.frontier(problem.alpha_prune[block], problem.theta[block])
        for block in track(blocks, "frontier", progress)
    ]
    fields = {name: sweep.shaped(np.concatenate([part[name] for part in parts])) for name in parts[0]}
    limits = {} if alpha_tot_max is None else {"alpha_tot_max": ceiling}
    limits |= {} if f_min is None else {"f_min": floor}
    return dataset(fields, sweep.coordinates, {"selection": rule.name, **theory(student, labels), **limits})


class _Search:
    """Continuous minimisation of the test error over ln f, for a vector of sizes at once."""

    def __init__(
        self,
        rule: FractionRule,
        student: str | ConvexLoss,
        margins: Margins | None,
        labels: Labels | None,
        ceiling: float,
        floor: float,
        most: float,
    ) -> None:
        self.rule = rule
        self.student = student
        self.margins = margins
        self.labels = labels
        self.ceiling = ceiling
        self.floor = floor
        self.most = most

    def error(self, log_f: FloatArray, alpha: FloatArray, theta: FloatArray) -> FloatArray:
        """Test error; +inf where a point failed, so that the search avoids it."""
        # exp(log(most)) may exceed `most` by a rounding error.
        f = np.minimum(np.exp(log_f), self.most)
        s = self.solve(alpha, f, theta, self.rule)
        return np.asarray(np.where(s.converged, s.test_error, np.inf), dtype=np.float64)

    def solve(self, alpha: FloatArray, f: npt.ArrayLike, theta: FloatArray, rule: str | FractionRule) -> Solution:
        return solve(
            alpha,
            f,
            theta,
            selection=rule,
            student=self.student,
            margins=self.margins,
            labels=self.labels,
            throw=False,
        )

    def frontier(self, alpha: FloatArray, theta: FloatArray) -> dict[str, npt.NDArray[np.generic]]:
        """Fields of the frontier at each size."""
        smallest = np.maximum(alpha / self.ceiling, self.floor)
        feasible = smallest <= self.most * (1.0 + 1e-12)
        low = np.log(np.minimum(smallest, self.most))
        high = np.full_like(low, np.log(self.most))
        log_f = self._minimise(alpha, theta, low, high)
        f = np.minimum(np.exp(log_f), self.most)
        best = self.solve(alpha, f, theta, self.rule)
        random = self.solve(alpha, 1.0, theta, "random")
        active = np.where(log_f == low, np.where(self.floor >= alpha / self.ceiling, "f_min", "alpha_tot_max"), "none")
        active = np.where(log_f == high, "keep most", active)
        active = np.where(feasible, active, "infeasible").astype("<U13")
        fields: dict[str, npt.NDArray[np.generic]] = {
            name: np.where(feasible, getattr(best, name), np.nan)
            for name in ("test_error", "f", "alpha_tot", "R", "rho", "kappa", "lam", "residual", "quadrature_error")
            if hasattr(best, name)
        }
        fields["test_error_random"] = np.where(feasible, random.test_error, np.nan)
        fields["active"] = active
        fields["status"] = np.where(feasible, best.status, np.int8(Status.INFEASIBLE)).astype(np.int8)
        return fields

    def _minimise(self, alpha: FloatArray, theta: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
        """Best ln f in [low, high]: trials, then their local minima to full accuracy; ends are returned exactly."""
        measured = isinstance(self.margins, MeasuredMargins)
        t = np.linspace(0.0, 1.0, _TRIALS_MEASURED if measured else _TRIALS)
        trials = low[:, None] + (high - low)[:, None] * t
        trials[:, -1] = high
        if isinstance(self.margins, MeasuredMargins) and isinstance(self.rule, QuantileRule):
            trials = np.sort(np.concatenate([trials, *self._next_to_ends(self.margins, self.rule, trials)], axis=1))
        errors = self._trial_errors(trials, alpha[:, None], theta[:, None])
        padded = np.pad(errors, ((0, 0), (1, 1)), constant_values=np.inf)
        # Ties go to the larger f: nothing is gained by discarding data.
        minima = (errors < padded[:, 2:]) & (errors <= padded[:, :-2])
        order = np.argsort(np.where(minima, errors, np.inf), axis=1, kind="stable")
        every = np.arange(alpha.size)
        # The constraints themselves are always candidates.
        best = high.copy()
        least = self.error(high, alpha, theta)
        at_low = self.error(low, alpha, theta)
        best, least = np.where(at_low < least, low, best), np.minimum(at_low, least)
        for rank in range(_FOLLOWED):
            j = order[:, rank]
            close = errors[every, j] <= (1.0 + _CLOSE) * errors.min(axis=1)
            rows = np.flatnonzero(minima[every, j] & (close | (not measured)) & (high > low))
            if rows.size == 0:
                break
            found, value = self._follow(alpha[rows], theta[rows], trials[rows], j[rows])
            better = value < least[rows] * (1.0 - _WORTHWHILE)
            better |= (value <= least[rows]) & (found > best[rows])
            best[rows[better]] = found[better]
            least[rows[better]] = value[better]
        return best

    def _next_to_ends(self, margins: MeasuredMargins, rule: QuantileRule, trials: FloatArray) -> Iterator[FloatArray]:
        """More trials where a threshold passes from one example to the next, within their first and last steps."""
        for ends, insides in ((trials[:, 0], trials[:, 1]), (trials[:, -1], trials[:, -2])):
            # Where there are fewer examples than places, the rest stand at equal distances.
            rows = np.linspace(ends, insides, _EDGES_TRIED + 2, axis=1)[:, 1:-1]
            for row, end, inside in zip(rows, ends, insides, strict=True):
                low, high = sorted(np.minimum(np.exp([end, inside]), self.most))
                edges = np.log(margins.edges(rule, low, high))
                nearest = edges[np.argsort(np.abs(edges - end))][:_EDGES_TRIED]
                row[: nearest.size] = nearest
            yield rows

    def _trial_errors(self, log_f: FloatArray, alpha: FloatArray, theta: FloatArray) -> FloatArray:
        if isinstance(self.margins, MeasuredMargins) and self.student == "max-margin":
            return screen(alpha, np.minimum(np.exp(log_f), self.most), theta, self.rule, self.margins)
        return self.error(log_f, alpha, theta)

    def _follow(
        self, alpha: FloatArray, theta: FloatArray, trials: FloatArray, j: npt.NDArray[np.intp]
    ) -> tuple[FloatArray, FloatArray]:
        """Local minimum near trial j: (ln f, test error)."""
        rows = np.arange(alpha.size)
        last = trials.shape[1] - 1
        left = trials[rows, np.maximum(j - 1, 0)]
        right = trials[rows, np.minimum(j + 1, last)]
        # At an end the bracket starts just inside; it is a minimum only if the error falls away from the end.
        inward = np.where(j == 0, _STEP_INSIDE, np.where(j == last, -_STEP_INSIDE, 0.0)) * (right - left)
        middle = trials[rows, j] + inward
        values = self.error(middle, alpha, theta)
        bracketed = (self.error(left, alpha, theta) >= values) & (self.error(right, alpha, theta) >= values)
        bracketed &= (left < middle) & (middle < right)
        best = middle.copy()
        if bracketed.any():
            found = elementwise.find_minimum(
                self.error,
                (left[bracketed], middle[bracketed], right[bracketed]),
                args=(alpha[bracketed], theta[bracketed]),
                tolerances={"xatol": _F_ACCURACY, "xrtol": 0.0, "fatol": 0.0, "frtol": 1e-13},
            )
            better = found.success & (found.f_x < values[bracketed])
            best[bracketed] = np.where(better, found.x, middle[bracketed])
            values[bracketed] = np.where(better, found.f_x, values[bracketed])
        return best, values
