"""Measures pruning runs: ``python -m perceptron_theory.measured_runs.measure_cifar IMAGES_FOLDER OUT_FOLDER``.

**Its table has not been measured yet**: nothing here comes with numbers, and the recipe has only been tried on a CPU,
on a few images.

Needs torch, a GPU, and CIFAR-10 (Krizhevsky 2009) as the two archives that `cifar_images` describes. There are 126 runs
per seed, and all take about as long, whatever they keep. ``--max-minutes`` ends in time between two runs; a run that
was interrupted continues where it was.

Four networks are trained on all 50,000 training images for a short time. EL2N averaged over them, which looks at
labels, and the distance of the features of the first to the nearest of ten prototypes, which does not, rank the images.
They are as good for small pools as for large ones; as in the literature, they have been trained on the pool too.
For each seed a random order of the training images is drawn, of which the first n_total are the pool, so that pools of
one seed contain one another. From the pool the hardest, the easiest, or random images are kept, without regard for
classes; the student, ResNet-18 of half the usual width, is trained on them and tested on all test images.

All students are trained by one recipe, and for **the same number of steps however many images are kept**, so that runs
differ in the images and not in how long they are learned from; few images are seen the more often. On all 50,000 images
the 1000 steps of 512 are ten epochs. The seed draws weights, batches and crops too. On one kind of device with one
version of torch a run gives the same row again.

`cifar_runs.csv` has a row per run, with the columns that `measure_mnist` describes:

=============  ======================================================================================================
n_total        images in the pool
n_kept         images kept, f n_total rounded
f              fraction kept; 1 (with selection random) is no pruning
selection      hard, easy, random
test_error     fraction of the test images that the student gets wrong, in [0, 1]
seed           of the order of images, of random selection, and of training
task           ten_classes
student        resnet18
probe          short: the networks that scores come from; any: the selection does not depend on them
metric         what images are ranked by: el2n, prototype, random
n_test         test images: the binomial standard error of test_error is sqrt(test_error (1 - test_error) / n_test)
=============  ======================================================================================================

`scores_cifar10.parquet` has index (in the order of `cifar_images`), label, el2n, prototype; high scores mean hard
images. `cifar_runs.json` has settings, what the networks behind the scores are worth, and for each start the device,
versions, number of runs, and seconds.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from perceptron_theory.errors import PerceptronTheoryError
from perceptron_theory.measured_runs.cifar_batches import DeviceImages, usable_device
from perceptron_theory.measured_runs.cifar_images import read_images
from perceptron_theory.measured_runs.cifar_runs import Cell, Experiment, Settings, cells
from perceptron_theory.measured_runs.cifar_scores import measure_scores
from perceptron_theory.measured_runs.cifar_students import Recipe
from perceptron_theory.measured_runs.cifar_table import RunTable
from perceptron_theory.validation import whole_number


def measure(
    images_folder: Path,
    folder: Path,
    settings: Settings,
    *,
    device: str = "cuda",
    n_seeds: int = 3,
    max_minutes: float | None = None,
    scratch: Path | None = None,
) -> int:
    """Measure all runs that `folder` does not have yet, in the order of `cells`.

    Parameters
    ----------
    images_folder : Path
        Where the archives are.
    folder : Path
        Of the table.
    settings : Settings
        Of all runs in this folder.
    device : str
        Name of a device of torch.
    n_seeds : int
        Seeds, from 0; more may be asked for later.
    max_minutes : float, optional
        No run is begun that would end later, if it took as long as the longest so far. Scores are always measured.
    scratch : Path, optional
        Where images are kept as arrays, see `read_images`.

    Returns
    -------
    int
        Runs that are still missing.

    Raises
    ------
    InvalidInputError
        If the images are not there, the device cannot be used, a number lies outside its range, or the folder holds
        runs of other settings.
    DivergedError
        If a network diverges.
    OutputError
        If a file cannot be written.
    """
    end = time.perf_counter() + (float("inf") if max_minutes is None else 60.0 * max_minutes)
    n_seeds = whole_number("n_seeds", n_seeds, 1, "it is the number of repetitions")
    where = usable_device(device)
    table = RunTable(folder, settings, where)
    missing = [cell for cell in cells(settings, n_seeds) if cell not in table]
    if not missing:
        return 0
    train, test = (DeviceImages(part, where) for part in read_images(images_folder, scratch))
    scores = table.scores(lambda: measure_scores(train, test, settings.recipe, settings.scoring))
    return len(missing) - _measured(Experiment(train, test, scores, settings), table, missing, end)


def _measured(experiment: Experiment, table: RunTable, missing: Sequence[Cell], end: float) -> int:
    """Runs that were done in time."""
    longest = 0.0
    for done, cell in enumerate(missing):
        start = time.perf_counter()
        if not start + longest < end:
            return done
        run = experiment.run(cell)
        table.add(run)
        seconds = time.perf_counter() - start
        longest = max(longest, seconds)
        left = len(missing) - done - 1
        print(
            f"{cell}: error {run.test_error:.4f}, {seconds:.1f} s; {left} left, {left * seconds / 60.0:.0f} min",
            flush=True,
        )
    return len(missing)


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse, measure, and say what is missing."""
    recipe = Recipe()
    parser = argparse.ArgumentParser(prog="measure_cifar", description="Pruning runs of ResNet-18 on CIFAR-10.")
    parser.add_argument("images_folder", type=Path, help="where the archives of images are")
    parser.add_argument("out_folder", type=Path, help="where the table is, or will be")
    parser.add_argument("--device", default="cuda", help="of torch; default: cuda")
    parser.add_argument("--seeds", type=int, default=3, help="repetitions; default: 3")
    parser.add_argument("--max-minutes", type=float, help="begin no run that would end later")
    parser.add_argument("--scratch", type=Path, help="where to keep the images as arrays, 180 MB; default: nowhere")
    parser.add_argument("--width", type=int, default=recipe.width, help="channels of the first stage; default: 32")
    parser.add_argument("--steps", type=int, default=recipe.steps, help="steps of training; default: 1000")
    given = parser.parse_args(arguments)
    try:
        left = measure(
            given.images_folder,
            given.out_folder,
            Settings(recipe=Recipe(width=given.width, steps=given.steps)),
            device=given.device,
            n_seeds=given.seeds,
            max_minutes=given.max_minutes,
            scratch=given.scratch,
        )
    except PerceptronTheoryError as error:
        sys.exit(f"error: {error}")
    print(f"{left} runs are missing: start again to go on." if left else "all runs are there.")


if __name__ == "__main__":
    main()
