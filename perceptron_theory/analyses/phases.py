"""Keep the hard, the easy or any examples? Test errors and the winner at each size, fraction and angle."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from perceptron_theory.analyses.error_ratio import resolution
from perceptron_theory.analyses.outer_product import OuterProduct
from perceptron_theory.labelled import dataset
from perceptron_theory.margins.distributions import Margins, MeasuredMargins
from perceptron_theory.problem import Problem
from perceptron_theory.progress import track
from perceptron_theory.solving.saddle_point import solve
from perceptron_theory.validation import kept_fraction, positive, probe_angle

FloatArray = npt.NDArray[np.float64]

#: The rules that compete, in the order of the dimension `selection`.
RULES = ("hard", "easy", "random")

_FIELDS = ("test_error", "residual", "quadrature_error", "status")
_BLOCK = 1024


def phase_diagram(
    alpha_tot: npt.ArrayLike,
    f: npt.ArrayLike,
    theta: npt.ArrayLike = 0.0,
    *,
    margins: Margins | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Test errors of keeping the hard, the easy or a random fraction `f` of `alpha_tot`, and which is best.

    All three keep the same number of examples, alpha_prune = f alpha_tot. After the phase diagram
    of Sorscher et al. (NeurIPS 2022, arXiv:2206.14486, figure 1C), which draws hard minus easy at
    theta = 0. Every point carries its own certificate; none is interpolated.

    Parameters
    ----------
    alpha_tot : array_like
        Examples before pruning per parameter, > 0: a number or a vector.
    f : array_like
        Fraction kept, in (0, 1]: a number or a vector.
    theta : array_like
        Probe angle in radians, in [0, pi/2]: a number or a vector.
    margins : GaussianMargins or MeasuredMargins, optional
        Distribution along the probe. Default: Gaussian.
    progress : bool
        Show a progress bar if it takes longer than two seconds.

    Returns
    -------
    xarray.Dataset
        On dimensions "alpha_tot", "f", "theta" (those given as vectors): `test_error`, `residual`,
        `quadrature_error` and `status`, each with a further dimension "selection" ("hard", "easy",
        "random"); `alpha_prune`; and `winner`: "hard", "easy" or "random", "tie" where the smallest
        errors differ by less than their certificates resolve (f = 1, theta = pi/2), "unknown" where
        a point failed.

    Raises
    ------
    InvalidInputError
        If an argument lies outside its range.

    Examples
    --------
    >>> import perceptron_theory as pt
    >>> diagram = pt.phase_diagram([2.0, 20.0], f=[0.3, 1.0], theta=0.0)
    >>> diagram.winner.values.tolist()
    [['easy', 'tie'], ['hard', 'tie']]
    """
    sweep = OuterProduct.of(alpha_tot=alpha_tot, f=f, theta=theta)
    positive("alpha_tot", alpha_tot, "alpha_tot is the number of examples before pruning per parameter")
    kept_fraction("f", f)
    probe_angle(theta)
    total, fraction, angle = sweep.points()
    alpha = fraction * total
    Problem.of(alpha, fraction, angle, "hard", margins)
    blocks = np.array_split(np.arange(alpha.size), -(-alpha.size // _BLOCK))
    parts = [
        _Contest(alpha[block], fraction[block], angle[block], margins)
        for block in track(blocks, "phase diagram", progress)
    ]
    variables = {
        name: (
            ("selection", *sweep.dims),
            np.concatenate([part.field(name) for part in parts], axis=1).reshape(len(RULES), *sweep.shape),
        )
        for name in _FIELDS
    }
    variables["alpha_prune"] = sweep.shaped(alpha)
    variables["winner"] = sweep.shaped(np.concatenate([part.winner() for part in parts]))
    out = dataset(variables, sweep.coordinates, {})
    return out.assign_coords(selection=("selection", list(RULES), {"long_name": "rule that selects the examples kept"}))


class _Contest:
    """Solutions of the three rules on the same points."""

    def __init__(self, alpha: FloatArray, f: FloatArray, theta: FloatArray, margins: Margins | None) -> None:
        self.f = f
        self.solutions = [solve(alpha, f, theta, selection=rule, margins=margins, throw=False) for rule in RULES[:2]]
        # A random subset is distributed like all data, whatever the fraction; and Gaussian data look alike
        # from every direction.
        turned = theta if isinstance(margins, MeasuredMargins) else np.zeros_like(theta)
        distinct, self.random = np.unique(np.stack([alpha, turned]), axis=1, return_inverse=True)
        self.solutions.append(solve(distinct[0], 1.0, distinct[1], selection="random", margins=margins, throw=False))

    def field(self, name: str) -> npt.NDArray[Any]:
        """A field of `Solution`, shape (rules, points)."""
        values = [getattr(solution, name) for solution in self.solutions]
        values[-1] = values[-1][self.random.ravel()]
        return np.stack(values)

    def winner(self) -> npt.NDArray[np.str_]:
        """Name of the best rule, "tie" or "unknown", shape (points,)."""
        error = self.field("test_error")
        noise = resolution(self.field("quadrature_error"), self.f)
        order = np.argsort(error, axis=0)
        best, second = (np.take_along_axis(error, order[i : i + 1], axis=0)[0] for i in range(2))
        blur = sum(np.take_along_axis(noise, order[i : i + 1], axis=0)[0] for i in range(2))
        winner = np.where(second > best * np.exp(blur), np.array(RULES)[order[0]], "tie")
        return np.where(np.isfinite(error).all(axis=0), winner, "unknown").astype("<U7")
