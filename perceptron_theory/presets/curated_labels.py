"""Least squares on generated labels that an oracle curates: Dohmatob, Askari-Hemmat, Pezeshki and others."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtr

from perceptron_theory.convex_loss import ConvexLoss
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.margins.distributions import GaussianMargins
from perceptron_theory.margins.selection import QuantileRule, Random, as_selection
from perceptron_theory.solving.saddle_point import solve
from perceptron_theory.solving.solution import ConvexSolution
from perceptron_theory.validation import kept_fraction, number_array, one_number


def curated_labels(
    alpha_prune: float,
    f: float,
    cosines: tuple[float, float, float],
    *,
    lam: float,
    selection: str = "hard",
) -> tuple[float, ConvexSolution]:
    """Test error against the truth of a least-squares student, labels from a generator, margins from an oracle. Exact.

    Askari-Hemmat, Pezeshki, Dohmatob and others, arXiv:2502.15588, and Dohmatob, Pezeshki and Askari-Hemmat,
    arXiv:2511.03492: labels are the sign of the generator's field; examples are kept by the distance to the oracle's
    boundary; errors are counted against the truth, a third direction. The generator is our teacher, the oracle our
    probe. Their loss (1/n) sum (1 - y w.x)^2 / 2 + lam / 2 |w|^2 over the n kept examples has our
    lam / alpha_prune.

    Parameters
    ----------
    alpha_prune : float
        Examples kept per parameter, > 0.
    f : float
        Fraction kept, in (0, 1].
    cosines : tuple of float
        Cosines (truth . generator, truth . oracle, oracle . generator).
    lam : float
        Penalty in the normalisation of `ConvexLoss`, >= 0.
    selection : {"hard", "easy", "random"}
        Which examples are kept.

    Returns
    -------
    tuple of float and ConvexSolution
        Error against the truth, arccos of the student's cosine with it over pi; and the student, whose `test_error` is
        against the generator.

    Raises
    ------
    InvalidInputError
        If an argument lies outside its range, or no three directions have such cosines.
    ConvergenceError
        If the point fails its certificate.

    Notes
    -----
    The error formula that arXiv:2502.15588 prints takes the signed margin for Gaussian, Phi(-mean / deviation). With
    labels that are signs its mean is R sqrt(2/pi) and its second moment 1, but it is skewed: where the arccos, and
    simulation, give .0874, that formula gives .1152.

    Examples
    --------
    >>> error, student = curated_labels(1e6, 0.5, (1.0, 0.8, 0.8), lam=0.0)
    >>> print(f"{error:.4f}")
    0.0068
    """
    theta, along, across = truth_in_plane(cosines)
    s = solve(alpha_prune, f, theta, selection=selection, student=ConvexLoss("square", lam))
    sideways = (s.R - s.rho * math.cos(theta)) / math.sin(theta) if theta > 0.0 else 0.0
    cosine = s.rho * along + sideways * across
    return math.acos(float(np.clip(cosine, -1.0, 1.0))) / math.pi, s


def curated_labels_unlimited(f: float, cosines: tuple[float, float, float], selection: str = "hard") -> float:
    """`curated_labels` for alpha_prune -> infinity and lam -> 0: the population's least-squares solution.

    w is proportional to E[x x^T]^-1 E[x y]: the variance of kept data is E[z^2 | kept] along the oracle and 1
    elsewhere; E[z y | kept] and E[g y | kept] are Gaussian integrals over the kept range of z.

    Parameters
    ----------
    f, cosines, selection
        As in `curated_labels`.

    Returns
    -------
    float
        Error against the truth.

    Raises
    ------
    InvalidInputError
        As in `curated_labels`.

    Examples
    --------
    Clean labels favour hard examples, wrong ones easy:

    >>> for cosines in ((1.0, 0.8, 0.8), (0.9, 1.0, 0.9)):
    ...     print([round(curated_labels_unlimited(0.5, cosines, rule), 6) for rule in ("hard", "easy", "random")])
    [0.006801, 0.081374, 0.0]
    [0.131787, 0.040238, 0.143566]
    """
    theta, along, across = truth_in_plane(cosines)
    fraction = one_number("f", kept_fraction("f", f))
    rule = as_selection(selection)
    lo, hi = (0.0, math.inf)
    if isinstance(rule, QuantileRule):
        lo, hi = GaussianMargins().window(rule, fraction)
    elif not isinstance(rule, Random):
        raise InvalidInputError(f"selection must be hard, easy, random or a Band, got {rule.name!r}.")
    nodes, weights = np.polynomial.legendre.leggauss(200)
    end = min(hi, 12.0)
    z = lo + 0.5 * (end - lo) * (1.0 + nodes)
    density = 2.0 * np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi) * 0.5 * (end - lo) * weights
    mass, square = density.sum(), float(density @ z**2)
    if theta == 0.0:
        first, second = float(density @ z), 0.0
    else:
        at = z / math.tan(theta)
        first = float(density @ (z * (2.0 * ndtr(at) - 1.0)))
        second = float(density @ (2.0 * np.exp(-0.5 * at * at) / math.sqrt(2.0 * math.pi)))
    p, c = first / square, second / mass
    return math.acos(min(1.0, (p * along + c * across) / math.hypot(p, c))) / math.pi


def truth_in_plane(cosines: tuple[float, float, float]) -> tuple[float, float, float]:
    """Angle of oracle and generator; components of the truth along the oracle and orthogonal to it in their plane.

    Parameters
    ----------
    cosines : tuple of float
        Cosines (truth . generator, truth . oracle, oracle . generator).

    Returns
    -------
    tuple of float
        theta in radians, and the two components.

    Raises
    ------
    InvalidInputError
        If no three directions have such cosines.

    Examples
    --------
    >>> theta, along, across = truth_in_plane((1.0, 0.6, 0.6))
    >>> round(along, 12), round(across, 12)
    (0.6, 0.8)
    """
    given = number_array("cosines", cosines, "cosines of truth, generator and oracle")
    if given.shape != (3,) or not (np.abs(given) <= 1.0).all():
        raise InvalidInputError(
            f"cosines must be three numbers in [-1, 1], got {cosines!r}: (truth . generator, truth . oracle, "
            "oracle . generator)."
        )
    generator, oracle, between = (float(x) for x in given)
    if between < 0.0:
        raise InvalidInputError(f"oracle . generator must be >= 0, got {between:g}: turn the oracle round.")
    theta = math.acos(between)
    gram = 1.0 + 2.0 * generator * oracle * between - generator**2 - oracle**2 - between**2
    if gram < -1e-12:
        raise InvalidInputError(f"no three directions have the cosines {cosines!r}: change one of them.")
    across = (generator - oracle * between) / math.sin(theta) if theta > 0.0 else 0.0
    return theta, oracle, across
