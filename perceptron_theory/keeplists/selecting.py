"""From scores to a keep-list: the order of a rule, floors under classes, and the reason for every example."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.keeplists.keep_list import KeepList
from perceptron_theory.keeplists.manifest import plain
from perceptron_theory.keeplists.preference import Rule, as_rule, names_of, rule_order, with_random_share
from perceptron_theory.keeplists.quotas import class_floors, floor_share, kept_count
from perceptron_theory.keeplists.thresholds import thresholds
from perceptron_theory.margins.selection import Random
from perceptron_theory.scores.scores import Scores
from perceptron_theory.validation import kept_fraction, number_array, one_number

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

REASONS = ("rule", "class floor", "random share", "not kept")


def select(
    scores: Scores,
    f: float,
    *,
    mode: str | Rule = "hard",
    random_share: float = 0.0,
    class_floor: float | None = None,
    seed: int = 0,
    theory: Mapping[str, object] | None = None,
) -> KeepList:
    """Choose the fraction `f` of the examples to keep.

    With floors each class first keeps its floor, in the order of the rule, and the rest is filled from all classes in
    the same order: a class keeps its floor, or what it has before a threshold that is common to all, if that is more.

    Parameters
    ----------
    scores : Scores
        A score per example and its direction; ids break ties, labels are the classes.
    f : float
        Fraction to keep, in (0, 1]; 1 and 1.0 keep all. The realised count is f n, rounded, at least 1.
    mode : {"hard", "easy", "random"}, Band or Policy
        Which examples: the hardest, the easiest, random ones; the next hardest from the quantile `Band.lower` of
        |z| upwards, so that ``Band(0.05)`` drops the hardest 5 %; or the windows of |z| of `optimal_policy`.
    random_share : float
        Of the kept examples this share is random and the rest follows the rule, see `presets.randomised_rule`;
        in [0, 1].
    class_floor : float, optional
        Share of k / (number of classes) that every class keeps at least, if it has that many; in [0, 1]. Half is
        what is common. Default: classes are counted, not balanced.
    seed : int
        Of random choices, >= 0. Ties do not depend on it: they are broken by a hash of the id.
    theory : mapping, optional
        Parameters of the theory behind `f` and their intervals, for the manifest.

    Returns
    -------
    KeepList
        Indices, reasons, counts, and the files for the tools that train.

    Raises
    ------
    InvalidInputError
        If an argument lies outside its range, the mode is unknown, or floors are asked for without labels.

    Examples
    --------
    >>> import numpy as np, perceptron_theory as pt
    >>> from perceptron_theory.keeplists.selecting import select
    >>> labels = np.array(["cat", "cat", "dog", "dog", "dog", "dog"])
    >>> scores = pt.Scores(np.array([0.9, 0.8, 0.3, 0.2, 0.1, 0.4]), higher_is="harder", labels=labels)
    >>> select(scores, 0.34).indices.tolist()
    [0, 1]
    >>> keep = select(scores, 0.34, class_floor=1.0)
    >>> keep.indices.tolist(), [str(reason) for reason in keep.reason[[0, 5]]]
    ([0, 5], ['rule', 'class floor'])
    >>> keep.classes
      label  n  floor  kept
    0   cat  2      1     1
    1   dog  4      1     1
    """
    f = one_number("f", kept_fraction("f", f))
    rule, share = as_rule(mode), _share(random_share)
    count = kept_count(scores.n, f)
    by_rule = rule_order(scores, rule, f, count, seed)
    order = with_random_share(by_rule, names_of(scores), count, share, seed) if share else by_rule
    code, labels = _classes(scores, class_floor)
    sizes = np.bincount(code, minlength=len(labels))
    floors = np.zeros_like(sizes) if class_floor is None else class_floors(sizes, count, class_floor)
    kept = keep_first(order, count, code, floors)
    first = _marked(by_rule[:count], scores.n)
    table = {"label": labels, "n": sizes, "floor": floors, "kept": np.bincount(code[kept], minlength=len(labels))}
    return KeepList(
        scores=scores,
        mode=rule,
        f_requested=f,
        random_share=share,
        class_floor=None if class_floor is None else floor_share(class_floor),
        seed=int(seed),
        indices=_frozen(np.flatnonzero(kept)),
        rank=_frozen(_ranks(order)),
        reason=_reasons(first, _marked(order[:count], scores.n), kept),
        classes=None if scores.labels is None else pd.DataFrame(table),
        thresholds=()
        if isinstance(rule, Random)
        else thresholds(scores.values, first if share else _before_threshold(order, kept), kept),
        theory=plain(theory or {}),
    )


def keep_first(order: IntArray, count: int, code: IntArray, floors: IntArray) -> BoolArray:
    """Keep the floor of each class, then fill up to `count`, both in the same order.

    Parameters
    ----------
    order : ndarray of int64, shape (n,)
        Positions, the one to keep first at the front.
    count : int
        Examples to keep.
    code : ndarray of int64, shape (n,)
        Class of each position, from 0.
    floors : ndarray of int64, shape (n_classes,)
        At most the sizes of the classes; at most `count` in all.

    Returns
    -------
    ndarray of bool, shape (n,)
        By position.

    Examples
    --------
    >>> import numpy as np
    >>> keep_first(np.array([3, 2, 1, 0]), 2, np.array([0, 0, 1, 1]), np.array([1, 0])).tolist()
    [False, True, False, True]
    """
    if not floors.any():
        return _marked(order[:count], order.size)
    ordered = code[order]
    grouped = np.argsort(ordered, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(ordered, minlength=floors.size))[:-1]])
    within = np.empty(order.size, dtype=np.int64)
    within[grouped] = np.arange(order.size) - starts[ordered[grouped]]
    by_floor = within < floors[ordered]
    fill = ~by_floor & (np.cumsum(~by_floor) <= count - int(floors.sum()))
    return _marked(order[by_floor | fill], order.size)


def _share(random_share: float) -> float:
    """The share as a number in [0, 1]."""
    meaning = "it is the share of the kept examples that is random"
    share = one_number("random_share", number_array("random_share", random_share, meaning))
    if not 0.0 <= share <= 1.0:
        raise InvalidInputError(f"random_share must lie in [0, 1], got {share:g}: {meaning}.")
    return share


def _classes(scores: Scores, class_floor: float | None) -> tuple[IntArray, npt.NDArray[np.generic]]:
    """Class of each example as a number, and the labels in ascending order; one class without labels."""
    if scores.labels is not None:
        code, labels = pd.factorize(scores.labels, sort=True)
        return code.astype(np.int64), np.asarray(labels)
    if class_floor is not None:
        raise InvalidInputError(
            f"class_floor={class_floor!r} needs the class of every example: give Scores its labels, or leave it out."
        )
    return np.zeros(scores.n, dtype=np.int64), np.zeros(1, dtype=np.int64)


def _before_threshold(order: IntArray, kept: BoolArray) -> BoolArray:
    """What is kept together with all that comes before it: no floor was needed for it."""
    dropped = np.flatnonzero(~kept[order])
    return _marked(order[: dropped[0]] if dropped.size else order, order.size)


def _reasons(by_rule: BoolArray, chosen: BoolArray, kept: BoolArray) -> pd.Categorical[str]:
    """Why each example is kept: `by_rule` are the first k of the rule, `chosen` those once some are random."""
    reason = np.full(kept.size, REASONS.index("not kept"), dtype=np.int8)
    reason[kept] = REASONS.index("class floor")
    reason[kept & chosen] = REASONS.index("random share")
    reason[kept & chosen & by_rule] = REASONS.index("rule")
    return pd.Categorical.from_codes(reason, categories=pd.Index(REASONS))


def _ranks(order: IntArray) -> IntArray:
    """Place of each position in the order."""
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size)
    return rank


def _marked(positions: IntArray, n: int) -> BoolArray:
    marked = np.zeros(n, dtype=bool)
    marked[positions] = True
    return marked


def _frozen(array: IntArray) -> IntArray:
    array.setflags(write=False)
    return array
