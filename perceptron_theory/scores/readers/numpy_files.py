"""Scores in .npy and .npz."""

from __future__ import annotations

import re
from typing import Any, BinaryIO

import numpy as np

from perceptron_theory.errors import ScoreError
from perceptron_theory.scores.readers.raw_files import read_raw
from perceptron_theory.scores.readers.request import AnyArray, Contents, Request
from perceptron_theory.scores.readers.translation import PICKLES_REFUSED, translated

MAGIC = b"\x93NUMPY"

_ADVICE = "it is cut short or damaged; write it again with numpy.save"
_PICKLE = re.compile(rb"\x80[\x02-\x05]")


def read_npy(request: Request) -> Contents:
    """The array of a .npy file; with a dtype, the numbers of one without header."""
    path = request.path
    with translated(path, "numpy file", _ADVICE), path.open("rb") as file:
        start = file.read(len(MAGIC))
        file.seek(0)
        if start == MAGIC:
            if request.dtype is not None:
                raise ScoreError(f"{path} has a numpy header, which says what its numbers are: leave out dtype.")
            return Contents(_array(request, file))
    if request.dtype is not None:
        return read_raw(request)
    raise ScoreError(_no_header(request, start))


def _array(request: Request, file: BinaryIO) -> AnyArray:
    """The one array of an open .npy file."""
    try:
        array = np.lib.format.read_array(file, allow_pickle=False)
    except ValueError as error:
        _refuse_pickle(str(request.path), error)
        raise
    if file.read(1):
        raise ScoreError(f"{request.path} goes on behind its array: write one array per file with numpy.save.")
    return np.asarray(array)


def _no_header(request: Request, start: bytes) -> str:
    path = request.path
    if start.startswith(b"PK"):
        return f"{path} is an archive of several arrays: give it the suffix .npz and choose a key."
    if _PICKLE.match(start):
        return f"{path} looks like a pickle: {PICKLES_REFUSED}; save plain numbers with numpy.save."
    return (
        f"{path} is not a readable numpy file (no header): if it holds bare numbers, as SemDeDup writes them, give "
        f"dtype; its {path.stat().st_size:,} bytes would be {path.stat().st_size / 4:,g} of dtype='float32'."
    )


def read_npz(request: Request) -> Contents:
    """Arrays of a .npz archive, by key."""
    advice = "it is cut short or damaged; write it again with numpy.savez"
    # From a file of ours: numpy leaves its own open where the archive is damaged.
    with translated(request.path, "numpy file", advice), request.path.open("rb") as file:
        try:
            archive = np.load(file, allow_pickle=False)
        except ValueError as error:
            _refuse_pickle(str(request.path), error)
            raise
        if isinstance(archive, np.ndarray):
            raise ScoreError(f"{request.path} is a single array: give it the suffix .npy.")
        parts = request.parts(list(archive.files), "key")
        ids, labels = (None if name is None else _member(request, archive, name) for name in (parts.ids, parts.labels))
        return Contents(_member(request, archive, parts.scores), parts.scores, ids, labels)


def _member(request: Request, archive: Any, key: str) -> AnyArray:
    try:
        array = archive[key]
    except ValueError as error:
        _refuse_pickle(f"array {key!r} of {request.path}", error)
        raise
    if not isinstance(array, np.ndarray):  # a member that numpy did not write comes as its bytes
        raise ScoreError(f"member {key!r} of {request.path} is not an array: write it again with numpy.savez.")
    return array


def _refuse_pickle(what: str, error: ValueError) -> None:
    if "pickle" in str(error):
        raise ScoreError(f"{what} holds pickled objects: {PICKLES_REFUSED}; save plain numbers with numpy.save.")
