"""How fast the best test error falls: the local exponent along a Pareto frontier."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import xarray as xr

from perceptron_theory.analyses.exponents import EXPONENT_TOLERANCE, certified, log_slope
from perceptron_theory.analyses.pareto import pareto_frontier
from perceptron_theory.labelled import ATTRIBUTES
from perceptron_theory.margins.distributions import Margins
from perceptron_theory.margins.selection import Selection, as_selection
from perceptron_theory.problem import Problem

FloatArray = npt.NDArray[np.float64]

#: alpha_prune counts as the whole pool if it comes this close.
_WHOLE_POOL = 1.0 - 1e-12


def frontier_exponent(
    alpha_prune: npt.ArrayLike,
    theta: npt.ArrayLike = 0.0,
    *,
    selection: str | Selection = "hard",
    alpha_tot_max: float | None = None,
    f_min: float | None = None,
    margins: Margins | None = None,
    progress: bool = False,
) -> xr.Dataset:
    """Pareto frontier with its local exponent, d ln(best test_error) / d ln(alpha_prune).

    Where the best f is interior, the error does not change with f to first order, so the total
    derivative is the one at fixed f (envelope theorem); likewise where a floor holds f, or all is
    kept. Where the ceiling holds it, f = alpha_prune / alpha_tot_max moves along, and the derivative
    is the one at fixed alpha_tot. Both meet where a constraint sets in. At alpha_prune =
    alpha_tot_max, where the frontier ends, it is the derivative from below (which need not exist: the
    first examples left out, the few with the largest |z|, may change the error faster than linearly).

    Parameters
    ----------
    alpha_prune, theta, selection, alpha_tot_max, f_min, margins, progress
        As in `pareto_frontier`.

    Returns
    -------
    xarray.Dataset
        As `pareto_frontier`, with `exponent` and its error estimate `exponent_error`. Where the
        estimate exceeds 1e-6 the exponent is NaN and `status` "inaccurate". The best f is found to
        about 1e-6, which moves the exponent by less than that.

    Raises
    ------
    InvalidInputError
        If neither constraint is given, or an argument lies outside its range.

    Examples
    --------
    >>> import numpy as np, perceptron_theory as pt
    >>> frontier = pt.frontier_exponent([3.0, 300.0], np.deg2rad(10), alpha_tot_max=1e5)
    >>> frontier.exponent.round(3).values.tolist()
    [-1.943, -1.013]
    """
    frontier = pareto_frontier(
        alpha_prune,
        theta,
        selection=selection,
        alpha_tot_max=alpha_tot_max,
        f_min=f_min,
        margins=margins,
        progress=progress,
    )
    dims, shape = frontier.test_error.dims, frontier.test_error.shape
    names = ("alpha_prune", "theta", "f", "active")
    alpha, angle, f, active = (frontier[name].broadcast_like(frontier.f).values.ravel() for name in names)
    feasible = np.flatnonzero(active != "infeasible")
    ceiling = np.inf if alpha_tot_max is None else float(alpha_tot_max)
    at_ceiling, at_end = active == "alpha_tot_max", alpha >= ceiling * _WHOLE_POOL
    exponent, error = np.full(alpha.size, np.nan), np.full(alpha.size, np.nan)
    rule = as_selection(selection)
    for pool_fixed, where in ((True, at_ceiling | at_end), (False, ~at_ceiling)):
        at = feasible[where[feasible]]
        if at.size == 0:
            continue
        problem = Problem.of(alpha[at], f[at], angle[at], rule, margins)
        slope, slope_error = log_slope(problem, np.full(at.size, pool_fixed))
        # Where both apply, the frontier just below is the smaller error: the flatter of the two.
        flatter = ~(slope <= exponent[at])
        exponent[at[flatter]], error[at[flatter]] = slope[flatter], slope_error[flatter]
    fields = certified(exponent, error, frontier.status.values.ravel())
    variables = {name: (dims, field.reshape(shape), dict(ATTRIBUTES[name])) for name, field in fields.items()}
    return frontier.assign(variables).assign_attrs(exponent_tolerance=EXPONENT_TOLERANCE)
