"""What is in a score file, printed and drawn."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from perceptron_theory.cli.score_files import read
from perceptron_theory.output import check_writable, write_all
from perceptron_theory.plotting.scores import scores_figure
from perceptron_theory.scores.inspection import inspect_scores

FILE = "scores.png"


def run_inspection(path: Path, reading: Mapping[str, Any], out: Path) -> None:
    """Read, print, draw."""
    scores = read(path, reading)
    report = inspect_scores(scores)
    check_writable(out, [FILE])
    figure = scores_figure(scores, report)
    click.echo(str(report))
    write_all(out, {FILE: lambda target: figure.savefig(target, format="png")})
    click.echo(f"{'written:':<11} {out / FILE}")
