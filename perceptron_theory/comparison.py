"""Theory confronted with simulation: differences in standard errors, extrapolated to infinite size."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.stats import chi2, norm, t

from perceptron_theory.citations.sources import STUDENTS, lines
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.margins.distributions import Margins, MeasuredMargins
from perceptron_theory.margins.selection import KeepProbability
from perceptron_theory.simulation.simulation import Observables, Simulation
from perceptron_theory.simulation.training.hard_margin.solver import MaxMargin
from perceptron_theory.solving.solution import Solution
from perceptron_theory.version import __version__

FloatArray = npt.NDArray[np.float64]

#: Theory and simulation are of the same problem if alpha_prune, f and theta differ by at most this, relatively.
_SAME = 1e-9

_COORDINATES = ("alpha_prune", "f", "theta")


@dataclass(frozen=True)
class Comparison:
    """Theory and simulation side by side.

    Attributes
    ----------
    data : xarray.Dataset
        With dimensions "cell" (one problem at several sizes), "size" and "observable":
        ``mean``, ``standard_error`` and ``theory`` for each size, the theory at the alpha_prune and f that
        were realised; ``difference`` = simulation - theory, extrapolated to N -> infinity if there
        are several sizes, ``difference_error``, ``deviation``, their ratio, and ``degrees_of_freedom``, those of
        ``difference_error``.

    Examples
    --------
    >>> import perceptron_theory as pt
    >>> comparison = pt.compare(pt.solve, pt.simulate(50, alpha_prune=2.0, f=0.5, trials=40))
    >>> comparison.deviation.sizes["observable"]
    4
    """

    data: xr.Dataset

    @property
    def deviation(self) -> xr.DataArray:
        """Extrapolated differences in standard errors, by cell and observable."""
        return self.data["deviation"]

    @property
    def p_value(self) -> dict[str, float]:
        """Probability that the cells deviate more, if the theory is right, by observable.

        Standard errors are estimated from the trials, so a deviation follows Student's t. Each is exchanged for the
        normal number of the same tail probability; the sum of their squares over the cells follows chi^2.
        """
        normal = norm.isf(t.sf(np.abs(self.deviation), self.data["degrees_of_freedom"]))
        squares = xr.DataArray(normal**2, self.deviation.coords, self.deviation.dims).sum("cell", skipna=False)
        p = chi2.sf(squares, self.data.sizes["cell"])
        return dict(zip(map(str, squares.observable.values), map(float, p), strict=True))

    @property
    def worst(self) -> float:
        """Largest deviation of any cell and observable, in standard errors."""
        return float(abs(self.deviation).max(skipna=False))


def compare(theory: Solution | Callable[..., Solution], simulation: Simulation | Iterable[Simulation]) -> Comparison:
    """Differences between simulation and theory in standard errors, with 1/N extrapolation and p-values.

    Simulations of the same problem at several N are extrapolated to N -> infinity: a line in 1/N through
    the differences, by least squares weighted with the standard errors.

    Parameters
    ----------
    theory : Solution or callable
        A solution that contains every simulated point, or `solve` itself, which is then called at the alpha_prune
        and f that were realised.
    simulation : Simulation or iterable of Simulation
        One simulation, or those of a sweep.

    Returns
    -------
    Comparison
        With `deviation`, `p_value`, `worst`, and everything they are made of in `data`. With few trials standard errors
        are uncertain: the p-values allow for that, the deviations, which are then often large, do not.

    Raises
    ------
    InvalidInputError
        If a simulated point is not in the theory, a trial or a point of the theory failed, or a simulation has fewer
        than two trials.

    Examples
    --------
    >>> import perceptron_theory as pt
    >>> sims = [pt.simulate(N, alpha_prune=2.0, f=0.5, trials=50) for N in (40, 80)]
    >>> comparison = pt.compare(pt.solve, sims)
    >>> bool(comparison.worst < 4)
    True
    """
    if not isinstance(theory, Solution) and not callable(theory):
        raise InvalidInputError(
            f"theory must be a Solution or solve itself, got {type(theory).__name__}: compare(solve, simulation)."
        )
    simulations = [simulation] if isinstance(simulation, Simulation) else _listed(simulation)
    if not simulations:
        raise InvalidInputError("simulation must hold at least one simulation, got none: run simulate first.")
    for sim in simulations:
        _check(sim)
    cells: list[list[Simulation]] = []
    for sim in simulations:
        group = next((group for group in cells if _same_problem(group[0], sim)), None)
        if group is None:
            cells.append([sim])
        else:
            group.append(sim)
    for group in cells:
        sizes = [sim.N for sim in group]
        if len(set(sizes)) != len(sizes):
            raise InvalidInputError(
                f"each problem must be simulated once at each N, got N = {sizes} for alpha_prune = "
                f"{group[0].problem.alpha_prune:g}: pool the trials in one simulation."
            )
    for i, group in enumerate(cells):
        for other in cells[:i]:
            if any(_same_trials(sim, twin) for sim in group for twin in other):
                first, second = (
                    f"alpha_prune = {float(cell[0].problem.alpha_prune):g}, f = {float(cell[0].problem.f):g}"
                    for cell in (group, other)
                )
                raise InvalidInputError(
                    f"{first} and {second} keep the same whole numbers of examples with the same seed, which makes "
                    "them the same trials: leave out one."
                )
    return Comparison(_dataset([sorted(group, key=lambda sim: sim.N) for group in cells], theory))


def _listed(simulation: Iterable[Simulation]) -> list[Simulation]:
    items = list(simulation) if isinstance(simulation, Iterable) else [simulation]
    for item in items:
        if not isinstance(item, Simulation):
            raise InvalidInputError(
                f"simulation must be a Simulation or several, got {type(item).__name__}: pass what simulate or "
                "simulate_sweep returned."
            )
    return items


def _check(sim: Simulation) -> None:
    where = f"N = {sim.N}, alpha_prune = {sim.alpha_prune:g}"
    if sim.student != MaxMargin.name and sim.convex_loss is None:
        raise InvalidInputError(
            f"the theory is of the max-margin student or a ConvexLoss, got a simulation of {sim.student!r} at {where}: "
            "simulate one of those."
        )
    if sim.failed:
        raise InvalidInputError(
            f"{sim.failed} of {sim.trials} trials have no certificate at {where}: a mean without them would be biased."
        )
    if sim.trials < 2:
        raise InvalidInputError(
            f"a standard error needs at least 2 trials, got {sim.trials} at {where}: simulate more."
        )


def _same_problem(one: Simulation, other: Simulation) -> bool:
    a, b = one.problem, other.problem
    return (
        all(np.array_equal(getattr(a, name), getattr(b, name), equal_nan=True) for name in _COORDINATES)
        and a.selection == b.selection
        and a.labels == b.labels
        and _loss(one) == _loss(other)
        and _same_margins(a.margins, b.margins)
    )


def _loss(sim: Simulation) -> tuple[object, ...]:
    """What tells the students of two simulations apart."""
    loss = sim.convex_loss
    return (sim.student,) if loss is None else (loss.loss, float(np.asarray(loss.lam)), loss.reweight)


def _same_trials(one: Simulation, other: Simulation) -> bool:
    a, b = one.finite, other.finite
    numbers = ("N", "P", "pool", "skipped", "theta")
    return (
        one.seed == other.seed
        and one.problem.labels == other.problem.labels
        and _loss(one) == _loss(other)
        and all(getattr(a, name) == getattr(b, name) for name in numbers)
        and a.selection == b.selection
        and _same_margins(a.margins, b.margins)
    )


def _same_margins(a: Margins, b: Margins) -> bool:
    if isinstance(a, MeasuredMargins) and isinstance(b, MeasuredMargins):
        return a is b or a.digest() == b.digest()
    return a == b


def _dataset(cells: Sequence[Sequence[Simulation]], theory: Solution | Callable[..., Solution]) -> xr.Dataset:
    most = max(len(group) for group in cells)
    names = _observables(cells)
    shape = (len(cells), most, len(names))
    mean, error, predicted = np.full(shape, np.nan), np.full(shape, np.nan), np.full(shape, np.nan)
    N = np.zeros(shape[:2], dtype=np.int64)
    trials = np.zeros(shape[:2], dtype=np.int64)
    gap = np.full(shape[:2], np.nan)
    difference, difference_error, freedom = (np.full(shape[::2], np.nan) for _ in range(3))
    for i, group in enumerate(cells):
        n = len(group)
        N[i, :n] = [sim.N for sim in group]
        trials[i, :n] = [sim.trials for sim in group]
        gap[i, :n] = [sim.gap.max() for sim in group]
        mean[i, :n] = [[getattr(sim.mean, name) for name in names] for sim in group]
        error[i, :n] = [[getattr(sim.standard_error, name) for name in names] for sim in group]
        predicted[i, :n] = [[getattr(_predicted(theory, sim), name) for name in names] for sim in group]
        for k in range(len(names)):
            difference[i, k], difference_error[i, k] = extrapolate(
                N[i, :n], mean[i, :n, k] - predicted[i, :n, k], error[i, :n, k]
            )
            freedom[i, k] = degrees_of_freedom(N[i, :n], error[i, :n, k], trials[i, :n])
    problems = [group[0].problem for group in cells]
    by_size = ("cell", "size", "observable")
    return xr.Dataset(
        {
            "N": (("cell", "size"), N, {"long_name": "number of inputs; 0 where a cell has fewer sizes"}),
            "trials": (("cell", "size"), trials, {"long_name": "number of trials"}),
            "gap": (("cell", "size"), gap, {"long_name": "largest certificate of a trial"}),
            "mean": (by_size, mean, {"long_name": "mean over trials"}),
            "standard_error": (by_size, error, {"long_name": "standard error of the mean"}),
            "theory": (by_size, predicted, {"long_name": "theory at the realised alpha_prune and f"}),
            "difference": (by_size[::2], difference, {"long_name": "simulation - theory, for N -> infinity"}),
            "difference_error": (by_size[::2], difference_error, {"long_name": "standard error of the difference"}),
            "deviation": (
                by_size[::2],
                difference / difference_error,
                {"long_name": "difference in standard errors"},
            ),
            "degrees_of_freedom": (by_size[::2], freedom, {"long_name": "those of the standard error, by Welch"}),
        },
        coords={
            "observable": list(names),
            **{name: ("cell", [float(getattr(p, name)) for p in problems]) for name in _COORDINATES},
            "selection": ("cell", [str(p.selection.name) for p in problems]),
        },
        attrs={
            "source": f"perceptron_theory {__version__}",
            "references": _references(cells),
            "extrapolation": "line in 1/N, weighted least squares",
        },
    )


def _references(cells: Sequence[Sequence[Simulation]]) -> str:
    """Who derived the theories of the students, in the order of first use."""
    losses = [group[0].convex_loss for group in cells]
    students = ["max-margin" if loss is None else loss.loss for loss in losses]
    return lines(dict.fromkeys(key for student in students for key in STUDENTS[student]))


def _observables(cells: Sequence[Sequence[Simulation]]) -> tuple[str, ...]:
    """What is compared: the theory of a convex loss knows no margin."""
    convex = any(sim.convex_loss is not None for group in cells for sim in group)
    return Observables._fields[:3] if convex else Observables._fields


def extrapolate(N: npt.NDArray[np.int64], values: FloatArray, errors: FloatArray) -> tuple[float, float]:
    """Value at 1/N = 0 of the weighted least-squares line through values(1/N), and its standard error.

    A single value is returned as it is. NaN if an error is 0, which says that the trials were not random.
    """
    if not np.all(errors > 0.0):
        return float("nan"), float("nan")
    shares = _intercept(N, errors)
    return float(shares @ values), math.hypot(*(shares * errors))


def degrees_of_freedom(N: npt.NDArray[np.int64], errors: FloatArray, trials: npt.NDArray[np.int64]) -> float:
    """Degrees of freedom of the standard error of `extrapolate`, as Welch and Satterthwaite approximate them.

    Welch, Biometrika 34, 28 (1947). Of n trials at a single N they are n - 1. NaN if an error is 0.
    """
    if not np.all(errors > 0.0):
        return float("nan")
    parts = (_intercept(N, errors) * errors) ** 2
    return float(parts.sum() ** 2 / np.sum(parts**2 / (trials - 1)))


def _intercept(N: npt.NDArray[np.int64], errors: FloatArray) -> FloatArray:
    """What each value adds to the height of the line at 1/N = 0; 1 for a single value."""
    if N.size == 1:
        return np.ones(1)
    design = np.column_stack([np.ones(N.size), 1.0 / N]) / errors[:, None]
    return np.asarray(np.linalg.pinv(design)[0] / errors)


def _predicted(theory: Solution | Callable[..., Solution], sim: Simulation) -> Observables:
    if not isinstance(theory, Solution):
        f = None if isinstance(sim.problem.selection, KeepProbability) else sim.f
        of_convex = {"student": sim.convex_loss, "labels": sim.problem.labels} if sim.convex_loss is not None else {}
        solution = theory(
            sim.alpha_prune,
            f,
            sim.theta,
            selection=sim.problem.selection,
            margins=sim.problem.margins,
            throw=True,
            **of_convex,
        )
        return Observables(*(float(getattr(solution, name)) for name in Observables._fields))
    if sim.convex_loss is not None:
        raise InvalidInputError(
            "a ConvexLoss is compared with solve itself, got a Solution: pass compare(solve, simulation)."
        )
    wanted = {"alpha_prune": sim.alpha_prune, "theta": sim.theta}
    if not isinstance(sim.problem.selection, KeepProbability):
        wanted["f"] = sim.f
    same = np.ones(np.shape(theory.R), dtype=np.bool_)
    for name, value in wanted.items():
        same &= np.abs(getattr(theory, name) - value) <= _SAME * max(abs(value), 1e-300)
    found = np.flatnonzero(same)
    rule, margins = sim.problem.selection, sim.problem.margins
    if theory.problem.selection != rule or not _same_margins(theory.problem.margins, margins):
        raise InvalidInputError(
            f"the theory is of {theory.problem.selection!r} on {theory.problem.margins!r}, the simulation of {rule!r} "
            f"on {margins!r}: pass the same rule and the same margins to both, or solve itself as the theory."
        )
    if found.size == 0:
        asked = ", ".join(f"{name} = {value:.6g}" for name, value in wanted.items())
        raise InvalidInputError(
            f"the theory has no point for selection {sim.problem.selection.name!r} with {asked}, which N = {sim.N} "
            "realises: pass solve itself as the theory, to have it solved there."
        )
    values = Observables(*(float(np.ravel(getattr(theory, name))[found[0]]) for name in Observables._fields))
    if not np.isfinite(values).all():
        raise InvalidInputError(
            f"the theory failed at alpha_prune = {sim.alpha_prune:g}: see its status before comparing with it."
        )
    return values
