"""How much one more kept example tells."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import erfinv, log_ndtr, ndtr

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.margins.distributions import Margins
from perceptron_theory.margins.selection import Selection
from perceptron_theory.solving.saddle_point import solve
from perceptron_theory.solving.solution import VersionSpaceSolution
from perceptron_theory.validation import check_points, first_outside, kept_fraction, number_array

FloatArray = npt.NDArray[np.float64]

#: Integrands are entire functions on the scale 1 over at most +-9: this order integrates them to rounding.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)
_END = 9.0
_NARROW = list(zip(*np.polynomial.legendre.leggauss(12), strict=True))


def information_gain(
    alpha_prune: npt.ArrayLike,
    f: npt.ArrayLike | None = None,
    theta: npt.ArrayLike = 0.0,
    *,
    selection: str | Selection = "hard",
    margins: Margins | None = None,
    throw: bool | None = None,
) -> VersionSpaceSolution:
    """Information in one more kept example: how much it shrinks the version space, -d entropy / d alpha_prune.

    At the saddle point of the version space itself, where q differs from R as soon as data are pruned; the
    closed form of the paper, which puts q = R, is `paper_information_gain`. Without pruning the gain falls as
    1 / alpha. With a perfect metric and a growing pool, of which the hardest 2 examples per parameter are kept, it
    does not: the closed form tends to 1 nat, and the true gain grows, because more examples than that would fix
    the teacher. (At larger fixed alpha_prune it falls as 1 / alpha_prune for any f.)

    Parameters
    ----------
    alpha_prune, f, theta, selection, margins, throw
        As in `solve`.

    Returns
    -------
    VersionSpaceSolution
        Of the Gibbs student; `gain` is in nats per kept example (divide by ln 2 for bits).

    Raises
    ------
    InvalidInputError
        If an argument lies outside its range.
    ConvergenceError
        If `throw` and a point fails its certificate.

    Examples
    --------
    >>> import numpy as np, perceptron_theory as pt
    >>> pt.information_gain(2.0, [0.2, 0.5, 1.0]).gain.round(4).tolist()
    [1.2048, 0.597, 0.3718]
    """
    return solve(alpha_prune, f, theta, selection=selection, student="gibbs", kappa=0.0, margins=margins, throw=throw)


def paper_information_gain(R: npt.ArrayLike, f: npt.ArrayLike) -> FloatArray:
    """Closed form of the information gain at theta = 0 after hard pruning, with q = R.

    Sorscher et al. (NeurIPS 2022, arXiv:2206.14486, appendix A):

        I = -(2 / f) int Dt [H(sqrt(R / (1 - R)) t) - H((gamma + sqrt(R) t) / sqrt(1 - R))] ln H(sqrt(R / (1 - R)) t)

    with gamma = H^-1((1 - f) / 2). Exact only at f = 1 and for the R of a Gibbs student, where q = R; kept
    beside `information_gain` to draw the paper's figure.

    Parameters
    ----------
    R : array_like
        Overlap of student and teacher, in [0, 1).
    f : array_like
        Fraction kept, in (0, 1].

    Returns
    -------
    ndarray
        Nats per kept example, broadcast shape.

    Raises
    ------
    InvalidInputError
        If an argument lies outside its range.

    Examples
    --------
    >>> import perceptron_theory as pt
    >>> pt.paper_information_gain([0.0, 0.5], 1.0).round(12).tolist()
    [0.69314718056, 0.5]
    """
    overlap = number_array("R", R, "R is the cosine of student and teacher")
    inside = (overlap >= 0.0) & (overlap < 1.0)
    if not inside.all():
        raise InvalidInputError(
            f"R must lie in [0, 1), got {first_outside(overlap, inside):g}: R is the cosine of student and teacher."
        )
    kept = kept_fraction("f", f)
    try:
        shape = np.broadcast_shapes(overlap.shape, kept.shape)
    except ValueError:
        raise InvalidInputError(
            f"R and f must broadcast, got shapes {overlap.shape} and {kept.shape}: add axes with numpy.newaxis."
        ) from None
    check_points(shape)
    overlap, kept = (np.broadcast_to(x, shape)[..., None] for x in (overlap, kept))
    width = np.sqrt(2.0) * erfinv(kept) / np.sqrt(1.0 - overlap)
    slope = np.sqrt(overlap / (1.0 - overlap))
    # Beyond this either the weight of t or H ln H has vanished.
    end = _END / np.maximum(1.0, slope)
    t = end * _NODES
    x = slope * t
    inside_window = _normal_mass(x, width)
    integrand = np.exp(-0.5 * t * t) / np.sqrt(2.0 * np.pi) * inside_window * log_ndtr(-x)
    return np.asarray(-2.0 / kept[..., 0] * end[..., 0] * (integrand @ _WEIGHTS))[()]


def _normal_mass(x: FloatArray, width: FloatArray) -> FloatArray:
    """Probability that a standard normal variable lies between x and x + `width`, to relative accuracy if narrow."""
    step = np.minimum(width, 1.0)
    narrow = sum(w * np.exp(-0.5 * (x + 0.5 * step * (1.0 + node)) ** 2) for node, w in _NARROW)
    return np.where(width < 1.0, 0.5 * step * narrow / np.sqrt(2.0 * np.pi), ndtr(-x) - ndtr(-x - width))
