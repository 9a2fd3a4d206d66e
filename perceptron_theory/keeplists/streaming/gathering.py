"""The files of a selection, put together from the parts of its pieces a block at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from perceptron_theory.errors import OutputError
from perceptron_theory.keeplists.streaming.writing import IDS, INDICES, MASK, part_path

_BLOCK: Final = 2**22
_ROW_GROUP: Final = 2**20


@dataclass(frozen=True)
class Parts:
    """Parts of a selection.

    Attributes
    ----------
    folder : Path
        Where they lie.
    pieces : tuple of int
        Which pieces of the table they belong to.
    n, kept : int
        Rows in all, and kept.
    """

    folder: Path
    pieces: tuple[int, ...]
    n: int
    kept: int

    def indices_sha256(self) -> str:
        """Fingerprint of the row numbers.

        Raises
        ------
        OutputError
            If some are not there.
        """
        made = hashlib.sha256()
        try:
            for block in self._blocks(INDICES):
                made.update(block)
        except OSError as error:
            raise OutputError(
                f"a part of the row numbers did not arrive in {self.folder.parent} ({error.strerror or error}): choose "
                "a folder that every worker sees under this name."
            ) from None
        return made.hexdigest()

    def writers(self, mask: bool, ids: str | None) -> dict[str, Callable[[Path], object]]:
        """What writes each file, by its name.

        Parameters
        ----------
        mask : bool
            Whether there is to be one.
        ids : str, optional
            Name of the column of ids, if there are any.
        """
        files: dict[str, Callable[[Path], object]] = {INDICES: self._write_indices}
        if mask:
            files[MASK] = self._write_mask
        if ids is not None:
            files[IDS] = lambda path: self._write_ids(path, ids)
        return files

    def _write_indices(self, path: Path) -> None:
        self._write_npy(path, INDICES, np.dtype("<i8"), self.kept)

    def _write_mask(self, path: Path) -> None:
        self._write_npy(path, MASK, np.dtype(bool), self.n)

    def _write_npy(self, path: Path, name: str, dtype: np.dtype[np.generic], size: int) -> None:
        """What numpy.save writes."""
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": (size,)}
        with path.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            for block in self._blocks(name):
                file.write(block)

    def _write_ids(self, path: Path, column: str) -> None:
        writer: pq.ParquetWriter | None = None
        try:
            for table in self._id_tables(column):
                writer = writer or pq.ParquetWriter(path, table.schema)
                writer.write_table(table, row_group_size=_ROW_GROUP)
        finally:
            if writer is not None:
                writer.close()

    def _id_tables(self, column: str) -> Iterator[pa.Table]:
        """Ids of about a row group at a time."""
        gathered: list[pa.RecordBatch] = []
        for batch in self._id_batches():
            gathered.append(batch.rename_columns([column]))
            if sum(one.num_rows for one in gathered) >= _ROW_GROUP:
                yield pa.Table.from_batches(gathered)
                gathered = []
        if gathered:
            yield pa.Table.from_batches(gathered)

    def _id_batches(self) -> Iterator[pa.RecordBatch]:
        for path in self._files(IDS):
            with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as stream:
                yield from stream

    def _blocks(self, name: str) -> Iterator[bytes]:
        for path in self._files(name):
            with path.open("rb") as file:
                while block := file.read(_BLOCK):
                    yield block

    def _files(self, name: str) -> Iterator[Path]:
        """Parts in the order of the table."""
        return (part_path(self.folder, name, index) for index in self.pieces)
