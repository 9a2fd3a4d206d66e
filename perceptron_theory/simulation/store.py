"""A folder of finished trials that survives being killed at any moment.

One Parquet file per piece of work, each written beside its place and then moved there in one step, and one
`sweep.json` that says what the sweep is. A file is there whole or not at all; the same sweep writes the same bytes.
"""

from __future__ import annotations

import io
import json
import os
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from perceptron_theory.errors import OutputError, PerceptronTheoryError
from perceptron_theory.simulation.simulation import MEASURED
from perceptron_theory.version import __version__

FloatArray = npt.NDArray[np.float64]

_FORMAT: Final = 2
_MANIFEST: Final = "sweep.json"
_UNFINISHED: Final = ".unfinished-"


class StoreError(PerceptronTheoryError):
    """A store holds something else than the sweep asked for; it was left as it is."""


class Store:
    """The store of one sweep; created if it is not there, checked if it is.

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
        If the folder cannot be written.
    """

    def __init__(self, path: Path, sweep: dict[str, Any]) -> None:
        self.path = path
        wanted = {"format": _FORMAT, "perceptron_theory": __version__, **sweep}
        if path.is_file():
            raise OutputError(f"cannot use {path} as a store, it is a file: name a folder.")
        try:
            path.mkdir(parents=True, exist_ok=True)
            names = sorted(entry.name for entry in path.iterdir())
        except OSError as error:
            raise OutputError(
                f"cannot use {path} as a store ({error.strerror or error}): name a folder that can be written."
            ) from None
        if _MANIFEST in names:
            _check_same(path, _read_manifest(path), wanted)
        elif all(name.startswith(_UNFINISHED) for name in names):
            self._place(_MANIFEST, json.dumps(wanted, indent=1).encode())
        else:
            other = next(name for name in names if not name.startswith(_UNFINISHED))
            raise StoreError(
                f"{path} is not empty and holds no sweep (found {other!r}): name a new folder for the store."
            )
        try:
            for name in names:
                if name.startswith(_UNFINISHED):
                    (path / name).unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(
                f"cannot remove {path / name} ({error.strerror or error}): name a folder that can be written."
            ) from None

    def file(self, point: int, N: int, start: int) -> Path:
        """File of the trials from `start` of one point at one size."""
        return self.path / f"point-{point:05d}-N-{N}-trial-{start:06d}.parquet"

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
        self._place(self.file(point, N, start).name, buffer.getvalue())

    def read(self, point: int, N: int, start: int, stop: int) -> FloatArray:
        """Measured rows as written, shape (stop - start, 9)."""
        import pyarrow.parquet as pq

        path = self.file(point, N, start)
        try:
            table = pq.read_table(path, columns=["point", "N", "trial", *MEASURED], partitioning=None)
            point_N_trial = np.column_stack([table.column(i).to_numpy() for i in range(3)])
            rows = np.column_stack([table.column(name).to_numpy() for name in MEASURED])
            if not np.array_equal(point_N_trial, [(point, N, trial) for trial in range(start, stop)]):
                raise ValueError("it holds other trials than its name says")
        except (OSError, ValueError, KeyError) as error:
            raise StoreError(
                f"cannot read {path} ({error}): remove this file, and the sweep will make it again."
            ) from None
        return rows

    def _place(self, name: str, content: bytes) -> None:
        try:
            descriptor, part = tempfile.mkstemp(prefix=_UNFINISHED, dir=self.path)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(part, 0o644)
            os.replace(part, self.path / name)
        except OSError as error:
            raise OutputError(
                f"cannot write {self.path / name} ({error.strerror or error}): make room there."
            ) from None


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
