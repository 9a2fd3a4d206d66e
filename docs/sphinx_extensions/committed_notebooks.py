"""The notebooks lie beside the documentation; Sphinx reads only what lies within it: they are copied at each build.

In the sources links lead to the originals, as on a code host; in the site to the copies.
"""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata


def copy_notebooks(app: Sphinx) -> None:
    """From `notebooks` to `docs/notebooks`, one folder deeper; copies that would not change are left alone."""
    copies = Path(app.srcdir) / "notebooks"
    copies.mkdir(exist_ok=True)
    for notebook in sorted((Path(app.srcdir).parent / "notebooks").glob("*.ipynb")):
        text = notebook.read_text(encoding="utf-8").replace("](../figures/", "](../../figures/")
        copy = copies / notebook.name
        if not copy.exists() or copy.read_text(encoding="utf-8") != text:
            copy.write_text(text, encoding="utf-8")


def link_to_copies(app: Sphinx, docname: str, source: list[str]) -> None:
    """In pages of the top folder; those of notebooks themselves are copies already."""
    if "/" not in docname:
        source[0] = source[0].replace("](../notebooks/", "](notebooks/")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Copy before pages are looked for."""
    app.connect("builder-inited", copy_notebooks)
    app.connect("source-read", link_to_copies)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
