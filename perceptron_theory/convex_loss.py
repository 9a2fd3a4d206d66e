"""Students that minimise a convex loss with a ridge penalty: one description for theory and simulation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

import numpy as np
import numpy.typing as npt

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.validation import number_array, positive

FloatArray = npt.NDArray[np.float64]

LOSSES: Final = ("logistic", "hinge", "square", "squared-hinge")

#: Margins at which keep probabilities are probed.
_PROBED: Final = np.linspace(-6.0, 6.0, 12_001)

Loss = Literal["logistic", "hinge", "square", "squared-hinge"]


@dataclass(frozen=True, eq=False)
class ConvexLoss:
    """The student that minimises a convex loss over the kept examples, with a ridge penalty.

        minimise over w:   sum_mu v_mu l(y_mu w.x_mu) + lam N / 2 |w|^2

    with fields w.x of order 1, hence w of order 1 / sqrt(N), no bias, and weights v_mu = 1 unless `reweight`. `penalty`
    translates from other normalisations.

    Parameters
    ----------
    loss : {"logistic", "hinge", "square", "squared-hinge"}
        l(t) = ln(1 + exp(-t)), (1 - t)_+, (1 - t)^2 / 2, or (1 - t)_+^2 / 2.
    lam : float, array_like or "optimal"
        Strength of the penalty, >= 0; an array broadcasts with the problem. 0 is the limit lam -> 0: the minimum of the
        loss where the kept data cannot be separated; where they can, the max-margin student (logistic, hinge,
        squared hinge) or the interpolator of smallest norm (square). "optimal" minimises the test error (theory only);
        it may be infinite.
    reweight : bool
        Weight each kept example by the inverse of its keep probability.

    Raises
    ------
    InvalidInputError
        If the loss is unknown or lam negative.

    Examples
    --------
    >>> import perceptron_theory as pt
    >>> pt.ConvexLoss("logistic", lam=0.1)
    ConvexLoss(loss='logistic', lam=0.1, reweight=False)
    """

    loss: Loss
    lam: npt.ArrayLike
    reweight: bool = False
    name: ClassVar[str] = "convex-loss"

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise InvalidInputError(f"unknown loss {self.loss!r}: use one of {', '.join(map(repr, LOSSES))}.")
        if self.reweight is not True and self.reweight is not False:
            raise InvalidInputError(f"reweight must be True or False, got {self.reweight!r}.")
        if isinstance(self.lam, str):
            if self.lam != "optimal":
                raise InvalidInputError(f"lam must be a number >= 0 or 'optimal', got {self.lam!r}.")
            return
        lam = number_array("lam", self.lam, "it is the strength of the penalty lam N / 2 |w|^2")
        inside = (lam >= 0.0) & np.isfinite(lam)
        if not inside.all():
            raise InvalidInputError(
                f"lam must be >= 0 and finite, got {lam[~inside].flat[0]:g}: it is the strength of the penalty "
                "lam N / 2 |w|^2; 0 is the limit of a vanishing penalty."
            )

    @property
    def optimal(self) -> bool:
        """Whether lam is to be chosen."""
        return isinstance(self.lam, str)


def one_student(student: str | ConvexLoss) -> None:
    """Refuse several penalties where a sweep is of one student.

    Raises
    ------
    InvalidInputError
        If the penalty of a `ConvexLoss` is an array.
    """
    if isinstance(student, ConvexLoss) and not student.optimal and np.ndim(student.lam):
        raise InvalidInputError(
            f"lam must be a number or 'optimal' here, got {student.lam!r}: a sweep is of one student; use solve for "
            "arrays that broadcast."
        )


def check_weights(keep: Callable[[FloatArray], FloatArray]) -> None:
    """Refuse weights 1 / k where some examples are never kept: no weight makes up for what is not there.

    Raises
    ------
    InvalidInputError
        If the keep probability `keep` is 0 at a margin that data have.
    """
    never = _PROBED[keep(_PROBED) == 0.0]
    if never.size:
        raise InvalidInputError(
            f"reweight needs a keep probability above 0 everywhere, got 0 at margin {never[0]:g}: what is never kept "
            "has no weight 1 / 0; keep a little of everything, or leave reweight out."
        )


def penalty(
    lam: npt.ArrayLike,
    per: str,
    *,
    alpha_prune: npt.ArrayLike | None = None,
    alpha_tot: npt.ArrayLike | None = None,
    N: int | None = None,
) -> FloatArray:
    """The `lam` of `ConvexLoss` from the penalty lam / 2 |w|^2 in another normalisation of the loss.

    Inputs have unit variance in every direction, as everywhere here.

    Parameters
    ----------
    lam : array_like
        Their penalty, in front of |w|^2 / 2.
    per : {"kept example", "pool example", "sum"}
        Whether their loss of the kept examples is divided by the number kept (then `alpha_prune` is needed: our lam is
        alpha_prune times theirs), by the number in the pool (`alpha_tot`), or not at all (`N`: a share 1 / N of theirs,
        as for ``C = 1 / lam`` of scikit-learn).
    alpha_prune, alpha_tot : array_like, optional
        Examples kept, and before pruning, per parameter.
    N : int, optional
        Number of parameters.

    Returns
    -------
    ndarray

    Raises
    ------
    InvalidInputError
        If `per` is unknown, or what it needs is missing.

    Examples
    --------
    >>> from perceptron_theory.convex_loss import penalty
    >>> float(penalty(0.001, "pool example", alpha_tot=2.0))
    0.002
    """
    needed = {"kept example": ("alpha_prune", alpha_prune), "pool example": ("alpha_tot", alpha_tot), "sum": ("N", N)}
    if per not in needed:
        raise InvalidInputError(f"unknown normalisation {per!r}: use one of {', '.join(map(repr, needed))}.")
    name, value = needed[per]
    if value is None:
        raise InvalidInputError(f"{name} is required for a loss per {per}: the map depends on it.")
    factor = positive(name, value, "the map of penalties depends on it")
    strength = number_array("lam", lam, "it is the strength of the penalty")
    return np.asarray(strength / factor if per == "sum" else strength * factor)
