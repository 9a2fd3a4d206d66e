"""A theory with parameters from measured runs, and what it says of runs that were not made."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from perceptron_theory.calibration import forecasts
from perceptron_theory.calibration.crossing import Crossing, crossing
from perceptron_theory.calibration.fitting import Fit, Task
from perceptron_theory.calibration.identifiability import NextRun, Verdict, confused, correlations, next_run, verdict
from perceptron_theory.calibration.intervals import Interval
from perceptron_theory.calibration.parameters import PARAMETERS
from perceptron_theory.calibration.recommending import Recommendation, frontier, recommend
from perceptron_theory.calibration.runs import MOST, Runs, run_rule
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.validation import check_points, number_array, one_number

FloatArray = npt.NDArray[np.float64]

#: A theory does not fit if its misfit is larger than this, and so many times the noise of the runs.
_LARGE_MISFIT, _TIMES_NOISE = 0.1, 3.0


@dataclass(frozen=True, eq=False)
class Calibration:
    """A theory with parameters from runs.

    Attributes
    ----------
    runs : Runs
        What was measured.
    task : Task
        What was fitted to what.
    fit : Fit
        The fit of highest likelihood.
    level : float
        Of intervals and bands.
    intervals : dict of Interval
        By parameter.
    replicates : ndarray or None
        Parameters of bootstrap replicates in the coordinates of the fit; None where intervals are profiles.
    """

    runs: Runs
    task: Task
    fit: Fit
    level: float
    intervals: Mapping[str, Interval]
    replicates: FloatArray | None
    seed: int = field(default=0)

    def value(self, name: str) -> float:
        """Estimate of a parameter, or its value where it was not fitted; NaN where the runs do not tell it.

        Raises
        ------
        InvalidInputError
            If there is no such parameter.
        """
        if name not in PARAMETERS:
            raise InvalidInputError(f"unknown parameter {name!r}: use one of {', '.join(PARAMETERS)}.")
        if name not in self.task.names:
            return self.task.curves.fixed[name]
        told, estimate = self.verdict(name), self.task.values(self.fit.moving)[name]
        end = {"at least": self.intervals[name].high, "at most": self.intervals[name].low}.get(told, math.inf)
        # An estimate at the end of the range is where the search stopped.
        return math.nan if told == "not identifiable" or math.isclose(estimate, end, rel_tol=1e-3) else estimate

    @property
    def N(self) -> float:
        """Effective number of parameters: alpha = P / N."""
        return self.value("N")

    @property
    def theta(self) -> float:
        """Angle between metric and truth, radians."""
        return self.value("theta")

    @property
    def floor(self) -> float:
        """Test error that no number of examples removes."""
        return self.value("floor")

    @property
    def misfit(self) -> float:
        """Relative standard deviation of what the theory misses beyond the noise of the runs."""
        return self.fit.misfit

    @property
    def lack_of_fit(self) -> str:
        """A sentence where the theory misses the runs by much more than their noise; else empty."""
        noise = float(np.median(self.task.noise))
        if self.misfit <= max(_LARGE_MISFIT, _TIMES_NOISE * noise):
            return ""
        return (
            f"The theory does not fit: it misses the runs by {100 * self.misfit:.0f} % beyond their noise of "
            f"{100 * noise:.0f} %."
        )

    def verdict(self, name: str) -> Verdict:
        """Whether the runs bound a parameter: "identified", "at least", "at most" or "not identifiable"."""
        self._check_fitted(name)
        return verdict(name, self.intervals[name])

    def _check_fitted(self, name: str) -> None:
        if name not in self.task.names:
            raise InvalidInputError(
                f"{name!r} was not fitted: use one of {', '.join(self.task.names)}, or add it to free."
            )

    @property
    def parameters(self) -> pd.DataFrame:
        """A row per fitted parameter: value, low, high, verdict."""
        rows = [
            (name, self.value(name), self.intervals[name].low, self.intervals[name].high, self.verdict(name))
            for name in self.task.names
        ]
        return pd.DataFrame(rows, columns=["parameter", "value", "low", "high", "verdict"]).set_index("parameter")

    @property
    def correlations(self) -> pd.DataFrame:
        """Correlation of the estimates."""
        return correlations(self.task, self.fit)

    def next_run(self, parameter: str | None = None) -> NextRun:
        """The run that would shrink the interval of a parameter most; by default of the one known worst.

        Raises
        ------
        InvalidInputError
            If the parameter was not fitted.
        """
        if parameter is not None:
            self._check_fitted(parameter)
        return next_run(self.task, self.fit, parameter)

    @property
    def identifiability(self) -> str:
        """In sentences: what the runs do not tell, what they cannot tell apart, and which run would."""
        sentences = [
            _SENTENCES[self.verdict(name)].format(name=name, at=self.intervals[name]) for name in self.task.names
        ]
        for a, b, r in confused(self.correlations):
            sentences.append(f"{a} and {b} stand and fall together (correlation {r:+.2f}).")
        if any(self.verdict(name) != "identified" for name in self.task.names) or confused(self.correlations):
            sentences.append(f"Next run: {self.next_run()}.")
        return " ".join(sentence for sentence in sentences if sentence)

    @cached_property
    def draws(self) -> FloatArray:
        """Parameters that the runs allow, in the coordinates of the fit: bootstrap replicates, or normal draws."""
        if self.replicates is not None and all(self.verdict(name) == "identified" for name in self.task.names):
            return self.replicates
        return forecasts.draws(self.task, self.fit, self.seed)

    def predict(
        self, sizes: npt.ArrayLike, f: npt.ArrayLike = 1.0, rule: str | Sequence[str] = "random"
    ) -> pd.DataFrame:
        """Test errors expected at pool sizes, fractions kept and rules; they broadcast, with rules outermost.

        Parameters
        ----------
        sizes : array_like
            Examples in the pool.
        f : array_like
            Fraction of them kept, in (0, 1].
        rule : str or sequence of str
            "hard", "easy", "random" or "band:Q".

        Returns
        -------
        DataFrame
            n_total, n_kept, f, selection, test_error, low, high (band of the expected error), run_low, run_high (where
            one such run falls: with misfit and seed noise), alpha_prune.

        Raises
        ------
        InvalidInputError
            If sizes or fractions lie outside their range, or a rule is unknown.
        """
        total = number_array("sizes", sizes, "they are numbers of examples")
        fraction = number_array("f", f, "it is the fraction kept")
        if not np.all((fraction > 0.0) & (fraction <= 1.0)):
            raise InvalidInputError(f"f must lie in (0, 1], got {fraction.ravel().tolist()}: it is the fraction kept.")
        if not np.all((total >= 1.0) & (total <= MOST)):
            raise InvalidInputError(
                f"sizes must be at least 1 and at most {MOST:g}, got {total.ravel().tolist()}: they count examples."
            )
        names = [rule] if isinstance(rule, str) else list(rule) if isinstance(rule, Sequence) else []
        if not names:
            raise InvalidInputError(f"rule must be a name or several, got {rule!r}: hard, easy, random or band:Q.")
        for name in names:
            run_rule(name)
        try:
            shape = np.broadcast_shapes(total.shape, fraction.shape)
        except ValueError:
            raise InvalidInputError(
                f"sizes and f must broadcast, got shapes {total.shape} and {fraction.shape}: give one f, or one each."
            ) from None
        check_points((len(names), *shape))
        pool, part = (np.ravel(np.broadcast_to(x, shape)).astype(np.float64) for x in (total, fraction))
        if not pool.size:
            raise InvalidInputError("sizes and f must not be empty: give a pool and a fraction.")
        kept = np.minimum(np.maximum(np.rint(part * pool), 1.0), pool)
        return self.forecast(np.tile(pool, len(names)), np.tile(kept, len(names)), np.repeat(names, pool.size))

    def expected(self, n_total: FloatArray, n_kept: FloatArray, selection: npt.NDArray[np.str_]) -> FloatArray:
        """Test errors at the estimate; NaN where they depend on what the runs do not tell."""
        return forecasts.expected(self.task, self.fit, self._unknown, n_total, n_kept, selection)

    @property
    def _unknown(self) -> list[int]:
        return [k for k, name in enumerate(self.task.names) if math.isnan(self.value(name))]

    def forecast(self, n_total: FloatArray, n_kept: FloatArray, selection: npt.NDArray[np.str_]) -> pd.DataFrame:
        """The table of `predict` for given runs."""
        return forecasts.forecast(
            self.task, self.fit, self._unknown, self.draws, n_total, n_kept, selection, self.level
        )

    def frontier(self, budget: npt.ArrayLike, *, pool: int | None = None) -> pd.DataFrame:
        """Best expected test error at each number of examples to train on, out of a pool.

        Parameters
        ----------
        budget : array_like of int
            Examples to train on.
        pool : int, optional
            Examples that there are. Default: the largest pool that was measured.

        Returns
        -------
        DataFrame
            A row per budget: n_pool, n_kept, selection, test_error, low, high, random_error, probability, as in
            `Recommendation`.
        """
        return frontier(self, budget, int(self.task.cells.n_total.max()) if pool is None else pool)

    def crossing(
        self,
        rule: str = "hard",
        other: str = "random",
        *,
        pool: float | None = None,
        f: float | None = None,
        sizes: tuple[float, float] | None = None,
    ) -> Crossing:
        """Number of kept examples from which on a rule is better than another.

        Parameters
        ----------
        rule, other : str
            "hard", "easy", "random" or "band:Q".
        pool, f : float, optional
            One pool of which more and more is kept, or one fraction of larger and larger pools.
        sizes : (float, float), optional
            Range of n_kept that is searched. Default: from the smallest that was kept to the largest pool measured,
            or the pool.

        Raises
        ------
        InvalidInputError
            If neither or both of pool and f are given, or the range is none.
        """
        there = self.task.cells.n_total.max() if pool is None else number_array("pool", pool, "it counts examples")
        largest = one_number("pool", np.asarray(there, dtype=np.float64))
        span = sizes or (float(self.task.cells.n_kept.min()), largest)
        return crossing(self, rule, other, pool=pool, f=f, sizes=span)

    def recommend(self, *, pool: int, budget: int | None = None, error: float | None = None) -> Recommendation:
        """What to keep of a pool within a budget, or to reach an error with as few examples as possible.

        Compared are the hardest, the easiest, bands and a random subset, of all of the pool and of random parts of it.
        A random subset is advised unless something else is better with probability 0.8.

        Parameters
        ----------
        pool : int
            Examples that there are, >= 1.
        budget : int, optional
            Most examples to train on, >= 1. Either this or an error.
        error : float, optional
            Test error to reach.

        Raises
        ------
        InvalidInputError
            If neither or both are given, numbers lie outside their range, or the error is out of reach.
        """
        return recommend(self, pool=pool, budget=budget, error=error)

    @property
    def residuals(self) -> pd.DataFrame:
        """A row per different run: measured and calibrated test error, and their difference in standard deviations."""
        c = self.task.cells
        table = pd.DataFrame({"n_total": c.n_total, "n_kept": c.n_kept, "f": c.f, "selection": c.selection})
        table["measured"] = np.exp(c.log_error)
        table["calibrated"] = np.exp(c.log_error - self.fit.residual)
        table["deviation"] = self.fit.residual / self.task.deviations(self.fit.misfit)
        table["repeats"] = c.repeats
        return table


_SENTENCES = {
    "identified": "",
    "at least": "{name} is at least {at.low:.4g}, the runs do not bound it from above.",
    "at most": "{name} is at most {at.high:.4g}, the runs do not bound it from below.",
    "not identifiable": "{name} is not identifiable: all of its range fits.",
}
