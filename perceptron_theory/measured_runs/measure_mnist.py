"""Measures pruning runs: ``python -m perceptron_theory.measured_runs.measure_mnist IMAGES_FOLDER [OUT_FOLDER]``.

Needs torch, and the images of MNIST (LeCun et al. 1998): `train_images.npz` with x and y, and `t10k-*-ubyte.gz`, the
10,000 test images and their labels. A run that was interrupted continues where it was. On one thread all takes about
twenty minutes.

The images are averaged over 2 x 2 pixels to 14 x 14, of which 188 vary; these lose their mean over the training images
and are divided by their common standard deviation. For each seed a random order of the 60,000 training images is
drawn, the same for all students. Its first 5,000 train the probe "late", the first 250 of them the probe "early", both
like the student; the pool of size n_total are the next ones, so that pools of one seed contain one another. From the
pool the hardest, the easiest, a band (the hardest without the first 5 %) or random images are kept, the student is
trained on them and tested on all test images. Labels play no part in the selection.

`mnist_runs.csv` has a row per run:

=============  ======================================================================================================
n_total        images in the pool
n_kept         images kept, f n_total rounded
f              fraction kept; 1 (with selection random) is no pruning
selection      hard, easy, random, or band:0.05: from that quantile of |z| upwards
test_error     fraction of the test images that the student gets wrong, in [0, 1]
seed           of the order of images, of random selection, and of the weights of networks
task           odd_even, ten_classes
student        logistic, softmax (linear, weak penalty), network (one hidden layer): see `mnist_students`
probe          early, late; any: the selection does not depend on it
metric         what examples are ranked by: distance (to the boundary of the probe), second_class (the output of the
               probe for its class less that for the second), random
n_test         test images: the binomial standard error of test_error is sqrt(test_error (1 - test_error) / n_test)
=============  ======================================================================================================

`mnist_runs.json` has settings, versions, seconds, and for each probe its test error, the fraction of test images on
which it disagrees with the student trained on all of the largest pool, and for the two classes of odd_even the angle to
the truth that follows from its error, pi times it, and the angle of its field to that of this student; radians.
"""

from __future__ import annotations

import csv
import json
import platform
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import scipy
import torch

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.measured_runs import mnist_students as students
from perceptron_theory.measured_runs.measured_run import Run
from perceptron_theory.measured_runs.mnist_runs import (
    BAND_LOWER,
    FRACTIONS,
    PROBES,
    RULES,
    SIZES,
    TASKS,
    Experiment,
    Images,
    read_images,
)
from perceptron_theory.output import check_writable, settle, write_all
from perceptron_theory.simulation.one_thread import one_blas_thread
from perceptron_theory.version import __version__

RUNS_FILE: Final = "mnist_runs.csv"
FACTS_FILE: Final = "mnist_runs.json"


def settings() -> dict[str, Any]:
    """All that the table depends on but the images."""
    return {
        "n_total": SIZES,
        "f": (*FRACTIONS, 1.0),
        "selection": ("random", *RULES),
        "band_lower": BAND_LOWER,
        "probe_images": PROBES,
        "tasks": {student: {"task": t.name, "metric": t.metric} for student, t in TASKS.items()},
        "linear": {"lam": students.LAM, "largest_gradient": students.GRADIENT},
        "network": {
            "hidden": students.HIDDEN,
            "steps": students.STEPS,
            "batch": students.BATCH,
            "rate": students.RATE,
        },
    }


def measure(images_folder: Path, folder: Path) -> None:
    """Measure all runs that `folder` does not have yet; seeds one after the other, so that whole ones are done first.

    Raises
    ------
    InvalidInputError
        If the images are not there, or the folder holds runs of other settings.
    OutputError
        If a file cannot be written.
    """
    check_writable(folder, (RUNS_FILE, FACTS_FILE))
    settle(folder, FACTS_FILE)
    rows, facts = _begun(folder)
    done = {(row["student"], int(row["seed"]), int(row["n_total"])) for row in rows}
    images = read_images(images_folder)
    facts |= {"n_train": images.digit.size, "n_test": images.test_digit.size, "n_inputs": images.x.shape[1]}
    for student, seed in _students_and_seeds():
        sizes = [n_total for n_total in SIZES if (student, seed, n_total) not in done]
        start = time.perf_counter()
        for n_total, runs, probes in _pools(images, student, seed, sizes):
            rows += [{key: str(value) for key, value in run._asdict().items()} for run in runs]
            facts["probes"] += probes
            now = time.perf_counter()
            facts["seconds"][student] += now - start
            _write(folder, rows, facts)
            print(f"{student}, seed {seed}, {n_total} images: {now - start:.0f} s", flush=True)
            start = now


def _students_and_seeds() -> Iterator[tuple[str, int]]:
    for seed in range(max(task.n_seeds for task in TASKS.values())):
        yield from ((student, seed) for student, task in TASKS.items() if seed < task.n_seeds)


def _pools(
    images: Images, student: str, seed: int, sizes: list[int]
) -> Iterator[tuple[int, list[Run], list[dict[str, Any]]]]:
    """The runs on each pool, and with the largest what the probes are worth."""
    if sizes:
        experiment = Experiment(images, student, seed)
        for n_total in sizes:
            yield (
                n_total,
                list(experiment.runs(n_total)),
                list(experiment.probe_facts() if n_total == SIZES[-1] else ()),
            )


def _begun(folder: Path) -> tuple[list[dict[str, str]], dict[str, Any]]:
    """Rows and facts of an earlier run, or none."""
    now = json.loads(json.dumps(settings()))
    if not (folder / RUNS_FILE).exists():
        versions = {"perceptron_theory": __version__, "python": platform.python_version()}
        versions |= {"numpy": np.__version__, "scipy": scipy.__version__, "torch": torch.__version__}
        return [], {"settings": now, "versions": versions, "probes": [], "seconds": dict.fromkeys(TASKS, 0.0)}
    facts: dict[str, Any] = json.loads((folder / FACTS_FILE).read_text(encoding="utf-8"))
    if facts["settings"] != now:
        raise InvalidInputError(f"{folder} holds runs of other settings: choose another folder, or delete them.")
    with (folder / RUNS_FILE).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file)), facts


def _write(folder: Path, rows: list[dict[str, str]], facts: dict[str, Any]) -> None:
    def write_rows(path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, Run._fields, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

    text = json.dumps(facts, indent=2) + "\n"
    write_all(folder, {RUNS_FILE: write_rows, FACTS_FILE: lambda path: path.write_text(text, encoding="utf-8")})


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: python -m perceptron_theory.measured_runs.measure_mnist IMAGES_FOLDER [OUT_FOLDER]")
    with one_blas_thread():
        measure(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).parent / "data")
