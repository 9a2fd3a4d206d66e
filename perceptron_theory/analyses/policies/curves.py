"""Policies against the number of kept examples: the optimum at each, and one that decides as it goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from perceptron_theory.analyses.influences import influence
from perceptron_theory.analyses.policies.optimal import optimal_policy
from perceptron_theory.analyses.policies.optimality import best_response
from perceptron_theory.analyses.policies.windows import InWindows, MarginAxis
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.labelled import axis, dataset
from perceptron_theory.margins.selection import KeepProbability
from perceptron_theory.problem import Problem
from perceptron_theory.progress import track
from perceptron_theory.solving.solution import ConvergenceError, Solution
from perceptron_theory.validation import kept_fraction, one_number, probe_angle

FloatArray = npt.NDArray[np.float64]

_FIELDS = ("test_error", "R", "rho", "kappa", "residual", "quadrature_error", "status", "alpha_tot")


def policy_curve(
    alpha_prune: npt.ArrayLike, f: float, theta: float = 0.0, *, label_aware: bool = False, progress: bool = False
) -> xr.Dataset:
    """Optimal policy at each number of kept examples, under unlimited data with a floor `f` on the fraction kept.

    Each point stands for itself: a student of size alpha_prune trained on the best fraction `f` of a pool of
    alpha_prune / f, as in `optimal_policy`. No fraction above the floor does better, since a larger pool allows every
    policy of a smaller one.

    Parameters
    ----------
    alpha_prune : array_like
        Examples kept per parameter: a number or a vector.
    f : float
        Floor on the fraction kept, in (0, 1].
    theta : float
        Angle between probe and teacher in radians, in [0, pi/2].
    label_aware : bool
        Whether the policy looks at labels.
    progress : bool
        Show a progress bar if it takes longer than two seconds.

    Returns
    -------
    xarray.Dataset
        On "alpha_prune": fields of `Solution`; `windows` (also on "window" and "edge", NaN where there are fewer),
        `optimality_gap`, and `test_error_band`, that of the best band.

    Raises
    ------
    InvalidInputError
        If an argument lies outside its range.

    Examples
    --------
    From easy to hard, and faster than exponential: the error falls by ever larger factors.

    >>> import perceptron_theory as pt
    >>> curve = pt.policy_curve([0.5, 1.0, 1.5, 2.0], f=0.001)
    >>> curve.windows.sel(window=0, edge="lower").round(1).values.tolist()
    [3.2, 3.0, 2.6, 0.7]
    >>> (curve.test_error[:-1].values / curve.test_error[1:].values).round(1).tolist()
    [1.9, 2.1, 13.1]
    """
    sizes = np.atleast_1d(axis("alpha_prune", alpha_prune))
    fraction, angle = _checked(sizes, f, theta)
    policies = [
        optimal_policy(float(size) / fraction, fraction, angle, label_aware=label_aware)
        for size in track(list(sizes), "policies", progress)
    ]
    solutions, windows = [p.solution for p in policies], [p.windows for p in policies]
    out = _labelled(axis("alpha_prune", alpha_prune), solutions, windows, fraction, angle)
    gap = {"long_name": "largest first-order improvement within the budget, relative to the test error"}
    band = {"long_name": "test error of the best band"}
    out["optimality_gap"] = (out.test_error.dims, _shaped(out, [p.optimality_gap for p in policies]), gap)
    out["test_error_band"] = (out.test_error.dims, _shaped(out, [p.errors.band for p in policies]), band)
    return out


def greedy_policy(
    alpha_prune: npt.ArrayLike, f: float, theta: float = 0.0, *, label_aware: bool = False, progress: bool = False
) -> xr.Dataset:
    """Policy that keeps, of each fresh batch, the fraction `f` that helps most given all data kept so far.

    At each of the sizes `alpha_prune` the influence of an example on the student trained so far is computed; up to the
    next size, of every example that arrives those in the fraction `f` of lowest influence are kept. The first batch is
    the limit alpha_prune -> 0, where the largest margins help most. Close sizes give continuous time. The student at
    each size is exact for these batches (replica symmetric); edges are found to the resolution of a grid of margins.
    What helps most now is not what leads furthest: this policy stays with easy examples where the optimum
    (`policy_curve`) has long moved on.

    Parameters
    ----------
    alpha_prune : array_like
        Increasing vector of the sizes at which the policy looks again.
    f : float
        Fraction kept of each batch, in (0, 1].
    theta : float
        Angle between probe and teacher in radians, in [0, pi/2].
    label_aware : bool
        Whether the policy looks at labels.
    progress : bool
        Show a progress bar if it takes longer than two seconds.

    Returns
    -------
    xarray.Dataset
        On "alpha_prune": fields of `Solution`, and `windows`, what was kept of the batch that ends there. After a
        point that fails nothing is known: the rest is NaN with its status.

    Raises
    ------
    InvalidInputError
        If an argument lies outside its range, or sizes do not increase.

    Examples
    --------
    >>> import numpy as np, perceptron_theory as pt
    >>> greedy = pt.greedy_policy(np.arange(0.25, 2.1, 0.25), f=0.1)
    >>> bool(greedy.test_error[-1] > pt.optimal_policy(20.0, f=0.1).test_error)
    True
    """
    sizes = np.atleast_1d(axis("alpha_prune", alpha_prune))
    fraction, angle = _checked(sizes, f, theta)
    if not np.all(np.diff(sizes) > 0.0):
        raise InvalidInputError(f"alpha_prune must increase, got {sizes.tolist()}: list the sizes in order.")
    margin_axis = MarginAxis(angle, label_aware)
    batches: list[FloatArray] = []
    solutions: list[Solution] = []
    wanted = np.array([[1.0 - fraction, 1.0]])
    failed: Solution | None = None
    for i in track(list(range(sizes.size)), "greedy policy", progress):
        if failed is None:
            batches.append(margin_axis.quantile(wanted))
            rule = _Batches.of(margin_axis, batches, sizes[: i + 1]).rule()
            try:
                response = influence(float(sizes[i]), theta=angle, selection=rule)
                solutions.append(response.solution)
                wanted = best_response(margin_axis, response.sensitivity, fraction)
                continue
            except ConvergenceError as error:
                failed = error.solution
        solutions.append(failed)
    shown = [np.array(margin_axis.rule(batch).windows) for batch in batches]
    shown += [np.empty((0, 2))] * (sizes.size - len(shown))
    return _labelled(axis("alpha_prune", alpha_prune), solutions, shown, fraction, angle)


def _checked(sizes: FloatArray, f: float, theta: float) -> tuple[float, float]:
    fraction = one_number("f", kept_fraction("f", f))
    angle = one_number("theta", probe_angle(theta))
    Problem.of(sizes, fraction, angle)
    return fraction, angle


@dataclass(frozen=True)
class _Batches:
    """k(m) of data kept in batches: the average of their windows, weighted with their sizes."""

    batches: tuple[InWindows, ...]
    weights: tuple[float, ...]

    @classmethod
    def of(cls, margin_axis: MarginAxis, windows: list[FloatArray], sizes: FloatArray) -> _Batches:
        weights = np.diff(sizes, prepend=0.0) / sizes[-1]
        return cls(tuple(margin_axis.rule(w) for w in windows), tuple(weights.tolist()))

    def __call__(self, m: FloatArray) -> FloatArray:
        total = np.zeros(m.shape)
        for weight, batch in zip(self.weights, self.batches, strict=True):
            total += weight * batch(m)
        # Weights add up to 1 but for rounding.
        return np.minimum(total, 1.0)

    def rule(self) -> KeepProbability:
        points = {point for batch in self.batches for point in batch.rule().breakpoints}
        return KeepProbability(self, sorted(points))


def _shaped(out: xr.Dataset, values: list[Any]) -> npt.NDArray[Any]:
    return np.array(values).reshape(out.test_error.shape)


def _labelled(
    sizes: FloatArray, solutions: list[Solution], windows: list[FloatArray], f: float, theta: float
) -> xr.Dataset:
    dims = ("alpha_prune",) if sizes.ndim else ()
    fields = {name: np.array([getattr(s, name) for s in solutions]).reshape(sizes.shape) for name in _FIELDS}
    fields["alpha_tot"] = np.array(sizes / f)
    coordinates = {"alpha_prune": sizes, "f": np.array(f), "theta": np.array(theta)}
    out = dataset({name: (dims, field) for name, field in fields.items()}, coordinates, {"selection": "policy"})
    most = max(len(w) for w in windows)
    padded = np.full((len(windows), most, 2), np.nan)
    for row, w in zip(padded, windows, strict=True):
        row[: len(w)] = w
    out["windows"] = (
        (*dims, "window", "edge"),
        padded.reshape(*sizes.shape, most, 2),
        {"long_name": "margins between which examples are kept", "units": "1"},
    )
    return out.assign_coords(window=np.arange(most), edge=["lower", "upper"])
