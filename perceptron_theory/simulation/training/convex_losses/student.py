"""The student that minimises a convex loss, as `simulate` trains it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from perceptron_theory.convex_loss import ConvexLoss, check_weights
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.margins.selection import KeepProbability, Selection
from perceptron_theory.simulation.training.convex_losses import hinge, logistic, square, squared_hinge
from perceptron_theory.simulation.training.convex_losses.minimum import Minimum
from perceptron_theory.simulation.training.hard_margin.solver import MaxMargin
from perceptron_theory.simulation.training.trained import (
    Trained,
    UncertifiedError,
    certified,
    checked_examples,
    mean_direction,
)
from perceptron_theory.validation import number_array

FloatArray = npt.NDArray[np.float64]

#: Largest certificate of a trained student.
TOLERANCE: Final = 1e-9

_ADVICE: Final = "the penalty is too far from the scale of the examples for double precision; take lam nearer to 1"
_ADVICE_WITHOUT_PENALTY: Final = (
    "the examples are separable only just, or in part, or leave the minimum a choice; take lam > 0"
)


class _Method(NamedTuple):
    """A loss, its minimiser given (Z, v, c), and the length of its student without penalty on separable data.

    That student is the max-margin one, and its length a function of its margin; None if it is no special case.
    """

    loss: Callable[[FloatArray], FloatArray]
    minimise: Callable[[FloatArray, FloatArray, float], Minimum]
    separating_length: Callable[[float], float] | None


def _reaches_one(margin: float) -> float:
    """The shortest student without loss: all t >= 1."""
    return 1.0 / margin


def _grows(margin: float) -> float:
    """No student is without loss."""
    return np.inf


_METHODS: Final = {
    "square": _Method(square.loss, square.minimise, None),
    "logistic": _Method(logistic.loss, logistic.minimise, _grows),
    "hinge": _Method(hinge.loss, hinge.minimise, _reaches_one),
    "squared-hinge": _Method(squared_hinge.loss, squared_hinge.minimise, _reaches_one),
}


@dataclass(frozen=True)
class LossMinimiser:
    """The minimiser of `ConvexLoss`, with a certificate.

    Certificate (`Trained.gap`): for the square loss the length of the gradient relative to its length at w = 0; for
    the others the duality gap relative to the value or to what was gained over w = 0, whichever is smaller. With
    lam = 0 the gap of the two hinges is what weights no farther than |w| from w could gain, and w must be the only
    minimum. Without penalty all but the square loss first try the max-margin student, whose certificate it then is.
    Only the right one of the two certificates can be had: separable data have no minimum above 0.

    `Trained.n_support` counts the examples that hold w: all for the square and the logistic loss, else those with
    t < 1, and for the hinge those on t = 1 whose dual variable is not zero.

    Parameters
    ----------
    loss : ConvexLoss
        What is minimised, with one number for lam.
    keep : KeepProbability, optional
        An example has the weight 1 / k(m), where m is its first coordinate. Default: 1.

    Examples
    --------
    >>> import numpy as np
    >>> Z = np.array([[1.0, 0.0], [1.0, 2.0]])
    >>> trained = LossMinimiser(ConvexLoss("square", 1.0)).train(Z, np.random.default_rng(0))
    >>> trained.w.round(6), trained.n_support
    (array([0.894427, 0.447214]), 2)
    """

    loss: ConvexLoss
    keep: KeepProbability | None = field(default=None, repr=False)

    @classmethod
    def of(cls, loss: ConvexLoss, selection: Selection) -> LossMinimiser:
        """The student for data kept by `selection`.

        Raises
        ------
        InvalidInputError
            If lam is not one number, 0 or in [1e-100, 1e100], or weights 1 / k are asked for where k is 0.
        """
        if loss.optimal:
            raise InvalidInputError(
                "ConvexLoss.lam must be a number in a simulation, got 'optimal': solve says which is best; pass that."
            )
        meaning = "it is the strength of the penalty lam N / 2 |w|^2"
        lam = number_array("ConvexLoss.lam", loss.lam, meaning)
        if lam.ndim:
            raise InvalidInputError(
                f"ConvexLoss.lam must be one number in a simulation, got an array of shape {lam.shape}: simulate one "
                "after the other."
            )
        if not (lam == 0.0 or 1e-100 <= lam <= 1e100):
            raise InvalidInputError(f"ConvexLoss.lam must be 0 or lie in [1e-100, 1e100], got {lam:g}: {meaning}.")
        keep = selection if loss.reweight and isinstance(selection, KeepProbability) else None
        if keep is not None:
            check_weights(keep)
        return cls(ConvexLoss(loss.loss, float(lam), loss.reweight), keep)

    @property
    def name(self) -> str:
        """Name of the loss."""
        return self.loss.loss

    def train(self, Z: FloatArray, rng: np.random.Generator) -> Trained:
        """The minimiser for the examples `Z`; `rng` is not used.

        Raises
        ------
        InvalidInputError
            If `Z` is not a finite matrix, or its examples cancel.
        UncertifiedError
            If the certificate exceeds 1e-9.
        """
        Z = checked_examples(Z)
        v = np.ones(Z.shape[0]) if self.keep is None else 1.0 / self.keep(Z[:, 0])
        mean_direction(Z, v)
        method = _METHODS[self.loss.loss]
        c = float(np.asarray(self.loss.lam)) * Z.shape[1]
        if c == 0.0 and method.separating_length is not None:
            try:
                best = MaxMargin().train(Z, rng)
            except UncertifiedError:
                pass
            else:
                return best._replace(norm=method.separating_length(float((Z @ best.w).min())), loss=0.0)
        found = method.minimise(Z, v, c)
        advice = _ADVICE if c > 0.0 else _ADVICE_WITHOUT_PENALTY
        trained = certified(self.name, found.w, found.gap, TOLERANCE, found.n_support, advice)
        return trained._replace(norm=float(np.linalg.norm(found.w)), loss=float(method.loss(Z @ found.w).mean()))
