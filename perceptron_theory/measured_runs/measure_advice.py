"""Trains what calibrated runs advise: ``python -m perceptron_theory.measured_runs.measure_advice IMAGES_FOLDER [OUT]``.

Two students of `measure_mnist` (two classes: logistic; ten: network), probe late. The theory (max-margin, with an
exponent) is calibrated on the runs of `mnist_runs.csv` with pools of at most 9,000 images; it is then asked what to
keep of 55,000 images within five budgets. What it finds best, and a random subset of the same size, are trained with
the seeds of `mnist_runs.csv`: the pool of 55,000 and the probes are those of `measure_mnist`, none of these runs was
made before. Needs torch and the images of MNIST as `measure_mnist` does; takes a few minutes.

`advice_runs.csv` has a row per budget, choice and seed:

===============  ====================================================================================================
student          logistic, network
budget           examples to train on
choice           best (the smallest expected error) or random
advised          whether this choice is what was advised (a random subset, unless the best is better with probability
                 0.8)
n_total          images that were ranked; a random part of the pool where fewer than 55,000
n_kept           images kept of these
selection        hard, easy, band:Q or random
expected         test error that the calibration expects
run_low          95 % of such runs are expected between these
run_high
test_error       fraction of the 10,000 test images that the trained student gets wrong
seed             of the order of the images and of the weights
===============  ====================================================================================================
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Final

import pandas as pd

from perceptron_theory.calibration.calibrating import calibrate
from perceptron_theory.calibration.calibration import Calibration
from perceptron_theory.calibration.runs import Runs
from perceptron_theory.keeplists.preference import NAMED
from perceptron_theory.keeplists.selecting import select
from perceptron_theory.margins.selection import Band
from perceptron_theory.measured_runs.mnist_runs import SIZES, TASKS, Experiment, Images, read_images
from perceptron_theory.output import check_writable, write_all
from perceptron_theory.simulation.one_thread import one_blas_thread

ADVICE_FILE: Final = "advice_runs.csv"
#: Test error of guessing.
STUDENTS: Final = {"logistic": 0.5, "network": 0.9}
BUDGETS: Final = (500, 1500, 5000, 12000, 30000)
LARGEST_FITTED: Final = 9000
FREE: Final = ("N", "theta", "floor", "exponent")


def fitted(student: str, largest: int = LARGEST_FITTED) -> Calibration:
    """The theory calibrated on the smaller pools of `mnist_runs.csv`, probe late.

    Examples
    --------
    >>> fitted("network", largest=600).task.names
    ('N', 'theta', 'floor', 'exponent')
    """
    with files("perceptron_theory.measured_runs").joinpath("data", "mnist_runs.csv").open(encoding="utf-8") as file:
        table = pd.read_csv(file)
    chosen = table[(table["student"] == student) & table["probe"].isin(["late", "any"]) & (table["n_total"] <= largest)]
    return calibrate(Runs(chosen), chance=STUDENTS[student], free=FREE, intervals="normal")


def choices(calibration: Calibration, budget: int) -> pd.DataFrame:
    """What to train: the best and a random subset, with what is expected of them."""
    advice = calibration.recommend(pool=SIZES[-1], budget=budget)
    pruned = advice.table[advice.table["selection"] != "random"]
    rows = pd.concat([pruned.nsmallest(1, "test_error"), advice.table.head(1)])
    told = calibration.forecast(*(rows[name].to_numpy() for name in ("n_total", "n_kept", "selection")))
    told["expected"], told["choice"] = told["test_error"], ["best", "random"]
    told["advised"] = [advice.selection != "random", advice.selection == "random"]
    return told.astype({"n_total": int, "n_kept": int}).assign(budget=budget)


def trained(experiment: Experiment, choice: pd.Series) -> float:
    """Test error of the student trained on a choice."""
    pool = experiment.pool(int(choice["n_total"]))
    scores = experiment.scores(experiment.probes["late"], pool)
    name, f = str(choice["selection"]), choice["n_kept"] / choice["n_total"]
    mode = name if name in NAMED else Band(float(name.removeprefix("band:")))
    kept = select(scores, f, mode=mode, seed=experiment.seed).indices
    return experiment.test_error(experiment.trained(pool[kept]))


def runs(images: Images) -> Iterator[dict[str, object]]:
    """All rows."""
    shown = ("budget", "choice", "advised", "n_total", "n_kept", "selection", "expected", "run_low", "run_high")
    for student in STUDENTS:
        calibration = fitted(student)
        wanted = pd.concat([choices(calibration, budget) for budget in BUDGETS], ignore_index=True)
        for seed in range(TASKS[student].n_seeds):
            experiment = Experiment(images, student, seed)
            for _, choice in wanted.iterrows():
                row = {name: choice[name] for name in shown}
                yield {"student": student, **row, "test_error": trained(experiment, choice), "seed": seed}
            print(f"{student}, seed {seed}", flush=True)


def measure(images_folder: Path, folder: Path) -> None:
    """Train everything and write the table.

    Raises
    ------
    InvalidInputError
        If the images are not there.
    OutputError
        If the table cannot be written.
    """
    check_writable(folder, (ADVICE_FILE,))
    table = pd.DataFrame(list(runs(read_images(images_folder))))
    write_all(folder, {ADVICE_FILE: lambda path: table.to_csv(path, index=False, float_format="%.6g")})


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: python -m perceptron_theory.measured_runs.measure_advice IMAGES_FOLDER [OUT_FOLDER]")
    with one_blas_thread():
        measure(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).parent / "data")
