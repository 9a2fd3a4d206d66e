"""What is to be known about a set of scores before pruning by it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from perceptron_theory.scores.extremes import PileUp, Sentinel, find_pile_ups, find_sentinels, is_float16
from perceptron_theory.scores.modes import find_modes
from perceptron_theory.scores.scores import Direction, Scores
from perceptron_theory.scores.ties import TieReport

QUANTILES = (0.0, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0)

_HIGH_MEANS = {"harder": "high = hard", "easier": "high = easy", "keep": "high = keep"}


@dataclass(frozen=True)
class ScoreReport:
    """A set of scores in numbers; `str` gives it as text.

    Attributes
    ----------
    source : str
        Where the scores come from.
    metric : str or None
        What was measured.
    higher_is : {"harder", "easier", "keep"}
        What a high score means.
    n : int
        Number of examples.
    n_classes : int or None
        Number of classes, if there are labels.
    quantiles : dict of float to float
        Score at the fractions `QUANTILES` of the examples, 0 and 1 being the lowest and the highest.
    ties : TieReport
        How many scores are shared.
    sentinels : tuple of Sentinel
        Scores that stand for something else, such as 200 for "never learned".
    pile_ups : tuple of PileUp
        Ends of the other scores that more than 1 % of the examples share.
    float16 : bool
        Whether the scores were rounded to float16.
    modes : tuple of float
        Places of the heaps of the scores without sentinels, see `find_modes`.

    Examples
    --------
    >>> import perceptron_theory as pt
    >>> report = pt.inspect_scores(pt.digits_scores())
    >>> report.n, report.ties.n_distinct, report.float16
    (1597, 1597, False)
    """

    source: str
    metric: str | None
    higher_is: Direction
    n: int
    n_classes: int | None
    quantiles: dict[float, float]
    ties: TieReport
    sentinels: tuple[Sentinel, ...]
    pile_ups: tuple[PileUp, ...]
    float16: bool
    modes: tuple[float, ...]

    @property
    def saturated(self) -> bool:
        """Whether rounding to float16 has piled up scores at an end."""
        return self.float16 and bool(self.pile_ups)

    @property
    def bimodal(self) -> bool:
        """Whether the scores fall into two heaps or more."""
        return len(self.modes) > 1

    def __str__(self) -> str:
        return "\n".join(f"{name + ':':<11} {text}" for name, text in self._lines())

    def _lines(self) -> Iterator[tuple[str, str]]:
        """What is said, by name; nothing about what was not found."""
        yield "source", self.source
        if self.metric is not None:
            yield "metric", self.metric
        yield "direction", f"{self.higher_is} ({_HIGH_MEANS[self.higher_is]})"
        if self.n_classes is not None:
            yield "classes", f"{self.n_classes:,}"
        yield "ties", str(self.ties)
        yield "quantiles", ", ".join(f"{share:.0%} {score:.4g}" for share, score in self.quantiles.items())
        for sentinel in self.sentinels:
            yield "sentinel", f"{sentinel}; find out what it stands for"
        for pile_up in self.pile_ups:
            yield "pile-up", f"{pile_up}{'; the order among them was lost by rounding' if self.float16 else ''}"
        if self.float16:
            yield "rounding", "every score is a float16: keep them in float32 where they are computed"
        if self.bimodal:
            yield "heaps", f"{len(self.modes)}, around {', '.join(f'{mode:.3g}' for mode in self.modes)}"


def inspect_scores(scores: Scores) -> ScoreReport:
    """Quantiles, ties, sentinels, pile-ups, rounding and heaps of a set of scores.

    Parameters
    ----------
    scores : Scores
        What to look at.

    Returns
    -------
    ScoreReport

    Examples
    --------
    >>> import numpy as np, perceptron_theory as pt
    >>> from perceptron_theory.scores.inspection import inspect_scores
    >>> forgetting = np.repeat([0, 1, 2, 3, 200], [500, 300, 100, 60, 40])
    >>> print(inspect_scores(pt.Scores(forgetting, "harder", metric="forgetting")))
    source:     scores
    metric:     forgetting
    direction:  harder (high = hard)
    ties:       1,000 scores, 5 distinct; 100.0 % of examples share their score, the largest group has 500
    quantiles:  0% 0, 1% 0, 10% 0, 25% 0, 50% 0, 75% 1, 90% 2, 99% 200, 100% 200
    sentinel:   200: 40 examples (4.00%), next score 3; find out what it stands for
    pile-up:    lowest score 0: 500 examples (50.0%)
    pile-up:    highest score 3: 60 examples (6.0%)
    """
    distinct, counts = np.unique(scores.values, return_counts=True)
    sentinels, rest = find_sentinels(distinct, counts)
    others = distinct[rest]
    inside = (scores.values >= others[0]) & (scores.values <= others[-1])
    # By rank, never between two scores: the median of counts is a count.
    quantiles = np.quantile(scores.values, QUANTILES, method="inverted_cdf")
    return ScoreReport(
        source=scores.source,
        metric=scores.metric,
        higher_is=scores.higher_is,
        n=scores.n,
        n_classes=None if scores.labels is None else len(set(scores.labels.tolist())),
        quantiles=dict(zip(QUANTILES, quantiles.tolist(), strict=True)),
        ties=scores.ties,
        sentinels=sentinels,
        pile_ups=find_pile_ups(others, counts[rest], scores.n),
        float16=is_float16(others),
        modes=find_modes(scores.values[inside]),
    )
