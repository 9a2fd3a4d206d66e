"""Random command lines end with a result or with one line that says what is wrong, and leave nothing behind."""

from __future__ import annotations

import collections
import contextlib
import io
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from command_grammar import CommandLines
from input_files import InputFiles

from perceptron_theory import progress
from perceptron_theory.cli.app import main

SEED = 20_220_629
LINES = 10_000
LINES_BY_DEFAULT = 300
PROCESSES = 20

#: Where results go if nothing is said.
DEFAULT_OUT = {
    "frontier": "frontier-out",
    "scores": "scores-out",
    "select": "select-out",
    "compare": "compare-out",
    "calibrate": "calibrate-out",
    "recommend": "recommend-out",
    "figures": "figures",
}

Tree = dict[str, tuple[int, int] | None]


class Ended(NamedTuple):
    code: int
    out: str
    err: str


class Scratch:
    """A folder with inputs, in which commands run; knows what it held at first."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.work, self.temporary = root / "work", root / "tmp"
        for folder in (self.work, self.temporary, self.work / "full"):
            folder.mkdir()
        self.files = InputFiles(self.work)
        self.existing = {self.work / "existing.csv": b"mine\n", self.work / "full" / "mine.txt": b"mine too\n"}
        for path, content in self.existing.items():
            path.write_bytes(content)
        (self.work / "link").symlink_to("full", target_is_directory=True)
        (self.work / "dangling").symlink_to("nowhere")
        self.before = self.tree()

    def tree(self) -> Tree:
        """All paths, with size and time of files."""
        found: Tree = {}
        for folder, folders, files in os.walk(self.root):
            found |= dict.fromkeys((os.path.join(folder, name) for name in folders), None)
            for name in files:
                stat = os.lstat(os.path.join(folder, name))
                found[os.path.join(folder, name)] = stat.st_size, stat.st_mtime_ns
        return found

    def changes(self) -> list[str]:
        """Paths that are new, gone or different."""
        now = self.tree()
        return sorted(path for path in now.keys() | self.before.keys() if now.get(path, 0) != self.before.get(path, 0))

    def restore(self) -> None:
        """As it was, for the next line."""
        for path in reversed(self.changes()):
            if path not in self.before and os.path.lexists(path):
                shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)
        for file, content in self.existing.items():
            if not file.is_file() or file.read_bytes() != content:
                file.write_bytes(content)
        self.before = self.tree()


def outs(line: list[str]) -> list[str]:
    """Places for results that a line names, or the usual one."""
    named = [after for word, after in itertools.pairwise(line) if word == "--out"]
    named += [word.removeprefix("--out=") for word in line if word.startswith("--out=")]
    return named + [out for name, out in DEFAULT_OUT.items() if name in line]


def within(path: str, folders: list[str], work: Path) -> bool:
    """Whether a path lies in one of the folders, or on the way to one."""
    for folder in folders:
        place = os.path.realpath(os.path.join(work, folder))
        own = os.path.realpath(path)
        if os.path.commonpath([place, own]) == place or (os.path.isdir(path) and place.startswith(own + os.sep)):
            return True
    return False


def run(line: list[str]) -> Ended:
    """The command in this process, with the streams of a terminal in UTF-8."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(list(line))
    for stream in (out, err):
        stream.flush()
    return Ended(code, *(stream.buffer.getvalue().decode("utf-8") for stream in (out, err)))


def open_files(folder: Path) -> list[str]:
    """What this process has open under a folder."""
    links = Path("/proc/self/fd")
    found = []
    for link in links.iterdir() if links.is_dir() else ():
        with contextlib.suppress(OSError):
            found.append(os.readlink(link))
    return [path for path in found if path.startswith(str(folder))]


