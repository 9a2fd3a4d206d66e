"""Synthetic labels that pass an imperfect verifier: Feng et al."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from perceptron_theory.convex_loss import ConvexLoss
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.labels import Labels
from perceptron_theory.solving.saddle_point import solve
from perceptron_theory.solving.solution import ConvexSolution
from perceptron_theory.validation import number_array, one_number


def verification_breakdown(keep_right: npt.ArrayLike, keep_wrong: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Share of wrong labels beyond which verified data teach the opposite, 1 / (1 + keep_wrong / keep_right).

    Feng, Dohmatob, Yang, Charton and Kempe, "Beyond model collapse: scaling up with synthesized data requires
    verification", arXiv:2406.07515. There wrong labels are half of those that pass.

    Parameters
    ----------
    keep_right, keep_wrong : array_like
        Probabilities phi, psi in [0, 1] that the verifier passes a right and a wrong label, not both 0.

    Returns
    -------
    ndarray

    Raises
    ------
    InvalidInputError
        If a probability lies outside [0, 1], or both are 0.

    Examples
    --------
    >>> float(verification_breakdown(0.9, 0.3))
    0.75
    """
    phi, psi = _probability("keep_right", keep_right), _probability("keep_wrong", keep_wrong)
    if np.any(phi + psi == 0.0):
        raise InvalidInputError("keep_right and keep_wrong must not both be 0: such a verifier passes nothing.")
    return np.asarray(phi / (phi + psi))


def verified_labels(
    alpha_tot: float, wrong: float, keep_right: float, keep_wrong: float, *, student: ConvexLoss
) -> ConvexSolution:
    """A student of synthetic labels that passed a verifier. Exact.

    Feng et al. (arXiv:2406.07515): labels are wrong with probability `wrong`, whatever the input; the verifier passes
    right ones with probability phi, wrong ones with psi. What passes has the share p' = wrong psi / f of wrong labels,
    f = wrong psi + (1 - wrong) phi, and is otherwise like all data: the problem is that of flipped labels. From
    p' = 1/2 on it is refused, since the student learns nothing there, and beyond it the opposite: the error would be
    1 minus that of 1 - p', which is this problem with right and wrong exchanged.

    Parameters
    ----------
    alpha_tot : float
        Synthetic examples per parameter before verification, > 0.
    wrong : float
        Probability that a label is wrong, in [0, 1].
    keep_right, keep_wrong : float
        Probabilities that a right and a wrong label pass.
    student : ConvexLoss
        Who is trained.

    Returns
    -------
    ConvexSolution
        With ``alpha_prune = f alpha_tot``; f is 1 there, since verification looks at no margin.

    Raises
    ------
    InvalidInputError
        If a probability lies outside [0, 1], nothing passes, or of what passes at least half is wrong.
    ConvergenceError
        If the point fails its certificate.

    Examples
    --------
    >>> import perceptron_theory as pt
    >>> student = pt.ConvexLoss("logistic", 0.1)
    >>> unverified = pt.solve(10.0, 1.0, student=student, labels=pt.Labels(0.3))
    >>> bool(verified_labels(10.0, 0.3, 0.9, 0.1, student=student).test_error < unverified.test_error)
    True
    """
    p, phi, psi = (
        one_number(name, _probability(name, value))
        for name, value in (("wrong", wrong), ("keep_right", keep_right), ("keep_wrong", keep_wrong))
    )
    f = p * psi + (1.0 - p) * phi
    if f == 0.0:
        raise InvalidInputError("the verifier passes nothing: raise keep_right or keep_wrong.")
    passed = p * psi / f
    if not passed < 0.5:
        raise InvalidInputError(
            f"wrong labels are a share {passed:g} of what passes, got wrong = {p:g}: at 1/2 and beyond "
            f"(wrong >= {phi / (phi + psi):g}) the student learns nothing, or the opposite; lower wrong or keep_wrong."
        )
    return solve(f * alpha_tot, 1.0, selection="random", student=student, labels=Labels(passed))


def _probability(name: str, value: npt.ArrayLike) -> npt.NDArray[np.float64]:
    array = number_array(name, value, "it is a probability")
    inside = (array >= 0.0) & (array <= 1.0)
    if not inside.all():
        raise InvalidInputError(f"{name} must lie in [0, 1], got {array[~inside].flat[0]:g}: it is a probability.")
    return array
