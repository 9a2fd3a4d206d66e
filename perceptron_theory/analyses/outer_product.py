"""The points of a sweep: every combination of its axes, flat for solvers, shaped for datasets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from perceptron_theory.labelled import axis
from perceptron_theory.validation import check_points

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class OuterProduct:
    """Axes of a sweep by name; those given as vectors are dimensions, numbers are not.

    Attributes
    ----------
    coordinates : dict of ndarray
        The axes as given, checked to be numbers or vectors.
    """

    coordinates: dict[str, FloatArray]

    @classmethod
    def of(cls, **axes: npt.ArrayLike) -> OuterProduct:
        """Check the axes.

        Raises
        ------
        InvalidInputError
            If an axis is neither a number nor a vector with at least one entry, or there are too many points.
        """
        sweep = cls({name: axis(name, given) for name, given in axes.items()})
        check_points(sweep.shape)
        return sweep

    @property
    def dims(self) -> tuple[str, ...]:
        """Names of the vector axes."""
        return tuple(name for name, value in self.coordinates.items() if value.ndim)

    @property
    def shape(self) -> tuple[int, ...]:
        """Their lengths."""
        return tuple(self.coordinates[name].size for name in self.dims)

    def points(self) -> tuple[FloatArray, ...]:
        """Flat arrays, one per axis: every combination once."""
        grids = np.meshgrid(*(np.atleast_1d(value) for value in self.coordinates.values()), indexing="ij")
        return tuple(grid.ravel() for grid in grids)

    def shaped(self, field: npt.NDArray[Any]) -> tuple[tuple[str, ...], npt.NDArray[Any]]:
        """Dimensions and values of a field given per point."""
        return self.dims, field.reshape(self.shape)
