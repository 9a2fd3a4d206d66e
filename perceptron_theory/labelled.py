"""Solutions as labelled arrays, with units, meanings and tolerances attached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from perceptron_theory.citations.sources import STUDENTS, lines
from perceptron_theory.convex_loss import ConvexLoss
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.labels import Labels
from perceptron_theory.solving.solution import QUADRATURE_TOLERANCE, RESIDUAL_TOLERANCE, Status
from perceptron_theory.validation import number_array
from perceptron_theory.version import __version__

ATTRIBUTES: Mapping[str, Mapping[str, Any]] = {
    "alpha_prune": {"long_name": "examples kept per parameter", "units": "1"},
    "alpha_tot": {"long_name": "examples before pruning per parameter", "units": "1"},
    "f": {"long_name": "fraction of examples kept", "units": "1"},
    "theta": {"long_name": "angle between probe and teacher", "units": "radian"},
    "test_error": {"long_name": "probability of a wrong label on unpruned data, without label noise", "units": "1"},
    "test_error_random": {"long_name": "test error of a random subset of the same size", "units": "1"},
    "R": {"long_name": "cosine of student and teacher", "units": "1"},
    "rho": {"long_name": "cosine of student and probe", "units": "1"},
    "kappa": {"long_name": "margin of the student", "units": "1"},
    "residual": {"long_name": "largest relative residual of the saddle-point equations", "units": "1"},
    "quadrature_error": {"long_name": "relative change under a finer quadrature", "units": "1"},
    "exponent": {"long_name": "d ln(test_error) / d ln(alpha_prune)", "units": "1"},
    "exponent_error": {"long_name": "error estimate of the exponent", "units": "1"},
    "exponent_steepest": {"long_name": "smallest local exponent", "units": "1"},
    "alpha_prune_error": {"long_name": "relative error estimate of alpha_prune", "units": "1"},
    "alpha_prune_start": {"long_name": "size from which the error falls faster than a power law", "units": "1"},
    "alpha_prune_steepest": {"long_name": "size at which the error falls fastest", "units": "1"},
    "f_exact": {
        "long_name": "fraction that brings the large-alpha prefactor within the excess of its floor",
        "units": "1",
    },
    "f_rule_of_thumb": {"long_name": "fraction whose variance along the probe is sin(theta)^2", "units": "1"},
    "prefactor_excess_rule_of_thumb": {"long_name": "relative distance of its prefactor to the floor", "units": "1"},
    "test_error_reference": {"long_name": "test error that pruning must match", "units": "1"},
    "theta_required": {"long_name": "largest angle of the probe at which pruning pays", "units": "radian"},
    "theta_required_error": {"long_name": "error estimate of theta_required", "units": "radian"},
    "winner": {"long_name": "rule with the smallest test error"},
    "alpha_tot_all": {"long_name": "every crossing, examples before pruning per parameter", "units": "1"},
    "alpha_tot_error": {"long_name": "relative error estimate of alpha_tot", "units": "1"},
    "crossings": {"long_name": "number of crossings found", "units": "1"},
    "outcome": {"long_name": "what a search found"},
    "q": {"long_name": "cosine of two students of the version space", "units": "1"},
    "entropy": {"long_name": "ln(volume of the version space) / N", "units": "nat"},
    "gain": {"long_name": "information of one more kept example", "units": "nat"},
    "lam": {"long_name": "strength of the ridge penalty", "units": "1"},
    "norm": {"long_name": "length of the student", "units": "1"},
    "susceptibility": {"long_name": "response of a field to the slope of its loss", "units": "1"},
    "train_error": {"long_name": "share of the kept examples that the student gets wrong", "units": "1"},
    "train_loss": {"long_name": "mean loss of the kept examples", "units": "1"},
    "label_error": {"long_name": "probability of disagreeing with a fresh label, noise included", "units": "1"},
    "active": {"long_name": "constraint that holds f at its best value"},
    "status": {
        "long_name": "what became of the point",
        "flag_values": [int(s) for s in Status],
        "flag_meanings": " ".join(s.name.lower() for s in Status),
    },
}


def axis(name: str, given: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """`given` as a sweep axis: a scalar or a vector with at least one entry."""
    value = number_array(name, given, "it is an axis of a sweep")
    if value.size == 0:
        raise InvalidInputError(
            f"{name} must not be empty, got {given!r}: an axis of a sweep needs at least one value."
        )
    if value.ndim > 1:
        raise InvalidInputError(
            f"{name} must be a number or a vector here, got shape {value.shape}: axes of a sweep form an outer "
            "product; use solve for arrays that broadcast."
        )
    return value


def dataset(
    variables: Mapping[str, tuple[tuple[str, ...], npt.NDArray[Any]]],
    coordinates: Mapping[str, npt.NDArray[np.float64]],
    attributes: Mapping[str, Any],
) -> xr.Dataset:
    """Dataset whose dimensions are the vector coordinates; scalar coordinates stay as labels.

    `attributes` add to those of every dataset, or replace them.
    """
    out = xr.Dataset(
        {name: (dims, values, dict(ATTRIBUTES[name])) for name, (dims, values) in variables.items()},
        coords={
            name: ((name,) if value.ndim else (), value, dict(ATTRIBUTES[name])) for name, value in coordinates.items()
        },
    )
    common = {
        "source": f"perceptron_theory {__version__}",
        **theory("max-margin"),
        "residual_tolerance": RESIDUAL_TOLERANCE,
        "quadrature_tolerance": QUADRATURE_TOLERANCE,
    }
    return out.assign_attrs(common | dict(attributes))


def theory(student: str | ConvexLoss, labels: Labels | None = None) -> dict[str, str]:
    """Attributes that say whose errors a dataset holds, and who derived them."""
    name = student.loss if isinstance(student, ConvexLoss) else student
    return {"theory": _described(student, labels), "references": lines(STUDENTS[name])}


def _described(student: str | ConvexLoss, labels: Labels | None) -> str:
    if not isinstance(student, ConvexLoss):
        return f"{student} student, replica symmetric (exact)"
    strength = student.lam if student.optimal else f"{float(np.asarray(student.lam)):g}"
    noise = "" if labels is None or labels.noiseless else f", {labels!r}"
    weights = ", reweighted" if student.reweight else ""
    return f"{student.loss} loss, lam = {strength}{weights}{noise}, replica symmetric (exact)"
