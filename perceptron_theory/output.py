"""Files written together, a set: refused before the work if they cannot be, and then all of them or none.

A set is known by the name of its last file, which says that the others are there: a manifest, where there is one.

1. One process at a time holds a set, by a lock that ends with the process. Another is refused.
2. The files are written into a hidden folder beside their places, `.NAME.unfinished-RANDOM`, and synced.
3. This folder is renamed to `.NAME.finished-RANDOM`: from here on the new set counts.
4. The old files are removed, the last one first; the new ones are moved to their places, the last one last.

So files of two sets never lie side by side, wherever the process is killed. Whoever holds the set next removes an
unfinished folder and carries out step 4 for a finished one.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from perceptron_theory.errors import OutputError

_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


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
        raise cannot_write(folder, error) from None


def write_all(folder: Path, files: Mapping[str, Callable[[Path], object]]) -> None:
    """Write a set of files: all or none, and never half a file. A link that stands at a place is replaced.

    Parameters
    ----------
    folder : Path
        An existing folder.
    files : mapping
        What writes each file, by its name. The last one is moved to its place last.

    Raises
    ------
    OutputError
        If one cannot be written, or another process is writing them.
    """
    with held(folder, list(files)[-1]):
        replace_all(folder, files)


@contextmanager
def held(folder: Path, last: str) -> Iterator[None]:
    """Keep other processes from writing a set, and settle what a killed one has left of it.

    Parameters
    ----------
    folder : Path
        An existing folder.
    last : str
        Name of the last file of the set.

    Raises
    ------
    OutputError
        If another process holds it, or the folder cannot be written.
    """
    lock = FileLock(lock_path(folder, last))
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise OutputError(
            f"another process is writing to {folder} (it holds {lock.lock_file}): wait until it has ended, or choose "
            "another folder."
        ) from None
    except OSError as error:
        raise cannot_write(folder, error) from None
    try:
        _settle(folder, last)
        yield
    finally:
        with suppress(OSError):
            os.unlink(lock.lock_file)  # before the release: after it, the file may be the lock of another process
        lock.release()


def settle(folder: Path, last: str) -> None:
    """Remove what a killed writer of a set had not finished, and move in what it had: before the set is read.

    Raises
    ------
    OutputError
        If another process holds it, or the folder cannot be written.
    """
    with held(folder, last):
        pass


def left_behind(folder: Path, last: str) -> bool:
    """Whether something lies there that a writer of a set removes in the end: one is at work, or was killed."""
    return any(path.name.startswith((*_prefixes(last), lock_path(folder, last).name)) for path in folder.iterdir())


def replace_all(folder: Path, files: Mapping[str, Callable[[Path], object]]) -> None:
    """Write a set of files that the caller holds, as `write_all` does.

    Raises
    ------
    OutputError
        If one cannot be written.
    """
    prefixes = _prefixes(list(files)[-1])
    try:
        unfinished = Path(tempfile.mkdtemp(prefix=prefixes[0], dir=folder))
        try:
            for i, (name, write) in enumerate(files.items()):
                write(unfinished / f"{i:03d}-{name}")
                _sync(unfinished / f"{i:03d}-{name}")
            _sync(unfinished)
            finished = unfinished.rename(folder / unfinished.name.replace(*prefixes, 1))
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)  # gone already if it was renamed
        _move_in(finished)
    except (OSError, RuntimeError) as error:  # netCDF says RuntimeError when the disk is full
        raise cannot_write(folder, error) from None


def cannot_write(place: Path, error: OSError | RuntimeError) -> OutputError:
    """The error that says so, and what to do: room is missing only if the system says so, or does not say."""
    reason = getattr(error, "strerror", None) or error
    if isinstance(error, OSError) and error.errno not in (None, *_NO_ROOM):
        return OutputError(f"cannot write to {place} ({reason}): choose another folder, one that can be written.")
    return OutputError(f"cannot write to {place} ({reason}): make room there, or choose another folder.")


def lock_path(folder: Path, last: str) -> Path:
    """The file that a process locks while it writes a set."""
    return folder / f".{last}.lock"


def unfinished_prefix(last: str) -> str:
    """How folders begin that a writer of a set makes, and whoever holds it next removes."""
    return _prefixes(last)[0]


def _prefixes(last: str) -> tuple[str, str]:
    return f".{last}.unfinished-", f".{last}.finished-"


def _settle(folder: Path, last: str) -> None:
    """Remove what a killed writer had not finished, and move in what it had."""
    unfinished, finished = _prefixes(last)
    try:
        for left in sorted(folder.iterdir()):
            if left.name.startswith(unfinished):
                shutil.rmtree(left, ignore_errors=True)
            elif left.name.startswith(finished):
                if left.lstat().st_uid != os.geteuid():
                    raise PermissionError(errno.EPERM, f"{left.name} was left there by another account")
                _move_in(left)
    except OSError as error:
        raise cannot_write(folder, error) from None


def _move_in(finished: Path) -> None:
    """Replace the old files of a set by the new ones; may be killed anywhere and done again."""
    folder, parts = finished.parent, sorted(finished.iterdir())
    places = [folder / part.name.partition("-")[2] for part in parts]
    for place in reversed(places[1:]):  # the first is replaced in one step
        place.unlink(missing_ok=True)
    for part, place in zip(parts, places, strict=True):
        _sync(folder)
        os.replace(part, place)
    finished.rmdir()
    _sync(folder)


def _sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
