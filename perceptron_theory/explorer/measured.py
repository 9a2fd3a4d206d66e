"""Measured scores in the place of Gaussian data: their margins by rank, what is to be known of them, their picture."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from perceptron_theory.explorer.pictures import Picture, axis, picture
from perceptron_theory.margins.distributions import MeasuredMargins
from perceptron_theory.scores.inspection import ScoreReport, inspect_scores
from perceptron_theory.scores.scores import Scores

FloatArray = npt.NDArray[np.float64]

_BINS: Final = 80
_COLOUR: Final = "#1f77b4"
_HIGH_MEANS: Final = {"harder": "high = hard", "easier": "high = easy", "keep": "high = keep"}


@dataclass(frozen=True, eq=False)
class Measured:
    """Scores of a file, as the graphs need them.

    Attributes
    ----------
    scores : Scores
        What was read.
    report : ScoreReport
        From `inspect_scores`.
    margins : MeasuredMargins
        Their distribution along the probe, by rank.
    """

    scores: Scores
    report: ScoreReport
    margins: MeasuredMargins

    @classmethod
    def of(cls, scores: Scores, name: str) -> Measured:
        """What the graphs need of scores from a file of this name.

        Examples
        --------
        >>> measured = Measured.of(Scores(np.array([0.1, 0.9, 0.4, 0.4]), "harder"), "el2n.npy")
        >>> measured.rows[0], measured.margins.n_distinct
        (('source', 'el2n.npy'), 4)
        """
        part = scores.source.partition(Path(name).suffix)[2] if Path(name).suffix in scores.source else ""
        scores = dataclasses.replace(scores, source=f"{name}{part}")
        return cls(scores, inspect_scores(scores), scores.margins())

    @property
    def rows(self) -> list[tuple[str, str]]:
        """The report by name and text, as `inspect_scores` says it."""
        pairs = (text.partition(":") for text in str(self.report).splitlines())
        return [(name.strip(), text.strip()) for name, _, text in pairs]

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return 16 * self.scores.values.nbytes  # margins hold atoms, cells and weights of both signs


def score_histogram(measured: Measured) -> pd.DataFrame:
    """Examples in 80 bins of the score, without sentinels: low, high, examples."""
    values = measured.scores.values
    values = values[~np.isin(values, [sentinel.value for sentinel in measured.report.sentinels])]
    counts, edges = np.histogram(values, _BINS)
    return pd.DataFrame({"low": edges[:-1], "high": edges[1:], "examples": counts})


def draw_scores(measured: Measured, histogram: pd.DataFrame) -> Picture:
    """How many examples have which score."""
    scores = measured.scores
    bars = {
        "type": "bar",
        "x": (0.5 * (histogram["low"] + histogram["high"])).tolist(),
        "y": histogram["examples"].tolist(),
        "width": (histogram["high"] - histogram["low"]).tolist(),
        "marker": {"color": _COLOUR, "opacity": 0.6},
        "hovertemplate": "%{x:.4g}: %{y} examples<extra></extra>",
    }
    title = f"{scores.metric or 'score'} ({_HIGH_MEANS[scores.higher_is]})"
    return picture([bars], axis(title), axis("examples per bin", type="log", dtick=1), bargap=0.0)
