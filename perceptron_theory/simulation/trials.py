"""Trials: draw data, train a student, measure it."""

from __future__ import annotations

from concurrent.futures import Executor
from numbers import Integral
from typing import Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from perceptron_theory.convex_loss import ConvexLoss
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.labels import Labels
from perceptron_theory.margins.distributions import Margins
from perceptron_theory.margins.selection import Selection
from perceptron_theory.problem import Problem
from perceptron_theory.progress import track
from perceptron_theory.simulation.data import draw
from perceptron_theory.simulation.execution import run
from perceptron_theory.simulation.finite import FiniteProblem
from perceptron_theory.simulation.generalisation import overlaps, test_error
from perceptron_theory.simulation.one_thread import one_blas_thread
from perceptron_theory.simulation.simulation import MEASURED, Simulation, from_rows
from perceptron_theory.simulation.training.convex_losses.student import LossMinimiser
from perceptron_theory.simulation.training.gibbs import Gibbs
from perceptron_theory.simulation.training.hard_margin.solver import MaxMargin
from perceptron_theory.simulation.training.trained import Trained, UncertifiedError
from perceptron_theory.validation import whole_number

FloatArray = npt.NDArray[np.float64]

#: Most trials in one piece of work.
_BLOCK: Final = 16


class Student(Protocol):
    """What `simulate` trains; see `perceptron_theory.simulation.training` for the students there are."""

    @property
    def name(self) -> str:
        """Short name."""
        ...

    def train(self, Z: FloatArray, rng: np.random.Generator) -> Trained:
        """Train on examples Z, shape (P, N), multiplied by their labels."""
        ...


class Block(NamedTuple):
    """Consecutive trials of one problem."""

    problem: FiniteProblem
    student: Student
    seed: int
    start: int
    stop: int


def run_block(block: Block) -> FloatArray:
    """Measured numbers of each trial, shape (stop - start, 9), columns `MEASURED`."""
    rows = np.empty((block.stop - block.start, len(MEASURED)))
    with one_blas_thread():
        for i in range(rows.shape[0]):
            rows[i] = one_trial(block.problem, block.student, block.problem.seeds(block.seed, block.start + i))
    return rows


def one_trial(problem: FiniteProblem, student: Student, seeds: np.random.SeedSequence) -> tuple[float, ...]:
    """Measured numbers of one trial; NaN but for the certificate if the student has none."""
    rng = np.random.default_rng(seeds)
    Z = draw(problem, rng)
    try:
        trained = student.train(Z, rng)
    except UncertifiedError as error:
        return (np.nan, np.nan, np.nan, np.nan, error.gap, 0.0, np.nan, np.nan, np.nan)
    w = trained.w
    R, rho = overlaps(w, problem.theta)
    error_rate = test_error(w, problem.theta, problem.margins)
    fields = Z @ w
    kappa, wrong = float(fields.min()), float(np.mean(fields <= 0.0))
    return (error_rate, R, rho, kappa, trained.gap, float(trained.n_support), wrong, trained.loss, trained.norm)


