"""The first reading of a table: how many rows and classes it has, and whether its scores can be used."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from perceptron_theory.errors import ScoreError
from perceptron_theory.keeplists.streaming.batches import Batch
from perceptron_theory.keeplists.streaming.passes import Piece
from perceptron_theory.keeplists.streaming.shards import CsvShard
from perceptron_theory.scores.readers.csv_files import check_text
from perceptron_theory.scores.rounding import LARGEST_WHOLE

#: More are taken for a mistake, such as a column of ids.
MAX_CLASSES = 2**16


@dataclass(frozen=True)
class Survey:
    """What a first reading finds in some rows.

    Attributes
    ----------
    rows : int
        How many there are.
    lowest, highest : float
        Of the scores that are finite.
    wrong : int
        Scores that are not finite.
    first_wrong : tuple of (float, float)
        Row number of the first of them, and what it is instead; infinite without any.
    classes : Counter
        Rows of each label.
    text : frozenset of str
        Columns of names in csv files that do not hold whole numbers throughout.
    """

    rows: int = 0
    lowest: float = math.inf
    highest: float = -math.inf
    wrong: int = 0
    first_wrong: tuple[float, float] = (math.inf, math.inf)
    classes: Counter[int | str] = field(default_factory=Counter)
    text: frozenset[str] = frozenset()

    @classmethod
    def joined(cls, parts: Iterable[Survey]) -> Survey:
        """Of all parts.

        Raises
        ------
        ScoreError
            If there are more classes than are believable.
        """
        total = cls()
        for part in parts:
            total.classes.update(part.classes)
            total = cls(
                total.rows + part.rows,
                min(total.lowest, part.lowest),
                max(total.highest, part.highest),
                total.wrong + part.wrong,
                min(total.first_wrong, part.first_wrong),
                total.classes,
                total.text | part.text,
            )
        if len(total.classes) > MAX_CLASSES:
            raise ScoreError(
                f"labels must be at most {MAX_CLASSES:,} classes, got more (among them {next(iter(total.classes))!r}): "
                "name the column of classes, or leave out labels."
            )
        return total

    def with_whole_labels(self) -> Survey:
        """Labels as the numbers that their texts are."""
        return replace(self, classes=Counter({int(label): n for label, n in self.classes.items()}))

    def shifted(self, start: int) -> Survey:
        """Row numbers counted from elsewhere."""
        row, value = self.first_wrong
        return replace(self, first_wrong=(row + start, value))


def survey(piece: Piece) -> Survey:
    """Count rows, classes, and scores that are not finite.

    Raises
    ------
    ScoreError
        If the shard cannot be read, or has more classes than are believable.
    """
    shard = piece.shard
    if not isinstance(shard, CsvShard):  # the kind of the ids is written in the file
        piece = replace(piece, shard=replace(shard, columns=replace(shard.columns, ids=None)))
        return Survey.joined(_surveyed(batch, frozenset()) for batch in piece.batches())
    found = Survey.joined(_surveyed(batch, _text(batch, shard)) for batch in piece.batches())
    if max(-found.lowest, found.highest) >= LARGEST_WHOLE:
        check_text(shard.path, shard.columns.scores)
    return found


def _surveyed(batch: Batch, text: frozenset[str]) -> Survey:
    finite = np.isfinite(batch.scores)
    scores, first = batch.scores, (math.inf, math.inf)
    if not finite.all():
        at = int(np.argmin(finite))
        first, scores = (float(batch.numbers[at]), float(scores[at])), scores[finite]
    return Survey(
        batch.size,
        float(scores.min(initial=math.inf)),
        float(scores.max(initial=-math.inf)),
        batch.size - scores.size,
        first,
        Counter() if batch.labels is None else _counted(batch.labels),
        text,
    )


def _counted(labels: pa.Array) -> Counter[int | str]:
    counts = pc.value_counts(labels)
    return Counter(dict(zip(counts.field(0).to_pylist(), counts.field(1).to_pylist(), strict=True)))


def _text(batch: Batch, shard: CsvShard) -> frozenset[str]:
    """Columns of names that are not whole numbers throughout, written plainly (7, not 007)."""
    named = ((shard.columns.ids, batch.ids), (shard.columns.labels, batch.labels))
    return frozenset(name for name, column in named if name is not None and not _is_whole(column))


def _is_whole(column: pa.Array) -> bool:
    try:
        return bool(column.cast(pa.int64()).cast(pa.string()).equals(column))
    except pa.ArrowInvalid:
        return False
