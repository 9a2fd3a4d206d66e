"""Files that a browser sends: decoded, measured, recognised, and read in a folder of their own that does not stay."""

from __future__ import annotations

import base64
import binascii
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, cast

import pandas as pd

from perceptron_theory.calibration.runs import REQUIRED, Runs, read_table
from perceptron_theory.errors import InvalidInputError, PerceptronTheoryError, ScoreError
from perceptron_theory.explorer.parts import offered
from perceptron_theory.explorer.sizes import check_file, check_runs, check_scores
from perceptron_theory.scores.published import published_metric
from perceptron_theory.scores.readers import read_scores
from perceptron_theory.scores.scores import Direction, Scores

#: Largest file, in bytes: the published files for ImageNet have about 60 MB.
MOST_BYTES: Final = 96 * 2**20

SUFFIXES: Final = (".npy", ".npz", ".csv", ".parquet", ".json", ".pt", ".pth")
_TABLES: Final = (".csv", ".parquet")
#: Columns that only tables of runs have together.
_MARKS: Final = frozenset({"n_total", "n_kept"})
#: Columns of a run table that may name several experiments, of which a calibration takes one.
EXPERIMENT: Final = ("task", "student", "probe", "metric")
#: Characters of a file name that the page shows.
_SHOWN: Final = 60


@dataclass(frozen=True, eq=False)
class Upload:
    """A file as it was sent.

    Attributes
    ----------
    kind : {"scores", "runs"}
        What it holds: a table with columns n_total and n_kept is one of runs.
    name : str
        What its sender calls it, for messages; never a path here.
    suffix : str
        Its format, one of `SUFFIXES`.
    content : bytes
        Its bytes.
    parts : tuple of str
        Columns or keys among which scores have to be chosen; of runs, the columns.
    """

    kind: Literal["scores", "runs"]
    name: str
    suffix: str
    content: bytes
    parts: tuple[str, ...]

    @property
    def published(self) -> bool:
        """Whether it is one of the published score files, which say themselves what a high score means."""
        return published_metric(self.name) is not None

    def scores(self, higher_is: str | None, part: str | None = None) -> Scores:
        """The scores.

        Parameters
        ----------
        higher_is : {"harder", "easier", "keep"}, optional
            What a high score means; only published files say so themselves.
        part : str, optional
            Column or key, where there are several.

        Raises
        ------
        PerceptronTheoryError
            If they are too many, or cannot be read; then the message is that of `read_scores`.
        """
        check_scores(self.name, self.suffix, self.content, part)
        word = "column" if self.suffix in _TABLES else "key"
        chosen = {word: part} if part is not None else {}
        with self._on_disk() as path:
            return read_scores(path, higher_is=cast(Direction | None, higher_is), **chosen)

    def table(self) -> pd.DataFrame:
        """All columns of a table of runs.

        Raises
        ------
        PerceptronTheoryError
            If it cannot be read, or is too large.
        """
        check_runs(self.name, self.suffix, self.content)
        with self._on_disk() as path:
            return read_table(path)

    @contextmanager
    def _on_disk(self) -> Iterator[Path]:
        """The file in a folder that is removed in any case; messages name it as its sender does."""
        with tempfile.TemporaryDirectory(prefix="perceptron_theory_") as folder:
            # The sender's name is used only if it is one of the fifteen published ones.
            path = Path(folder) / (self.name if self.published else f"upload{self.suffix}")
            try:
                path.write_bytes(self.content)
                yield path
            except MemoryError:
                raise ScoreError(f"{self.name} does not fit into memory: use a smaller file.") from None
            except OSError as error:
                raise ScoreError(f"{self.name} cannot be read here ({error.strerror}): drop it again.") from None
            except PerceptronTheoryError as error:
                raise type(error)(str(error).replace(str(path), self.name)) from None


