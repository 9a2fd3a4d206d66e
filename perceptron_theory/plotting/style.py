"""What all pictures share: the style sheet, the tick labels, the colour of random subsets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files

import matplotlib as mpl
import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

RANDOM_COLOUR = "0.55"


@contextmanager
def style_sheet() -> Iterator[None]:
    """The project's style, for figures made inside."""
    sheet = files("perceptron_theory.plotting").joinpath("perceptron_theory.mplstyle")
    with as_file(sheet) as style, mpl.rc_context():
        matplotlib.style.use(style)
        yield


def number_ticks(axes: Axes) -> None:
    """Plain numbers on logarithmic axes."""
    for which in (axes.xaxis, axes.yaxis):
        if which.get_scale() != "log":
            continue
        low, high = sorted(which.get_view_interval())
        # Label 2 and 5 as well where a decade alone would leave an axis almost bare.
        subs = (1.0, 2.0, 5.0) if np.log10(high) - np.log10(low) < 3.0 else (1.0,)
        which.set_major_locator(LogLocator(subs=subs))
        which.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        which.set_minor_formatter(NullFormatter())
