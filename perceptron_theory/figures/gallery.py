"""Every figure by name: computed, stamped, drawn and written."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, cast

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from perceptron_theory.citations.sources import PAPER, lines
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.plotting.style import save, style_sheet
from perceptron_theory.solving.solution import QUADRATURE_TOLERANCE, RESIDUAL_TOLERANCE, Status
from perceptron_theory.version import __version__

#: In the order of the paper, then what no paper has.
NAMES: Final = (
    "fig_1a",
    "fig_1b",
    "fig_1c",
    "fig_1e",
    "fig_1f",
    "fig_2a",
    "fig_2bcd",
    "fig_3",
    "fig_9",
    "fig_10",
    "phase_boundaries",
    "capacity_wall",
    "sliding_policy",
    "information",
    "frontier_floor",
    "selection_under_noise",
    "clean_or_wrong_labels",
    "random_share_repairs",
    "measured_margins",
    "measured_frontiers",
    "metric_clustermap",
    "class_balance",
    "prototype_robustness",
    "calibrated_runs",
    "held_out_models",
    "advice_checked",
)

EXTENSIONS: Final = ("nc", "png", "pdf")


class FigureModule(Protocol):
    """What a module of this folder offers."""

    def compute(self, fast: bool = False) -> xr.DataTree:
        """Numbers behind the figure, as named datasets; `fast` takes fewer points and trials."""
        ...

    def draw(self, numbers: xr.DataTree) -> Figure:
        """Picture of the numbers."""
        ...


@dataclass(frozen=True)
class Made:
    """A figure with the numbers behind it."""

    name: str
    numbers: xr.DataTree
    figure: Figure

    @property
    def failed(self) -> int:
        """Number of points that failed their certificate."""
        return int(self.numbers.attrs["failed_points"])

    def files(self) -> dict[str, Callable[[Path], object]]:
        """Names of the files, and what writes each; the same numbers give the same bytes."""
        return {
            f"{self.name}.nc": lambda path: self.numbers.to_netcdf(path, engine="netcdf4", encoding=self._compressed()),
            f"{self.name}.png": lambda path: save(self.figure, path, "png"),
            f"{self.name}.pdf": lambda path: save(self.figure, path, "pdf"),
        }

    def _compressed(self) -> dict[str, dict[str, dict[str, object]]]:
        return {
            node.path: {str(name): {"zlib": True} for name, field in node.data_vars.items() if field.dtype.kind in "fi"}
            for node in self.numbers.subtree
        }


def file_names(name: str) -> tuple[str, ...]:
    """Files of a figure."""
    return tuple(f"{name}.{extension}" for extension in EXTENSIONS)


def checked(names: Iterable[str]) -> tuple[str, ...]:
    """The names themselves, each once; all of them if none is given.

    Raises
    ------
    InvalidInputError
        If there is no such figure.
    """
    asked = tuple(dict.fromkeys(names))
    for name in asked:
        if name not in NAMES:
            raise InvalidInputError(f"no figure is called {name!r}: there are {', '.join(NAMES)}.")
    return asked or NAMES


def module(name: str) -> FigureModule:
    """Module of a figure."""
    return cast(FigureModule, importlib.import_module(f"perceptron_theory.figures.{name}"))


def make(name: str, fast: bool = False) -> Made:
    """Compute and draw one figure."""
    numbers = stamped(name, module(name).compute(fast), fast)
    with style_sheet():
        return Made(name, numbers, module(name).draw(numbers))


def stamped(name: str, numbers: xr.DataTree, fast: bool) -> xr.DataTree:
    """Say in the attributes what made the numbers, to what tolerance, and what failed."""
    failed = [text for node in numbers.subtree for text in _failures(node)]
    numbers.attrs.update(
        figure=name,
        source=f"perceptron_theory {__version__}",
        command=f"perceptron-theory figures {name}{' --fast' if fast else ''}",
        references=lines([PAPER]),
        residual_tolerance=RESIDUAL_TOLERANCE,
        quadrature_tolerance=QUADRATURE_TOLERANCE,
        failed_points=len(failed),
        failures="; ".join(failed) or "none",
    )
    return numbers


def _failures(node: xr.DataTree) -> list[str]:
    """Points without a certificate. Those that a constraint forbids, or that have no student, are no failures."""
    if "status" not in node.data_vars:
        return []
    status = node.dataset["status"]
    found = []
    for index in np.argwhere(~status.isin([Status.CONVERGED, Status.INFEASIBLE, Status.NO_STUDENT]).values):
        point = status[dict(zip(status.dims, index, strict=True))]
        where = ", ".join(f"{key} = {value.item()}" for key, value in point.coords.items() if value.ndim == 0)
        found.append(f"{node.name}: {where}: {Status(int(point)).name.lower()}")
    return found