def complaints(scratch: Scratch, line: list[str], ended: Ended) -> Iterator[str]:
    """All that is wrong about the end of a command."""
    if ended.code not in (0, 1, 2, 130):
        yield f"exit code {ended.code}"
    if "Traceback" in ended.out + ended.err:
        yield f"a traceback: {ended.err}"
    changed = scratch.changes()
    if ended.code == 2:
        lines = ended.err.splitlines()
        helped = not ended.err and ended.out.startswith("Usage:")
        if not helped and not (len(lines) == 1 and lines[0].startswith("error: ") and len(lines[0]) > len("error: ?")):
            yield f"not one line of error: {ended.err!r}"
        if len(ended.err) > 20_000:
            yield f"an error of {len(ended.err)} characters"
        if kept := [path for path in changed if not os.path.isdir(path) and "/store/" not in path]:
            yield f"left behind: {kept}"
    elif ended.err and ended.code != 130:
        yield f"on stderr: {ended.err!r}"
    if elsewhere := [path for path in changed if not within(path, outs(line), scratch.work)]:
        yield f"changed outside --out: {elsewhere}"


def attempt(scratch: Scratch, line: list[str]) -> tuple[int | None, list[str]]:
    """Exit code, and complaints."""
    opened = open_files(scratch.root)
    try:
        ended = run(line)
    except BaseException as escaped:
        if isinstance(escaped, KeyboardInterrupt):
            raise
        scratch.restore()
        return None, [f"escaped: {type(escaped).__name__}: {escaped}"]
    found = list(complaints(scratch, line, ended))
    if left := set(open_files(scratch.root)) - set(opened):
        found.append(f"left open: {left}")
    scratch.restore()
    return ended.code, found


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scratch:
    made = Scratch(tmp_path)
    monkeypatch.chdir(made.work)
    monkeypatch.setenv("TMPDIR", str(made.temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    # On a slow machine a bar would stand beside the error; bars have tests of their own.
    monkeypatch.setattr(progress, "_DELAY", 3600.0)
    return made


def fuzz(scratch: Scratch, lines: int) -> collections.Counter[int | None]:
    made = CommandLines(scratch.files, SEED)
    codes: collections.Counter[int | None] = collections.Counter()
    wrong = []
    for number in range(lines):
        line = made.line(number)
        code, found = attempt(scratch, line)
        codes[code] += 1
        if found:
            wrong.append(f"{number}: {line!r:.500}\n    " + "\n    ".join(text[:1000] for text in found))
    assert not wrong, f"{len(wrong)} of {lines}\n" + "\n".join(wrong[:200])
    return codes


def check_codes(codes: collections.Counter[int | None]) -> None:
    """Lines that are all refused, or all valid, would test nothing."""
    assert codes[0] > 0.2 * codes.total()
    assert codes[2] > 0.2 * codes.total()


def test_random_lines(scratch: Scratch, capfd: pytest.CaptureFixture[str]) -> None:
    check_codes(fuzz(scratch, LINES_BY_DEFAULT))
    assert capfd.readouterr() == ("", "")  # what libraries write past sys.stdout and sys.stderr


@pytest.mark.slow
def test_random_lines_at_length(scratch: Scratch, capfd: pytest.CaptureFixture[str]) -> None:
    started = time.perf_counter()
    codes = fuzz(scratch, LINES)
    assert capfd.readouterr() == ("", "")
    check_codes(codes)
    with capfd.disabled():
        print(f"\n{LINES} lines in {time.perf_counter() - started:.0f} s, exit codes {dict(codes)}")


@pytest.mark.slow
def test_random_lines_in_processes(scratch: Scratch) -> None:
    """What a shell sees: bytes that are no UTF-8, streams of the system, no warnings."""
    made = CommandLines(scratch.files, SEED)
    for number in range(LINES, LINES + PROCESSES):
        line = made.line(number)
        command = [sys.executable, "-W", "error", "-m", "perceptron_theory.cli", *line]
        done = subprocess.run(command, capture_output=True, check=False, env=os.environ | {"PYTHONUTF8": "1"})
        ended = Ended(done.returncode, *(text.decode("utf-8", "replace") for text in (done.stdout, done.stderr)))
        assert not list(complaints(scratch, line, ended)), line
        scratch.restore()
