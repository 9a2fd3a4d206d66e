"""Logistic regression on a subsample drawn by a surrogate model: Kolossov, Montanari and Tandon."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from perceptron_theory.convex_loss import ConvexLoss, penalty
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.labels import Labels
from perceptron_theory.margins.selection import KeepProbability
from perceptron_theory.solving.saddle_point import solve
from perceptron_theory.solving.solution import ConvexSolution
from perceptron_theory.validation import kept_fraction, number_array, one_number, positive

FloatArray = npt.NDArray[np.float64]

#: Logits are clipped here, as in the published code.
LARGEST_LOGIT = 10.0
#: Fields at which the constant and the kinks of the rule are found: Gauss-Legendre, far beyond all data.
_FAR = 10.0
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)


def surrogate_rule(f: float, exponent: float, steepness: float = 5.0) -> KeepProbability:
    """Keep with probability pi(z) = min(1, C [s (1 - s)]^exponent), s = 1 / (1 + exp(-steepness z)).

    Exponent 1 prefers uncertain examples, a negative one certain ones, 0 none. C is set by the fraction kept.

    Parameters
    ----------
    f : float
        Fraction kept, in (0, 1].
    exponent : float
        The a of the paper.
    steepness : float
        Logit of the surrogate per unit of the field z along it; logits are clipped at 10.

    Returns
    -------
    KeepProbability
        On Gaussian data it keeps `f`.

    Raises
    ------
    InvalidInputError
        If f lies outside (0, 1] or a number is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> surrogate_rule(0.5, 1.0)(np.array([0.0, 0.3, 1.0])).round(3).tolist()
    [1.0, 1.0, 0.084]
    """
    fraction = one_number("f", kept_fraction("f", f))
    a = one_number("exponent", number_array("exponent", exponent, "it says how much uncertain examples are preferred"))
    if not np.isfinite(a):
        raise InvalidInputError(
            f"exponent must be finite, got {a:g}: it says how much uncertain examples are preferred."
        )
    slope = one_number("steepness", positive("steepness", steepness, "it is the surrogate's logit per unit field"))
    clip = LARGEST_LOGIT / slope

    def log_weight(z: FloatArray) -> FloatArray:
        logit = np.minimum(slope * np.abs(z), LARGEST_LOGIT)
        return np.asarray(-a * (logit + 2.0 * np.log1p(np.exp(-logit))))

    def kink(log_constant: float) -> float:
        """|z| at which the probability reaches 1, 0 if nowhere."""
        ends = log_constant + log_weight(np.array([0.0, clip]))
        if ends[0] * ends[1] >= 0.0:
            return 0.0
        return float(brentq(lambda z: log_constant + float(log_weight(np.array([z]))[0]), 0.0, clip, xtol=1e-15))

    def kept(log_constant: float) -> float:
        edges = np.unique([0.0, min(kink(log_constant), _FAR), min(0.5 * clip, _FAR), min(clip, _FAR), 4.0, 7.0, _FAR])
        middle, half = 0.5 * (edges[1:] + edges[:-1]), 0.5 * np.diff(edges)
        z = middle[:, None] + half[:, None] * _NODES
        density = 2.0 * np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)
        value = density * np.exp(np.minimum(0.0, log_constant + log_weight(z)))
        return float(half @ (value @ _WEIGHTS))

    lowest, highest = sorted(-log_weight(np.array([0.0, clip])))
    if fraction == 1.0:
        log_constant = highest
    else:
        log_constant = float(brentq(lambda c: kept(c) - fraction, lowest - 60.0, highest, xtol=1e-14, rtol=1e-15))
    at = kink(log_constant)
    points = sorted({-clip, -at, 0.0, at, clip})
    return KeepProbability(lambda z: np.exp(np.minimum(0.0, log_constant + log_weight(z))), breakpoints=points)


def surrogate_sampling(
    alpha_tot: float,
    f: float,
    theta: float = 0.0,
    *,
    lam: float,
    exponent: float,
    flip: float = 0.05,
    reweight: bool = False,
    steepness: float = 5.0,
) -> ConvexSolution:
    """Logistic regression with ridge penalty on a subsample that a surrogate draws. Exact.

    Kolossov, Montanari and Tandon, "Towards a statistical theory of data selection under weak supervision",
    arXiv:2309.14563: the logistic loss of the subsample divided by the size of the pool, plus lam / 2 |w|^2, with
    inputs of unit variance; hence our lam is alpha_tot times theirs. Their P(y = 1 | x) is 1 - flip or flip by the
    sign of the teacher's field, and errors are counted on fresh labels of the same noise: `label_error`, with the
    floor `flip`.

    Parameters
    ----------
    alpha_tot : float
        Examples in the pool per parameter, > 0.
    f : float
        Fraction kept, in (0, 1].
    theta : float
        Angle between surrogate and teacher, radians: an imperfect surrogate, or weak supervision.
    lam : float
        Their penalty, >= 0.
    exponent, steepness
        As in `surrogate_rule`.
    flip : float
        Probability of a wrong label.
    reweight : bool
        Weight examples by 1 / pi (their unbiased scheme). The published numbers are without.

    Returns
    -------
    ConvexSolution

    Raises
    ------
    InvalidInputError
        If an argument lies outside its range.
    ConvergenceError
        If the point fails its certificate.

    Examples
    --------
    Selection beats the full set:

    >>> full, part = (surrogate_sampling(2.29, f, lam=0.001, exponent=1.0) for f in (1.0, 0.8))
    >>> print(f"{full.label_error:.4f} {part.label_error:.4f}")
    0.2642 0.2474
    """
    pool = one_number("alpha_tot", positive("alpha_tot", alpha_tot, "it is the size of the pool per parameter"))
    student = ConvexLoss("logistic", penalty(lam, "pool example", alpha_tot=pool), reweight)
    labels = Labels(flip)
    if f == 1.0:
        return solve(pool, 1.0, theta, selection="random", student=student, labels=labels)
    rule = surrogate_rule(f, exponent, steepness)
    return solve(pool * f, None, theta, selection=rule, student=student, labels=labels)
