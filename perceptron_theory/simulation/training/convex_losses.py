"""Finite students with a convex loss and a ridge penalty, each trained to a certified optimum.

    minimise over w:   sum_mu l(t_mu) + lam N / 2 |w|^2,   t = Z w

Z (P, N) holds the kept examples multiplied by their labels, so that t > 0 is right. Fields are of order 1
and w of order 1/sqrt(N), as in the saddle-point equations; there is no bias.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt
from scipy.linalg import lstsq
from scipy.special import expit

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.simulation.training import box_dual
from perceptron_theory.simulation.training.newton import newton_logistic, solve_positive
from perceptron_theory.simulation.training.trained import Trained, certified, checked_examples, mean_direction
from perceptron_theory.validation import number_array, one_number

FloatArray = npt.NDArray[np.float64]

#: Largest certificate of a trained student.
TOLERANCE: Final = 1e-9

_MEANING: Final = "it is the strength of the penalty lam N / 2 |w|^2"
_ADVICE: Final = "the penalty is too far from the scale of the examples for double precision; take lam nearer to 1"


@dataclass(frozen=True)
class Ridge:
    """Square loss l(t) = (1 - t)^2 / 2.

    Certificate (`Trained.gap`): length of the gradient relative to its length at w = 0.

    Parameters
    ----------
    lam : float
        Strength of the penalty: 0, or in [1e-100, 1e100]. At 0 the student is the least-squares solution of
        smallest norm, which is the limit of lam going to 0; it interpolates where P <= N.

    Raises
    ------
    InvalidInputError
        If `lam` is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> Z = np.array([[1.0, 0.0], [1.0, 2.0]])
    >>> trained = Ridge(1.0).train(Z, np.random.default_rng(0))
    >>> trained.w.round(6), trained.n_support
    (array([0.894427, 0.447214]), 2)
    """

    lam: float
    name: ClassVar[str] = "ridge"

    def __post_init__(self) -> None:
        _check_penalty("Ridge.lam", self.lam, zero=True)

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
        scale = float(np.linalg.norm(mean_direction(Z)))
        c = self.lam * Z.shape[1]
        if c == 0.0:
            w = np.asarray(lstsq(Z, np.ones(Z.shape[0]))[0])
        else:
            basis, X = _in_few_coordinates(Z)
            w = basis @ solve_positive(X.T @ X + c * np.eye(X.shape[1]), X.sum(axis=0))
        gradient = c * w - Z.T @ (1.0 - Z @ w)
        gap = float(np.linalg.norm(gradient)) / scale
        return certified(self.name, w, gap, TOLERANCE, Z.shape[0], _ADVICE)


@dataclass(frozen=True)
class Logistic:
    """Logistic loss l(t) = ln(1 + exp(-t)).

    Certificate (`Trained.gap`): duality gap relative to the primal value, or to what was gained over w = 0
    where that is less. At the dual point a = -l'(t) it is |gradient|^2 / (2 lam N).

    Parameters
    ----------
    lam : float
        Strength of the penalty, in [1e-100, 1e100]: without it the weights of separable examples have no bound.

    Raises
    ------
    InvalidInputError
        If `lam` is out of range.
    """

    lam: float
    name: ClassVar[str] = "logistic"

    def __post_init__(self) -> None:
        _check_penalty("Logistic.lam", self.lam)

    def train(self, Z: FloatArray, rng: np.random.Generator) -> Trained:
        """The minimiser for the examples `Z`, by Newton's method; `rng` is not used.

        Raises
        ------
        InvalidInputError
            If `Z` is not a finite matrix, or its examples cancel.
        UncertifiedError
            If the certificate exceeds 1e-9.
        """
        Z = checked_examples(Z)
        mean_direction(Z)
        c = self.lam * Z.shape[1]
        basis, X = _in_few_coordinates(Z)
        w = basis @ newton_logistic(X, c)
        t = Z @ w
        gradient = c * w - Z.T @ expit(-t)
        primal = float(np.logaddexp(0.0, -t).sum() + 0.5 * c * (w @ w))
        scale = min(primal, t.size * float(np.log(2.0)) - primal)
        gap = float(gradient @ gradient) / (2.0 * c * scale) if scale > 0.0 else np.inf
        return certified(self.name, w, gap, TOLERANCE, t.size, _ADVICE)


@dataclass(frozen=True)
class Hinge:
    """Hinge loss l(t) = max(0, 1 - t): the soft-margin support vector machine without bias.

    Certificate (`Trained.gap`): duality gap relative to the primal value, or to what was gained over w = 0
    where that is less. `Trained.n_support` counts the examples that hold w: those with t < 1, and those on t = 1
    whose dual variable is not zero.

    Parameters
    ----------
    lam : float
        Strength of the penalty, in [1e-100, 1e100]. On separable examples the student is the max-margin one
        from some small `lam` downwards.

    Raises
    ------
    InvalidInputError
        If `lam` is out of range.
    """

    lam: float
    name: ClassVar[str] = "hinge"

    def __post_init__(self) -> None:
        _check_penalty("Hinge.lam", self.lam)

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
        mean_direction(Z)
        c = self.lam * Z.shape[1]
        basis, X = _in_few_coordinates(Z)
        inside, a = box_dual.solve(X, c)
        w = basis @ inside
        gap = box_dual.relative_gap(Z, c, box_dual.Pair(w, a))
        return certified(self.name, w, gap, TOLERANCE, int(np.count_nonzero(a)), _ADVICE)


def _check_penalty(name: str, lam: float, zero: bool = False) -> None:
    """Refuses what is no penalty, and what would overflow."""
    value = one_number(name, number_array(name, lam, _MEANING))
    if not (1e-100 <= value <= 1e100 or (zero and value == 0.0)):
        allowed = "be 0 or lie" if zero else "lie"
        raise InvalidInputError(f"{name} must {allowed} in [1e-100, 1e100], got {value:g}: {_MEANING}.")


def _in_few_coordinates(Z: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Orthonormal columns B that span the examples, and X with Z = X B^T: the minimiser lies in that span."""
    if Z.shape[0] >= Z.shape[1]:
        return np.eye(Z.shape[1]), Z
    basis, triangle = np.linalg.qr(Z.T)
    return basis, np.ascontiguousarray(triangle.T)
