"""What pruning does to classes: examples kept per class with and without a floor, MNIST and CIFAR-10.

A fifth of MNIST by forgetting and of CIFAR-10 by c-score. By score alone some classes fall below half of their equal
share; the easiest fifth of CIFAR-10 has next to no cats (class 3). With the floor that Sorscher et al. 2022 advise each
class keeps at least half of its equal share, and the others give what it costs.
"""

from __future__ import annotations

import xarray as xr
from matplotlib.figure import Figure

from perceptron_theory.figures import measured_data
from perceptron_theory.keeplists.selecting import select
from perceptron_theory.plotting.class_counts import draw_class_counts
from perceptron_theory.plotting.style import new_figure
from perceptron_theory.scores.scores import Scores

FRACTION = 0.2
FLOOR = 0.5
_MOST = {"hard": "hardest", "easy": "easiest"}


def compute(fast: bool = False) -> xr.DataTree:
    """Counts per class."""
    forgetting, c_score = measured_data.mnist()["forgetting"], measured_data.cifar10()["c-score"]
    return xr.DataTree.from_dict(
        {
            "MNIST_hard": _counts(forgetting, "hard"),
            "CIFAR-10_hard": _counts(c_score, "hard"),
            "CIFAR-10_easy": _counts(c_score, "easy"),
        }
    )


def _counts(scores: Scores, mode: str) -> xr.Dataset:
    free, held = (select(scores, FRACTION, mode=mode, class_floor=floor).classes for floor in (None, FLOOR))
    assert free is not None
    assert held is not None
    return xr.Dataset(
        {"n": ("label", free["n"]), "kept": ("label", free["kept"])}
        | {"kept_with_floor": ("label", held["kept"]), "floor": ("label", held["floor"])},
        {"label": free["label"].to_numpy()},
        {"metric": scores.metric, "mode": mode, "f": FRACTION, "class_floor": FLOOR},
    )


def draw(numbers: xr.DataTree) -> Figure:
    """One panel per data set and rule."""
    figure = new_figure(11.0, 4.0)
    names = ("MNIST_hard", "CIFAR-10_hard", "CIFAR-10_easy")
    for axes, name in zip(figure.subplots(1, 3), names, strict=True):
        counts = numbers[name].to_dataset()
        draw_class_counts(axes, counts)
        attrs = counts.attrs
        title = f"{name.split('_')[0]}, the {_MOST[attrs['mode']]} {100 * attrs['f']:g} % by {attrs['metric']}"
        axes.set_title(title, fontsize=10)
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    figure.suptitle("Examples kept per class")
    return figure
