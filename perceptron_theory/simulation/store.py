"""A folder of finished trials that survives being killed at any moment.

One Parquet file per piece of work, each written beside its place and then moved there in one step, and one
`sweep.json` that says what the sweep is. A file is there whole or not at all; the same sweep writes the same bytes.
The name of a file ends with the SHA-256 of its bytes, so that no changed bit goes unnoticed.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perceptron_theory.errors import OutputError, PerceptronTheoryError
from perceptron_theory.output import cannot_write, held, lock_path
from perceptron_theory.simulation.simulation import MEASURED
from perceptron_theory.version import __version__

FloatArray = npt.NDArray[np.float64]

_FORMAT: Final = 3
_MANIFEST: Final = "sweep.json"
_UNFINISHED: Final = ".unfinished-"

#: Hexadecimal digits of the SHA-256 in a name: a change goes unnoticed with probability 2^-64.
_DIGITS: Final = 16


class StoreError(PerceptronTheoryError):
    """A store is damaged, or holds something else than the sweep asked for; it was left as it is."""


class Store:
    """The store of one sweep; its folder is made if it is not there, and checked if it is.

    Reading a finished store writes nothing.

    Parameters
    ----------
    path : Path
        Folder. Must not exist, be empty, or hold the same sweep.
    sweep : dict
        What the sweep is: JSON types only.

    Raises
    ------
    StoreError
        If the folder holds another sweep, one of another version, or something else.
    OutputError
        If the folder cannot be made or read.
    """

    def __init__(self, path: Path, sweep: dict[str, Any]) -> None:
        self.path = path
        self._sweep = {"format": _FORMAT, "perceptron_theory": __version__, **sweep}
        if path.is_file():
            raise OutputError(f"cannot use {path} as a store, it is a file: name a folder.")
        self._look()

    def _look(self) -> None:
        """Find the files that are there, and refuse those of anything else."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            names = sorted(entry.name for entry in self.path.iterdir())
        except OSError as error:
            raise OutputError(
                f"cannot use {self.path} as a store ({error.strerror or error}): name a folder that can be written."
            ) from None
        self._left = [name for name in names if name.startswith(_UNFINISHED) or name == self._lock]
        self._parts = {name.rpartition(".parquet")[0][: -_DIGITS - 1]: name for name in names}
        self._begun = _MANIFEST in names
        if self._begun:
            _check_same(self.path, _read_manifest(self.path), self._sweep)
        elif len(names) > len(self._left):
            other = next(name for name in names if name not in self._left)
            raise StoreError(
                f"{self.path} is not empty and holds no sweep (found {other!r}): name a new folder for the store."
            )

    @property
    def _lock(self) -> str:
        return lock_path(self.path, _MANIFEST).name

    @property
    def left_behind(self) -> bool:
        """Whether something lies there that a sweep removes in the end: another is at work, or was killed."""
        return bool(self._left)

    @contextmanager
    def filling(self) -> Iterator[None]:
        """Keep other sweeps from writing to the store, and remove what killed ones have left.

        Raises
        ------
        StoreError
            If another sweep was begun in the meantime.
        OutputError
            If another process is writing to the store, or it cannot be written.
        """
        with held(self.path, _MANIFEST):
            self._look()
            for name in self._left:
                if name != self._lock:
                    try:
                        (self.path / name).unlink(missing_ok=True)
                    except OSError as error:
                        raise cannot_write(self.path / name, error) from None
            if not self._begun:
                self._place(_MANIFEST, json.dumps(self._sweep, indent=1).encode())
            yield

    def holds(self, point: int, N: int, start: int) -> bool:
        """Whether the trials from `start` of one point at one size are there."""
        return _part(point, N, start) in self._parts

    def write(self, point: int, N: int, start: int, labels: dict[str, float], rows: FloatArray) -> None:
        """Keep measured rows, shape (trials, 9), with the labels of their point."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        n = rows.shape[0]
        columns: dict[str, npt.NDArray[Any]] = {
            "point": np.full(n, point, dtype=np.int32),
            "N": np.full(n, N, dtype=np.int32),
            "trial": np.arange(start, start + n, dtype=np.int32),
        }
        columns |= {name: np.full(n, value) for name, value in labels.items()}
        columns |= {name: rows[:, i] for i, name in enumerate(MEASURED)}
        buffer = io.BytesIO()
        pq.write_table(pa.table(columns), buffer)
        part, content = _part(point, N, start), buffer.getvalue()
        self._parts[part] = f"{part}.{_digest(content)}.parquet"
        self._place(self._parts[part], content)

    def read(self, point: int, N: int, start: int, stop: int) -> FloatArray:
        """Measured rows as written, shape (stop - start, 9).

        Raises
        ------
        StoreError
            If the file was changed.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        part = _part(point, N, start)
        path = self.path / self._parts[part]
        try:
            content = path.read_bytes()
            if path.name != f"{part}.{_digest(content)}.parquet":
                raise ValueError("its bytes have changed")
            # Without threads: a process that ends while Arrow's still start is aborted (apache/arrow#34314).
            with pq.ParquetFile(pa.BufferReader(content)) as file:
                table = file.read(columns=["point", "N", "trial", *MEASURED], use_threads=False)
            point_N_trial = np.column_stack([table.column(i).to_numpy() for i in range(3)])
            rows = np.column_stack([table.column(name).to_numpy() for name in MEASURED])
            if not np.array_equal(point_N_trial, [(point, N, trial) for trial in range(start, stop)]):
                raise ValueError("it holds other trials than its name says")
        except (OSError, ValueError, KeyError, pa.ArrowException) as error:
            raise StoreError(
                f"cannot read {path} ({error}): remove this file, and the sweep will make it again."
            ) from None
        return rows

    def _place(self, name: str, content: bytes) -> None:
        """Write a file beside its place and move it there in one step."""
        part = self.path / f"{_UNFINISHED}{secrets.token_hex(8)}"
        try:
            with part.open("xb") as file:  # a new file, never one that a link names
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, self.path / name)
        except OSError as error:
            raise cannot_write(self.path / name, error) from None


def _part(point: int, N: int, start: int) -> str:
    """How the name of a file begins."""
    return f"point-{point:05d}-N-{N}-trial-{start:06d}"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_DIGITS]


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        found = json.loads((path / _MANIFEST).read_text())
    except (OSError, ValueError) as error:
        raise StoreError(f"cannot read {path / _MANIFEST} ({error}): name a new folder for the store.") from None
    if not isinstance(found, dict):
        raise StoreError(f"{path / _MANIFEST} does not describe a sweep: name a new folder for the store.")
    return found


def _check_same(path: Path, found: dict[str, Any], wanted: dict[str, Any]) -> None:
    # What JSON makes of it, so that tuples and lists compare equal.
    wanted = json.loads(json.dumps(wanted))
    for key in [*wanted, *(set(found) - set(wanted))]:
        if found.get(key) != wanted.get(key):
            raise StoreError(
                f"{path} holds another sweep: its {key} is {_short(found.get(key))}, "
                f"asked for {_short(wanted.get(key))}; name a new folder, or ask for the same sweep. "
                "Nothing was changed."
            )


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "..."
