"""The angle of a probe to the truth from how far it agrees with a second one, trained independently."""

from __future__ import annotations

import math
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, ndtr

from perceptron_theory.errors import ScoreError
from perceptron_theory.scores.angle import AngleEstimate, angle_interval, at_least, at_most, confidence_level, counts
from perceptron_theory.validation import number_array, whole_number

FloatArray = npt.NDArray[np.float64]

#: Chance alignments averaged over, at the middle of equal slices of probability: tails are right to 1 / 1002.
_ALIGNMENTS: Final = 501
#: Two fields with a correlation this near to 1 or -1 are one field: rounding alone makes 1e-16.
_SAME: Final = 1e-14
#: Fisher's z is normal to a small fraction of its standard error from here.
_FEWEST: Final = 10


def theta_from_agreement(
    disagreements: npt.ArrayLike, n: npt.ArrayLike, *, N: npt.ArrayLike | None = None, level: npt.ArrayLike = 0.95
) -> AngleEstimate:
    """Angle to the truth of two probes of equal quality, from how often their signs differ; no label is used.

    Each probe is cos(theta) times the truth plus sin(theta) times a deviation of its own. Probes trained
    alike on independent data have deviations of independent random directions, with cosine xi = 0 as
    N -> infinity, so that the angle gamma between the probes has cos(gamma) = cos(theta)^2. Gamma is pi times the
    fraction of disagreements (Sheppard, Phil. Trans. A 192, 101, 1899). The probe model is that of
    Sorscher et al. (arXiv:2206.14486), the step from gamma to theta is this project's.

    In N dimensions (1 + xi) / 2 follows a beta distribution with both parameters (N - 2) / 2. It is averaged
    over if N is given; otherwise the interval is the exact binomial one, and too short once n is as large as N.

    Parameters
    ----------
    disagreements, n : int
        Examples on which the probes decide differently, 0 to n, among n >= 1 that neither was trained on.
    N : int, optional
        Number of inputs of both probes, >= 3. Default: infinite.
    level : float
        Confidence level, in [1/2, 1).

    Returns
    -------
    AngleEstimate
        In radians. If the probes differ in quality, cos(theta) is the geometric mean of their cosines.
        Probes that share data, or a shape that cannot follow the truth, deviate together, and theta is then too
        small: on MNIST, odd against even, two linear probes of 500 images each are wrong on 14 % of new ones
        (theta = 26 degrees) and disagree as if theta were 10 degrees. Compare with `theta_from_error_rate`.

    Raises
    ------
    InvalidInputError
        If an argument lies outside its range, or if the probes disagree on more than half of the
        examples by more than chance allows.

    Examples
    --------
    >>> from perceptron_theory.scores.angle_agreement import theta_from_agreement
    >>> estimate = theta_from_agreement(100, 1000)
    >>> round(estimate.theta, 4), round(estimate.low, 4), round(estimate.high, 4)
    (0.2231, 0.1829, 0.2689)
    >>> round(theta_from_agreement(100, 1000, N=100).high, 4)
    0.2775
    """
    count, of = counts("disagreements", disagreements, n)
    confidence, half_gap = confidence_level(level), _half_gaps(N)

    def rate(theta: float) -> FloatArray:
        return np.asarray(np.arcsin(math.sin(theta) * np.sqrt(half_gap)) * (2.0 / math.pi))

    low, high = angle_interval(
        apart=lambda theta: float(np.mean(at_least(count, of, rate(theta)))),
        close=lambda theta: float(np.mean(at_most(count, of, rate(theta)))),
        level=confidence,
        contradiction=f"the probes disagree on more than half of the examples, {count} of {of}: are the labels of "
        "one of them swapped?",
    )
    gamma = math.pi * min(count / of, 0.5)
    theta = math.asin(min(math.sqrt(2.0) * math.sin(0.5 * gamma), 1.0))
    return AngleEstimate(
        theta, low, high, confidence, _assumption(N), f"the disagreement of two probes, {count} of {of}"
    )


