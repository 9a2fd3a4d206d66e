"""Published score files of Sorscher et al. 2022 (arXiv:2206.14486): ImageNet-1K_<metric>.csv.

Their direction is documented: "high scores indicate keeping an example is beneficial" (README of
rgeirhos/dataset-pruning-metrics). Names and order of their columns are not, so they are told apart by
what they hold: a running index, the name of the image, the score.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from perceptron_theory.errors import ScoreError
from perceptron_theory.scores.numerals import is_number, is_whole_number
from perceptron_theory.scores.scores import Direction

PUBLISHED_METRICS = (
    "DDD",
    "EL2N-1-model",
    "EL2N-20-models",
    "active-learning",
    "forgetting",
    "influence-max",
    "influence-sum-abs",
    "memorization",
    *(f"random-{seed}" for seed in range(100, 105)),
    "self-supervised-prototypes",
    "supervised-prototypes",
)
#: Examples of the training set of ImageNet-1K.
PUBLISHED_ROWS = 1_281_167


def published_metric(path: str | Path) -> str | None:
    """Metric of a published file by its name, None for any other file.

    Examples
    --------
    >>> published_metric("scores/ImageNet-1K_EL2N-20-models.csv")
    'EL2N-20-models'
    >>> published_metric("ImageNet-1K_mine.csv") is None
    True
    """
    name = re.fullmatch(r"(?:.*[/\\])?ImageNet-1K_(.+)\.csv", str(path))
    return name[1] if name and name[1] in PUBLISHED_METRICS else None


def published_direction(path: str | Path, given: Direction | None) -> Direction:
    """The documented direction; refuses another."""
    if given not in (None, "keep"):
        raise ScoreError(
            f"higher_is must be 'keep' for {path}, got {given!r}: in the published files a high score says keep; "
            "leave out higher_is, or rename the file if it is not one of them."
        )
    return "keep"


def published_remark(n: int) -> str:
    """Says so where a file does not have the rows of ImageNet-1K, otherwise empty."""
    return "" if n == PUBLISHED_ROWS else f" ({n:,} rows, ImageNet-1K has {PUBLISHED_ROWS:,})"


def sniff_columns(path: Path, names: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[str, str]:
    """Columns of scores and of image names, by what they hold.

    The image name is the column of text whose cells all differ. The score is the one column of numbers
    that are not whole; if there is none, the one of whole numbers that is no index (its cells repeat).

    Parameters
    ----------
    path : Path
        File that the rows come from.
    names : sequence of str
        Names of the columns.
    rows : sequence of sequence of str
        Some rows of the file. A few broken ones do no harm.

    Returns
    -------
    tuple of str
        Names of the two columns.

    Raises
    ------
    ScoreError
        If two columns could be meant, or none.

    Examples
    --------
    >>> from pathlib import Path
    >>> rows = [["0", "n01440764_18.JPEG", "0.25"], ["1", "n01440764_36.JPEG", "0.75"]]
    >>> sniff_columns(Path("ImageNet-1K_DDD.csv"), ["", "image", "score"], rows)
    ('score', 'image')
    """
    columns = dict(zip(names, zip(*(row for row in rows if len(row) == len(names)), strict=True), strict=False))
    text = [name for name, cells in columns.items() if not _mostly(is_number, cells) and _differ(cells)]
    numbers = [name for name, cells in columns.items() if _mostly(is_number, cells)]
    fractions = [name for name in numbers if not _mostly(is_whole_number, columns[name])]
    scores = fractions or [name for name in numbers if not _differ(columns[name])]
    if len(text) != 1 or len(scores) != 1:
        raise ScoreError(
            f"{path} should hold an index, a name and a score in each row, but {_found('a name', text)} and "
            f"{_found('a score', scores)}: name them with ids and column; it has {', '.join(map(repr, names))}."
        )
    return scores[0], text[0]


def _mostly(test: Callable[[str], bool], cells: Sequence[str]) -> bool:
    return 2 * sum(map(test, cells)) > len(cells)


def _differ(cells: Sequence[str]) -> bool:
    return len(set(cells)) == len(cells)


def _found(what: str, names: Sequence[str]) -> str:
    return f"{', '.join(map(repr, names))} could be {what}" if names else f"no column could be {what}"
