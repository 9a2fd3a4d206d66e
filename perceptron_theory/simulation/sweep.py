"""Simulations over a grid, kept as they come in a store that a killed sweep continues from."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from perceptron_theory.convex_loss import ConvexLoss
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.labels import Labels
from perceptron_theory.margins.distributions import Margins, MeasuredMargins
from perceptron_theory.margins.selection import KeepProbability, Selection
from perceptron_theory.problem import Problem
from perceptron_theory.progress import track
from perceptron_theory.simulation.execution import check_place, run
from perceptron_theory.simulation.finite import FiniteProblem, label_identity
from perceptron_theory.simulation.simulation import MEASURED, Simulation, from_rows
from perceptron_theory.simulation.store import Store
from perceptron_theory.simulation.trials import Block, Student, as_seed, as_student, loss_of, run_block
from perceptron_theory.validation import number_array, whole_number

#: Trials in one file of the store: what is lost at most when a sweep is killed.
_BLOCK: Final = 20

#: Margins at which two keep probabilities are compared, beside their breakpoints.
_PROBED: Final = np.linspace(-8.0, 8.0, 160_001)


@dataclass(frozen=True)
class Sweep:
    """Simulations of every point at every size, in that order: iterate over it, or take its `simulations`.

    Attributes
    ----------
    simulations : tuple of Simulation
        For each point, in the order of the raveled input arrays, one per size.
    path : Path
        The store.
    """

    simulations: tuple[Simulation, ...]
    path: Path

    def __iter__(self) -> Iterator[Simulation]:
        return iter(self.simulations)

    def __len__(self) -> int:
        return len(self.simulations)


class _Piece(NamedTuple):
    point: int
    block: Block


def simulate_sweep(
    store: str | os.PathLike[str],
    N: npt.ArrayLike,
    alpha_prune: npt.ArrayLike,
    f: npt.ArrayLike | None = None,
    theta: npt.ArrayLike = 0.0,
    *,
    selection: str | Selection = "hard",
    margins: Margins | None = None,
    labels: Labels | None = None,
    student: str | ConvexLoss | Student = "max-margin",
    trials: int = 100,
    seed: int = 0,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: bool = False,
) -> Sweep:
    """`simulate` for arrays of problems at several sizes; may be killed and started again.

    Parameters
    ----------
    store : path
        Folder for the results. A sweep that was interrupted continues from what is there.
    N : int or array_like of int
        Sizes; every problem is simulated at each.
    alpha_prune, f, theta : array_like
        As in `solve`: they broadcast.
    selection, margins, labels, student, trials, seed, executor, workers, progress
        As in `simulate`; every number is the same as there.

    Returns
    -------
    Sweep
        All simulations, also those that were in the store before.

    Raises
    ------
    InvalidInputError
        If an argument lies outside its range, at any point or size; nothing is computed then.
    StoreError
        If `store` holds another sweep, or one of another version, or a file in it was changed; it is left as it is.
    OutputError
        If `store` cannot be written, or another process is filling it.

    Examples
    --------
    >>> import tempfile, perceptron_theory as pt
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sweep = pt.simulate_sweep(folder, N=[20, 40], alpha_prune=[1.0, 2.0], f=0.5, trials=3)
    >>> len(sweep)
    4
    """
    problem = Problem.of(alpha_prune, f, theta, selection, margins, labels)
    sizes = [whole_number("N", n, 2, "it is the number of inputs") for n in np.ravel(number_array("N", N, "sizes"))]
    if len(set(sizes)) != len(sizes) or not sizes:
        raise InvalidInputError(f"N must list different sizes, at least one, got {sizes}: each is simulated once.")
    trained = as_student(student, problem.selection)
    trials = whole_number("trials", trials, 1, "it is the number of independent repetitions")
    seed = as_seed(seed)
    points = [
        replace(problem, alpha_prune=np.array(float(a)), f=np.array(float(f)), theta=np.array(float(angle)))
        for a, f, angle in zip(problem.alpha_prune.flat, problem.f.flat, problem.theta.flat, strict=True)
    ]
    if not points:
        raise InvalidInputError(
            "alpha_prune, f and theta must hold at least one point, got none: name what to simulate."
        )
    finite = [[FiniteProblem.of(point, n) for n in sizes] for point in points]
    check_place(executor, workers)
    if not isinstance(store, (str, os.PathLike)):
        raise InvalidInputError(f"store must be the path of a folder, got {type(store).__name__}: name one.")
    kept = Store(Path(store), _description(problem, sizes, trained, trials, seed))
    pieces = [
        _Piece(i, Block(at_size, trained, seed, start, min(start + _BLOCK, trials)))
        for i, row in enumerate(finite)
        for at_size in row
        for start in range(0, trials, _BLOCK)
    ]
    if kept.left_behind or _missing(kept, pieces):
        with kept.filling():
            missing = _missing(kept, pieces)
            results = run(run_block, [p.block for p in missing], executor, workers)
            for j, rows in track(results, "sweep", progress, len(missing)):
                point, block = missing[j]
                kept.write(point, block.problem.N, block.start, _coordinates(points[point], block.problem), rows)
    simulations = []
    for i, row in enumerate(finite):
        for at_size in row:
            parts = [kept.read(i, at_size.N, start, min(start + _BLOCK, trials)) for start in range(0, trials, _BLOCK)]
            rows = np.concatenate(parts).reshape(trials, len(MEASURED))
            simulations.append(from_rows(points[i], at_size, trained.name, seed, rows, loss_of(trained)))
    return Sweep(tuple(simulations), kept.path)


def _missing(kept: Store, pieces: list[_Piece]) -> list[_Piece]:
    return [p for p in pieces if not kept.holds(p.point, p.block.problem.N, p.block.start)]


def _coordinates(problem: Problem, finite: FiniteProblem) -> dict[str, float]:
    return {
        "alpha_prune": float(problem.alpha_prune),
        "f": float(problem.f),
        "theta": float(problem.theta),
        "alpha_prune_realised": finite.alpha_prune,
        "f_realised": finite.f,
    }


def _description(problem: Problem, sizes: list[int], student: Student, trials: int, seed: int) -> dict[str, Any]:
    """What makes a sweep this one, in JSON types; NaN, which equals nothing, as null."""
    return {
        "student": repr(student),
        "selection": _identity(problem.selection),
        "margins": problem.margins.digest() if isinstance(problem.margins, MeasuredMargins) else "gaussian",
        "labels": label_identity(problem.labels),
        "trials": trials,
        "seed": seed,
        "block": _BLOCK,
        "N": sizes,
        "alpha_prune": problem.alpha_prune.ravel().tolist(),
        "f": [None if np.isnan(x) else x for x in problem.f.ravel().tolist()],
        "theta": problem.theta.ravel().tolist(),
    }


def _identity(rule: Selection) -> str:
    if isinstance(rule, KeepProbability):
        content = hashlib.sha256(rule(_PROBED).tobytes() + np.sort(np.asarray(rule.breakpoints, float)).tobytes())
        return f"keep probability {content.hexdigest()}"
    return repr(rule)
