"""Names of the package become links: `solve` in a docstring, `pt.solve` in a page.

Pages and docstrings stay plain text that reads well in an editor and on a code host. Other words between backticks are
code.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from docutils import nodes
from docutils.parsers.rst import roles
from docutils.parsers.rst.states import Inliner
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util.typing import ExtensionMetadata

import perceptron_theory

#: `pt.solve`, `pt.solve(3.0, 0.3)`; attributes of results are not followed.
_IN_PAGES = re.compile(r"pt\.(\w+)(?:\(.*\))?")


def reference(text: str, name: str, docname: str) -> addnodes.pending_xref:
    """Code that links to the page of a public name."""
    link = addnodes.pending_xref("", refdomain="py", reftype="obj", reftarget=f"perceptron_theory.{name}")
    link.update_basic_atts({"refdoc": docname, "refexplicit": True, "refwarn": True})
    link += nodes.literal(text, text, classes=["xref", "py"])
    return link


def in_docstrings(
    name: str,
    rawtext: str,
    text: str,
    lineno: int,
    inliner: Inliner,
    options: dict[str, Any] | None = None,
    content: Sequence[str] = (),
) -> tuple[list[nodes.Node], list[nodes.system_message]]:
    """What single backticks mean."""
    code = nodes.unescape(text)
    if code not in perceptron_theory.__all__:
        return [nodes.literal(rawtext, code)], []
    return [reference(code, code, inliner.document.settings.env.docname)], []


class LinksInPages(SphinxTransform):
    """`pt.solve` in the text of a page, not in titles and links."""

    default_priority = 500

    def apply(self, **kwargs: Any) -> None:
        """Replace code by links."""
        for literal in list(self.document.findall(nodes.literal)):
            found = _IN_PAGES.fullmatch(literal.astext())
            outside = not isinstance(literal.parent, (nodes.title, nodes.reference, addnodes.pending_xref))
            if found and outside and found[1] in perceptron_theory.__all__:
                literal.replace_self(reference(literal.astext(), found[1], self.env.docname))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Take the place of the default role, which would set single backticks in italics."""
    roles.register_local_role("public-name", in_docstrings)
    app.config.default_role = "public-name"
    app.add_transform(LinksInPages)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
