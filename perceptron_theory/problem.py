"""What is being solved, in the paper's names; theory and simulation read the same description."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.labels import NOISELESS, Labels
from perceptron_theory.margins.distributions import GaussianMargins, Margins, MeasuredMargins
from perceptron_theory.margins.selection import KeepProbability, QuantileRule, Selection, as_selection
from perceptron_theory.validation import check_points, kept_fraction, positive, probe_angle

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Problem:
    """A set of pruned teacher-student problems, one per entry of the broadcast arrays.

    Parameters
    ----------
    alpha_prune : ndarray
        Examples kept per parameter, P / N.
    f : ndarray
        Fraction kept. NaN where a keep probability decides it.
    theta : ndarray
        Angle between probe and teacher, radians.
    selection : Selection
        Which examples are kept.
    margins : GaussianMargins or MeasuredMargins
        Distribution of the unpruned data along the probe.
    labels : Labels
        How the labels of the examples come about.
    """

    alpha_prune: FloatArray
    f: FloatArray
    theta: FloatArray
    selection: Selection
    margins: Margins = field(default_factory=GaussianMargins)
    labels: Labels = NOISELESS

    @property
    def shape(self) -> tuple[int, ...]:
        """Common shape of the three arrays."""
        return self.alpha_prune.shape

    @classmethod
    def of(
        cls,
        alpha_prune: npt.ArrayLike,
        f: npt.ArrayLike | None,
        theta: npt.ArrayLike,
        selection: str | Selection = "hard",
        margins: Margins | None = None,
        labels: Labels | None = None,
    ) -> Problem:
        """Validate and broadcast.

        Raises
        ------
        InvalidInputError
            If a value lies outside its range, shapes do not broadcast, or `f` is missing for a rule
            that needs it or given for one that decides it.
        """
        rule = as_selection(selection)
        margins = GaussianMargins() if margins is None else margins
        if not isinstance(margins, (GaussianMargins, MeasuredMargins)):
            raise InvalidInputError(
                f"margins must be GaussianMargins or MeasuredMargins, got {type(margins).__name__}: "
                "use Scores.margins(...) to turn scores into margins."
            )
        labels = NOISELESS if labels is None else labels
        if not isinstance(labels, Labels):
            raise InvalidInputError(f"labels must be Labels(...), got {labels!r}: say how labels come about.")
        if isinstance(margins, MeasuredMargins) and margins.signed and not labels.noiseless:
            raise InvalidInputError(
                "labels must be left out with signed margins, got noisy ones: measured signed margins carry their "
                "labels, noise included; pass magnitudes (signed=False) to have labels drawn."
            )
        alpha = positive("alpha_prune", alpha_prune, "alpha_prune is the number of examples kept per parameter")
        angle = probe_angle(theta)
        if isinstance(rule, KeepProbability):
            if f is not None:
                raise InvalidInputError(
                    f"f must be left out for a keep probability, got {f!r}: the rule itself decides the fraction "
                    "kept, f = E[k(m)]."
                )
            fraction = np.array(np.nan)
        elif f is None:
            raise InvalidInputError(
                f"f is required for selection {rule.name!r}: pass the fraction of examples to keep, in (0, 1]."
            )
        else:
            fraction = kept_fraction("f", f)
            if isinstance(rule, QuantileRule) and fraction.size:
                rule.window(float(fraction.max()))
        try:
            shape = np.broadcast_shapes(alpha.shape, fraction.shape, angle.shape)
        except ValueError:
            raise InvalidInputError(
                f"alpha_prune, f and theta must broadcast, got shapes {alpha.shape}, {fraction.shape}, {angle.shape}: "
                "add axes with numpy.newaxis, or use learning_curve for an outer product."
            ) from None
        check_points(shape)
        alpha, fraction, angle = (np.broadcast_to(a, shape).copy() for a in (alpha, fraction, angle))
        with np.errstate(over="ignore"):
            beyond = np.isinf(alpha / fraction)  # a keep probability, whose fraction is NaN, is not infinite
        if beyond.any():
            raise InvalidInputError(
                f"alpha_prune / f must be finite, got {alpha[beyond].flat[0]:g} / {fraction[beyond].flat[0]:g}: it is "
                "the number of examples before pruning per parameter; take a larger f or a smaller alpha_prune."
            )
        if isinstance(margins, MeasuredMargins):
            margins.check_theta(float(angle.min()) if angle.size else 1.0, labels.link == "sign")
        return cls(alpha, fraction, angle, rule, margins, labels)
