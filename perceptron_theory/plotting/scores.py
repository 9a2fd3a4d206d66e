"""The picture of a set of scores: how they are distributed, and where they are tied."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from perceptron_theory.plotting.style import name_label, new_figure, style_sheet
from perceptron_theory.scores.inspection import ScoreReport
from perceptron_theory.scores.scores import Scores

_BINS = 80


def scores_figure(scores: Scores, report: ScoreReport) -> Figure:
    """Histogram, and scores in their order.

    Parameters
    ----------
    scores : Scores
        What to draw.
    report : ScoreReport
        From `inspect_scores`.
    """
    with style_sheet():
        figure = new_figure(9.5, 4.0)
        left, right = figure.subplots(1, 2)
        draw_histogram(left, scores, report)
        draw_order(right, scores)
        figure.suptitle(
            f"{name_label(scores.source)}: n = {scores.n:,}, {100 * report.ties.tied_fraction:.3g} % share their score"
        )
    return figure


def draw_histogram(axes: Axes, scores: Scores, report: ScoreReport) -> Axes:
    """Counts on a logarithmic axis; sentinels are left out, and named."""
    values = scores.values[~np.isin(scores.values, [sentinel.value for sentinel in report.sentinels])]
    counts, edges = np.histogram(values, _BINS)
    axes.stairs(counts, edges, fill=True, color="C0", alpha=0.45)
    axes.set(yscale="log", ylim=(0.7, 2.0 * counts.max()), xlabel=_axis(scores), ylabel="examples per bin")
    if report.sentinels:
        told = ", ".join(f"{sentinel.value:g} ({sentinel.count:,})" for sentinel in report.sentinels)
        axes.set_title(f"without {told}", fontsize=10)
    return axes


def draw_order(axes: Axes, scores: Scores) -> Axes:
    """Scores from the hardest example to the easiest: a plateau is a tie."""
    hardest_first = scores.values[np.argsort(-scores.difficulty, kind="stable")]
    share = (np.arange(scores.n) + 0.5) / scores.n
    step = max(1, scores.n // 4000)  # more points than pixels
    axes.plot(share[::step], hardest_first[::step], color="C0", lw=1.6, drawstyle="steps-mid")
    axes.set(xlim=(0.0, 1.0), xlabel="share of examples, hardest first", ylabel=_axis(scores))
    return axes


def _axis(scores: Scores) -> str:
    means = {"harder": "high = hard", "easier": "high = easy", "keep": "high = keep"}[scores.higher_is]
    return f"{name_label(scores.metric or 'score', 30)} ({means})"
