"""What was asked of one file, and what came out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from perceptron_theory.errors import ScoreError

AnyArray = npt.NDArray[Any]

_SHOWN = 20


@dataclass(frozen=True)
class Parts:
    """Names of the columns, or keys, that hold scores, ids and labels."""

    scores: str
    ids: str | None
    labels: str | None


@dataclass(frozen=True)
class Request:
    """One file or folder, and which of its parts are wanted.

    Attributes
    ----------
    path : Path
        What to read.
    part : str or None
        Column or key of the scores.
    ids, labels : str or None
        Column or key of ids and labels.
    dtype : str or None
        Type of the numbers of a file without header.
    """

    path: Path
    part: str | None = None
    ids: str | None = None
    labels: str | None = None
    dtype: str | None = None

    def parts(self, available: Sequence[str], word: str) -> Parts:
        """Parts by name; the scores need none where one part alone is left for them.

        Parameters
        ----------
        available : sequence of str
            What the file holds.
        word : {"column", "key"}
            What a part of this format is called.

        Raises
        ------
        ScoreError
            If a part is not there, is there twice, or it is not clear which one holds the scores.
        """
        for asked in (self.part, self.ids, self.labels):
            if asked is not None and asked not in available:
                raise ScoreError(f"unknown {word} {asked!r} for {self.path}: it has {listed(available)}.")
        left = [name for name in available if name not in (self.ids, self.labels)]
        if self.part is None and len(left) != 1:
            raise ScoreError(f"no {word} given for {self.path}: it has {listed(available)}.")
        parts = Parts(left[0] if self.part is None else self.part, self.ids, self.labels)
        for name in (parts.scores, parts.ids, parts.labels):
            if name is not None and available.count(name) > 1:
                raise ScoreError(f"{available.count(name)} {word}s of {self.path} are called {name!r}: rename them.")
        return parts


@dataclass(frozen=True)
class Contents:
    """Scores of a file as they lie in it, before `Scores` judges them.

    Attributes
    ----------
    values : ndarray
        Of any type and shape.
    part : str or None
        Column or key they come from.
    ids, labels : ndarray or None
        Where they were asked for, or belong to the format.
    """

    values: AnyArray
    part: str | None = None
    ids: AnyArray | None = None
    labels: AnyArray | None = None


def listed(names: Sequence[str]) -> str:
    """Names in one line, whatever they are, the first twenty of them."""
    if not names:
        return "nothing"
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(name if name.isprintable() else repr(name) for name in names[:_SHOWN]) + more
