"""Whether the files of a keep-list are whole, as they were written, and of one selection."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container
from pathlib import Path
from typing import Any, Final

import numpy as np

from perceptron_theory.errors import KeepListError, OutputError
from perceptron_theory.keeplists import formats as fm
from perceptron_theory.keeplists.manifest import file_sha256, with_own_digest
from perceptron_theory.keeplists.streaming.writing import IDS
from perceptron_theory.output import left_behind, settle

#: Every file that a keep-list may have.
NAMES: Final = (*fm.FILES.values(), IDS)


def check_keep_list(folder: str | Path) -> dict[str, Any]:
    """Check the files of a keep-list against their manifest: none missing, none changed, all of one selection.

    If the process that wrote them was killed while it moved them to their places, this moves the rest.

    Parameters
    ----------
    folder : path
        What `KeepList.write` or `select_stream` wrote.

    Returns
    -------
    dict
        The manifest, content of `selection.json`: with "n", "count", and the names of the "files".

    Raises
    ------
    KeepListError
        If a file is missing, was changed, belongs to another keep-list, or counts do not agree.
    OutputError
        If another process is writing the keep-list, or what a killed one left cannot be moved.

    Examples
    --------
    >>> import tempfile, perceptron_theory as pt
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = pt.select(pt.digits_scores(), 0.3).write(folder, formats=["indices", "ids"])
    ...     made = pt.check_keep_list(folder)
    >>> made["count"], list(made["files"])
    (479, ['ids.txt', 'kept_indices.npy'])
    """
    folder = Path(folder)
    try:
        if left_behind(folder, fm.MANIFEST):
            settle(folder, fm.MANIFEST)
        made = _read_manifest(folder)
        for name, digest in made["files"].items():
            _check_file(folder / name, digest)
        _check_counts(folder, made)
    except OutputError:
        raise
    except OSError as error:
        place = error.filename or folder
        raise KeepListError(f"cannot read {place} ({error.strerror or error}): check the path.") from None
    check_no_other(folder, made["files"], KeepListError)
    return made


def check_no_other(
    folder: Path, names: Container[str], refuse: type[KeepListError] | type[OutputError] = OutputError
) -> None:
    """Refuse files of another keep-list, which would be taken for part of this one.

    Parameters
    ----------
    folder : Path
        Where this one lies, or is to be.
    names : container of str
        Its files.
    refuse : type
        The error to raise.
    """
    stale = [name for name in NAMES if name not in names and (folder / name).exists()]
    if stale:
        raise refuse(
            f"{folder} holds {', '.join(stale)} of another keep-list, which would stay beside this one: remove it, or "
            "choose another folder."
        )


def _read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest, if its bytes are those that were written."""
    path = folder / fm.MANIFEST
    if folder.is_dir() and not path.exists():
        raise KeepListError(
            f"{folder} holds no {fm.MANIFEST}: no keep-list was written there, or not to its end; select again."
        )
    content = path.read_bytes()
    try:
        made = dict(json.loads(content))
        unchanged = with_own_digest({name: made[name] for name in made if name != "sha256"}) == content
    except (ValueError, TypeError, RecursionError):
        unchanged = False
    if not unchanged:
        raise KeepListError(
            f"{path} was changed after it was written, or is of an earlier version: put back what was written, or "
            "select again."
        )
    return made


def _check_file(path: Path, digest: str) -> None:
    if not path.exists():
        raise KeepListError(f"{path} is missing, which {fm.MANIFEST} names: put it back, or select again.")
    if file_sha256(path) != digest:
        raise _changed(path)


def _check_counts(folder: Path, made: dict[str, Any]) -> None:
    """Whether indices and mask say what the manifest counts."""
    n, count, names = made["n"], made["count"], made["files"]
    mask = np.load(folder / fm.FILES["mask"], mmap_mode="r") if fm.FILES["mask"] in names else None
    if mask is not None and (mask.size != n or np.count_nonzero(mask) != count):
        raise _other_count(folder / fm.FILES["mask"], n, count)
    if fm.FILES["indices"] in names:
        path = folder / fm.FILES["indices"]
        indices = np.load(path, mmap_mode="r")
        ascending = indices.size == count and bool(np.all(indices[:-1] < indices[1:]))
        if not ascending or indices[0] < 0 or indices[-1] >= n or (mask is not None and not mask[indices].all()):
            raise _other_count(path, n, count)
        if hashlib.sha256(np.ascontiguousarray(indices, "<i8").data).hexdigest() != made["kept_indices_sha256"]:
            raise _changed(path)


def _changed(path: Path) -> KeepListError:
    return KeepListError(f"{path} was changed after it was written: put back what was written, or select again.")


def _other_count(path: Path, n: int, count: int) -> KeepListError:
    return KeepListError(
        f"{path} does not hold the {count:,} of {n:,} examples that {fm.MANIFEST} counts: select again."
    )
