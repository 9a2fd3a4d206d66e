"""One page of HTML that needs nothing but itself: text, tables and pictures, for screen and A4 paper."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from string import Template
from typing import Final

_PAGE: Final = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
@page { size: A4; margin: 13mm 14mm; }
* { box-sizing: border-box; }
body { max-width: 182mm; margin: 0 auto; padding: 6mm 4mm; color: #1c1c1c; background: #fff;
  font: 9.5pt/1.4 "Helvetica Neue", Arial, "Liberation Sans", "DejaVu Sans", sans-serif; }
h1 { font-size: 16pt; line-height: 1.2; margin: 0 0 2mm; }
h2 { font-size: 11pt; margin: 5mm 0 1.5mm; border-bottom: 0.3mm solid #c9c9c9; padding-bottom: 0.6mm;
  break-after: avoid; }
p { margin: 0 0 1.6mm; }
.lead { font-size: 11pt; background: #f4f1ea; border-left: 1mm solid #c1272d; padding: 2.5mm 3.5mm; margin: 2mm 0 3mm; }
.lead p:last-child { margin-bottom: 0; }
.lead p:first-child { font-weight: bold; }
.small { font-size: 8.5pt; color: #555; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; margin: 0 0 1.5mm;
  break-inside: avoid; }
th, td { text-align: right; padding: 0.6mm 2mm; border-bottom: 0.2mm solid #e3e3e3; vertical-align: top;
  white-space: nowrap; }
th { font-weight: 600; border-bottom: 0.3mm solid #9a9a9a; }
th:first-child, td:first-child, .words td, .words th { text-align: left; }
.words td:first-child { color: #555; width: 1%; padding-right: 5mm; }
.words td:last-child { overflow-wrap: anywhere; white-space: normal; }
a { color: #1f5fa8; }
tr.best td { font-weight: bold; }
figure { margin: 2mm 0 3mm; break-inside: avoid; }
figure img { display: block; width: 100%; max-width: 178mm; height: auto; }
figcaption { font-size: 8.5pt; color: #555; }
footer { margin-top: 5mm; border-top: 0.3mm solid #c9c9c9; padding-top: 1.5mm; font-size: 8.5pt; color: #555;
  break-inside: avoid; }
@media print { body { padding: 0; max-width: none; } }
</style>
</head>
<body>
<h1>$title</h1>
$body
</body>
</html>
""")


def page(title: str, parts: Iterable[str]) -> str:
    """The page; `parts` are HTML already, the title is text."""
    return _PAGE.substitute(title=escape(title), body="\n".join(parts))


def heading(text: str) -> str:
    """Heading of a section."""
    return f"<h2>{escape(text)}</h2>"


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph, `kind` is "small" or nothing."""
    return f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def lead(sentences: Sequence[str]) -> str:
    """What matters most, the first sentence before all."""
    return '<div class="lead">' + "".join(paragraph(one) for one in sentences) + "</div>"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], best: int | None = None) -> str:
    """A table of numbers that are text already; row `best` stands out."""
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(
        f"<tr{' class=best' if i == best else ''}>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>"
        for i, row in enumerate(rows)
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def facts(rows: Iterable[tuple[str, str]]) -> str:
    """A table of two columns: what, and its value in words."""
    body = "".join(f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in rows)
    return f'<table class="words"><tbody>{body}</tbody></table>'


def picture(uri: str, shows: str, caption: str, files: Sequence[str] = ()) -> str:
    """A picture with what it shows, for those who cannot see it, and the files with its numbers."""
    told = f" Numbers: {_links(files)}." if files else ""
    return f'<figure><img src="{uri}" alt="{escape(shows)}"><figcaption>{escape(caption)}{told}</figcaption></figure>'


def footer(paragraphs: Sequence[str], files: Sequence[str]) -> str:
    """What stands at the end, with the files beside the page."""
    beside = f"<p>Beside this page: {_links(files)}.</p>"
    return f"<footer>{''.join(paragraph(one) for one in paragraphs)}{beside}</footer>"


def _links(files: Sequence[str]) -> str:
    return ", ".join(f'<a href="{escape(name)}">{escape(name)}</a>' for name in files)
