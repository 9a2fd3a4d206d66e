"""Score files: .npy, .npz and .csv."""

from __future__ import annotations

import zipfile
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
    if not path.is_file():
        raise ScoreError(f"no such file: {path}: check the path.")
    if path.stat().st_size == 0:
        raise ScoreError(f"empty file: {path}: write the scores again.")
    label = column or key
    return Scores(readers[suffix](), higher_is, f"{path}:{label}" if label else str(path))


def _load(path: Path) -> Any:
    """numpy.load without pickle, its errors translated."""
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        if "pickle" in str(error):
            raise ScoreError(
                f"{path} holds pickled objects or is not a numpy file: pickles can run code and are refused; "
                "save plain numbers with numpy.save."
            ) from None
        raise ScoreError(f"{path} is not a readable numpy file ({error}): write it again with numpy.save.") from None


def _read_npy(path: Path) -> npt.NDArray[Any]:
    array = _load(path)
    if not isinstance(array, np.ndarray):
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
        except ValueError:
            raise ScoreError(
                f"array {key!r} of {path} holds pickled objects: pickles can run code and are refused; "
                "save plain numbers."
            ) from None


def _read_csv(path: Path, column: str | None) -> npt.NDArray[Any]:
    try:
        table = pd.read_csv(path)
    except (ValueError, OSError) as error:
        raise ScoreError(f"{path} is not a readable csv file ({str(error).strip()}): it needs a header row.") from None
    names = [str(name) for name in table.columns]
    if column is None and len(names) == 1:
        column = names[0]
    if column not in names:
        asked = "no column given" if column is None else f"unknown column {column!r}"
        raise ScoreError(f"{asked} for {path}: it has {', '.join(names)}.")
    return np.asarray(table[column].to_numpy())
