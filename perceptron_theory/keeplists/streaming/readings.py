"""A table read as a whole, here or on any executor; the answer does not depend on where, nor on its pieces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from perceptron_theory.errors import ScoreError
from perceptron_theory.keeplists.streaming.brackets import Bracket, Groups, Order
from perceptron_theory.keeplists.streaming.passes import Piece, Reading, read
from perceptron_theory.keeplists.streaming.places import Tally
from perceptron_theory.keeplists.streaming.searches import Search
from perceptron_theory.keeplists.streaming.shards import CsvShard, Shard
from perceptron_theory.keeplists.streaming.surveys import Survey, survey
from perceptron_theory.progress import track
from perceptron_theory.simulation.execution import run

_Job = TypeVar("_Job")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Table:
    """Pieces of a table, and where they are read.

    Attributes
    ----------
    source : str
        What it is called in messages.
    pieces : tuple of Piece
    executor : Executor or None
        None: this process.
    progress : bool
        Whether to show a bar per reading.
    """

    source: str
    pieces: tuple[Piece, ...]
    executor: Executor | None = None
    progress: bool = False

    def each(self, function: Callable[[_Job], _Result], jobs: Sequence[_Job], what: str) -> list[_Result]:
        """The function of each job, in the order of the jobs."""
        workers = None if self.executor is not None else 1
        done = track(run(function, jobs, self.executor, workers), what, self.progress, len(jobs))
        return [result for _, result in sorted(done, key=lambda pair: pair[0])]

    def surveyed(self) -> tuple[Table, Survey]:
        """The table with the place of each piece that is not empty, and what a first reading found.

        Raises
        ------
        ScoreError
            If there are no rows, a score is not finite, or all are equal.
        """
        surveys = self.each(survey, self.pieces, "counting")
        starts = np.cumsum([0, *(one.rows for one in surveys)]).tolist()
        total = Survey.joined(one.shifted(start) for one, start in zip(surveys, starts[:-1], strict=True))
        pieces = [
            replace(piece, shard=_typed(piece.shard, total.text), start=start, rows=one.rows)
            for piece, start, one in zip(self.pieces, starts[:-1], surveys, strict=True)
            if one.rows
        ]
        total = _checked(total, self.source)
        shard = pieces[0].shard
        if isinstance(shard, CsvShard) and shard.columns.labels in shard.whole:
            total = total.with_whole_labels()
        return replace(self, pieces=tuple(pieces)), total

    def found(self, order: Order, groups: Groups, searches: Sequence[Search]) -> list[Search]:
        """The searches, solved, in as few readings as are needed for all of them together."""
        found, number = list(searches), 0
        while unsolved := [at for at, search in enumerate(found) if not search.solved]:
            brackets = tuple(Bracket(order, found[at].low, found[at].high) for at in unsolved)
            rates = tuple(found[at].rate(number) for at in unsolved)
            groups_in_all = found[0].sizes.size
            jobs = [Reading(piece, groups, groups_in_all, brackets, rates, number) for piece in self.pieces]
            number += 1
            tallies = self.each(read, jobs, f"searching, reading {number}")
            for at, of_pieces in zip(unsolved, zip(*tallies, strict=True), strict=True):
                found[at] = found[at].narrowed(Tally.total(of_pieces))
        return found


def _typed(shard: Shard, text: frozenset[str]) -> Shard:
    """A csv shard that knows which of its columns of names hold whole numbers."""
    if not isinstance(shard, CsvShard):
        return shard
    names = filter(None, (shard.columns.ids, shard.columns.labels))
    return replace(shard, whole=tuple(name for name in names if name not in text))


def _checked(total: Survey, source: str) -> Survey:
    if total.rows == 0:
        raise ScoreError(f"no scores in {source}: give a table with one row per example.")
    if total.wrong:
        row, score = total.first_wrong
        raise ScoreError(
            f"scores must be finite, got {score} in row {row:.0f} ({total.wrong:,} of {total.rows:,} are not) in "
            f"{source}: remove or impute these examples."
        )
    if total.lowest == total.highest:
        raise ScoreError(
            f"all {total.rows:,} scores equal {total.lowest:g} in {source}: a score must tell examples apart."
        )
    return total
