"""Code blocks lose their last blank line; doctest needs it, or it would expect the closing fence as output."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util.typing import ExtensionMetadata


class WithoutLastBlankLine(SphinxTransform):
    """Blocks as they are shown."""

    default_priority = 500

    def apply(self, **kwargs: Any) -> None:
        """Shorten them."""
        for block in self.document.findall(nodes.literal_block):
            if block.rawsource == block.astext():
                block.rawsource = block.rawsource.rstrip("\n")
                block[:] = [nodes.Text(block.rawsource)]


def setup(app: Sphinx) -> ExtensionMetadata:
    """For every page."""
    app.add_transform(WithoutLastBlankLine)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
