"""The figures and the numbers behind them, made again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import click

from perceptron_theory.extras import MissingExtraError
from perceptron_theory.figures.gallery import checked, file_names, make
from perceptron_theory.figures.measured_data import DataNotFoundError
from perceptron_theory.output import check_writable, write_all


def run_figures(names: Sequence[str], fast: bool, out: Path) -> bool:
    """Make each figure and write it as it comes. False if a point failed its certificate.

    If all are asked for, those whose measured data or optional dependencies are not on this machine are left out.
    """
    chosen = checked(names)
    check_writable(out, [file for name in chosen for file in file_names(name)])
    started = time.perf_counter()
    failed = 0
    for name in chosen:
        begun = time.perf_counter()
        try:
            made = make(name, fast)
        except (DataNotFoundError, MissingExtraError) as absent:
            if names:
                raise
            click.echo(f"{name:<24}left out: {absent}")
            continue
        write_all(out, made.files())
        click.echo(f"{name:<24}{time.perf_counter() - begun:6.1f} s  failed points: {made.numbers.attrs['failures']}")
        failed += made.failed
    click.echo(f"figures in {time.perf_counter() - started:.0f} s, in {out}")
    return failed == 0
