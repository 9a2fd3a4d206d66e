"""What is kept of each piece of a table, written where it is read: memory does not grow with the table."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from perceptron_theory.errors import OutputError
from perceptron_theory.keeplists.streaming.batches import Batch
from perceptron_theory.keeplists.streaming.brackets import Bracket, ByLabel, Groups, OneGroup
from perceptron_theory.keeplists.streaming.passes import Piece
from perceptron_theory.keeplists.streaming.places import BoolArray, IntArray
from perceptron_theory.output import cannot_write

INDICES: Final = "kept_indices.npy"
MASK: Final = "mask.npy"
IDS: Final = "kept_ids.parquet"


@dataclass(frozen=True)
class Writing:
    """What to keep of a piece, and where to write it.

    Attributes
    ----------
    piece : Piece
    groups, bracket : Groups, Bracket
        What is kept lies inside the bracket of its group.
    rule : Bracket
        What would be kept if neither classes nor chance had a say.
    labels : ByLabel or None
        Classes to be counted.
    scores : tuple of float
        Scores to be counted: thresholds.
    folder : Path
        Where the parts are gathered.
    """

    piece: Piece
    groups: Groups
    bracket: Bracket
    rule: Bracket
    labels: ByLabel | None
    scores: tuple[float, ...]
    folder: Path


@dataclass(frozen=True)
class Written:
    """What was kept.

    Attributes
    ----------
    kept : int
        Rows kept.
    by_rule : int
        Those among them that the rule alone would keep too.
    classes : ndarray of int64, shape (C,)
        Rows kept of each class.
    tied, tied_kept : ndarray of int64, shape (n_scores,)
        Rows of each score, in all and kept.
    """

    kept: int
    by_rule: int
    classes: IntArray
    tied: IntArray
    tied_kept: IntArray

    @classmethod
    def total(cls, parts: Sequence[Written]) -> Written:
        """Of all pieces."""
        return cls(
            sum(part.kept for part in parts),
            sum(part.by_rule for part in parts),
            np.sum([part.classes for part in parts], axis=0),
            np.sum([part.tied for part in parts], axis=0),
            np.sum([part.tied_kept for part in parts], axis=0),
        )


def write_part(writing: Writing) -> Written:
    """Write row numbers, mask and ids of what is kept of one piece, each into a file of the folder.

    Raises
    ------
    ScoreError
        If the shard cannot be read, or has changed.
    OutputError
        If the files cannot be written.
    """
    try:
        with ExitStack() as stack:
            parts = _Parts(writing, stack)
            counts = [parts.write(batch) for batch in writing.piece.batches()]
            return Written.total(counts)
    except OSError as error:
        refused = cannot_write(writing.folder, error)
        raise OutputError(f"{refused} Workers on other machines must see it under this name.") from None


class _Parts:
    """The open files of one piece."""

    def __init__(self, writing: Writing, stack: ExitStack) -> None:
        self.writing, self.stack = writing, stack
        self.indices, self.mask = (stack.enter_context(self._path(name).open("wb")) for name in (INDICES, MASK))
        self.ids: pa.RecordBatchStreamWriter | None = None

    def _path(self, name: str) -> Path:
        return part_path(self.writing.folder, name, self.writing.piece.index)

    def write(self, batch: Batch) -> Written:
        """Append what is kept of a batch."""
        _, kept = self.writing.bracket.divided(batch, self.writing.groups.codes(batch))
        self.indices.write(batch.numbers[kept].astype("<i8").tobytes())
        self.mask.write(kept.tobytes())
        if batch.ids is not None:
            ids = pa.record_batch([batch.ids.filter(pa.array(kept))], names=["id"])
            if self.ids is None:
                self.ids = self.stack.enter_context(pa.ipc.new_stream(str(self._path(IDS)), ids.schema))
            self.ids.write_batch(ids)
        return _counted(self.writing, batch, kept)


def _counted(writing: Writing, batch: Batch, kept: BoolArray) -> Written:
    chosen = batch.take(np.flatnonzero(kept))
    _, by_rule = writing.rule.divided(chosen, OneGroup().codes(chosen))
    codes = (OneGroup() if writing.labels is None else writing.labels).codes(chosen)
    return Written(
        chosen.size,
        int(by_rule.sum()),
        np.bincount(codes, minlength=1 if writing.labels is None else len(writing.labels.labels)),
        np.array([np.count_nonzero(batch.scores == score) for score in writing.scores], dtype=np.int64),
        np.array([np.count_nonzero(chosen.scores == score) for score in writing.scores], dtype=np.int64),
    )


def part_path(folder: Path, name: str, index: int) -> Path:
    """Where the part of one piece lies."""
    return folder / f"{index:08d}-{name}"
