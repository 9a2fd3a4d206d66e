"""Work on files, killed before its first step, before its second, and so on to its end."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from perceptron_theory.errors import OutputError

#: What Python says before it does it; the work of compiled libraries happens inside hidden folders.
STEPS = {"open", "os.chmod", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.truncate"}

INTERRUPTED = 130

Blow = Callable[[], None]


def kill() -> None:
    """Nothing is cleared away."""
    os.kill(os.getpid(), signal.SIGKILL)


def interrupt() -> None:
    """As Ctrl-C does: what Python clears away it clears away."""
    raise KeyboardInterrupt


def struck(work: Callable[[], object], folder: Path, step: int, blow: Blow) -> bool:
    """Do the work in a copy of this process that is struck before a step in the folder. False: it ended earlier."""
    done = 0

    def before(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal done
        if event in STEPS and any(str(one).startswith(str(folder)) for one in arguments):
            done += 1
            if done == step:
                blow()

    def work_until_struck() -> None:
        sys.addaudithook(before)
        work()

    code = exit_code(copied(work_until_struck))
    assert code in (0, INTERRUPTED, -signal.SIGKILL), "the work failed, see above"
    return code != 0


def copied(work: Callable[[], object]) -> int:
    """Number of a process that does the work, a copy of this one. It exits with 0, 1 or INTERRUPTED."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # from Python 3.12 on where there are threads
        child = os.fork()
    if child:
        return child
    code = 1
    try:
        work()
        code = 0
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def exit_code(child: int) -> int:
    """What a process ends with, minus the signal if one ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def wait_for(happened: Callable[[], bool], seconds: float = 10.0) -> None:
    """Until it has happened, or so long."""
    deadline = time.monotonic() + seconds
    while not happened() and time.monotonic() < deadline:
        time.sleep(0.002)


def pair(works: Sequence[Callable[[], object]], told: Path) -> list[int]:
    """Exit codes of two processes: 0 has done its work, 3 was told that the other is at it, and says so in a file."""

    def work_or_told(work: Callable[[], object]) -> None:
        try:
            work()
        except OutputError as error:
            assert "another process is writing" in str(error)  # noqa: PT017
            told.touch()
            os._exit(3)

    told.unlink(missing_ok=True)
    return [exit_code(child) for child in [copied(lambda work=work: work_or_told(work)) for work in works]]  # type: ignore[misc]


def every_step(work: Callable[[], object], folder: Path, prepare: Callable[[], None], blow: Blow) -> Iterator[int]:
    """Number of each step before which the work was struck, after it was; prepared anew for each."""
    step = 0
    while True:
        step += 1
        prepare()
        if not struck(work, folder, step, blow):
            return
        yield step


def contents(folder: Path) -> dict[str, bytes]:
    """Every file in a folder, however deep, and folders, hidden or not."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b"folder" for path in folder.rglob("*")
    }


def visible(folder: Path) -> dict[str, bytes]:
    """What someone sees who looks for files by their names."""
    return {name: content for name, content in contents(folder).items() if not name.startswith(".")}
