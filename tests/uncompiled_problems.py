"""Small problems through every compiled kernel: the same numbers are asked of the kernels as Python runs them.

`python tests/uncompiled_problems.py` prints them, with NUMBA_DISABLE_JIT=1 without compiling. Python looks where
compiled code does not: it refuses to read beyond the end of an array, and does not confuse integers and floats.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit

import perceptron_theory as pt
from perceptron_theory.convex_loss import Loss
from perceptron_theory.simulation.training.hard_margin.active_set import finish
from perceptron_theory.simulation.training.hit_and_run import advance
from perceptron_theory.students.max_margin.solver import screen_kept

FloatArray = npt.NDArray[np.float64]

#: Names of results, and what computes them.
Problems = dict[str, Callable[[], npt.ArrayLike]]

#: More than 32 of them: the tree of cells.
MANY = pt.MeasuredMargins(np.random.default_rng(1).laplace(0.6, 0.5, 300), signed=True)
FEW = pt.MeasuredMargins([0.3, 0.5, 1.1, -0.2, 2.0], [1.0, 2.0, 0.5, 0.3, 1.0], signed=True)
MAGNITUDES = pt.MeasuredMargins([0.3, 0.5, 1.1, 0.2, 2.0], signed=False)
LIKELY = pt.KeepProbability(lambda m: 0.1 + 0.7 * expit(m))
NOISY = pt.Labels(flip=0.1)


def of(s: pt.Solution | pt.ConvexSolution) -> npt.ArrayLike:
    return np.stack([s.test_error, s.R, s.rho])


def gradient(margins: pt.MeasuredMargins | None = None, **more: Any) -> npt.ArrayLike:
    g = pt.error_gradient(3.0, 0.4, 0.3, margins=margins, **more)
    return [float(g.alpha_prune), float(g.f), float(g.theta)]


def screened() -> npt.ArrayLike:
    """A look at a rule before a search."""
    out = np.empty(2)
    alphas, angles = np.array([0.5, 3.0]), np.array([0.5, 0.5])
    screen_kept(FEW.kept(pt.Easy(), 0.5, 0.5), FEW.unpruned(0.5), alphas, angles, out)
    return out


def max_margin() -> Problems:
    held = pt.MeasuredMargins([-0.1, 1.0, 0.2], [3.0, 4.0, 2.0], signed=True)
    nearly = pt.MeasuredMargins([-0.1, 1.0, 1.5], [0.01, 3.0, 1.0], signed=True)
    return {
        "hard": lambda: of(pt.solve([0.3, 300.0], 0.4, 0.3)),
        "easy": lambda: of(pt.solve([0.3, 30.0], 0.4, 0.3, selection="easy")),
        "perfect": lambda: of(pt.solve(3.0, 0.4, 0.0)),
        "easy, perfect": lambda: of(pt.solve([3.0, 3e3], 0.2, 0.0, selection="easy")),
        "right angle": lambda: of(pt.solve(3.0, 0.4, np.pi / 2)),
        "close to the teacher": lambda: of(pt.solve(1e5, 0.01, 1e-3, selection="easy")),
        "from small alpha up": lambda: of(pt.solve(3e4, 0.002, 0.6, selection="easy")),
        "keep probability": lambda: of(pt.solve(3.0, theta=0.3, selection=LIKELY)),
        "few atoms": lambda: of(pt.solve(3.0, [0.4, 1.0], 0.5, margins=FEW)),
        "magnitudes": lambda: of(pt.solve(3.0, 0.5, 0.5, selection="easy", margins=MAGNITUDES)),
        "many atoms": lambda: of(pt.solve(3.0, 0.5, 0.5, margins=MANY)),
        "held to the probe": lambda: of(pt.solve(60.0, 0.25, 0.1, selection="easy", margins=held)),
        "nearly held": lambda: of(pt.solve(60.0, 1.0, 0.1, margins=nearly)),
        "gradient": gradient,
        "gradient on atoms": lambda: gradient(FEW),
        "screened": screened,
        "influence": lambda: pt.influence(3.0, 0.4, 0.3).unlabelled(np.array([0.1, 0.3])),
    }


def version_spaces() -> Problems:
    return {
        "gibbs": lambda: of(pt.solve(0.5, 0.4, 0.3, student="gibbs", kappa=0.1)),
        "gibbs on atoms": lambda: of(pt.solve(2.0, 0.5, 0.5, student="gibbs", margins=FEW)),
        # With an angle there are two dimensions to average over: minutes.
        "bayes, perfect": lambda: of(pt.solve(2.0, 0.4, 0.0, student="bayes-optimal")),
    }


def convex_losses() -> Problems:
    def solved(name: Loss, lam: float, theta: float = 0.4) -> npt.ArrayLike:
        return of(pt.solve(4.0, 0.5, theta, student=pt.ConvexLoss(name, lam), labels=NOISY))

    logistic, hinge, square = (pt.ConvexLoss(name, 0.05) for name in ("logistic", "hinge", "square"))
    best, reweighted = pt.ConvexLoss("square", "optimal"), pt.ConvexLoss("square", 0.1, reweight=True)
    return {
        "square": lambda: solved("square", 0.1),
        "square, no penalty": lambda: solved("square", 0.0),
        "square, best penalty": lambda: of(pt.solve(0.5, 0.5, 0.0, student=best, labels=NOISY)),
        "logistic": lambda: solved("logistic", 0.1),
        "hinge": lambda: solved("hinge", 0.1),
        "hinge, no penalty": lambda: solved("hinge", 0.0),
        "squared hinge": lambda: solved("squared-hinge", 0.1),
        "squared hinge, no penalty": lambda: solved("squared-hinge", 0.0),
        "hinge, no penalty, few examples": lambda: of(pt.solve(0.5, 0.5, 0.4, student=pt.ConvexLoss("hinge", 0.0))),
        "logistic, perfect": lambda: solved("logistic", 0.1, 0.0),
        "square, right angle": lambda: solved("square", 0.1, np.pi / 2),
        "noise at the boundary": lambda: of(
            pt.solve(2.0, 0.5, 0.4, student=square, labels=pt.Labels(link="probit", slope=1.5))
        ),
        "noise of a logistic": lambda: of(
            pt.solve(2.0, 0.5, 0.4, student=square, labels=pt.Labels(link="logistic", slope=4.0))
        ),
        "reweighted": lambda: of(pt.solve(2.0, theta=0.0, selection=LIKELY, student=reweighted)),
        "logistic on magnitudes": lambda: of(
            pt.solve(2.0, 0.5, 0.5, student=logistic, margins=MAGNITUDES, labels=NOISY)
        ),
        "hinge on atoms": lambda: of(pt.solve(2.0, 0.5, 0.5, student=hinge, margins=FEW)),
        "gradient of logistic": lambda: gradient(student=logistic, labels=NOISY),
        "gradient of hinge on magnitudes": lambda: gradient(MAGNITUDES, student=hinge, labels=NOISY),
    }


def examples(P: int, N: int) -> FloatArray:
    """On one side of a teacher along the first axis."""
    Z = np.random.default_rng(P * N).normal(size=(P, N))
    return np.asarray(Z * np.where(Z[:, 0] > 0.0, 1.0, -1.0)[:, None])


def from_start(Z: FloatArray, start: FloatArray) -> npt.ArrayLike:
    """The active-set method alone: w, or zeros if no w separates the examples."""
    a, w = start.copy(), np.zeros(Z.shape[1])
    return w if finish(Z, a, w, 1000.0) else 0.0 * w


def great_circles() -> npt.ArrayLike:
    rng = np.random.default_rng(3)
    Z = np.abs(rng.normal(size=(5, 4)))
    v = np.ones(4)
    advance(np.ascontiguousarray(Z.T), v.copy(), v, rng.random((1, 3, 4, 2)), np.full((1, 3), 2.0))
    return v


def trained() -> Problems:
    rng = np.random.default_rng(0)

    def direction(P: int, N: int) -> npt.ArrayLike:
        return pt.MaxMargin().train(examples(P, N), rng).w

    twice = np.repeat(examples(20, 8), 2, axis=0)
    both_sides = np.concatenate([examples(10, 3), -examples(10, 3)])
    return {
        "few examples": lambda: direction(6, 10),
        "as many": lambda: direction(20, 10),
        "many examples": lambda: direction(60, 12),
        "very many": lambda: direction(300, 10),
        # Starts that must be left again: everything supports, the wrong ones do, or what depends on the others.
        "all support": lambda: from_start(examples(30, 9), np.ones(30)),
        "one supports": lambda: from_start(examples(40, 9), np.eye(40)[3]),
        "each twice": lambda: from_start(twice, np.linspace(1.0, 2.0, 40)),
        "none separates": lambda: from_start(both_sides, np.ones(20)),
        "great circles": great_circles,
    }


PROBLEMS: Problems = max_margin() | version_spaces() | convex_losses() | trained()


def results() -> dict[str, list[float]]:
    return {name: np.ravel(np.asarray(solve(), dtype=np.float64)).tolist() for name, solve in PROBLEMS.items()}


if __name__ == "__main__":
    print(json.dumps(results()))
