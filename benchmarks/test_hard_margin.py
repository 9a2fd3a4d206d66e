"""The exact student beside quadratic-programming solvers: ``python -m pytest benchmarks/test_hard_margin.py -s``.

One thread, the same data, the same certificate: only solvers whose duality gap is at most 1e-9 count. Each is timed
several times in a row on each of three draws, in turn with the others; medians are compared. The table is
written to benchmarks/hard_margin.md.
"""

from __future__ import annotations

import functools
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from benchmarks.other_solvers import SOLVERS, gap
from perceptron_theory.problem import Problem
from perceptron_theory.simulation.data import draw
from perceptron_theory.simulation.finite import FiniteProblem
from perceptron_theory.simulation.training.hard_margin.solver import MaxMargin

SIZES = [(100, 2), (200, 1), (200, 5), (400, 3), (400, 10), (1000, 2), (1000, 5)]
RULES = ["random", "hard", "easy"]
CELLS = [(N, alpha, rule) for N, alpha in SIZES for rule in RULES]
SEEDS = (0, 1, 2)
CERTIFICATE = 1e-9

#: A solver is run again until it has taken this long or this often.
SECONDS, REPEATS = 0.5, 300

Row = tuple[tuple[int, int, str], dict[str, float], dict[str, float]]
ROWS: list[Row] = []


def timed(run: Callable[[], Any]) -> float:
    """Median time of a few calls in a row, after one that is not counted."""
    started = time.perf_counter()
    run()
    times: list[float] = []
    while len(times) < REPEATS and (not times or time.perf_counter() - started < SECONDS):
        before = time.perf_counter()
        run()
        times.append(time.perf_counter() - before)
    return statistics.median(times)


def fastest(times: dict[str, float], gaps: dict[str, float]) -> str:
    """The quickest other solver that reaches the certificate."""
    return min((name for name in SOLVERS if gaps[name] <= CERTIFICATE), key=lambda name: times[name])


@pytest.fixture(scope="module", autouse=True)
def table() -> Iterator[None]:
    yield
    names = list(SOLVERS)
    lines = [
        f"| N | alpha | data | this package | {' | '.join(names)} | times faster than the best |",
        "|" + "---|" * (len(names) + 5),
    ]
    ratios = []
    for (N, alpha, rule), times, gaps in ROWS:
        shown = [f"{1e3 * times[n]:.3g}" + ("" if gaps[n] <= CERTIFICATE else f" (gap {gaps[n]:.0e})") for n in names]
        ratios.append(times[fastest(times, gaps)] / times["ours"])
        lines.append(f"| {N} | {alpha} | {rule} | {1e3 * times['ours']:.3g} | {' | '.join(shown)} | {ratios[-1]:.1f} |")
    lines.append(f"\nMilliseconds. Median ratio {statistics.median(ratios):.1f}, smallest {min(ratios):.1f}.")
    print("\n" + "\n".join(lines))
    if len(ROWS) == len(CELLS):
        (Path(__file__).parent / "hard_margin.md").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_against_other_solvers(cell: tuple[int, int, str]) -> None:
    N, alpha, rule = cell
    problem = FiniteProblem.of(Problem.of(alpha, 0.3, 0.0, rule), N)
    collected: dict[str, list[float]] = {}
    gaps: dict[str, float] = {}
    for seed in SEEDS:
        rng = np.random.default_rng([N, alpha, seed])
        Z = draw(problem, rng)
        with threadpool_limits(limits=1):
            collected.setdefault("ours", []).append(timed(functools.partial(MaxMargin().train, Z, rng)))
            gaps["ours"] = max(gaps.get("ours", 0.0), MaxMargin().train(Z, rng).gap)
            for name, prepare in SOLVERS.items():
                if name == "scikit-learn" and seed > 0:
                    continue
                solve = prepare(Z)
                collected.setdefault(name, []).append(timed(solve))
                gaps[name] = max(gaps.get(name, 0.0), gap(Z, *solve()))
    times = {name: statistics.median(values) for name, values in collected.items()}
    ROWS.append((cell, times, gaps))
    assert gaps["ours"] <= CERTIFICATE
    best = fastest(times, gaps)
    print(f"{cell}: {1e3 * times['ours']:.3g} ms, best other {1e3 * times[best]:.3g} ms ({best})")
