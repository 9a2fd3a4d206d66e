"""Information gain of one more kept example: at the true saddle, in the paper's closed form, and sampled."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.special import digamma

from perceptron_theory.analyses.information import information_gain, paper_information_gain
from perceptron_theory.problem import Problem
from perceptron_theory.progress import track
from perceptron_theory.simulation.data import draw
from perceptron_theory.simulation.execution import one_per_core, run
from perceptron_theory.simulation.finite import FiniteProblem
from perceptron_theory.simulation.one_thread import one_blas_thread
from perceptron_theory.simulation.training.gibbs import Gibbs

#: Version spaces are sampled at this size; each round of a chain takes N^3 operations and more.
N: Final = 40
#: Students drawn from each version space.
STUDENTS: Final = 32
TRIALS: Final = 100
TRIALS_FAST: Final = 4


class SampledCell(NamedTuple):
    """A version space to sample, theta = 0."""

    alpha_prune: float
    f: float


def gains(sizes: npt.NDArray[np.float64], fractions: Sequence[float]) -> xr.Dataset:
    """Gain in nats at theta = 0: `gain` at the true saddle, `gain_paper` with q = R put equal to the R found there.

    Returns
    -------
    xarray.Dataset
        On "alpha_prune" and "f": `gain`, `gain_paper`, `R`, `q`, `residual`, `quadrature_error`, `status`.
    """
    f = np.asarray(fractions)
    s = information_gain(sizes[:, None], f, throw=False)
    paper = np.full_like(s.R, np.nan)
    solved = np.isfinite(s.R)
    paper[solved] = paper_information_gain(s.R[solved], np.broadcast_to(f, s.R.shape)[solved])
    fields = {name: getattr(s, name) for name in ("gain", "R", "q", "residual", "quadrature_error", "status")}
    return xr.Dataset(
        {name: (("alpha_prune", "f"), values) for name, values in {**fields, "gain_paper": paper}.items()},
        {"alpha_prune": sizes, "f": f},
        {"student": "gibbs", "theta": 0.0, "units": "nats per kept example"},
    )


def sampled_gains(cells: Sequence[SampledCell], fast: bool) -> xr.Dataset:
    """Gain of fresh kept examples from sampled version spaces, without any equation of the theory.

    A kept example that a share p of the version space labels right tells -ln p. Of M = 32 students drawn from the
    space, j get it wrong; H_M - H_(M - j), harmonic numbers, has the mean sum over k <= M of (1 - p)^k / k, which is
    -ln p but for terms k > M.

    Returns
    -------
    xarray.Dataset
        On "cell": `mean` and `standard_error` over data sets; coordinates `alpha_prune` and `f`.
    """
    trials = TRIALS_FAST if fast else TRIALS
    jobs = [(cell, i, trial) for i, cell in enumerate(cells) for trial in range(trials)]
    gain = np.empty(len(jobs))
    for at, value in track(run(_sampled, jobs, one_per_core(), None), "sampling", sys.stderr.isatty(), len(jobs)):
        gain[at] = value
    by_cell = gain.reshape(len(cells), trials)
    return xr.Dataset(
        {
            "mean": ("cell", by_cell.mean(axis=1)),
            "standard_error": ("cell", by_cell.std(axis=1, ddof=1) / np.sqrt(trials)),
        },
        {
            "alpha_prune": ("cell", np.array([cell.alpha_prune for cell in cells])),
            "f": ("cell", np.array([cell.f for cell in cells])),
        },
        {"N": N, "trials": trials, "students": STUDENTS, "seeds": "(number of the cell, trial)", "student": "gibbs"},
    )


def _sampled(job: tuple[SampledCell, int, int]) -> float:
    """Mean gain over as many fresh examples as were kept."""
    cell, number, trial = job
    rng = np.random.default_rng([number, trial])
    problem = FiniteProblem.of(Problem.of(cell.alpha_prune, cell.f, 0.0, "hard"), N)
    with one_blas_thread():
        students = Gibbs(chains=STUDENTS).samples(draw(problem, rng), rng).w
        wrong = (draw(problem, rng) @ students.T < 0.0).sum(axis=1)
    return float(np.mean(digamma(STUDENTS + 1.0) - digamma(STUDENTS - wrong + 1.0)))
