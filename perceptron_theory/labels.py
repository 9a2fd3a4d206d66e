"""How labels come about: by the sign of the teacher's field, or with noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import expit, ndtr

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.validation import number_array, one_number

FloatArray = npt.NDArray[np.float64]

LINKS: Final = ("sign", "probit", "logistic")


@dataclass(frozen=True)
class Labels:
    """Labels y = +-1 with P(y = 1 | x) = flip + (1 - 2 flip) F(slope A), A = T.x / |T| the field of the teacher.

    They are the labels that a student is trained on. `test_error`, in theory and simulation, is without their noise: it
    is the probability of disagreeing with the sign of A. On fresh labels of the same kind the student errs more,

        flip + (1 - 2 flip) test_error                                          for a sign,
        flip + (1 - 2 flip) arccos(R slope / sqrt(1 + slope^2)) / pi            for probit, on Gaussian data,

    and for logistic there is no closed form; `ConvexSolution.label_error` has all three.

    Parameters
    ----------
    flip : float
        Probability that a label is turned over, in [0, 1/2).
    link : {"sign", "probit", "logistic"}
        F: a step, the normal distribution function, or the logistic function 1 / (1 + exp(-x)).
    slope : float, optional
        Steepness of a probit or logistic teacher, > 0 and finite; required for them, and not allowed for a sign.

    Raises
    ------
    InvalidInputError
        If a parameter is out of range.

    Examples
    --------
    >>> import numpy as np, perceptron_theory as pt
    >>> pt.Labels(flip=0.05).positive(np.array([-2.0, 3.0])).round(3).tolist()
    [0.05, 0.95]
    """

    flip: float = 0.0
    link: Literal["sign", "probit", "logistic"] = "sign"
    slope: float | None = None

    def __post_init__(self) -> None:
        flip = one_number("flip", number_array("flip", self.flip, "it is a probability"))
        if not 0.0 <= flip < 0.5:
            raise InvalidInputError(
                f"flip must lie in [0, 1/2), got {self.flip!r}: it is the probability that a label is turned over; "
                "from 1/2 on labels tell nothing, or the opposite."
            )
        if self.link not in LINKS:
            raise InvalidInputError(f"unknown link {self.link!r}: use one of {', '.join(map(repr, LINKS))}.")
        if self.link == "sign":
            if self.slope is not None:
                raise InvalidInputError(
                    f"slope must be left out for a sign, got {self.slope!r}: only probit and logistic ones have one."
                )
        elif self.slope is None or not 0.0 < _slope(self.slope) < math.inf:
            raise InvalidInputError(
                f"slope must be > 0 and finite for a {self.link} teacher, got {self.slope!r}: it says how fast the "
                "labels become certain with the teacher's field."
            )

    @property
    def noiseless(self) -> bool:
        """Whether the label is the sign of the teacher's field."""
        return self.flip == 0.0 and self.link == "sign"

    @np.errstate(under="ignore")  # deep on one side a label is certain
    def positive(self, field: npt.ArrayLike) -> FloatArray:
        """P(y = 1) at fields of the teacher."""
        A = number_array("field", field, "it is a field of the teacher")
        if self.link == "sign":
            share = np.where(A > 0.0, 1.0, 0.0)
        else:
            assert self.slope is not None
            share = ndtr(self.slope * A) if self.link == "probit" else expit(self.slope * A)
        return np.asarray(self.flip + (1.0 - 2.0 * self.flip) * share)


def _slope(slope: float) -> float:
    return one_number("slope", number_array("slope", slope, "it is the steepness of the teacher"))


#: The paper's labels.
NOISELESS: Final = Labels()