def simulate(
    N: int,
    alpha_prune: float,
    f: float | None = None,
    theta: float = 0.0,
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
) -> Simulation:
    """Train finite students on pruned data: the experiment to `solve`'s theory.

    In each trial a teacher, a probe at the angle `theta`, and a pool of examples are drawn; the pool is pruned by
    rank, and the student is trained on the P = alpha_prune N examples that are kept. By symmetry only the plane of
    probe and teacher matters, and examples that are pruned are never drawn in full
    (`perceptron_theory.simulation.data`). No equation of the theory is used.

    Parameters
    ----------
    N : int
        Number of inputs, which is the number of parameters; at least 2.
    alpha_prune : float
        Examples kept per parameter, > 0; alpha_prune N is rounded to a whole number.
    f : float, optional
        Fraction of the examples kept, in (0, 1]. Required unless `selection` is a `KeepProbability`.
    theta : float
        Angle between probe and teacher in radians, in [0, pi/2]; 0 is a perfect metric.
    selection : {"hard", "easy", "random"}, Band or KeepProbability
        Which examples are kept.
    margins : GaussianMargins or MeasuredMargins, optional
        Distribution of the data along the probe before pruning. Default: Gaussian.
    labels : Labels, optional
        How labels come about. Default: the sign of the teacher's field. Rules that keep by rank look at |z| only, a
        `KeepProbability` at the margin m = y z of the label y as observed; `test_error` is without the noise.
    student : "max-margin", "gibbs", ConvexLoss or a student
        What is trained: the exact maximum-margin perceptron, a draw from the version space (`Gibbs` has settings), or
        the minimiser of a convex loss for one number `ConvexLoss.lam`. With `ConvexLoss.reweight` kept examples have
        the weights 1 / k(m) of a `KeepProbability` k, and 1 under other rules: the sum over them is an unbiased
        estimate of the sum over the pool. A constant k < 1 is then not the same as no weights, because lam is given.
    trials : int
        Number of independent trials.
    seed : int
        Trial t depends only on the problem, N, `seed` and t: not on the number of trials, workers, or the executor.
    executor : concurrent.futures.Executor, optional
        Where the trials run; for dask ``client.get_executor()``. Default: this process, joined by others once that
        pays.
    workers : int, optional
        Number of processes without an `executor`. Default: one per core.
    progress : bool
        Show a bar with the time left.

    Returns
    -------
    Simulation
        One entry per trial, with `mean` and `standard_error`.

    Raises
    ------
    InvalidInputError
        If an argument lies outside its range, or N is too small for `alpha_prune` and `f`.
    ExecutorError
        If the executor cannot run the trials.

    Examples
    --------
    >>> import numpy as np, perceptron_theory as pt
    >>> sim = pt.simulate(N=50, alpha_prune=3.0, f=0.3, theta=np.deg2rad(10), trials=20)
    >>> bool(sim.gap.max() < 1e-9)
    True
    >>> theory = pt.solve(alpha_prune=3.0, f=0.3, theta=np.deg2rad(10))
    >>> bool(abs(sim.mean.R - theory.R) < 0.05)
    True
    """
    problem = Problem.of(alpha_prune, f, theta, selection, margins, labels)
    finite = FiniteProblem.of(problem, N)
    trained = as_student(student, problem.selection)
    trials = whole_number("trials", trials, 1, "it is the number of independent repetitions")
    seed = as_seed(seed)
    blocks = [Block(finite, trained, seed, i, min(i + _BLOCK, trials)) for i in range(0, trials, _BLOCK)]
    rows = np.empty((trials, len(MEASURED)))
    for i, result in track(run(run_block, blocks, executor, workers), "simulation", progress, len(blocks)):
        rows[blocks[i].start : blocks[i].stop] = result
    return from_rows(problem, finite, trained.name, seed, rows, loss_of(trained))


def as_seed(seed: int) -> int:
    """Seed as it is: large ones keep all their digits."""
    if isinstance(seed, Integral) and not isinstance(seed, bool) and seed >= 0:
        return int(seed)
    return whole_number("seed", seed, 0, "it names a sequence of random numbers")


def as_student(student: str | ConvexLoss | Student, selection: Selection) -> Student:
    """What is trained, from its name, from a loss, or itself."""
    if isinstance(student, ConvexLoss):
        return LossMinimiser.of(student, selection)
    if isinstance(student, str):
        if student == MaxMargin.name:
            return MaxMargin()
        if student == Gibbs.name:
            return Gibbs()
    elif isinstance(student, type):
        raise InvalidInputError(f"student must be an instance, got the class {student.__name__}: call it first.")
    elif callable(getattr(student, "train", None)) and isinstance(getattr(student, "name", None), str):
        return student
    raise InvalidInputError(
        f"unknown student {student!r}: use 'max-margin', 'gibbs', ConvexLoss(loss, lam) or a Gibbs of your own."
    )


def loss_of(student: Student) -> ConvexLoss | None:
    """The loss that a student minimises, if it does."""
    return student.loss if isinstance(student, LossMinimiser) else None
