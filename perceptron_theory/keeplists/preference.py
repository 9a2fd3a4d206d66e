"""Which example comes before which: a total order of all examples for every rule."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from perceptron_theory.analyses.policies.policy import Policy
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.keeplists.hashing import hash_ids
from perceptron_theory.keeplists.quotas import staying_count
from perceptron_theory.keeplists.windows import band_windows, depth, policy_windows
from perceptron_theory.margins.selection import Band, Easy, Hard, Random
from perceptron_theory.scores.scores import Scores

IntArray = npt.NDArray[np.int64]
Rule = Hard | Easy | Random | Band | Policy

#: Rules without settings, by their names.
NAMED: Final[dict[str, Rule]] = {"hard": Hard(), "easy": Easy(), "random": Random()}


def as_rule(mode: str | Rule) -> Rule:
    """The rule of a name, or itself.

    Raises
    ------
    InvalidInputError
        If no rule has this name, or the object is none that ranks examples.

    Examples
    --------
    >>> as_rule("hard")
    Hard()
    """
    if isinstance(mode, str) and mode in NAMED:
        return NAMED[mode]
    if isinstance(mode, (Hard, Easy, Band, Random, Policy)):
        return mode
    raise InvalidInputError(
        f"unknown mode {mode!r}: use {', '.join(map(repr, NAMED))}, Band(lower) or a policy of optimal_policy."
    )


def names_of(scores: Scores) -> npt.NDArray[np.generic]:
    """Ids of the examples; their positions where there are none.

    Examples
    --------
    >>> import numpy as np, perceptron_theory as pt
    >>> names_of(pt.Scores(np.array([0.1, 0.9]), higher_is="harder")).tolist()
    [0, 1]
    """
    return np.arange(scores.n, dtype=np.int64) if scores.ids is None else scores.ids


def rule_order(scores: Scores, rule: Rule, f: float, count: int, seed: int = 0) -> IntArray:
    """Positions of the examples, the one to keep first at the front.

    Parameters
    ----------
    scores : Scores
        What the examples are ranked by.
    rule : Hard, Easy, Random, Band or Policy
        Hard: by difficulty, the hardest first; easy: the easiest first; ties by a hash of the id, then by position.
        Random: by a hash of id and seed. A band or a policy keeps windows of the hard order: what lies deepest
        inside comes first, then what lies closest outside.
    f : float
        Fraction asked for, in (0, 1].
    count : int
        Examples to keep. Only the windows of a band or a policy depend on it.
    seed : int
        Of the random order, >= 0.

    Returns
    -------
    ndarray of int64, shape (n,)

    Raises
    ------
    InvalidInputError
        If the windows of the rule do not fit `f`.

    Examples
    --------
    >>> import numpy as np, perceptron_theory as pt
    >>> scores = pt.Scores(np.array([0.1, 0.9, 0.4]), higher_is="harder")
    >>> rule_order(scores, pt.Hard(), f=0.5, count=2).tolist()
    [1, 2, 0]
    """
    if isinstance(rule, Random):
        return np.argsort(hash_ids(names_of(scores), seed), kind="stable")
    ties = hash_ids(names_of(scores))
    if isinstance(rule, Easy):
        return np.lexsort((ties, scores.difficulty))
    by_rank = np.lexsort((ties, -scores.difficulty))
    if isinstance(rule, Hard):
        return by_rank
    n = scores.n
    windows = policy_windows(rule, f, n) if isinstance(rule, Policy) else band_windows(rule, f, n, count)
    return by_rank[np.argsort(-depth(windows, n), kind="stable")]


def with_random_share(
    order: IntArray, names: npt.NDArray[np.generic], count: int, random_share: float, seed: int = 0
) -> IntArray:
    """An order in which a share e of the `count` first is random: each example has k = (1 - e) [rule keeps it] + e f.

    Of the `count` first of the rule, count (1 - e + e f) stay in front, with f = count / n and rounded; examples
    from behind them take the place of the others. Both are chosen by a hash of id and seed, which also orders them;
    the rest follows in the order of the rule.

    Parameters
    ----------
    order : ndarray of int64, shape (n,)
        Positions in the order of the rule.
    names : ndarray, shape (n,)
        Ids by position.
    count : int
        Examples to keep.
    random_share : float
        e, in [0, 1].
    seed : int
        Of the choice, >= 0.

    Returns
    -------
    ndarray of int64, shape (n,)

    Notes
    -----
    The rule of `presets.randomised_rule`, after Ayed and Hayou, arXiv:2302.06960, with fixed numbers instead of
    independent draws.

    Examples
    --------
    >>> import numpy as np
    >>> order = with_random_share(np.arange(1000), np.arange(1000), count=200, random_share=0.5)
    >>> int((order[:200] < 200).sum())  # 200 (0.5 + 0.5 * 0.2)
    120
    """
    n = order.size
    staying = staying_count(n, count, random_share)
    # Not the seed itself: seed 0 orders ties, and the choice must not follow that order.
    by_hash = np.argsort(hash_ids(names, seed + 1)[order], kind="stable")
    inside = by_hash < count
    chosen = np.zeros(n, dtype=bool)
    chosen[by_hash[inside][:staying]] = True
    chosen[by_hash[~inside][: count - staying]] = True
    places = np.concatenate([by_hash[chosen[by_hash]], np.flatnonzero(~chosen)])
    return np.asarray(order[places])
