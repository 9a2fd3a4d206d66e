"""Range checks with one message template: name, range, value, meaning."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from perceptron_theory.errors import InvalidInputError

FloatArray = npt.NDArray[np.float64]

#: Points that one call may hold, all its array arguments together; it may be set anew.
MAX_POINTS = 10_000_000


def check_plain(name: str, value: Any, error: type[InvalidInputError] = InvalidInputError) -> None:
    """Refuse what `numpy.asarray` would drop without a word, or not take at all: masks, and gradients of torch.

    Every array that comes from outside passes here first.

    Raises
    ------
    InvalidInputError
        Or its kind that is given as `error`, if entries are masked or a gradient is required.

    Examples
    --------
    >>> check_plain("theta", np.ma.array([0.1, 0.2]))  # nothing is masked
    >>> check_plain("theta", np.ma.array([0.1, 0.2], mask=[False, True]))
    Traceback (most recent call last):
    perceptron_theory.errors.InvalidInputError: theta has a mask that hides entries: fill or drop the masked entries.
    """
    if isinstance(value, list | tuple):
        for part in value:
            check_plain(name, part, error)
    elif np.ma.is_masked(value):
        raise error(f"{name} has a mask that hides entries: fill or drop the masked entries.")
    elif getattr(value, "requires_grad", False):
        raise error(
            f"{name} requires a gradient, and none is followed here: detach the tensor, or differentiate "
            "perceptron_theory.torch_bridge.solved_test_error."
        )


def check_points(shape: Sequence[int]) -> None:
    """Refuse more points than `MAX_POINTS`.

    Raises
    ------
    InvalidInputError
        If arrays of this shape would hold more.
    """
    points = math.prod(shape)
    if points > MAX_POINTS:
        raise InvalidInputError(
            f"the arguments together make {points:,} points, more than {MAX_POINTS:,}: solve them in parts, or, with "
            f"memory of about a kilobyte each, set perceptron_theory.validation.MAX_POINTS = {points:_}."
        )


def number_array(name: str, value: npt.ArrayLike, meaning: str) -> FloatArray:
    """`value` as float64 array; refuses what is not a real number."""
    check_plain(name, value)
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "fiu":  # an empty list is float64
            raise TypeError
        return array.astype(np.float64)
    except (TypeError, ValueError, RuntimeError):  # the last by torch
        shown = " ".join(repr(value).split())[:80]
        raise InvalidInputError(f"{name} must be a real number or an array of them, got {shown}: {meaning}.") from None


def one_number(name: str, array: FloatArray) -> float:
    """The entry of a 0-d array."""
    if array.ndim:
        raise InvalidInputError(
            f"{name} must be one number, got an array of shape {array.shape}: it holds for all points."
        )
    return float(array)


def whole_number(name: str, value: npt.ArrayLike, least: int, meaning: str) -> int:
    """`value` as a whole number of at least `least`."""
    number = one_number(name, number_array(name, value, meaning))
    if not (math.isfinite(number) and number >= least and number == int(number)):
        raise InvalidInputError(f"{name} must be a whole number of at least {least}, got {number:g}: {meaning}.")
    return int(number)


def first_outside(array: FloatArray, inside: npt.NDArray[np.bool_]) -> float:
    """First entry that is not inside; NaN counts as outside."""
    return float(array[~inside].flat[0])


def positive(name: str, value: npt.ArrayLike, meaning: str) -> FloatArray:
    """Finite and > 0."""
    array = number_array(name, value, meaning)
    inside = np.isfinite(array) & (array > 0.0)
    if not inside.all():
        raise InvalidInputError(f"{name} must be positive and finite, got {first_outside(array, inside):g}: {meaning}.")
    return array


def kept_fraction(name: str, value: npt.ArrayLike) -> FloatArray:
    """In (0, 1]."""
    meaning = f"{name} is the fraction of examples kept after pruning"
    array = number_array(name, value, meaning)
    inside = (array > 0.0) & (array <= 1.0)
    if not inside.all():
        raise InvalidInputError(f"{name} must lie in (0, 1], got {first_outside(array, inside):g}: {meaning}.")
    return array


def probe_angle(value: npt.ArrayLike) -> FloatArray:
    """In [0, pi/2]."""
    meaning = "theta is the angle between probe and teacher"
    array = number_array("theta", value, meaning)
    # np.deg2rad(90) may exceed pi/2 by a rounding error.
    inside = (array >= 0.0) & (array <= math.pi / 2 * (1.0 + 1e-15))
    if not inside.all():
        wrong = first_outside(array, inside)
        hint = " (given in degrees? use numpy.deg2rad)" if math.pi / 2 < wrong <= 90.0 else ""
        raise InvalidInputError(f"theta must lie in [0, pi/2] radians, got {wrong:g}{hint}: {meaning}.")
    return np.minimum(array, math.pi / 2)


def imposed_margin(value: npt.ArrayLike) -> FloatArray:
    """Finite and >= 0."""
    meaning = "kappa is the margin that every student must have"
    array = number_array("kappa", value, meaning)
    inside = np.isfinite(array) & (array >= 0.0)
    if not inside.all():
        raise InvalidInputError(f"kappa must be finite and >= 0, got {first_outside(array, inside):g}: {meaning}.")
    return array
