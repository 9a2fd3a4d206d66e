"""One reading of one shard: what it counts and draws. Made to be sent to other processes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from perceptron_theory.errors import ScoreError
from perceptron_theory.keeplists.streaming.batches import Batch
from perceptron_theory.keeplists.streaming.brackets import Bracket, Groups
from perceptron_theory.keeplists.streaming.places import Tally
from perceptron_theory.keeplists.streaming.shards import Shard

#: Any large number: scores that were drawn with a small seed must not be drawn from with the same numbers.
_OWN_NUMBERS: Final = 0x9D2C5680_EFC60000_5E1EC7ED


@dataclass(frozen=True)
class Piece:
    """A shard at its place in the table.

    Attributes
    ----------
    shard : Shard
    batch_rows : int
        Rows read at a time.
    index : int
        Which shard it is.
    start : int
        Number of its first row in the table.
    rows : int or None
        How many it has, once that is known.
    """

    shard: Shard
    batch_rows: int
    index: int
    start: int = 0
    rows: int | None = None

    def batches(self) -> Iterator[Batch]:
        """Its rows in their order.

        Raises
        ------
        ScoreError
            If it cannot be read, or does not have the rows it had.
        """
        seen = 0
        for batch in self.shard.batches(self.batch_rows, self.start):
            yield batch
            seen += batch.size
        if self.rows is not None and seen != self.rows:
            raise ScoreError(
                f"{self.shard.path} gave {self.rows:,} rows at first and {seen:,} now: select again when nothing "
                "writes to it."
            )


@dataclass(frozen=True)
class Reading:
    """What to count and draw.

    Attributes
    ----------
    piece : Piece
    groups : Groups
        What divides its rows.
    n_groups : int
        How many there are.
    brackets : tuple of Bracket
        Where to look.
    rates : tuple of float
        Share of the rows inside each bracket to draw.
    number : int
        Which reading it is; each draws anew.
    """

    piece: Piece
    groups: Groups
    n_groups: int
    brackets: tuple[Bracket, ...]
    rates: tuple[float, ...]
    number: int


def read(reading: Reading) -> list[Tally]:
    """A tally for each bracket.

    Raises
    ------
    ScoreError
        If the shard cannot be read, or has changed.
    """
    rng = np.random.default_rng([_OWN_NUMBERS, reading.number, reading.piece.index])
    tallies: list[list[Tally]] = [[] for _ in reading.brackets]
    for batch in reading.piece.batches():
        codes = reading.groups.codes(batch)
        for bracket, rate, mine in zip(reading.brackets, reading.rates, tallies, strict=True):
            mine.append(bracket.tally(batch, codes, reading.n_groups, rate, rng))
    return [Tally.total(mine) for mine in tallies]
