"""First-run and later-run times of the import and of every command, in an installed environment.

    python -m benchmarks.command_times .venv/bin/python

The first run of a command finds no compiled kernel: each command has an empty folder of numba's cache to itself. The
later run is the median of three that find it full. Times are of whole processes, as a user waits for them.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

LATER_RUNS = 3
IMPORTS = 10
RUNS = Path(__file__).resolve().parents[1] / "perceptron_theory" / "measured_runs" / "data" / "mnist_runs.csv"
CALIBRATED = (str(RUNS), "--chance", "0.5", "--intervals", "normal")
ONE_STUDENT = ("--where", "task=odd_even", "--where", "student=logistic", "--where", "probe=late|any")

COMMANDS: dict[str, tuple[str, ...]] = {
    "--help": ("--help",),
    "solve": ("solve", "--alpha-prune", "3", "--f", "0.3", "--theta-deg", "10"),
    "solve --student gibbs": ("solve", "--alpha-prune", "3", "--f", "0.3", "--student", "gibbs"),
    "solve --student bayes-optimal": ("solve", "--alpha-prune", "3", "--f", "0.3", "--student", "bayes-optimal"),
    "solve --student logistic": ("solve", "--alpha-prune", "3", "--f", "0.3", "--student", "logistic", "--lam", "0.1"),
    "frontier": ("frontier", "--alpha-tot-max", "100", "--out", "frontier-out"),
    "scores inspect": ("scores", "inspect", "scores.npy", "--higher-is", "harder"),
    "select": ("select", "scores.npy", "--higher-is", "harder", "--f", "0.8"),
    "simulate": ("simulate", "--n", "100", "--alpha-prune", "3", "--f", "0.3", "--trials", "20"),
    "compare": ("compare", "--n", "50", "--n", "100", "--alpha-prune", "3", "--f", "0.5", "--trials", "10"),
    "calibrate": ("calibrate", *CALIBRATED, *ONE_STUDENT),
    "recommend": ("recommend", *CALIBRATED, *ONE_STUDENT, "--pool", "55000", "--budget", "5000"),
    "figures fig_1a --fast": ("figures", "fig_1a", "--fast"),
}


def seconds(command: Sequence[str], folder: Path, cache: Path) -> float:
    """Wall time of a process that runs in a folder, with a cache of compiled kernels of its own."""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache)}
    begin = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    return time.perf_counter() - begin


def import_seconds(python: Path, folder: Path) -> tuple[float, float]:
    """Median wall times of starting Python alone, and of starting it with the import."""
    bare, loaded = (
        statistics.median(seconds([str(python), "-c", line], folder, folder / "cache") for _ in range(IMPORTS))
        for line in ("pass", "import perceptron_theory")
    )
    return bare, loaded


def measured(python: Path, wanted: Sequence[str]) -> None:
    """Print the table."""
    script = python.parent / "perceptron-theory"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "scores.npy", np.random.default_rng(0).standard_normal(10_000))
        bare, loaded = import_seconds(python, folder)
        print(f"| start of Python {bare:.2f} s, with import perceptron_theory | {loaded:.2f} s | |", flush=True)
        print("| command | first run / s | later runs / s |\n|---|---|---|")
        for number, (title, arguments) in enumerate(COMMANDS.items()):
            if wanted and title not in wanted:
                continue
            cache = folder / f"cache-{number}"
            first = seconds([str(script), *arguments], folder, cache)
            later = statistics.median(seconds([str(script), *arguments], folder, cache) for _ in range(LATER_RUNS))
            print(f"| `{title}` | {first:.1f} | {later:.1f} |", flush=True)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("python", type=Path, help="interpreter of the environment in which the package is installed")
    parser.add_argument("commands", nargs="*", help="rows to measure, all without any")
    chosen = parser.parse_args()
    measured(chosen.python.absolute(), chosen.commands)


if __name__ == "__main__":
    main()
