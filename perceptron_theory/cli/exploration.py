"""The page to move through the theory, from the command line."""

from __future__ import annotations

import click

from perceptron_theory.extras import require


def run_exploration(port: int, browser: bool) -> None:
    """Serve the page until Ctrl-C."""
    require("explore", "explore serves its page with dash and waitress")
    from perceptron_theory.explorer.server import serve

    serve(port, browser, lambda address: click.echo(f"explorer   {address}  (Ctrl-C ends it)"))
