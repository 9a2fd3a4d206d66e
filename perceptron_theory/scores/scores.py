"""Scores of a data set, and the margins the theory makes of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, cast, get_args

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from perceptron_theory.errors import ScoreError
from perceptron_theory.margins.distributions import MeasuredMargins
from perceptron_theory.scores.names import NameArray, check_unique, name_array
from perceptron_theory.scores.rounding import score_array
from perceptron_theory.scores.ties import TieReport, count_ties
from perceptron_theory.validation import check_plain

FloatArray = npt.NDArray[np.float64]
Direction = Literal["harder", "easier", "keep"]

DIRECTIONS: tuple[str, ...] = get_args(Direction)


@dataclass(frozen=True)
class Scores:
    """One score per example, with its direction.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Scores, finite, at least two distinct.
    higher_is : {"harder", "easier", "keep"}
        What a high score means. "keep" is for published files whose high scores are to be kept: in
        the paper's theory that is the hard end, so it orders examples like "harder".
    source : str
        Where the scores come from, for tables and pictures.
    ids : ndarray, shape (n,), optional
        Names of the examples: integers or strings, all different. Default: their positions.
    labels : ndarray, shape (n,), optional
        Classes of the examples: integers or strings.
    metric : str, optional
        What was measured, such as "EL2N".

    Raises
    ------
    ScoreError
        If the direction is missing or unknown, or scores, ids or labels are not usable.

    Examples
    --------
    >>> import numpy as np, perceptron_theory as pt
    >>> scores = pt.Scores(np.array([0.1, 0.9, 0.4, 0.4]), higher_is="harder")
    >>> print(scores.ties)
    4 scores, 3 distinct; 50.0 % of examples share their score, the largest group has 2
    >>> scores.magnitudes().round(3).tolist()  # the hardest example lies closest to the boundary
    [1.534, 0.157, 0.887, 0.489]
    """

    values: FloatArray
    higher_is: Direction
    source: str = "scores"
    ids: NameArray | None = None
    labels: NameArray | None = None
    metric: str | None = None
    ties: TieReport = field(init=False)

    def __post_init__(self) -> None:
        check_direction(self.higher_is)
        check_plain(f"vector of scores in {self.source}", self.values, ScoreError)
        try:
            values = score_array(self.values, self.source)
        except ScoreError:
            raise
        except ValueError:
            raise ScoreError(f"scores must be a vector, got a ragged list in {self.source}.") from None
        if values.size == 0:
            raise ScoreError(f"no scores in {self.source}: give a file with one score per example.")
        if values.dtype.kind not in "fiub":
            raise ScoreError(
                f"scores must be real numbers, got dtype {values.dtype} in {self.source}: convert them first."
            )
        values = values.astype(np.float64)
        if values.ndim != 1:
            raise ScoreError(
                f"scores must be a vector, one per example, got shape {values.shape} in {self.source}: "
                "select one column."
            )
        wrong = np.flatnonzero(~np.isfinite(values))
        if wrong.size:
            raise ScoreError(
                f"scores must be finite, got {values[wrong[0]]} at index {wrong[0]} "
                f"({wrong.size} of {values.size} are not) in {self.source}: remove or impute these examples."
            )
        ties = count_ties(values)
        if ties.n_distinct < 2:
            raise ScoreError(
                f"all {values.size} scores equal {values[0]:g} in {self.source}: a score must tell examples apart."
            )
        values.setflags(write=False)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "ties", ties)
        for name in ("ids", "labels"):
            given = getattr(self, name)
            if given is not None:
                object.__setattr__(self, name, name_array(name, given, self.n, self.source))
        if self.ids is not None:
            check_unique(self.ids, self.source)

    @property
    def difficulty(self) -> FloatArray:
        """The scores, turned round where a high one means easy: from the easiest example up to the hardest."""
        return -self.values if self.higher_is == "easier" else self.values

    @property
    def n(self) -> int:
        """Number of examples."""
        return int(self.values.size)

    def magnitudes(self) -> FloatArray:
        """|z| of each example by rank: quantile q of difficulty lies at |z| = Phi^-1((1 + q) / 2).

        The hardest example lies closest to the boundary. Equal scores fill the interval of their ranks, in an order
        that means nothing.

        Returns
        -------
        ndarray, shape (n,)
            In the order of the data set.
        """
        beyond = np.empty(self.n)
        beyond[np.argsort(self.difficulty, kind="stable")] = (np.arange(self.n) + 0.5) / self.n
        # From the tail, where quantiles near 1 keep their digits.
        return np.asarray(-ndtri(0.5 * beyond), dtype=np.float64)

    def margins(self, by: Literal["rank", "value"] = "rank") -> MeasuredMargins:
        """Distribution along the probe.

        Parameters
        ----------
        by : {"rank", "value"}
            "rank" uses only the order of the scores (`magnitudes`); labels follow the model. The margins are then those
            of Gaussian data, and so is every frontier, apart from ties: equal scores are a coarse view of |z|, of
            which a rule keeps a random part where its threshold falls among them. "value" takes scores for signed
            margins of the probe (negative: the probe is wrong), scaled to second moment 1, and keeps their shape.

        Raises
        ------
        ScoreError
            If values are asked for but cannot be signed margins.
        """
        if by == "rank":
            return MeasuredMargins(self.magnitudes(), signed=False, scores=-self.difficulty)
        if by != "value":
            raise ScoreError(f"by must be 'rank' or 'value', got {by!r}: rank works for every score.")
        if self.higher_is != "easier":
            raise ScoreError(
                f"margins by value need signed margins, for which higher_is is 'easier', got {self.higher_is!r}: "
                "use by='rank'."
            )
        with np.errstate(under="ignore"):  # beside the largest, the smallest may vanish
            scaled = self.values / np.max(np.abs(self.values))  # so that squares neither overflow nor vanish
            return MeasuredMargins(scaled / np.sqrt(np.mean(scaled**2)), signed=True)

    def theta_from_errors(self) -> float:
        """Angle of the probe from its error rate, theta = pi P(m < 0), for signed margins. Radians.

        Only of examples that the probe was not trained on: those it was trained on have fewer errors, and make the
        angle too small. `theta_from_error_rate` has an interval.

        Raises
        ------
        ScoreError
            If no score is negative, or more than half are: these are not signed margins of a probe
            that has learnt anything.
        """
        wrong = float(np.mean(self.values < 0.0))
        if self.higher_is != "easier" or not 0.0 < wrong <= 0.5:
            raise ScoreError(
                f"theta cannot be read off these scores (higher_is={self.higher_is!r}, a fraction {wrong:g} negative): "
                "it needs signed margins, negative where the probe is wrong; give theta itself."
            )
        return float(np.pi * wrong)


def check_direction(higher_is: str | None) -> Direction:
    """The direction, unless it is missing or unknown."""
    if not (isinstance(higher_is, str) and higher_is in DIRECTIONS):
        raise ScoreError(
            f"higher_is must be one of {', '.join(map(repr, DIRECTIONS))}, got {higher_is!r}: say whether a high "
            "score means a hard example, an easy one, or one to keep; it is never guessed."
        )
    return cast(Direction, higher_is)
