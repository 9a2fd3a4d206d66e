"""Orders of examples, and the part of an order between two places, read off a batch of rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from perceptron_theory.errors import ScoreError
from perceptron_theory.keeplists.hashing import hash_ids
from perceptron_theory.keeplists.streaming.batches import Batch
from perceptron_theory.keeplists.streaming.places import BoolArray, Codes, Places, Tally, UIntArray, sortable


class Order(Protocol):
    """Which example comes before which: by key, then by tie breaker, then by row."""

    def keys(self, batch: Batch) -> UIntArray:
        """Key of each row."""

    def ties(self, batch: Batch) -> UIntArray:
        """Tie breaker of each row."""


@dataclass(frozen=True)
class ByScore:
    """The hardest or the easiest first; ties by a hash of the id.

    Attributes
    ----------
    sign : float
        1 for small scores first, -1 for large ones.

    Examples
    --------
    >>> batch = Batch(np.array([0.5, 0.1, 0.9]), np.arange(3), None, None)
    >>> np.argsort(ByScore(-1.0).keys(batch)).tolist()
    [2, 0, 1]
    """

    sign: float

    def keys(self, batch: Batch) -> UIntArray:
        """The scores."""
        return sortable(self.sign * batch.scores)

    def ties(self, batch: Batch) -> UIntArray:
        """Hashes of the ids."""
        return hash_ids(batch.names())


@dataclass(frozen=True)
class ByHash:
    """In random order; equal hashes, of equal ids, by another order.

    Attributes
    ----------
    seed : int
        Of the order.
    then : Order, optional
        Default: by row.

    Examples
    --------
    >>> batch = Batch(np.zeros(3), np.arange(3), None, None)
    >>> bool((ByHash(0).keys(batch) == ByScore(1.0).ties(batch)).all())
    True
    """

    seed: int
    then: Order | None = None

    def keys(self, batch: Batch) -> UIntArray:
        """Hashes of the ids."""
        return hash_ids(batch.names(), self.seed)

    def ties(self, batch: Batch) -> UIntArray:
        """Keys of the other order."""
        return np.zeros(batch.size, dtype=np.uint64) if self.then is None else self.then.keys(batch)


class Groups(Protocol):
    """What divides the examples into groups, numbered from 0."""

    def codes(self, batch: Batch) -> Codes:
        """Group of each row."""


@dataclass(frozen=True)
class OneGroup:
    """All examples together."""

    def codes(self, batch: Batch) -> Codes:
        """All 0."""
        return np.zeros(batch.size, dtype=np.int32)


@dataclass(frozen=True)
class ByLabel:
    """One group per class.

    Attributes
    ----------
    labels : tuple
        The classes, in their order.

    Examples
    --------
    >>> batch = Batch(np.zeros(3), np.arange(3), None, pa.array(["b", "a", "b"]))
    >>> ByLabel(("a", "b")).codes(batch).tolist()
    [1, 0, 1]
    """

    labels: tuple[int, ...] | tuple[str, ...]

    @cached_property
    def _values(self) -> pa.Array:
        return pa.array(self.labels)

    def codes(self, batch: Batch) -> Codes:
        """Class of each row."""
        codes = pc.index_in(batch.labels, value_set=self._values)
        if codes.null_count:
            raise ScoreError(
                "a label appeared that was not there before: select again when nothing writes to the files."
            )
        return np.asarray(codes)


@dataclass(frozen=True)
class Bracket:
    """The rows of each group after one place of an order, up to and with another.

    Attributes
    ----------
    order : Order
    low, high : Places
        One per group, or one for all.

    Examples
    --------
    >>> batch = Batch(np.array([0.5, 0.1, 0.9]), np.arange(3), None, None)
    >>> everything = Bracket(ByScore(1.0), Places.first(1), Places.last(1))
    >>> everything.divided(batch, np.zeros(3, dtype=np.int32))[1].tolist()
    [True, True, True]
    """

    order: Order
    low: Places
    high: Places

    def divided(self, batch: Batch, codes: Codes) -> tuple[BoolArray, BoolArray]:
        """Which rows lie up to the low place, and which inside."""
        key = self.order.keys(batch)
        low, high = (place.key if place.size == 1 else place.key[codes] for place in (self.low, self.high))
        below, inside = key < low, (key > low) & (key < high)
        # Ids are hashed where keys do not decide.
        edge = np.flatnonzero((key == low) | (key == high))
        if edge.size:
            places = self._places(batch.take(edge), key[edge])
            at_low, at_high = (_at(place, codes[edge]) for place in (self.low, self.high))
            below[edge] = ~places.later_than(at_low)
            inside[edge] = ~below[edge] & ~places.later_than(at_high)
        return below, inside

    def tally(self, batch: Batch, codes: Codes, groups: int, rate: float, rng: np.random.Generator) -> Tally:
        """Count the rows of each group, and draw a share `rate` of those inside."""
        below, inside = self.divided(batch, codes)
        drawn = np.flatnonzero(inside)
        if rate < 1.0:
            drawn = drawn[rng.random(drawn.size) < rate]
        rows = batch.take(drawn)
        under, within = (np.bincount(codes[mask], minlength=groups) for mask in (below, inside))
        return Tally(under, within, codes[drawn], self._places(rows, self.order.keys(rows)))

    def _places(self, batch: Batch, keys: UIntArray) -> Places:
        return Places(keys, self.order.ties(batch), batch.numbers.astype(np.uint64) + np.uint64(1))


def _at(places: Places, codes: Codes) -> Places:
    return places if places.size == 1 else places[codes]


@dataclass(frozen=True)
class Outside:
    """Two groups: what lies inside a bracket of all examples, 0, and what does not, 1."""

    bracket: Bracket

    def codes(self, batch: Batch) -> Codes:
        """Whether each row lies outside."""
        _, inside = self.bracket.divided(batch, OneGroup().codes(batch))
        return (~inside).astype(np.int32)
