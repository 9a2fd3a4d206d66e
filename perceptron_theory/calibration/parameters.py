"""What can be fitted to runs: names, ranges, and the coordinates in which a fit moves."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from perceptron_theory.convex_loss import ConvexLoss
from perceptron_theory.errors import InvalidInputError

FloatArray = npt.NDArray[np.float64]


class Parameter(NamedTuple):
    """Something that runs may tell.

    Attributes
    ----------
    name : str
    logarithmic : bool
        Whether a fit moves in its logarithm.
    low, high : float
        Range that is searched.
    default : float
        Value where it is not fitted; NaN if it has to be given or fitted.
    starts : tuple of float
        Where searches begin.
    scale : float
        A step that changes the curves noticeably.
    """

    name: str
    logarithmic: bool
    low: float
    high: float
    default: float
    starts: tuple[float, ...]
    scale: float


PARAMETERS: Final[dict[str, Parameter]] = {
    one.name: one
    for one in (
        Parameter("N", True, math.nan, math.nan, math.nan, (), 1.0),
        Parameter("theta", False, 0.0, 0.5 * math.pi, math.nan, (0.25, 0.9), 0.3),
        Parameter("floor", False, 0.0, math.nan, 0.0, (), 0.03),
        Parameter("scale", True, 0.1, 10.0, 1.0, (1.0,), 0.3),
        Parameter("exponent", True, 0.1, 2.0, 1.0, (1.0,), 0.3),
        Parameter("lam", True, 1e-6, 1e3, math.nan, (1e-2, 1.0), 1.0),
        Parameter("flip", False, 0.0, 0.45, 0.0, (0.05,), 0.05),
    )
}
#: Of ConvexLoss students only.
CONVEX_ONLY: Final = ("lam", "flip")

#: Values that may be held fixed, the upper end excluded; floors below chance.
FIXED_RANGES: Final = {
    "N": (1e-12, math.inf),
    "theta": (0.0, 0.5 * math.pi * (1.0 + 1e-12)),
    "floor": (0.0, 1.0),
    "scale": (1e-6, 1e3),
    "exponent": (1e-6, 10.0),
    "lam": (0.0, math.inf),
    "flip": (0.0, 0.5),
}

#: N is searched where examples kept per parameter lie between these, for the largest and the smallest run.
ALPHA_LOW, ALPHA_HIGH = 1e-3, 1e5


def parameters_for(
    free: tuple[str, ...], student: str | ConvexLoss, n_kept: FloatArray, smallest_error: float, chance: float
) -> list[Parameter]:
    """The parameters to fit, with their ranges for these runs.

    Parameters
    ----------
    free : tuple of str
        Names.
    student : "max-margin" or ConvexLoss
        What lies behind the runs.
    n_kept : ndarray
        Examples kept in the runs.
    smallest_error, chance : float
        Smallest mean test error of the runs, and the error of guessing.

    Raises
    ------
    InvalidInputError
        If a name is unknown, occurs twice, or this student has no such parameter.
    """
    for name in free:
        if name not in PARAMETERS:
            raise InvalidInputError(f"unknown parameter {name!r}: free may hold {', '.join(PARAMETERS)}.")
        if name in CONVEX_ONLY and not isinstance(student, ConvexLoss):
            raise InvalidInputError(
                f"the {student} student has no {name}: fit ConvexLoss, such as ConvexLoss('logistic', 0.1)."
            )
    if len(set(free)) < len(free):
        raise InvalidInputError(f"free must not repeat itself, got {free!r}: name each parameter once.")
    own = {
        "N": _n_range(PARAMETERS["N"], n_kept),
        "floor": PARAMETERS["floor"]._replace(high=0.95 * chance, starts=(0.5 * smallest_error,)),
    }
    return [own.get(name, PARAMETERS[name]) for name in free]


def _n_range(N: Parameter, n_kept: FloatArray) -> Parameter:
    low, high = float(n_kept.max()) / ALPHA_HIGH, float(n_kept.min()) / ALPHA_LOW
    middle = math.sqrt(float(n_kept.min()) * float(n_kept.max()))
    return N._replace(low=low, high=max(high, 10.0 * low), starts=(middle / 30.0, middle / 3.0))


def to_moving(parameters: list[Parameter], values: FloatArray) -> FloatArray:
    """Coordinates in which a fit moves."""
    return np.array([math.log(x) if one.logarithmic else x for one, x in zip(parameters, values, strict=True)])


def from_moving(parameters: list[Parameter], moving: FloatArray) -> FloatArray:
    """Values at these coordinates."""
    return np.array([math.exp(u) if one.logarithmic else u for one, u in zip(parameters, moving, strict=True)])


def moving_range(parameters: list[Parameter]) -> tuple[FloatArray, FloatArray]:
    """Ends of the range in these coordinates."""
    ends = [np.array([getattr(one, end) for one in parameters]) for end in ("low", "high")]
    low, high = (to_moving(parameters, np.where(end > 0.0, end, 0.0)) if end.size else end for end in ends)
    return low, high
