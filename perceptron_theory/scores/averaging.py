"""Several scores of the same examples: their average by rank, and how far they agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata

from perceptron_theory.errors import ScoreError
from perceptron_theory.scores.scores import Scores

FloatArray = npt.NDArray[np.float64]


def rank_average(scores: Sequence[Scores]) -> Scores:
    """Mean rank of difficulty over several scores, such as one metric measured with several seeds.

    Only the order of each score counts, so that scales, saturation and directions may differ. Equal scores
    share the mean of their ranks.

    Parameters
    ----------
    scores : sequence of Scores
        At least two, of the same examples: matched by id if they have ids, else by position.

    Returns
    -------
    Scores
        In the order, and with the ids and labels, of the first. Values are mean ranks divided by n, in (0, 1);
        `higher_is` is "harder". `metric` is that of the first where all agree.

    Raises
    ------
    ScoreError
        If there are fewer than two, or they are not of the same examples.

    Examples
    --------
    >>> import numpy as np, perceptron_theory as pt
    >>> seeds = [pt.Scores(np.array(values), "easier") for values in ([3.0, 1.0, 2.0], [9.0, 2.0, 0.0])]
    >>> rank_average(seeds).values.round(3).tolist()
    [0.167, 0.667, 0.667]
    """
    if len(scores) < 2:
        raise ScoreError(f"an average needs at least two scores, got {len(scores)}: give one per seed or metric.")
    first = scores[0]
    ranks = _ranks({f"{one.source} (number {number})": one for number, one in enumerate(scores)})
    same_metric = len({one.metric for one in scores}) == 1
    sources = ", ".join(dict.fromkeys(one.source for one in scores))
    return Scores(
        (np.mean(ranks, axis=0) - 0.5) / first.n,
        higher_is="harder",
        source=f"average by rank of {len(scores)}: {sources}",
        ids=first.ids,
        labels=first.labels,
        metric=first.metric if same_metric else None,
    )


def rank_correlation(scores: Mapping[str, Scores]) -> pd.DataFrame:
    """Spearman's rank correlation of the difficulty of every two scores.

    Parameters
    ----------
    scores : mapping of str to Scores
        At least two, by name, of the same examples: matched by id if they have ids, else by position.

    Returns
    -------
    pandas.DataFrame
        Symmetric, in [-1, 1], named on both sides. Positive where both call the same examples hard, whatever
        the directions of the scores.

    Raises
    ------
    ScoreError
        If there are fewer than two, or they are not of the same examples.

    Examples
    --------
    >>> import numpy as np, perceptron_theory as pt
    >>> el2n = pt.Scores(np.array([0.1, 0.2, 0.9]), "harder")
    >>> margin = pt.Scores(np.array([8.0, 3.0, -1.0]), "easier")
    >>> rank_correlation({"EL2N": el2n, "margin": margin}).round(3)
            EL2N  margin
    EL2N     1.0     1.0
    margin   1.0     1.0
    """
    if len(scores) < 2:
        raise ScoreError(
            f"a correlation needs at least two scores, got {len(scores)}: give a mapping of names to them."
        )
    names = pd.Index(list(scores))
    return pd.DataFrame(np.corrcoef(_ranks(scores)), index=names, columns=names)


def _ranks(scores: Mapping[str, Scores]) -> FloatArray:
    """Ranks of difficulty, 1 ... n from easy to hard, in the order of the first; shape (scores, n)."""
    (first_name, first), *others = scores.items()
    rows = [rankdata(first.difficulty)]
    for name, one in others:
        if (one.ids is None) != (first.ids is None):
            with_ids, without = (first_name, name) if one.ids is None else (name, first_name)
            raise ScoreError(
                f"scores cannot be matched, because {with_ids} has ids and {without} has none: give ids to all or none."
            )
        if one.n != first.n:
            raise ScoreError(
                f"scores must be of the same examples, got {first.n} in {first_name} and {one.n} in {name}: "
                "leave out the examples that only one of them has."
            )
        difficulty = one.difficulty
        if first.ids is not None and one.ids is not None:
            difficulty = difficulty[_positions(first.ids, first_name, one.ids, name)]
        rows.append(rankdata(difficulty))
    return np.stack(rows)


def _positions(
    ids: npt.NDArray[np.generic], name: str, others: npt.NDArray[np.generic], other_name: str
) -> npt.NDArray[np.intp]:
    """Where each of the ids is among the others."""
    positions: npt.NDArray[np.intp] = pd.Index(others).get_indexer(pd.Index(ids))
    missing = np.flatnonzero(positions < 0)
    if missing.size:
        raise ScoreError(
            f"scores must be of the same examples, got {ids[missing[0]]!r} in {name} but not in {other_name} "
            f"({missing.size} of {ids.size} ids are missing): leave out the examples that only one of them has."
        )
    return positions