def theta_from_fields(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    by: Literal["signs", "correlation"] = "signs",
    N: npt.ArrayLike | None = None,
    level: npt.ArrayLike = 0.95,
) -> AngleEstimate:
    """Angle to the truth of two probes of equal quality, from their fields on the same examples.

    Like `theta_from_agreement`, to which `by="signs"` leads. `by="correlation"` takes cos(gamma) from the
    sizes of the fields as well, the sum of products over the root of the sums of squares, with an interval by
    Fisher's z (Metron 1, 3, 1921; standard error (n - 2)^(-1/2) about a known mean). It is shorter, about
    2.6 times at theta = 17 degrees, and wrong if the fields are not Gaussian.

    Parameters
    ----------
    first, second : array_like, shape (n,)
        Signed fields, or signed margins (fields times the labels) of both, in the same order of
        examples; in any unit. Neither probe was trained on these examples.
    by : {"signs", "correlation"}
        What is compared. A correlation needs n >= 10.
    N : int, optional
        Number of inputs of both probes, >= 3. Default: infinite.
    level : float
        Confidence level, in [1/2, 1).

    Returns
    -------
    AngleEstimate
        In radians.

    Raises
    ------
    ScoreError
        If the fields are not two finite vectors of one length, one is 0 where a sign is needed, or both are the same.
    InvalidInputError
        As for `theta_from_agreement`.

    Examples
    --------
    >>> import numpy as np
    >>> from perceptron_theory.scores.angle_agreement import theta_from_fields
    >>> truth, one, other = np.random.default_rng(0).standard_normal((3, 2000))
    >>> estimate = theta_from_fields(truth + 0.5 * one, truth + 0.5 * other, by="correlation")
    >>> bool(estimate.low < np.arctan(0.5) < estimate.high)
    True
    """
    fields = _fields(first, second)
    if by == "signs":
        if not fields.all():
            raise ScoreError(
                f"fields must not be 0, got {np.sum(fields == 0.0)} zeros: a field of 0 has no sign; use "
                "by='correlation'."
            )
        return theta_from_agreement(np.sum((fields[0] > 0.0) != (fields[1] > 0.0)), fields.shape[1], N=N, level=level)
    if by != "correlation":
        raise ScoreError(f"by must be 'signs' or 'correlation', got {by!r}: signs need no Gaussian sizes.")
    return _from_correlation(fields, N, confidence_level(level))


def _from_correlation(fields: FloatArray, N: npt.ArrayLike | None, level: float) -> AngleEstimate:
    n = whole_number("n", fields.shape[1], _FEWEST, "n is the number of examples, and fewer show no correlation")
    scaled = fields / np.sqrt(np.mean(fields**2, axis=1, keepdims=True))
    # 1 - cos(gamma), which keeps its digits where the probes nearly agree.
    gap = 0.5 * float(np.mean((scaled[0] - scaled[1]) ** 2))
    if not _SAME < gap < 2.0 - _SAME:
        raise ScoreError(
            f"the fields must belong to two probes, got a correlation of {1.0 - gap:g}: train each on its own data."
        )
    half_gap, observed = _half_gaps(N), _fisher_z(np.array(gap))

    def standardised(theta: float) -> FloatArray:
        return np.asarray((observed - _fisher_z(2.0 * math.sin(theta) ** 2 * half_gap)) * math.sqrt(n - 2))

    low, high = angle_interval(
        apart=lambda theta: float(np.mean(ndtr(standardised(theta)))),
        close=lambda theta: float(np.mean(ndtr(-standardised(theta)))),
        level=level,
        contradiction=f"the fields of the probes are correlated negatively ({1.0 - gap:.3g}): is the sign of one "
        "of them reversed?",
    )
    theta = math.asin(math.sqrt(min(gap, 1.0)))
    return AngleEstimate(theta, low, high, level, _assumption(N), f"the correlation of two probes, {1.0 - gap:.4g}")


def _half_gaps(N: npt.ArrayLike | None) -> FloatArray:
    """(1 - xi) / 2 at the middle of equal slices of probability; sin(gamma / 2) is sin(theta) times its root."""
    if N is None:
        return np.array([0.5])
    shape = 0.5 * (whole_number("N", N, 3, "N is the number of inputs of both probes") - 2)
    return np.asarray(betaincinv(shape, shape, (np.arange(_ALIGNMENTS) + 0.5) / _ALIGNMENTS))


def _fisher_z(gap: FloatArray) -> FloatArray:
    """Inverse hyperbolic tangent of the correlation 1 - gap."""
    return np.asarray(0.5 * np.log((2.0 - gap) / gap))


def _assumption(N: npt.ArrayLike | None) -> str:
    alignment = "which N -> infinity makes orthogonal" if N is None else f"in N={N} dimensions"
    return (
        "both probes are equally good, their deviations from the truth are independent random directions, "
        f"{alignment}, and on examples drawn independently their fields are Gaussian without offset"
    )


def _fields(first: npt.ArrayLike, second: npt.ArrayLike) -> FloatArray:
    """Both fields, shape (2, n), each scaled to a largest size of 1."""
    both = [number_array(name, field, "it is a field") for name, field in (("first", first), ("second", second))]
    shapes = both[0].shape, both[1].shape
    if both[0].ndim != 1 or shapes[0] != shapes[1] or not both[0].size:
        raise ScoreError(
            f"fields must be two vectors of one length, got shapes {shapes[0]} and {shapes[1]}: one number per example."
        )
    for name, field in zip(("first", "second"), both, strict=True):
        if not np.isfinite(field).all() or not field.any():
            raise ScoreError(f"{name} must be finite and not 0 everywhere: give the field of a trained probe.")
    return np.stack([field / np.max(np.abs(field)) for field in both])
