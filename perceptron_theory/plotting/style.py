"""What all pictures share: the style sheet, figures made and saved in it, tick labels, names of axes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path
from typing import Literal

import matplotlib as mpl
import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

RANDOM_COLOUR = "0.55"

ALPHA_PRUNE = r"examples kept per parameter, $\alpha_\mathrm{prune}$"
ALPHA_TOT = r"examples before pruning per parameter, $\alpha_\mathrm{tot}$"
FRACTION = r"fraction kept, $f$"
TEST_ERROR = r"test error, $\varepsilon$"

#: Of pictures for the screen: 1050 pixels at the usual width.
_DPI = 150


@contextmanager
def style_sheet() -> Iterator[None]:
    """The project's style, for figures made inside."""
    sheet = files("perceptron_theory.plotting").joinpath("perceptron_theory.mplstyle")
    with as_file(sheet) as style, mpl.rc_context():
        matplotlib.style.use(style)
        yield


def new_figure(width: float = 7.0, height: float = 4.6) -> Figure:
    """Figure in inches that arranges its axes by itself; to be used inside `style_sheet`."""
    figure = Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(wspace=0.06))
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, path: Path, extension: Literal["png", "pdf"]) -> None:
    """Write a figure; the same figure gives the same bytes."""
    with style_sheet():
        if extension == "pdf":
            figure.savefig(path, format="pdf", metadata={"CreationDate": None})
        else:
            figure.savefig(path, format="png", dpi=_DPI)


def name_label(name: str, most: int = 60) -> str:
    r"""A name from outside as text of a picture: one line, no mathematics, letters that the font has, not too long.

    Examples
    --------
    >>> print(name_label("a$b" + 100 * "x" + "\n.npy", most=16))
    a\$bxxxx…xx\n.npy
    """
    known = get_font(findfont(FontProperties())).get_charmap()
    text = "".join(letter if letter.isprintable() and ord(letter) in known else ascii(letter)[1:-1] for letter in name)
    if len(text) > most:
        text = f"{text[: (most - 1) // 2]}…{text[len(text) - most // 2 :]}"
    return text.replace("$", r"\$")


def number_ticks(axes: Axes) -> None:
    """Plain numbers on logarithmic axes."""
    for which in (axes.xaxis, axes.yaxis):
        if which.get_scale() != "log":
            continue
        low, high = sorted(which.get_view_interval())
        # Label 2 and 5 as well where a decade alone would leave an axis almost bare.
        subs = (1.0, 2.0, 5.0) if np.log10(high) - np.log10(low) < 3.0 else (1.0,)
        which.set_major_locator(LogLocator(subs=subs))
        which.set_major_formatter(FuncFormatter(_plain))
        which.set_minor_formatter(NullFormatter())


def _plain(value: float, _: int) -> str:
    """A number as it is, unless it has many zeros."""
    if value >= 1e-3 or value <= 0.0:
        return f"{value:g}"
    power = int(np.floor(np.log10(value) + 1e-9))
    times = round(value / 10.0**power)
    return rf"$10^{{{power}}}$" if times == 1 else rf"${times}\cdot 10^{{{power}}}$"
