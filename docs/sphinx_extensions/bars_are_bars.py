"""`|z|` in a docstring is an absolute value; docutils would take it for a substitution, which none here uses."""

from __future__ import annotations

from re import Match
from typing import Any

from docutils.parsers.rst.states import Inliner
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata


def bar(_: Inliner, match: Match[str], __: int) -> tuple[str, list[Any], str, list[Any]]:
    """The text up to and with the bar, as it stands; parsing goes on behind it."""
    return match.string[: match.end("start")], [], match.string[match.end("start") :], []


def setup(app: Sphinx) -> ExtensionMetadata:
    """For every docstring."""
    Inliner.dispatch = Inliner.dispatch | {"|": bar}
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
