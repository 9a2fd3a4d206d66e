"""Files written together: refused before the work if they cannot be, and then all of them or none."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from perceptron_theory.errors import OutputError


def check_writable(folder: Path, names: Iterable[str]) -> None:
    """Fail before the work, not after it; makes the folder.

    Raises
    ------
    OutputError
        If the folder cannot be made or written, its name is no text, or a folder stands where a file is to be.
    """
    try:
        str(folder).encode()
    except UnicodeEncodeError:
        raise OutputError(
            f"cannot write to {str(folder)!r}: the name is no text in UTF-8, as netCDF and parquet need it; choose "
            "another folder."
        ) from None
    try:
        for name in names:
            if (folder / name).is_dir():
                raise IsADirectoryError(f"{name} is a folder")
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _refused(folder, error) from None


def write_all(folder: Path, files: Mapping[str, Callable[[Path], object]]) -> None:
    """Write all files beside their targets, then move them into place: all or none, and never half a file.

    Raises
    ------
    OutputError
        If one cannot be written.
    """
    parts = {folder / name: folder / f".{name.replace('.', '.part.')}" for name in files}
    try:
        for part, write in zip(parts.values(), files.values(), strict=True):
            write(part)
        for target, part in parts.items():
            os.replace(part, target)
    except (OSError, RuntimeError) as error:  # netCDF says RuntimeError when the disk is full
        raise _refused(folder, error) from None
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)


def _refused(folder: Path, error: OSError | RuntimeError) -> OutputError:
    reason = getattr(error, "strerror", None) or error
    return OutputError(f"cannot write to {folder} ({reason}): make room there, or choose another folder.")
