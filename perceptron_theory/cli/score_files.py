"""Score files as the options of a command describe them."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from perceptron_theory.errors import InvalidInputError, ScoreError
from perceptron_theory.scores.readers import read_scores
from perceptron_theory.scores.readers.label_files import read_labels
from perceptron_theory.scores.scores import Scores


def read(path: Path, reading: Mapping[str, Any]) -> Scores:
    """Scores with the labels that the options name, be they a column, a key or a file."""
    options = dict(reading)
    apart = label_file(options.get("labels"))
    if apart is not None:
        options["labels"] = None
    scores = read_scores(path, **options)
    # File names may hold bytes that no table can: show them escaped.
    printable = scores.source.encode("utf-8", "backslashreplace").decode("utf-8")
    scores = dataclasses.replace(scores, source=printable)
    return scores if apart is None else dataclasses.replace(scores, labels=read_labels(apart))


def read_if_named(path: Path | None, reading: Mapping[str, Any]) -> Scores | None:
    """The scores of a file, or none where no file is named.

    Raises
    ------
    InvalidInputError
        If options describe a file that is not named.
    """
    if path is not None:
        return read(path, reading)
    given = [f"--{name.replace('_', '-')}" for name, value in reading.items() if value is not None]
    if given:
        raise InvalidInputError(
            f"{', '.join(given)} describe{'s' if len(given) == 1 else ''} a score file, got no SCORES: name the file, "
            "or leave out what describes it."
        )
    return None


def label_file(labels: str | None) -> Path | None:
    """File of the labels, if they are not a column or key."""
    if labels is None or not labels.endswith(".npy"):
        return None
    if not os.path.isfile(labels):  # unlike Path.is_file() false, and no error, for a name too long
        raise ScoreError(f"no such file: {labels}: check the path of --labels.")
    return Path(labels)
