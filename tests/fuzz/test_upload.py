"""Whatever a browser sends is read or refused in one line, and leaves nothing behind."""

from __future__ import annotations

import base64
import collections
import os
import random
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from command_grammar import ODD_WORDS
from input_files import bad_runs, bad_scores, damaged, valid_runs, valid_scores

import perceptron_theory as pt
from perceptron_theory.explorer.uploads import EXPERIMENT, Upload, chosen_runs, experiments, received

SEED = 1989
UPLOADS = 10_000
UPLOADS_BY_DEFAULT = 200

VALID = [*valid_scores().items(), *valid_runs().items()]
BAD = [*bad_scores().items(), *bad_runs().items()]

#: "*" is the name of the file.
ODD_NAMES = (
    "../../*", "/etc/*", "/*", "C:\\scores\\*", "..\\*", "a\0*", "*\0.npy", "*/", ".*", "..*", "", ".", "..",
    "/", "*.npy",
    "x*" * 3000, "x" * 300 + "*", "é漢字🙂*", "\u202e*", "\udcff*", "CON", "NUL.npy", "con.csv", "aux.*", "a\nb*",
    "\x1b[31m*",
    " * ", "%s{}*", "$(id)*", "~*", "~/*", "-*", "--out=*", "ImageNet-1K_DDD.csv", "../ImageNet-1K_memorization.csv",
    "imagenet-1k_ddd.csv", "*.PARQUET", "*.Npy", "*.pt", "*.pth", "*.json", "*.csv", "*.npz", "*.bin", "*.exe",
    ".npy", "npy",
    "file:///etc/passwd.csv", "http://localhost/*", "perceptron_theory_*", "*:stream.csv", "a*b?.csv",
)  # fmt: skip
DIRECTIONS = (*["harder", "easier", "keep"] * 5, None, "", "HARDER", "\udcff", "x" * 2000)


def sent(content: bytes, rng: random.Random) -> Any:
    """A data URL, or something that is none."""
    encoded = base64.b64encode(content).decode()
    kind = rng.random()
    if kind < 0.9:
        return f"data:{rng.choice(['application/octet-stream', 'text/csv', '', 'a;b=c'])};base64,{encoded}"
    at = rng.randrange(len(encoded) + 1)
    return rng.choice(
        [
            encoded,
            "",
            None,
            content,
            [f"data:;base64,{encoded}"],
            {"contents": encoded},
            3,
            f"data:;base64,{encoded[:at]}",
            f"data:;base64,{encoded[:at]}é{encoded[at:]}",
            f"data:;base64,{encoded[:at]}\n{encoded[at:]}",
            f"data:;base64,{encoded[:at]}\udcff{encoded[at:]}",
            f"data:;base64,;base64,{encoded}",
            f"data:;base64,{encoded}=",
            f"data:text/plain,{encoded}",
            f"data:;base64,{base64.urlsafe_b64encode(content).decode()}",
            f"data:;BASE64,{encoded}",
        ]
    )


def upload(number: int) -> tuple[Any, Any, random.Random]:
    """Contents and file name, always the same for a number; and what decides the options."""
    rng = random.Random(f"{SEED}:{number}")
    name, content = rng.choice(VALID if rng.random() < 0.8 else BAD)
    if rng.random() < 0.3:
        content = damaged(content, rng)
    if rng.random() < 0.2:
        name = rng.choice(ODD_NAMES).replace("*", name)
    return sent(content, rng), name if rng.random() < 0.98 else rng.choice([None, 3, b"s.npy", ["s.npy"]]), rng


def used(file: Upload, rng: random.Random) -> str:
    """What the page does with a file."""
    if file.kind == "runs":
        table = file.table()
        where = {name: values[:1] for name, values in experiments(table).items() if rng.random() < 0.9}
        if rng.random() < 0.1:
            where[rng.choice(EXPERIMENT)] = [rng.choice(ODD_WORDS)]
        chosen_runs(table, where)
        return "runs"
    part = rng.choice([*["el2n"] * 9, *file.parts]) if file.parts else None
    if rng.random() < 0.1:
        part = rng.choice([None, *ODD_WORDS])
    file.scores(rng.choice(DIRECTIONS), part)
    return "scores"


def outcome(number: int, temporary: Path) -> tuple[str, str]:
    """How it ended, and what is wrong with that."""
    contents, name, rng = upload(number)
    try:
        ended = used(received(contents, name), rng)
    except pt.PerceptronTheoryError as error:
        said = str(error)
        ended = "refused"
        if not said or len(said.splitlines()) != 1 or len(said) > 10_000 or str(temporary) in said:
            return ended, f"said {said!r:.500}"
    except Exception as escaped:
        return "escaped", f"{type(escaped).__name__}: {escaped}"
    return ended, f"left {os.listdir(temporary)}" if os.listdir(temporary) else ""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "tmp").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path / "tmp"


def fuzz(temporary: Path, uploads: int) -> collections.Counter[str]:
    ends: collections.Counter[str] = collections.Counter()
    wrong = []
    for number in range(uploads):
        ended, complaint = outcome(number, temporary)
        ends[ended] += 1
        if complaint:
            wrong.append(f"{number}: {upload(number)[1]!r:.200} {complaint:.1000}")
    assert not wrong, f"{len(wrong)} of {uploads}\n" + "\n".join(wrong[:200])
    assert {path.name for path in temporary.parent.rglob("*")} == {"tmp", "work"}
    # Uploads that are all refused, or none, would test nothing.
    assert ends["scores"] > 0.15 * uploads
    assert ends["runs"] > 0.03 * uploads
    assert ends["refused"] > 0.2 * uploads
    return ends


def test_random_uploads(temporary: Path) -> None:
    fuzz(temporary, UPLOADS_BY_DEFAULT)


@pytest.mark.slow
def test_random_uploads_at_length(temporary: Path, capsys: pytest.CaptureFixture[str]) -> None:
    started = time.perf_counter()
    ends = fuzz(temporary, UPLOADS)
    with capsys.disabled():
        print(f"\n{UPLOADS} uploads in {time.perf_counter() - started:.0f} s: {dict(ends)}")
