"""The maximum-margin student: identify its support, finish exactly, prove it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from perceptron_theory.compiling import kernel
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.simulation.training.hard_margin.active_set import finish
from perceptron_theory.simulation.training.hard_margin.interior_point import approach
from perceptron_theory.simulation.training.hard_margin.sums import row_dot
from perceptron_theory.simulation.training.hard_margin.sweeps import identify
from perceptron_theory.simulation.training.trained import Trained, certified, check_finite, matrix_of_examples

FloatArray = npt.NDArray[np.float64]

#: Largest relative duality gap of a certified student.
TOLERANCE: Final = 1e-9

#: Squares of larger entries overflow, squares of inverses vanish.
_LARGEST: Final = 1e140

_ADVICE: Final = (
    "no w may have Z w > 0, or only one with a margin too small for double precision; check that labels come from a "
    "teacher without noise, or use a convex loss"
)


@dataclass(frozen=True)
class MaxMargin:
    """The unit vector w that maximises min(Z w): a hard-margin support vector machine without bias.

    Coordinate ascent finds the supporting examples (`sweeps`), or an interior-point method where it would
    take too long (`interior_point`); an active-set method finishes exactly (`active_set`).

    Certificate (`Trained.gap`): relative duality gap. For any a >= 0 no unit vector has a margin above
    |Z^T a| / sum(a), so that ``gap = (|Z^T a| / sum(a)) / min(Z w) - 1`` bounds what w lacks to the best
    margin. (The overlap R alone hides bad solutions where the kept data are hard.)

    Examples
    --------
    >>> import numpy as np
    >>> Z = np.array([[1.0, 1.0], [1.0, -1.0], [3.0, 0.0]])
    >>> trained = MaxMargin().train(Z, np.random.default_rng(0))
    >>> trained.w.round(6), trained.n_support
    (array([1., 0.]), 2)
    """

    name: ClassVar[str] = "max-margin"

    def train(self, Z: FloatArray, rng: np.random.Generator) -> Trained:
        """The solution for the examples `Z`, shape (P, N), each multiplied by its label; `rng` is not used.

        Raises
        ------
        InvalidInputError
            If `Z` is not a finite matrix, or its entries are so large or small that their squares are not.
        UncertifiedError
            If the duality gap exceeds 1e-9, for example because no w has Z w > 0.
        """
        Z = matrix_of_examples(Z)
        P, N = Z.shape
        a, w = np.zeros(P), np.zeros(N)
        rounds = 1000.0 + 20.0 * N
        gap, n_support = _attempt(Z, a, w, rounds)
        if n_support == 0 and a.any():
            approach(Z, a)
            finish(Z, a, w, rounds)
            gap, n_support = _gap(Z, a, w), int(np.count_nonzero(a))
        if not gap <= TOLERANCE:
            check_finite(Z)
            _check_scale(Z)
        return certified(self.name, w, gap, TOLERANCE, n_support, _ADVICE)


def _check_scale(Z: FloatArray) -> None:
    """Refuse examples whose squared lengths overflow or vanish."""
    largest = float(np.abs(Z).max())
    if largest > _LARGEST or 0.0 < largest < 1.0 / _LARGEST:
        raise InvalidInputError(
            f"entries of Z must be between 1e-140 and 1e140 in size, got at most {largest:g}: rescale Z, "
            "which does not change the direction of the student."
        )


@kernel
def _attempt(Z: FloatArray, a: FloatArray, w: FloatArray, rounds: float) -> tuple[float, int]:
    """Solve without the interior-point method, if that goes quickly: gap and size of the support, else (inf, 0)."""
    norms = np.empty(a.size)
    for i in range(a.size):
        norms[i] = row_dot(Z, i, Z[i])
    if np.isfinite(norms.sum()) and identify(Z, norms, a) and finish(Z, a, w, rounds):
        return _gap(Z, a, w), (a > 0.0).sum()
    return np.inf, 0


@kernel
def _gap(Z: FloatArray, a: FloatArray, w: FloatArray) -> float:
    """Relative duality gap of any w and any a >= 0, from scratch. Infinite if w does not separate."""
    bound = np.zeros(w.size)
    total = 0.0
    for i in range(a.size):
        value = a[i]
        if value > 0.0:
            total += value
            for k in range(w.size):
                bound[k] += value * Z[i, k]
    margin = np.dot(Z, w).min() / np.sqrt(np.dot(w, w))
    return np.sqrt(np.dot(bound, bound)) / total / margin - 1.0 if margin > 0.0 else np.inf
