"""Kept examples as the students of the simulation want them, and the limit of large N from two sizes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Recipe(NamedTuple):
    """What is kept: `rule` is "hard", "easy" (by |margin|) or "aware" (the smallest signed margins).

    A share `flip` of the labels is turned over before that.
    """

    alpha_prune: float
    f: float
    theta_deg: float
    rule: str
    flip: float = 0.0


def kept_examples(recipe: Recipe, N: int, rng: np.random.Generator) -> np.ndarray:
    """Z (P, N), multiplied by its labels: signed margin, coordinate beside the probe, and N - 2 normal ones."""
    theta = math.radians(recipe.theta_deg)
    P = round(recipe.alpha_prune * N)
    z, g = rng.normal(size=(2, round(P / recipe.f)))
    y = np.sign(math.cos(theta) * z + math.sin(theta) * g)
    if recipe.flip:
        y *= np.where(rng.random(y.size) < recipe.flip, -1.0, 1.0)
    order = {"hard": np.abs(z), "easy": -np.abs(z), "aware": y * z}[recipe.rule]
    kept = np.argsort(order)[:P]
    return np.column_stack([(y * z)[kept], (y * g)[kept], rng.normal(size=(P, N - 2))])


def teacher_overlap(recipe: Recipe, w: np.ndarray) -> float:
    """R of a unit vector."""
    theta = math.radians(recipe.theta_deg)
    return float(w[0] * math.cos(theta) + w[1] * math.sin(theta))


def large_N(
    sizes: tuple[int, int], trials: int, trial: Callable[[int, np.random.Generator], list[float]]
) -> tuple[np.ndarray, np.ndarray]:
    """Means of what `trial` returns, extrapolated linearly in 1/N, and their standard errors."""
    means, errors = [], []
    for N in sizes:
        seeds = np.random.SeedSequence(N).spawn(trials)
        results = np.array([trial(N, np.random.default_rng(seed)) for seed in seeds])
        means.append(results.mean(axis=0))
        errors.append(results.std(axis=0, ddof=1) / math.sqrt(trials))
    ratio = sizes[1] / sizes[0]
    limit = (ratio * means[1] - means[0]) / (ratio - 1)
    return limit, np.hypot(ratio * errors[1], errors[0]) / (ratio - 1)
