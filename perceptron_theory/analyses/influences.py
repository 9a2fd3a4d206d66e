"""Influence of an example: what one more of it, at any margin, does to the test error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.margins.distributions import GaussianMargins
from perceptron_theory.margins.kept import KeptMeasure, gaussian_window
from perceptron_theory.margins.selection import KeepProbability, QuantileRule, Selection, as_selection
from perceptron_theory.solving.saddle_point import solve
from perceptron_theory.solving.solution import Solution
from perceptron_theory.students.max_margin.equations import kept_mass
from perceptron_theory.students.max_margin.sensitivity import Sensitivity, sensitivity_of
from perceptron_theory.validation import first_outside, number_array, one_number

FloatArray = npt.NDArray[np.float64]

_MEANING = "it is where on the margin axis the influence is asked for"


@dataclass(frozen=True)
class Influence:
    """What one more example does to the test error, as a function of its margin.

    Call it with signed margins: ``influence(m)`` is d test_error / d w(m), where w(m) is the number of kept examples
    of signed margin m per parameter. Negative values help. n more examples change the test error of a student
    with N parameters by n / N times it.

    Attributes
    ----------
    solution : Solution
        The student that responds, with its certificate.
    sensitivity : Sensitivity
        Its four response coefficients.

    Examples
    --------
    >>> import perceptron_theory as pt
    >>> influence = pt.influence(5.0, f=0.3, theta=0.2)
    >>> influence([-0.1, 0.1]).round(4).tolist()
    [-0.0086, -0.01]
    """

    solution: Solution
    sensitivity: Sensitivity

    def __call__(self, m: npt.ArrayLike) -> FloatArray:
        """Influence of an example of signed margin `m`; NaN at m < 0 if theta = 0, where none exists.

        Raises
        ------
        InvalidInputError
            If a margin is not a finite number.
        """
        margins = _finite("m", m)
        return self.sensitivity.labelled(margins.ravel()).reshape(margins.shape)[()]

    def unlabelled(self, z: npt.ArrayLike) -> FloatArray:
        """Influence of an example at distance |z| from the probe's boundary, averaged over its label.

        The probe gets it right, m = +|z|, with probability Phi(|z| cot(theta)).

        Raises
        ------
        InvalidInputError
            If a distance is negative or not finite.
        """
        distances = _finite("z", z)
        if not np.all(distances >= 0.0):
            raise InvalidInputError(
                f"z must be >= 0, got {distances[~(distances >= 0.0)].flat[0]:g}: it is a distance; "
                "call the influence itself for signed margins."
            )
        return self.sensitivity.unlabelled(distances.ravel()).reshape(distances.shape)[()]


def _finite(name: str, value: npt.ArrayLike) -> FloatArray:
    array = number_array(name, value, _MEANING)
    if not np.isfinite(array).all():
        raise InvalidInputError(f"{name} must be finite, got {first_outside(array, np.isfinite(array)):g}: {_MEANING}.")
    return array


def influence(
    alpha_prune: float,
    f: float | None = None,
    theta: float = 0.0,
    *,
    selection: str | Selection = "hard",
) -> Influence:
    """Influence function of the max-margin student on pruned Gaussian data.

    (M1)-(M3) depend on the kept data only through averages, so that the implicit function theorem gives the response
    of the test error to a little more weight at any margin, exactly (replica symmetric, N -> infinity), from one
    linear system of four unknowns.

    Parameters
    ----------
    alpha_prune : float
        Examples kept per parameter, > 0.
    f : float, optional
        Fraction of the examples kept, in (0, 1]. Required unless `selection` is a `KeepProbability`.
    theta : float
        Angle between probe and teacher in radians, in [0, pi/2]; 0 is a perfect metric.
    selection : {"hard", "easy", "random"}, Band or KeepProbability
        Which examples are kept.

    Returns
    -------
    Influence
        A function of the signed margin, with the solution it belongs to.

    Raises
    ------
    InvalidInputError
        If an argument is not one number or lies outside its range.
    ConvergenceError
        If the student fails its certificate.

    Notes
    -----
    (M1)-(M3) restate the saddle point of Sorscher et al. (NeurIPS 2022, arXiv:2206.14486, appendix A); the derivation
    is in `perceptron_theory.students.max_margin.sensitivity`. Averaged over the kept data it is the slope of the
    learning curve: E[influence(m)] = d test_error / d alpha_prune.

    Examples
    --------
    Trained on little random data the student is hurt by hard examples, on more it learns from them alone:

    >>> import perceptron_theory as pt
    >>> for alpha_prune in (0.5, 5.0):
    ...     response = pt.influence(alpha_prune, f=0.3, theta=0.2, selection="random")
    ...     print(f"{response(0.1):.4f} {response(2.0):.4f}")
    0.0415 -0.3677
    -0.0340 -0.0000
    """
    rule = as_selection(selection)
    solution = solve(
        one_number("alpha_prune", number_array("alpha_prune", alpha_prune, "it is the number of examples kept")),
        None if f is None else one_number("f", number_array("f", f, "it is the fraction of examples kept")),
        one_number("theta", number_array("theta", theta, "it is the angle between probe and teacher")),
        selection=rule,
        throw=True,
    )
    angle = float(solution.theta)
    measure = _kept(rule, float(solution.f), angle)
    return Influence(solution, sensitivity_of(measure, float(solution.alpha_prune), angle))


def _kept(rule: Selection, f: float, theta: float) -> KeptMeasure:
    """Kept Gaussian data, with mass 1."""
    if isinstance(rule, KeepProbability):
        measure = GaussianMargins().kept(rule)
        return measure._replace(scale=1.0 / kept_mass(measure, theta)[0])
    if isinstance(rule, QuantileRule):
        return gaussian_window(*GaussianMargins().window(rule, f), f)
    return gaussian_window(0.0, np.inf, 1.0)
