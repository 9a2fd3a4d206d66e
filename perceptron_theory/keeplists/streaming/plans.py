"""What is to be kept of a table, as places in an order that its readings look for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from perceptron_theory.keeplists.quotas import staying_count
from perceptron_theory.keeplists.streaming.brackets import Bracket, ByHash, ByLabel, ByScore, Groups, OneGroup, Outside
from perceptron_theory.keeplists.streaming.places import IntArray, Places, from_sortable
from perceptron_theory.keeplists.streaming.readings import Table
from perceptron_theory.keeplists.streaming.searches import CommonSearch, RankSearch, Search
from perceptron_theory.keeplists.streaming.settings import Settings
from perceptron_theory.keeplists.windows import band_windows
from perceptron_theory.margins.selection import Band, Easy, FractionRule, Random
from perceptron_theory.scores.scores import Direction


@dataclass(frozen=True)
class Plan:
    """What is kept.

    Attributes
    ----------
    groups, bracket : Groups, Bracket
        What lies inside the bracket of its group.
    rule : Bracket
        What the rule alone would keep.
    thresholds : tuple of float
        Scores at which the rule stops keeping, ascending.
    """

    groups: Groups
    bracket: Bracket
    rule: Bracket
    thresholds: tuple[float, ...]


def order_of(rule: FractionRule, high_is_hard: bool, seed: int) -> ByScore | ByHash:
    """What a rule keeps first; bands are parts of the order from the hardest example to the easiest.

    Examples
    --------
    >>> from perceptron_theory.margins.selection import Hard
    >>> order_of(Hard(), high_is_hard=True, seed=0)
    ByScore(sign=-1.0)
    """
    if isinstance(rule, Random):
        return ByHash(seed)
    return ByScore(1.0 if high_is_hard == isinstance(rule, Easy) else -1.0)


def planned(
    table: Table, settings: Settings, direction: Direction, n: int, count: int, classes: pd.DataFrame | None
) -> Plan:
    """What is kept of a table, found by reading it.

    Parameters
    ----------
    table : Table
    settings : Settings
        What is asked for.
    direction : {"harder", "easier", "keep"}
        What a high score means.
    n, count : int
        Examples in all, and to keep.
    classes : DataFrame or None
        A row per class: `label`, `n` and `floor`.

    Raises
    ------
    InvalidInputError
        If so many examples do not fit above the start of a band.
    """
    order = order_of(settings.rule, direction != "easier", settings.seed)
    if classes is not None and classes["floor"].any():
        sizes, floors = (classes[name].to_numpy() for name in ("n", "floor"))
        return _with_floors(table, order, by_label(classes), sizes, floors, count)
    plan = _by_rule(table, settings, order, n, count)
    return plan if settings.random_share == 0.0 else _with_random_share(table, plan, settings, n, count)


def by_label(classes: pd.DataFrame) -> ByLabel:
    """The rows of a table of classes as groups."""
    return ByLabel(tuple(classes["label"].tolist()))


def _by_rule(table: Table, settings: Settings, order: ByScore | ByHash, n: int, count: int) -> Plan:
    """The first `count` examples of the order, or those of the window of a band."""
    start, end = 0, count
    if isinstance(settings.rule, Band):
        start, end = (int(rank) for rank in band_windows(settings.rule, settings.f, n, count)[0])
    ranks = [0, end] if start == 0 else [start, start + 1, end]
    none, sizes = np.zeros(1, dtype=np.int64), np.array([n])
    found = table.found(order, OneGroup(), [CommonSearch.start(none, rank, sizes) for rank in ranks])
    bracket = Bracket(order, found[0].low, found[-1].low)
    borders = ([found[1]] if start > 0 else []) + ([found[-1]] if end < n else [])
    return Plan(OneGroup(), bracket, bracket, _scores(order, borders))


def _with_floors(
    table: Table, order: ByScore | ByHash, labels: ByLabel, sizes: IntArray, floors: IntArray, count: int
) -> Plan:
    """The floor of each class first, then from all classes together: all up to the later of two places."""
    n, none = int(sizes.sum()), np.zeros_like(floors)
    searches = [
        CommonSearch.start(floors, count, sizes),
        CommonSearch.start(none, count, sizes),
        RankSearch.start(floors, sizes),
    ]
    common, alone, within = table.found(order, labels, searches)
    first = Places.first(1)
    reached = within.low.where(within.low.later_than(common.low), common.low)
    borders = [common] if count < n and common.low.later_than(first).all() else []
    return Plan(labels, Bracket(order, first, reached), Bracket(order, first, alone.low), _scores(order, borders))


def _with_random_share(table: Table, plan: Plan, settings: Settings, n: int, count: int) -> Plan:
    """Some of what the rule keeps stays, by a hash of id and seed; examples from outside take the place of the rest."""
    order, groups = ByHash(settings.seed + 1, then=plan.rule.order), Outside(plan.rule)
    staying = staying_count(n, count, settings.random_share)
    ranks, sizes = np.array([staying, count - staying]), np.array([count, n - count])
    (within,) = table.found(order, groups, [RankSearch.start(ranks, sizes)])
    return Plan(groups, Bracket(order, Places.first(1), within.low), plan.rule, plan.thresholds)


def _scores(order: ByScore | ByHash, borders: list[Search]) -> tuple[float, ...]:
    """The scores at some places."""
    if isinstance(order, ByHash):
        return ()
    return tuple(sorted({order.sign * from_sortable(border.low.key[0]) + 0.0 for border in borders}))
