"""Whether a keep-list is as it was written, printed."""

from __future__ import annotations

from pathlib import Path

import click

from perceptron_theory.keeplists.checking import check_keep_list


def run_check(folder: Path) -> None:
    """Check the files, and say what they are."""
    made = check_keep_list(folder)
    click.echo(f"kept       {made['count']:,} of {made['n']:,} examples, f = {made['f_realised']:.6g}")
    click.echo(f"scores     {made['scores']['source']}")
    click.echo(f"as written {', '.join(made['files'])} in {folder}")
