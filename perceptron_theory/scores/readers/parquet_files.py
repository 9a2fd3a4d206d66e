"""Scores in .parquet: a file, a folder or a glob."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from perceptron_theory.errors import ScoreError
from perceptron_theory.scores.readers.folders import files_below
from perceptron_theory.scores.readers.request import AnyArray, Contents, Request
from perceptron_theory.scores.readers.tables import names_of, values_of
from perceptron_theory.scores.readers.translation import translated

#: Distances to the nearest centroid, as NeMo Curator names them, and its ids beside them.
CURATOR_DISTANCES = ("cosine_dist_to_cent", "l2_dist_to_cent")
CURATOR_IDS = "id"


def read_parquet(request: Request) -> Contents:
    """Columns of all files, by path and then by row."""
    with translated(request.path, "set of parquet files", "check the path"):
        files = _files(request.path)
    read = [_read_one(replace(request, path=file)) for file in files]
    ids, labels = (_joined([getattr(one, name) for one in read]) for name in ("ids", "labels"))
    return Contents(np.concatenate([one.values for one in read]), read[0].part, ids, labels)


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    files = files_below(path, (".parquet",))
    if not files:
        raise ScoreError(f"no .parquet file in {path}: check the path.")
    return files


def _read_one(request: Request) -> Contents:
    path = request.path
    with (
        translated(path, "parquet file", "it is cut short or damaged; write it again"),
        # From an open file of ours: it is closed whatever pyarrow does.
        path.open("rb") as file,
        pq.ParquetFile(file, page_checksum_verification=True) as table,
    ):
        names = list(table.schema_arrow.names)
        if request.ids is None and request.part in CURATOR_DISTANCES and CURATOR_IDS in names:
            request = replace(request, ids=CURATOR_IDS)
        parts = request.parts(names, "column")
        wanted = {name for name in (parts.scores, parts.ids, parts.labels) if name is not None}
        # Without threads: a process that ends while Arrow's still start may hang (apache/arrow#50482).
        columns = table.read(columns=sorted(wanted), use_threads=False)
        ids, labels = (
            None if name is None else names_of(columns[name], what, path)
            for what, name in (("ids", parts.ids), ("labels", parts.labels))
        )
        return Contents(values_of(columns[parts.scores], parts.scores, path), parts.scores, ids, labels)


def _joined(arrays: list[AnyArray | None]) -> AnyArray | None:
    given = [array for array in arrays if array is not None]
    return np.concatenate(given) if given else None
