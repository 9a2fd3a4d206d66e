"""Whether the built site is whole: python docs/check_links.py docs/_build/html.

Every link inside the site must lead to a file and, where it names one, to an anchor in it. No page may load anything
from outside, and no two files may have names that differ in case only. Links to other sites are not followed.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: Attributes by which an element loads something when the page is opened.
_LOADS = {"src", "srcset", "poster", "data"}
#: Kinds of <link> that only name another page.
_NAMES = {"index", "search", "next", "prev", "canonical", "license"}
_IN_STYLE = re.compile(r"""(?:url\(|@import)\s*['"]?([^'")\s;]+)""")


@dataclass
class Page(HTMLParser):
    """Anchors of a page, what it links to, and what it loads."""

    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Sort the attributes of an element."""
        values = {name: value for name, value in attrs if value}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        self.loads += [values[name] for name in _LOADS & values.keys()]
        self.loads += _IN_STYLE.findall(values.get("style", ""))
        if "href" in values:
            only_names = tag == "a" or (tag == "link" and values.get("rel") in _NAMES)
            (self.links if only_names else self.loads).append(values["href"])


def outside(target: str) -> bool:
    """Whether a target lies on another site; data in the page itself do not."""
    parts = urlsplit(target)
    return bool(parts.netloc) or parts.scheme not in ("", "data")


def broken(site: Path, file: Path, target: str, pages: dict[Path, Page]) -> bool:
    """Whether a link from a file leads nowhere."""
    parts = urlsplit(target)
    named = unquote(parts.path)
    path = (site / named.lstrip("/") if named.startswith("/") else file.parent / named).resolve()
    goal = file.resolve() if not parts.path else path / "index.html" if path.is_dir() else path
    if not goal.is_file():
        return True
    return bool(parts.fragment) and goal in pages and unquote(parts.fragment) not in pages[goal].anchors


def faults(site: Path) -> list[str]:
    """What is wrong with a site, a line each."""
    pages: dict[Path, Page] = {}
    for file in sorted(site.rglob("*.html")):
        page = pages[file.resolve()] = Page()
        page.feed(file.read_text(encoding="utf-8"))
    found: list[str] = []
    for file, page in pages.items():
        name = file.relative_to(site.resolve())
        found += [f"{name} loads {target} from outside" for target in page.loads if outside(target)]
        inside = [
            target for target in page.links + page.loads if not outside(target) and not target.startswith("data:")
        ]
        found += [
            f"{name} links to {target}, which is not there" for target in inside if broken(site, file, target, pages)
        ]
    for style in sorted(site.rglob("*.css")):
        targets = _IN_STYLE.findall(style.read_text(encoding="utf-8"))
        found += [f"{style.relative_to(site)} loads {target} from outside" for target in targets if outside(target)]
    names = sorted(str(path.relative_to(site)) for path in site.rglob("*"))
    folded = [name.casefold() for name in names]
    found += [f"{name}: another name differs in case only" for name in names if folded.count(name.casefold()) > 1]
    return found


def main() -> int:
    """Print what is wrong."""
    if len(sys.argv) != 2 or not (Path(sys.argv[1]) / "index.html").is_file():
        print("usage: python docs/check_links.py FOLDER, with index.html in it: build the site first", file=sys.stderr)
        return 2
    site = Path(sys.argv[1])
    found = faults(site)
    print("\n".join(found) or f"{len(list(site.rglob('*.html')))} pages, every link inside them leads somewhere")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
