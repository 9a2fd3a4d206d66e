"""Figures as text that stands inside a page."""

from __future__ import annotations

import base64
import io

import matplotlib as mpl
from matplotlib.figure import Figure


def as_data_uri(figure: Figure) -> str:
    """A figure as an SVG image inside a URI: the same figure gives the same text.

    Parameters
    ----------
    figure : Figure
        What is drawn.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> as_data_uri(Figure())[:26]
    'data:image/svg+xml;base64,'
    """
    drawn = io.BytesIO()
    # Letters as paths: whoever opens the page may not have the fonts.
    with mpl.rc_context({"svg.hashsalt": "perceptron_theory", "svg.fonttype": "path"}):
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    return f"data:image/svg+xml;base64,{base64.b64encode(drawn.getvalue()).decode('ascii')}"
