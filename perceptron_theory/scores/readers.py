"""Score files: .npy, .npz and .csv."""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from perceptron_theory.errors import ScoreError
from perceptron_theory.scores.scores import Direction, Scores, check_direction


def read_scores(path: str | Path, *, higher_is: Direction, column: str | None = None, key: str | None = None) -> Scores:
    """Read one score per example, in the order of the data set.

    Parameters
    ----------
    path : str or Path
        A .npy, .npz or .csv file. Pickled arrays are refused: loading them can run code.
    higher_is : {"harder", "easier", "keep"}
        What a high score means; never guessed.
    column : str, optional
        Column of a .csv file with a header row. Needed if there is more than one.
    key : str, optional
        Array of a .npz file. Needed if there is more than one.

    Returns
    -------
    Scores

    Raises
    ------
    ScoreError
        If the file is missing, empty or unreadable, the column or key is unknown, or scores are not
        finite, not real, or all equal.

    Examples
    --------
    >>> import numpy as np, os, tempfile, perceptron_theory as pt
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "el2n.npy")
    ...     np.save(path, np.linspace(0, 1, 5))
    ...     pt.read_scores(path, higher_is="harder").n
    5
    """
    path = Path(path)
    check_direction(higher_is)
    readers: dict[str, Callable[[], npt.NDArray[Any]]] = {
        ".npy": lambda: _read_npy(path),
        ".npz": lambda: _read_npz(path, key),
        ".csv": lambda: _read_csv(path, column),
    }
    suffix = path.suffix.lower()
    if suffix not in readers:
        raise ScoreError(f"unknown score format {path.suffix!r} of {path}: use {', '.join(readers)}.")
    if column is not None and suffix != ".csv":
        raise ScoreError(f"column={column!r} is for .csv files, got {path}: use key for .npz.")
    if key is not None and suffix != ".npz":
        raise ScoreError(f"key={key!r} is for .npz files, got {path}: use column for .csv.")
    try:
        if not path.is_file():
            raise ScoreError(f"no such file: {path}: check the path.")
        size = path.stat().st_size
    except (OSError, ValueError) as error:
        raise ScoreError(f"cannot read {path} ({error}): check the path.") from None
    if size == 0:
        raise ScoreError(f"empty file: {path}: write the scores again.")
    label = column or key
    return Scores(readers[suffix](), higher_is, f"{path}:{label}" if label else str(path))


#: What numpy and zipfile raise on files that are not what they claim.
_UNREADABLE = (
    ValueError,
    OSError,
    EOFError,
    RuntimeError,
    MemoryError,
    SyntaxError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


def _translated(path: Path, error: BaseException, what: str) -> ScoreError:
    """One-line error for whatever numpy raised."""
    if "pickle" in str(error):
        return ScoreError(
            f"{what} holds pickled objects or is not a numpy file: pickles can run code and are refused; "
            "save plain numbers with numpy.save."
        )
    reason = " ".join(str(error).split()) or type(error).__name__
    return ScoreError(f"{path} is not a readable numpy file ({reason}): write it again with numpy.save.")


def _load(path: Path) -> Any:
    """numpy.load without pickle, its errors translated."""
    try:
        return np.load(path, allow_pickle=False)
    except _UNREADABLE as error:
        raise _translated(path, error, str(path)) from None


def _read_npy(path: Path) -> npt.NDArray[Any]:
    array = _load(path)
    if not isinstance(array, np.ndarray):
        array.close()
        raise ScoreError(f"{path} is an archive of several arrays: give it the suffix .npz and choose a key.")
    return array


def _read_npz(path: Path, key: str | None) -> npt.NDArray[Any]:
    archive = _load(path)
    if isinstance(archive, np.ndarray):
        raise ScoreError(f"{path} is a single array: give it the suffix .npy.")
    with archive:
        names = list(archive.files)
        if key is None and len(names) == 1:
            key = names[0]
        if key not in names:
            asked = "no key given" if key is None else f"unknown key {key!r}"
            raise ScoreError(f"{asked} for {path}: it holds {', '.join(names) or 'nothing'}.")
        try:
            return np.asarray(archive[key])
        except _UNREADABLE as error:
            raise _translated(path, error, f"array {key!r} of {path}") from None


def _read_csv(path: Path, column: str | None) -> npt.NDArray[Any]:
    """One column. Whatever would shift or rename columns or rows unseen is refused."""
    try:
        # Names and cells are read apart, so that pandas neither renames columns nor guesses an index.
        header = pd.read_csv(path, header=None, nrows=1, dtype=str, encoding="utf-8-sig", skip_blank_lines=False)
        names = [str(name) for name in header.iloc[0]]
        table = pd.read_csv(
            path, header=None, names=range(len(names)), skiprows=1, skip_blank_lines=False, encoding="utf-8-sig"
        )
    except (ValueError, OSError) as error:
        reason = " ".join(str(error).split())
        if isinstance(error, pd.errors.EmptyDataError):
            return np.empty(0)
        raise ScoreError(f"{path} is not a readable csv file ({reason}): it needs a header row.") from None
    if not isinstance(table.index, pd.RangeIndex):
        raise ScoreError(
            f"{path} has rows with more fields than its header ({', '.join(names)}): use a point as decimal sign, "
            "and one name per column."
        )
    for name in names:
        if _is_number(name):
            raise ScoreError(
                f"{path} has no header row, its first line holds the number {name}: add the names of columns."
            )
    if column is None and len(names) == 1:
        column = names[0]
    if column is None or column not in names:
        asked = "no column given" if column is None else f"unknown column {column!r}"
        raise ScoreError(f"{asked} for {path}: it has {', '.join(names)}.")
    if names.count(column) > 1:
        raise ScoreError(f"{names.count(column)} columns of {path} are called {column!r}: rename them.")
    return np.asarray(table[names.index(column)].to_numpy())


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
