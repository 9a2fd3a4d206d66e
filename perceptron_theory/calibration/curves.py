"""Test errors of runs as the theory has them, and their derivatives in what is fitted.

    alpha_prune = (n_kept / N)^exponent
    error = floor + 2 scale (chance - floor) epsilon(alpha_prune, f, theta)

with epsilon the test error of the perceptron in two classes, at most 1/2. scale 1 makes a student without data guess.
exponent 1 is the theory; below 1 it is an empirical stretch: the effective number of parameters grows with the data,
as N (n_kept / N)^(1 - exponent), as it does where inputs have a broad spectrum.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from perceptron_theory.analyses.gradients import ErrorGradient, error_gradient
from perceptron_theory.calibration.cells import by_rule
from perceptron_theory.convex_loss import ConvexLoss
from perceptron_theory.labels import Labels
from perceptron_theory.margins.distributions import Margins
from perceptron_theory.margins.selection import FractionRule
from perceptron_theory.solving.saddle_point import solve

FloatArray = npt.NDArray[np.float64]

#: Parameters by name: numbers, or columns of several vectors of them.
Values = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Curves:
    """The theory of a student, with what is not fitted.

    Attributes
    ----------
    student : "max-margin" or ConvexLoss
        Its lam is replaced where lam is fitted.
    chance : float
        Test error of guessing.
    margins : GaussianMargins, MeasuredMargins or None
        Of the data along the probe; None is Gaussian.
    fixed : dict
        Values of parameters that are not fitted.
    """

    student: str | ConvexLoss
    chance: float
    margins: Margins | None
    fixed: dict[str, float]

    def at(self, values: Values) -> Values:
        """All parameters, fixed and fitted."""
        return {**self.fixed, **values}

    def alpha(self, n: FloatArray, values: Values) -> FloatArray:
        """Examples per parameter."""
        at = self.at(values)
        return np.asarray((n / at["N"]) ** at["exponent"], dtype=np.float64)

    def errors(
        self, n_total: FloatArray, n_kept: FloatArray, selection: npt.NDArray[np.str_], values: Values
    ) -> FloatArray:
        """Test errors; NaN where the solver gives none. Values of shape (m, 1) give (m, n) errors; flip is a number."""
        at = self.at(values)
        alpha, f = self.alpha(n_kept, values), n_kept / n_total
        epsilon = np.empty(np.broadcast_shapes(alpha.shape, np.shape(at["theta"]), np.shape(at["lam"]), f.shape))
        for rule, here in by_rule(selection):
            epsilon[..., here] = self._solved(alpha[..., here], f[here], rule, at)
        return np.asarray(at["floor"] + self._range(at) * epsilon)

    def gradients(
        self,
        n_total: FloatArray,
        n_kept: FloatArray,
        selection: npt.NDArray[np.str_],
        values: Values,
        names: tuple[str, ...],
    ) -> tuple[FloatArray, FloatArray]:
        """Test errors and their derivatives, shape (n, len(names)), by the implicit function theorem."""
        at = self.at(values)
        alpha, f = self.alpha(n_kept, values), n_kept / n_total
        epsilon, slopes = np.empty(n_kept.size), np.zeros((n_kept.size, len(names)))
        for rule, here in by_rule(selection):
            found = self._gradient(alpha[here], f[here], rule, at)
            epsilon[here] = found.solution.test_error
            by_alpha = found.alpha_prune * alpha[here]
            own = {
                "N": -by_alpha * at["exponent"] / at["N"],
                "exponent": by_alpha * np.log(n_kept[here] / at["N"]),
                "theta": found.theta,
                "lam": found.lam,
                "flip": found.flip,
            }
            for column, name in enumerate(names):
                if name in own:
                    slopes[here, column] = own[name]
        slopes *= self._range(at)
        outside = {"floor": 1.0 - 2.0 * at["scale"] * epsilon, "scale": 2.0 * (self.chance - at["floor"]) * epsilon}
        for column, name in enumerate(names):
            if name in outside:
                slopes[:, column] = outside[name]
        return at["floor"] + self._range(at) * epsilon, slopes

    def levers(
        self, n_total: FloatArray, n_kept: FloatArray, selection: npt.NDArray[np.str_], values: Values
    ) -> FloatArray:
        """sqrt(1 + s^2) with s = d ln(error) / d ln(n), see `fitting`; 1 where the solver has no answer."""
        error, slope = self.gradients(n_total, n_kept, selection, values, ("N",))
        steep = np.nan_to_num(slope[:, 0] * self.at(values)["N"] / error)
        return np.asarray(np.sqrt(1.0 + steep**2))

    def _range(self, at: Values) -> Any:
        return 2.0 * at["scale"] * (self.chance - at["floor"])

    def _student(self, at: Values) -> str | ConvexLoss:
        if isinstance(self.student, ConvexLoss) and not np.isnan(at["lam"]).any():
            return replace(self.student, lam=at["lam"])
        return self.student

    def _labels(self, at: Values) -> Labels | None:
        return Labels(flip=at["flip"]) if at["flip"] > 0.0 else None

    def _solved(self, alpha: FloatArray, f: FloatArray, rule: FractionRule, at: Values) -> FloatArray:
        found = solve(
            alpha, f, at["theta"], selection=rule, student=self._student(at), labels=self._labels(at),
            margins=self.margins, throw=False,
        )  # fmt: skip
        return np.asarray(found.test_error)

    def _gradient(self, alpha: FloatArray, f: FloatArray, rule: FractionRule, at: Values) -> ErrorGradient:
        return error_gradient(
            alpha,
            f,
            at["theta"],
            selection=rule,
            student=self._student(at),
            labels=self._labels(at),
            margins=self.margins,
        )
