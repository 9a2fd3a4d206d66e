"""Which files a folder or a glob stands for."""

from __future__ import annotations

import glob
import itertools
import os
from collections.abc import Collection
from pathlib import Path

WILDCARDS = frozenset("*?[")


def files_below(given: Path, suffixes: Collection[str]) -> list[Path]:
    """Data files of a folder, searched to its depths, or of a glob, in the order of their paths.

    Files and folders whose names start with a point or an underscore (`_temporary`, `_delta_log`,
    `.ipynb_checkpoints`) are left out, as Spark and Arrow leave them out: what was given up, or is no data, lies
    there. Only names below the folder that was given count; for a glob, names from its first wildcard on.

    Parameters
    ----------
    given : Path
        A folder or a glob. Folders that a glob finds under the suffix of a file, as Spark names them, are searched
        too.
    suffixes : collection of str
        Endings of data files, in lower case.

    Returns
    -------
    list of Path
        Perhaps empty.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     folder = Path(name)
    ...     for part in ("b.parquet", "a/1.parquet", "_temporary/0.parquet"):
    ...         (folder / part).parent.mkdir(exist_ok=True)
    ...         (folder / part).touch()
    ...     [file.relative_to(folder).as_posix() for file in files_below(folder, (".parquet",))]
    ['a/1.parquet', 'b.parquet']
    """
    if os.path.isdir(given):  # unlike given.is_dir() false, and no error, for a name too long
        base, found = len(given.parts), set(given.rglob("*"))
    else:
        base = len(list(itertools.takewhile(WILDCARDS.isdisjoint, given.parts)))
        hits = [hit for hit in map(Path, glob.glob(str(given), recursive=True)) if hit.suffix.lower() in suffixes]
        found = {file for hit in hits for file in (hit.rglob("*") if hit.is_dir() else [hit])}
    return sorted(
        file
        for file in found
        if file.suffix.lower() in suffixes and not any(map(_is_left_out, file.parts[base:])) and file.is_file()
    )


def _is_left_out(name: str) -> bool:
    """Whether a name is that of something hidden; `_class=3` is a partition by a column called `_class`."""
    return name.startswith(".") or (name.startswith("_") and "=" not in name)
