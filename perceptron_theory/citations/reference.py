"""One publication, and the two ways of writing it down: BibTeX, and a few words."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

#: Combining accents and what TeX calls them.
_ACCENTS: Final = {"\N{COMBINING ACUTE ACCENT}": "\\'", "\N{COMBINING DIAERESIS}": '\\"'}
_SPECIAL: Final = {"\N{EM DASH}": "---", "_": "\\_", "&": "\\&", "%": "\\%"}


@dataclass(frozen=True)
class Reference:
    r"""A publication.

    Attributes
    ----------
    key : str
        BibTeX key.
    kind : {"article", "inproceedings", "incollection", "misc"}
        BibTeX type of the entry.
    authors : tuple of str
        "Family, Given"; one without a comma is an organisation.
    title : str
        Title, as printed.
    year : int or None
        Year of publication; None: not published yet.
    venue : str
        Short name of where it appeared.
    fields : mapping of str to str
        Further BibTeX fields.
    arxiv, doi : str
        Identifiers; empty if there is none, or none is known.

    Examples
    --------
    >>> one = Reference("someone1990", "misc", ("Köhler, Jan",), "On margins", 1990, "Notes", arxiv="1234.56789")
    >>> one.line
    'Kohler, Notes 1990, arXiv:1234.56789'
    >>> print(one.bibtex)
    @misc{someone1990,
      author = {K{\"{o}}hler, Jan},
      title = {{On margins}},
      year = {1990},
      eprint = {1234.56789},
      archiveprefix = {arXiv},
    }
    """

    key: str
    kind: Literal["article", "inproceedings", "incollection", "misc"]
    authors: tuple[str, ...]
    title: str
    year: int | None
    venue: str
    fields: Mapping[str, str] = field(default_factory=dict)
    arxiv: str = ""
    doi: str = ""

    @property
    def line(self) -> str:
        """A few words in ASCII, which every reader of netCDF files shows: who, where and when, identifier."""
        names = [author.partition(",")[0] for author in self.authors]
        who = f"{names[0]} et al." if len(names) > 2 else " and ".join(names)
        where = self.venue if self.year is None else f"{self.venue} {self.year}"
        identifier = f"arXiv:{self.arxiv}" if self.arxiv else f"doi:{self.doi}" if self.doi else ""
        words = ", ".join(part for part in (who, where, identifier) if part)
        return unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode("ascii")

    @property
    def bibtex(self) -> str:
        """The entry; capitals of the title are kept, accents are TeX."""
        authors = [name if "," in name else f"{{{name}}}" for name in self.authors]
        rows = {"author": tex(" and ".join(authors)), "title": f"{{{tex(self.title)}}}"}
        rows |= {name: tex(value) for name, value in self.fields.items()}
        if self.year is not None:
            rows["year"] = str(self.year)
        if self.doi:
            rows["doi"] = self.doi
        if self.arxiv:
            rows |= {"eprint": self.arxiv, "archiveprefix": "arXiv"}
        lines = "".join(f"  {name} = {{{value}}},\n" for name, value in rows.items())
        return f"@{self.kind}{{{self.key},\n{lines}}}"


def tex(text: str) -> str:
    r"""Text as TeX writes it in ASCII.

    Examples
    --------
    >>> print(tex("Zdeborová"))
    Zdeborov{\'{a}}
    """
    return "".join(_letter(letter) for letter in text)


def _letter(letter: str) -> str:
    if letter in _SPECIAL:
        return _SPECIAL[letter]
    base, *accents = list(unicodedata.normalize("NFD", letter))
    return f"{{{_ACCENTS[accents[0]]}{{{base}}}}}" if accents else letter
