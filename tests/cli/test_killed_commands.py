"""Commands, selections and sweeps, killed before every step on files and at a hundred random moments."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kill_points import contents, copied, every_step, exit_code, kill, visible

import perceptron_theory as pt
from perceptron_theory.cli import figures, frontier
from perceptron_theory.cli.app import main
from perceptron_theory.figures.gallery import make
from perceptron_theory.output import write_all

FRONTIER = ["frontier", "--alpha-tot-max", "30", "--points", "3"]
FIGURES = ["figures", "fig_1a", "--fast"]
SWEEP: dict[str, Any] = {"N": 10, "alpha_prune": [1.0, 2.0], "f": 0.5, "trials": 60, "workers": 1}


@dataclass(frozen=True)
class Work:
    """Something that writes, and what was in its folder before."""

    do: Callable[[Path], object]
    before: Callable[[Path], object]


def command(arguments: list[str]) -> Callable[[Path], object]:
    def run(out: Path) -> None:
        assert main([*arguments, "--out", str(out)]) == 0

    return run


def texts(*names: str) -> Callable[[Path], object]:
    def write(out: Path) -> None:
        out.mkdir(exist_ok=True)
        write_all(out, {name: lambda path, name=name: path.write_text(f"old {name}") for name in names})  # type: ignore[misc]

    return write


def write(f: float) -> Callable[[Path], object]:
    return lambda out: pt.select(pt.Scores(np.arange(20_000.0), "harder"), f).write(out)


def stream(f: float) -> Callable[[Path], object]:
    def select(out: Path) -> None:
        table = out.parent / f"{out.name}.npy"
        np.save(table, np.arange(20_000.0))
        pt.select_stream(table, f, higher_is="harder", out=out, mask=True, batch_rows=5000)

    return select


WORKS = {
    "write": Work(write(0.25), write(0.5)),
    "select_stream": Work(stream(0.25), stream(0.5)),
    "frontier": Work(command(FRONTIER), texts(*frontier.FILES)),
    "figures": Work(command(FIGURES), texts("fig_1a.nc", "fig_1a.png", "fig_1a.pdf")),
    "sweep": Work(lambda out: pt.simulate_sweep(out, **SWEEP), lambda out: out.mkdir()),
}


@pytest.fixture(params=list(WORKS))
def work(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Work:
    """Numbers and figures are made once; they are drawn, written and moved each time."""
    made = {}

    def once(make_it: Callable[..., Any]) -> Callable[..., Any]:
        def remembered(*arguments: Any, **options: Any) -> Any:
            if make_it not in made:
                made[make_it] = make_it(*arguments, **options)
            return made[make_it]

        return remembered

    for name in ("pareto_frontier", "_curves"):
        monkeypatch.setattr(frontier, name, once(getattr(frontier, name)))
    monkeypatch.setattr(figures, "make", once(make))
    return WORKS[request.param]


def check_killed(out: Path, work: Work, old: dict[str, bytes], new: dict[str, bytes]) -> None:
    """Files of one run only; the next run leaves its own and nothing else."""
    seen = visible(out)
    assert seen.items() <= old.items() or seen.items() <= new.items()
    work.do(out)
    assert contents(out) == new


def prepared(work: Work, folder: Path) -> tuple[Callable[[], None], dict[str, bytes], dict[str, bytes]]:
    """What puts the folder into the state of before; its content then, and after the work."""
    out, before = folder / "out", folder / "before"

    def prepare() -> None:
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(before, out)

    work.before(out)
    out.rename(before)
    prepare()
    work.do(out)
    return prepare, contents(before), contents(out)


@pytest.mark.slow
def test_every_step(work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)  # takes long, and changes nothing that others see
    out = tmp_path / "out"
    prepare, old, new = prepared(work, tmp_path)
    steps = 0
    for step in every_step(lambda: work.do(out), out, prepare, kill):
        steps = step
        check_killed(out, work, old, new)
    assert steps > 10
    print(f"{steps} steps")


@pytest.mark.slow
def test_twenty_kills_at_random_moments(work: Work, tmp_path: Path) -> None:
    out = tmp_path / "out"
    prepare, old, new = prepared(work, tmp_path)
    prepare()
    start = time.perf_counter()
    assert exit_code(copied(lambda: work.do(out))) == 0
    seconds = time.perf_counter() - start
    rng = np.random.default_rng(0)
    kills = changed = 0
    while kills < 20:
        prepare()
        child = copied(lambda: work.do(out))
        time.sleep(rng.uniform(0.0, seconds))
        os.kill(child, signal.SIGKILL)
        if exit_code(child) == 0:
            continue  # it was done before
        kills += 1
        changed += contents(out) != old
        check_killed(out, work, old, new)
    print(f"{kills} kills within {seconds:.2f} s, {changed} of them after something had been written")