def received(contents: object, filename: object) -> Upload:
    r"""What a browser sent, recognised and seen to be readable.

    Parameters
    ----------
    contents : str
        A data URL with base64, "data:<type>;base64,<bytes>", as a browser makes it of a file.
    filename : str
        What the file is called there. Only its last part counts, and only its suffix says what the file is.

    Returns
    -------
    Upload

    Raises
    ------
    PerceptronTheoryError
        If it is too large, empty, damaged, pickled, or of no known format. Nothing else is raised, whatever was sent,
        and no file stays behind.

    Examples
    --------
    >>> import base64
    >>> sent = base64.b64encode(b"image,el2n\na.png,0.7\nb.png,0.2\n").decode()
    >>> upload = received(f"data:text/csv;base64,{sent}", "el2n.csv")
    >>> upload.kind, upload.parts, upload.scores("harder", "el2n").values.tolist()
    ('scores', ('image', 'el2n'), [0.7, 0.2])
    """
    name = shown_name(filename)
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise ScoreError(f"unknown format of {name}: this page takes {', '.join(SUFFIXES)}.")
    content = _decoded(contents, name)
    check_file(name, suffix, content)
    bare = Upload("scores", name, suffix, content, ())
    with bare._on_disk() as path:
        parts = tuple(offered(path))
    if suffix in _TABLES and set(parts) >= _MARKS:
        runs = Upload("runs", name, suffix, content, parts)
        missing = [column for column in REQUIRED if column not in parts]
        if missing:
            raise InvalidInputError(
                f"{name} is a table of runs (it has n_total and n_kept) without {', '.join(missing)}: rename or add "
                "these columns."
            )
        runs.table()
        return runs
    if len(parts) < 2 or bare.published:
        # There is nothing to choose but the direction: see whether it can be read before it takes the place of another.
        bare.scores(None if bare.published else "harder")
        return bare
    return Upload("scores", name, suffix, content, parts)


def shown_name(filename: object) -> str:
    r"""A file name without folders and control characters, not longer than can be shown.

    Examples
    --------
    >>> shown_name("../../etc/el2n\n.npy"), shown_name("C:\\scores\\a.npz"), shown_name(None)
    ('el2n.npy', 'a.npz', 'the file')
    """
    text = filename if isinstance(filename, str) else ""
    last = text.replace("\\", "/").rpartition("/")[2]
    clean = "".join(letter for letter in last if letter.isprintable()).strip()
    if len(clean) > _SHOWN:
        clean = f"{clean[: _SHOWN // 2]}...{clean[-_SHOWN // 2 :]}"
    return clean or "the file"


def chosen_runs(table: pd.DataFrame, where: dict[str, list[str]]) -> Runs:
    """Runs of one experiment.

    Parameters
    ----------
    table : DataFrame
        From `Upload.table`.
    where : dict
        Values to take of columns of `EXPERIMENT`.

    Raises
    ------
    InvalidInputError
        If a column has several values and none was chosen, or no row is left, or rows are no runs.
    """
    chosen = table
    for column, values in experiments(table).items():
        if not where.get(column):
            raise InvalidInputError(
                f"the runs are of several experiments ({column} is {', '.join(values)}), and a calibration is of one: "
                f"choose the {column}, with what random subsets are called."
            )
        chosen = chosen[[str(cell) in where[column] for cell in chosen[column]]]
    if chosen.empty:
        raise InvalidInputError("no run has all that was chosen: choose other values.")
    return Runs(chosen)


def experiments(table: pd.DataFrame) -> dict[str, list[str]]:
    """Columns that may name several experiments, with their values, where there are several.

    Examples
    --------
    >>> experiments(pd.DataFrame({"student": ["network", "linear"], "task": ["digits", "digits"]}))
    {'student': ['linear', 'network']}
    """
    # Cell by cell: an empty one is "nan", a value like any other.
    values = {name: sorted({str(cell) for cell in table[name]}) for name in EXPERIMENT if name in table}
    return {name: found for name, found in values.items() if len(found) > 1}


def _decoded(contents: object, name: str) -> bytes:
    if not isinstance(contents, str):
        raise ScoreError(f"nothing of {name} arrived: drop it again.")
    encoded = contents.partition(";base64,")[2]
    if len(encoded) > MOST_BYTES * 4 // 3 + 4:
        raise too_large(name)
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise ScoreError(f"{name} was damaged on its way: drop it again.") from None
    if not content:
        raise ScoreError(f"empty file: {name}: write the scores again.")
    return content


def too_large(name: str) -> ScoreError:
    """The refusal of a large file."""
    return ScoreError(
        f"{name} is larger than the {MOST_BYTES // 2**20} MB that this page takes: use the command line, or a sample."
    )
