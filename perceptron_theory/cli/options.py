"""Options that several commands share, as decorators."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

selection = click.option(
    "--selection", default="hard", show_default=True, help="hard, easy, random, or band:Q (|z| quantiles from Q up)."
)
theta_deg = click.option(
    "--theta-deg", type=float, default=0.0, show_default=True, help="Angle between probe and teacher, 0 to 90 degrees."
)
student = click.option(
    "--student",
    default="max-margin",
    show_default=True,
    help="max-margin, gibbs, bayes-point (mean of the version space), bayes-optimal (knows the rule); or a loss: "
    "logistic, hinge, square, squared-hinge.",
)
lam = click.option("--lam", help="Penalty lam N / 2 |w|^2 of a loss: a number >= 0, or optimal.")
flip = click.option(
    "--flip", type=float, default=0.0, show_default=True, help="Share of wrong labels, in [0, 1/2); needs a loss."
)
fraction = click.option("--f", type=float, required=True, help="Fraction of examples kept, in (0, 1].")
trials = click.option(
    "--trials", type=int, default=100, show_default=True, help="Independent repetitions of each simulation."
)
seed = click.option(
    "--seed", type=int, default=0, show_default=True, help="Same seed, same numbers, for any --workers and --trials."
)
workers = click.option("--workers", type=int, help="Number of processes.  [default: one per core, once that pays]")


_READING = (
    click.option(
        "--higher-is",
        help="What a high score means: harder, easier or keep. Required but for published ImageNet-1K_<metric>.csv.",
    ),
    click.option("--column", help="Column of the scores in a .csv or .parquet file."),
    click.option("--key", help="Array of the scores in a .npz or .pt file."),
    click.option("--ids", help="Column or key that names the examples."),
    click.option("--labels", help="Column or key of the classes, or a .npy file with one label per score."),
    click.option("--dtype", help="Type of the numbers of a file without header, such as float32."),
)


def reading(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that say how a score file is read."""
    for option in reversed(_READING):
        command = option(command)
    return command


_CALIBRATING = (
    click.argument("runs", type=click.Path(path_type=Path)),
    click.argument("scores", required=False, type=click.Path(path_type=Path)),
    click.option(
        "--where",
        multiple=True,
        metavar="COLUMN=VALUE",
        help="Rows of RUNS to take; repeat it for several conditions. A|B is A or B.",
    ),
    click.option(
        "--chance",
        type=float,
        default=0.5,
        show_default=True,
        help="Test error of guessing: 0.9 for ten equal classes.",
    ),
    click.option(
        "--student",
        default="max-margin",
        show_default=True,
        help="max-margin, or a loss: logistic, hinge, square, squared-hinge.",
    ),
    click.option("--lam", help="Penalty lam N / 2 |w|^2 of a loss: a number >= 0; or fit it with --free."),
    click.option(
        "--free",
        default="N,theta,floor",
        show_default=True,
        help="What is fitted, of N, theta, floor, scale, exponent; lam and flip (share of wrong labels) of a loss.",
    ),
    click.option(
        "--fix",
        multiple=True,
        metavar="NAME=NUMBER",
        help="What is held, such as theta=0.2 (radians); repeat it for several.",
    ),
    click.option(
        "--intervals",
        default="profile",
        show_default=True,
        help="profile (likelihood), bootstrap, or normal (rough, but at once).",
    ),
    click.option("--level", type=float, default=0.95, show_default=True, help="Of intervals and bands, in (0, 1)."),
    click.option("--n-bootstrap", type=int, default=200, show_default=True, help="Replicates of the bootstrap."),
    click.option("--seed", type=int, default=0, show_default=True, help="Of the bootstrap and of bands, >= 0."),
    click.option(
        "--compare/--no-compare",
        default=False,
        show_default=True,
        help="Fit theories and power laws to the smaller runs too, and predict the larger ones.",
    ),
    *_READING,
)


def calibrating(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that say what is calibrated."""
    for option in reversed(_CALIBRATING):
        command = option(command)
    return command
