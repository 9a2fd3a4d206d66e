"""The figures and the numbers behind them, made again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import click

from perceptron_theory.cli.output import check_writable, write_all
from perceptron_theory.figures.gallery import checked, file_names, make


def run_figures(names: Sequence[str], fast: bool, out: Path) -> bool:
    """Make each figure and write it as it comes. False if a point failed its certificate."""
    chosen = checked(names)
    check_writable(out, [file for name in chosen for file in file_names(name)])
    started = time.perf_counter()
    failed = 0
    for name in chosen:
        begun = time.perf_counter()
        made = make(name, fast)
        write_all(out, made.files())
        click.echo(f"{name:<24}{time.perf_counter() - begun:6.1f} s  failed points: {made.numbers.attrs['failures']}")
        failed += made.failed
    click.echo(f"{len(chosen)} figures in {time.perf_counter() - started:.0f} s, in {out}")
    return failed == 0
