"""Kept examples, drawn without drawing those that pruning throws away.

In the plane of probe and teacher an example is (m, g): its signed margin along the probe and the coordinate
orthogonal to it, both multiplied by its label, as observed. The rest of it is N - 2 standard normal numbers.

Pruning by rank keeps, of a pool of uniform quantiles of |z|, those with ranks from `skipped` + 1 to `skipped` + P.
Given the order statistics just below and just above them these P are independent and uniform in between, so
that two beta-distributed numbers (David and Nagaraja, Order Statistics, 2003, section 2.5) stand for the rest of the
pool, fluctuating threshold included.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import log_ndtr, ndtri, ndtri_exp

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.labels import NOISELESS, Labels
from perceptron_theory.margins.distributions import Margins, MeasuredMargins
from perceptron_theory.margins.selection import KeepProbability, Random
from perceptron_theory.simulation.finite import FiniteProblem

FloatArray = npt.NDArray[np.float64]

#: Examples judged at a time by a keep probability, and how many are judged before giving up.
_JUDGED: Final = 65_536
_MOST_JUDGED: Final = 10**9


class Plane(NamedTuple):
    """Examples in the plane of probe and teacher, multiplied by their labels, as observed."""

    m: FloatArray
    g: FloatArray


def draw(problem: FiniteProblem, rng: np.random.Generator) -> FloatArray:
    """Kept examples multiplied by their labels, shape (P, N): columns m, g and N - 2 standard normal ones."""
    kept = _kept_by_probability(problem, rng) if isinstance(problem.selection, KeepProbability) else _kept(problem, rng)
    Z = rng.standard_normal((problem.P, problem.N))
    Z[:, 0] = kept.m
    Z[:, 1] = kept.g
    return Z


def _kept(problem: FiniteProblem, rng: np.random.Generator) -> Plane:
    if isinstance(problem.selection, Random):
        beyond = rng.random(problem.P)
    else:
        beyond = kept_quantiles(problem.P, problem.pool, problem.skipped, rng)
    return unpruned(problem.margins, problem.theta, beyond, rng, problem.labels)


def kept_quantiles(P: int, pool: int, skipped: int, rng: np.random.Generator) -> FloatArray:
    """P of `pool` independent uniform numbers u, those with ranks `skipped` + 1 to `skipped` + P, as 1 - u."""
    # 1 - u of the last one skipped, and of the first one beyond, relative to it.
    below = rng.beta(pool - skipped + 1, skipped) if skipped else 1.0
    width = rng.beta(P + 1, pool - skipped - P) if pool > skipped + P else 1.0
    return np.asarray(below * (1.0 - width * rng.random(P)))


def unpruned(
    margins: Margins, theta: float, beyond: FloatArray, rng: np.random.Generator, labels: Labels = NOISELESS
) -> Plane:
    """Examples whose |z| are at the quantiles 1 - `beyond`, with labels from the teacher.

    Noise takes random numbers of its own: without it, none.
    """
    if isinstance(margins, MeasuredMargins):
        magnitude, positive = margins.at_quantiles(beyond, rng)
    else:
        magnitude, positive = -ndtri(0.5 * beyond), np.full(beyond.size, 0.5)
    z = np.where(rng.random(beyond.size) < positive, magnitude, -magnitude)
    if isinstance(margins, MeasuredMargins) and margins.signed:
        return Plane(z, _above(z, theta, rng))
    g = rng.standard_normal(beyond.size)
    A = math.cos(theta) * z + math.sin(theta) * g
    below = A < 0.0 if labels.noiseless else rng.random(A.size) >= labels.positive(A)
    label = np.where(below, -1.0, 1.0)
    return Plane(label * z, label * g)


def _above(m: FloatArray, theta: float, rng: np.random.Generator) -> FloatArray:
    """Standard normal g on the side where the teacher agrees with the label: g > -m cot(theta)."""
    if theta == 0.0:
        return rng.standard_normal(m.size)
    share = np.log1p(-rng.random(m.size))
    return np.asarray(-ndtri_exp(share + log_ndtr(m / math.tan(theta))))


def _kept_by_probability(problem: FiniteProblem, rng: np.random.Generator) -> Plane:
    assert isinstance(problem.selection, KeepProbability)
    found: list[Plane] = []
    n = judged = 0
    while n < problem.P:
        if judged >= _MOST_JUDGED:
            raise InvalidInputError(
                f"the keep probability kept {n} of {judged} examples where {problem.P} are wanted: "
                "keep more of the data, or take a smaller alpha_prune * N."
            )
        pool = unpruned(problem.margins, problem.theta, rng.random(_JUDGED), rng, problem.labels)
        chosen = np.flatnonzero(rng.random(_JUDGED) < problem.margins.keep_probability(problem.selection, pool.m))
        found.append(Plane(pool.m[chosen], pool.g[chosen]))
        n += chosen.size
        judged += _JUDGED
    return Plane(*(np.concatenate(parts)[: problem.P] for parts in zip(*found, strict=True)))
