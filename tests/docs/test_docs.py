"""The pages in `docs` beside what they describe; their examples run as doctests, the built site is checked in CI."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

import perceptron_theory as pt

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
#: Pages of their own, and text that a page includes.
INCLUDED = {"command_times.md"}
PAGES = sorted(path for path in [*DOCS.glob("*.md"), *(DOCS / "api").glob("*.md")] if path.name not in INCLUDED)
BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def named_on_api_pages(module: str) -> list[str]:
    """Names of a module that have a page of their own."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted((DOCS / "api").glob("*.md")))
    blocks = re.findall(r"\.\. currentmodule:: (\S+)\n\.\. autosummary::\n(?:   :.*\n)*\n((?:   \w+\n)+)", text)
    return [name for where, names in blocks if where == module for name in names.split()]


def test_every_public_name_has_a_page() -> None:
    assert sorted(named_on_api_pages("perceptron_theory")) == sorted(set(pt.__all__) - {"__version__"})


@pytest.mark.parametrize("package", ["metrics", "presets"])
def test_every_name_of_a_subpackage_has_a_page(package: str) -> None:
    # Read, not imported: torch is slow. The package need not lie beside the tests.
    source = (Path(pt.__file__).parent / package / "__init__.py").read_text("utf-8")
    public = re.findall(r'^    "(\w+)",$', source[source.index("__all__") :], re.MULTILINE)
    assert len(public) > 5
    assert sorted(named_on_api_pages(f"perceptron_theory.{package}")) == sorted(public)


def test_the_bridge_has_a_page() -> None:
    assert named_on_api_pages("perceptron_theory.torch_bridge") == ["solved_test_error"]


def test_every_page_is_reached_from_the_first() -> None:
    reached, waiting = set(), [DOCS / "index.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        text = page.read_text("utf-8")
        entries = re.findall(r"^```\{toctree\}\n(?::.*\n)*\n((?:[\w/]+\n)+)```", text, re.MULTILINE)
        named = [page.parent / f"{entry}.md" for block in entries for entry in block.split()]
        waiting += [path for path in named if path.parent != DOCS / "notebooks" and path not in reached]
    assert reached == set(PAGES)


def test_every_notebook_is_shown() -> None:
    shown = re.findall(r"^notebooks/(\w+)$", (DOCS / "notebooks.md").read_text("utf-8"), re.MULTILINE)
    assert shown == sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))


def anchors(page: Path) -> set[str]:
    """Of headings, as a code host makes them."""
    headings = re.findall(r"^#+ (.+)$", BLOCK.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *PAGES], ids=lambda path: str(path.relative_to(ROOT))
)
def test_relative_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", BLOCK.sub("", page.read_text("utf-8"))):
        if "://" in target:
            continue
        path, _, fragment = target.partition("#")
        goal = page.parent / path if path else page
        assert goal.exists(), target
        assert not fragment or fragment in anchors(goal), target


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda path: str(path.relative_to(ROOT)))
def test_names_in_pages_are_public(page: Path) -> None:
    assert set(re.findall(r"\bpt\.([A-Za-z]\w*)", page.read_text("utf-8"))) <= set(pt.__all__)


@pytest.fixture(scope="module")
def check_links() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_links", DOCS / "check_links.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["check_links"] = module  # where its dataclass looks for itself
    spec.loader.exec_module(module)
    return module


def test_the_check_of_the_built_site_finds_what_is_broken(check_links: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "index.html").write_text(
        '<a href="folder/other.html#there">fine</a> <a href="https://example.org/">another site</a>'
        '<link rel="next" href="folder/other.html"><img src="data:image/png;base64,xx"><a href="#top" id="top"></a>'
    )
    (tmp_path / "folder" / "other.html").write_text('<p id="there"><a href="../index.html">back</a>')
    assert check_links.faults(tmp_path) == []
    (tmp_path / "folder" / "other.html").write_text(
        '<a href="../nowhere.html"></a><a href="../index.html#gone"></a><a href="#gone"></a><img src="absent.png">'
        '<script src="https://cdn.example.org/x.js"></script><link rel="stylesheet" href="//example.org/x.css">'
        '<p style="background: url(http://example.org/x.png)">'
    )
    (tmp_path / "style.css").write_text("@import 'https://example.org/font.css';")
    (tmp_path / "Index.html").write_text("")
    said = "\n".join(check_links.faults(tmp_path))
    for target in ("../nowhere.html", "../index.html#gone", "#gone", "absent.png", "folder/other.html#there"):
        assert f"links to {target}, which is not there" in said
    for target in ("https://cdn.example.org/x.js", "//example.org/x.css", "http://example.org/x.png"):
        assert f"loads {target} from outside" in said
    assert "style.css loads https://example.org/font.css from outside" in said
    assert "Index.html: another name differs in case only" in said


def test_the_check_wants_a_built_site(
    check_links: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["check_links.py", str(tmp_path)])
    assert check_links.main() == 2
    assert "build the site first" in capsys.readouterr().err
    (tmp_path / "index.html").write_text("<a href='gone.html'></a>")
    assert check_links.main() == 1
    (tmp_path / "index.html").write_text("<a href='index.html'></a>")
    assert check_links.main() == 0
