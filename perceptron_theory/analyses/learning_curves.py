"""Error against the number of kept examples: test_error(alpha_prune) at fixed f and theta."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import xarray as xr

from perceptron_theory.analyses.outer_product import OuterProduct
from perceptron_theory.convex_loss import ConvexLoss, one_student
from perceptron_theory.labelled import dataset, theory
from perceptron_theory.labels import Labels
from perceptron_theory.margins.distributions import Margins
from perceptron_theory.margins.selection import Selection
from perceptron_theory.problem import Problem
from perceptron_theory.progress import track
from perceptron_theory.solving.saddle_point import solve

#: Fields of every student; `_MORE`: those that some have.
_FIELDS = ("test_error", "R", "rho", "kappa", "residual", "quadrature_error", "status", "alpha_tot")
_MORE = ("q", "entropy", "gain", "lam", "norm", "susceptibility", "train_error", "train_loss", "label_error")


def learning_curve(
    alpha_prune: npt.ArrayLike,
    f: npt.ArrayLike | None = None,
    theta: npt.ArrayLike = 0.0,
    *,
    selection: str | Selection = "hard",
    student: str | ConvexLoss = "max-margin",
    margins: Margins | None = None,
    labels: Labels | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Solve on the outer product of `alpha_prune`, `f` and `theta`.

    A sweep never throws: points that fail are NaN with a status.

    Parameters
    ----------
    alpha_prune, f, theta : array_like
        Numbers or vectors, as in `solve`. Vectors become dimensions, numbers scalar coordinates.
    selection, student, margins, labels
        As in `solve`; the lam of a `ConvexLoss` is a number or "optimal" here.
    progress : bool
        Show a progress bar if it takes longer than two seconds.

    Returns
    -------
    xarray.Dataset
        Fields of the solution on dimensions named "alpha_prune", "f", "theta" (those given as vectors).
        For a `KeepProbability` the fraction kept is a variable, not a coordinate.

    Raises
    ------
    InvalidInputError
        If an argument lies outside its range.

    Examples
    --------
    >>> import numpy as np, perceptron_theory as pt
    >>> curve = pt.learning_curve(np.geomspace(1, 100, 5), f=[0.2, 1.0], theta=0.0, selection="hard")
    >>> dict(curve.sizes)
    {'alpha_prune': 5, 'f': 2}
    >>> bool((curve.test_error.sel(f=0.2)[2:] < curve.test_error.sel(f=1.0)[2:]).all())
    True
    """
    axes = {"alpha_prune": alpha_prune} | ({} if f is None else {"f": f}) | {"theta": theta}
    sweep = OuterProduct.of(**axes)
    flat = dict(zip(axes, sweep.points(), strict=True))
    one_student(student)
    Problem.of(flat["alpha_prune"], flat.get("f"), flat["theta"], selection, margins, labels)
    blocks = np.array_split(np.arange(flat["theta"].size), max(1, flat["theta"].size // 512))
    parts = [
        solve(
            flat["alpha_prune"][block],
            flat["f"][block] if "f" in flat else None,
            flat["theta"][block],
            selection=selection,
            student=student,
            margins=margins,
            labels=labels,
            throw=False,
        )
        for block in track(blocks, "learning curve", progress)
    ]
    more = (name for name in _MORE if hasattr(parts[0], name))
    names = (*_FIELDS, *more, *(() if "f" in axes else ("f",)))
    fields = {name: sweep.shaped(np.concatenate([getattr(part, name) for part in parts])) for name in names}
    return dataset(fields, sweep.coordinates, {"selection": parts[0].selection, **theory(student, labels)})
