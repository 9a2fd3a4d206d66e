"""The files of a keep-list, one writer each: what numpy, pandas, datasets, NeMo Curator and DataComp read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from perceptron_theory.errors import InvalidInputError

Names = npt.NDArray[np.generic]
Column: TypeAlias = "Names | pd.Categorical[str]"

#: Files by the name of their format.
FILES: Final = {
    "indices": "kept_indices.npy",
    "mask": "mask.npy",
    "ids": "ids.txt",
    "table": "selection.parquet",
    "curator": "ids_to_remove.parquet",
    "datacomp": "datacomp_subset.npy",
}
MANIFEST: Final = "selection.json"

#: Columns of the table that hold few different texts.
_REPETITIVE = ("label", "reason")
_UID_LENGTH: Final = 32


def chosen_formats(formats: Sequence[str] | None, names: Names) -> tuple[str, ...]:
    """Names of the formats to write: all that ids allow, or those asked for.

    Parameters
    ----------
    formats : sequence of str or None
        Keys of `FILES`. None: all, "datacomp" only if every id is a uid of 32 lower-case hexadecimal digits.
    names : ndarray
        Ids of all examples.

    Raises
    ------
    InvalidInputError
        If a format is unknown, or asked for and not possible.

    Examples
    --------
    >>> import numpy as np
    >>> chosen_formats(None, np.arange(3))
    ('indices', 'mask', 'ids', 'table', 'curator')
    """
    uids = are_uids(names)
    if formats is None:
        return tuple(name for name in FILES if uids or name != "datacomp")
    for name in formats:
        if isinstance(formats, str) or name not in FILES:
            wrong = formats if isinstance(formats, str) else name
            raise InvalidInputError(f"unknown format {wrong!r}: formats is a list of some of {', '.join(FILES)}.")
    if "datacomp" in formats and not uids:
        raise InvalidInputError(
            "a DataComp subset needs ids that are uids of 32 lower-case hexadecimal digits, and some are not: read the "
            "scores with the column of uids as ids, or leave this format out."
        )
    return tuple(dict.fromkeys(formats))


def are_uids(names: Names) -> bool:
    """Whether all ids are uids of DataComp: 32 lower-case hexadecimal digits.

    Examples
    --------
    >>> import numpy as np
    >>> are_uids(np.array(["139e4a9b22a614771f06c700a8ebe150"], dtype=object))
    True
    """
    if names.dtype.kind != "O" or any(len(name) != _UID_LENGTH for name in names):
        return False
    return not "".join(names).strip("0123456789abcdef")


def id_lines(names: Names) -> bytes:
    r"""Ids as text in UTF-8, one per line.

    Raises
    ------
    InvalidInputError
        If an id holds a line break.

    Examples
    --------
    >>> import numpy as np
    >>> id_lines(np.array(["n01440764/a.JPEG", "n01440764/b.JPEG"], dtype=object))
    b'n01440764/a.JPEG\nn01440764/b.JPEG\n'
    """
    text = "\n".join([*map(str, names.tolist()), ""])
    if text.count("\n") != names.size or "\r" in text:
        broken = next(name for name in names.tolist() if re.search(r"[\n\r]", name))
        raise InvalidInputError(f"ids must not hold line breaks, got {broken!r}: files hold one id per line.")
    return text.encode()


def write_ids(path: Path, names: Names) -> None:
    """Text file with one id per line, in the order of the data set."""
    path.write_bytes(id_lines(names))


def write_table(path: Path, columns: Mapping[str, Column]) -> None:
    """Parquet table with a row per example, in the order of the data set."""
    arrays = {
        name: pa.array(column).cast(pa.string()) if isinstance(column, pd.Categorical) else pa.array(column)
        for name, column in columns.items()
    }
    pq.write_table(pa.table(arrays), path, use_dictionary=[name for name in _REPETITIVE if name in arrays])


def write_removed_ids(path: Path, names: Names) -> None:
    """Parquet file of NeMo Curator: one column "id", of the examples to remove.

    What ``TextDuplicatesRemovalWorkflow(ids_to_remove_path=...)`` reads. Sorted, since it asks for ranges of ids.
    """
    column = pa.array(names, pa.string() if names.dtype.kind == "O" else pa.int64())
    pq.write_table(pa.table({"id": column.take(pc.sort_indices(column))}), path, use_dictionary=False)


def write_uids(path: Path, names: Names) -> None:
    """Subset file of DataComp: pairs of 64-bit numbers, the two halves of each uid, sorted."""
    halves = np.frombuffer(bytes.fromhex("".join(names)), dtype=">u8").reshape(-1, 2)
    pairs = np.empty(len(halves), dtype="u8,u8")
    pairs["f0"], pairs["f1"] = halves[np.lexsort((halves[:, 1], halves[:, 0]))].T
    np.save(path, pairs)
