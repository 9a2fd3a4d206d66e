"""How many examples of each class are kept."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes


def draw_class_counts(axes: Axes, counts: xr.Dataset) -> Axes:
    """Bars per class without and with a floor; the equal share dotted, the floor dashed.

    Parameters
    ----------
    axes : Axes
        Where to draw.
    counts : xarray.Dataset
        `kept`, `kept_with_floor` and `floor` on the dimension "label".
    """
    places = np.arange(counts.sizes["label"])
    axes.bar(places - 0.2, counts.kept, 0.4, color="C0", label="by score alone")
    axes.bar(places + 0.2, counts.kept_with_floor, 0.4, color="C1", label="with a floor per class")
    axes.axhline(float(counts.kept.mean()), color="0.3", lw=1.0, ls=":", label="equal share")
    axes.step(
        np.append(places, places[-1] + 1) - 0.5,
        np.append(counts.floor, counts.floor[-1]),
        where="post",
        color="0.3",
        lw=1.0,
        ls="--",
        label="floor",
    )
    axes.set_xticks(places, [str(label) for label in counts.label.values])
    axes.set(xlabel="class", ylabel="examples kept")
    axes.grid(False, axis="x")
    return axes
