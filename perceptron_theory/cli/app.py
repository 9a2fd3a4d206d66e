"""Commands. Heavy imports wait until a command needs them, so that --help is quick."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from perceptron_theory.cli import options as shared
from perceptron_theory.cli.streams import showing_everything
from perceptron_theory.errors import KeepListError, PerceptronTheoryError
from perceptron_theory.version import __version__


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, package_name="perceptron_theory")
def commands() -> None:
    """How much of a data set should be kept, which part, and with what error."""


@commands.command()
@click.option("--alpha-prune", type=float, required=True, help="Examples kept per parameter, > 0.")
@shared.fraction
@shared.theta_deg
@shared.selection
@shared.student
@shared.lam
@shared.flip
def solve(
    alpha_prune: float, f: float, theta_deg: float, selection: str, student: str, lam: str | None, flip: float
) -> None:
    """Print one point of the theory with its certificate.

    \b
    Examples:
      perceptron-theory solve --alpha-prune 3 --f 0.3 --theta-deg 10 --selection hard
      perceptron-theory solve --alpha-prune 3 --f 0.3 --student logistic --lam optimal --flip 0.05
    """  # noqa: D301 (click reads the backspace)
    from perceptron_theory.cli.point import print_point

    if not print_point(alpha_prune, f, theta_deg, selection, student, lam, flip):
        raise click.exceptions.Exit(1)


@commands.command()
@click.argument("scores", required=False, type=click.Path(path_type=Path))
@shared.reading
@click.option(
    "--by",
    default=None,
    help="rank: only the order of scores counts, and the frontier is that of Gaussian data, apart from ties; value: "
    "scores are signed margins.  [default: rank with SCORES, value without]",
)
@click.option(
    "--theta-deg",
    type=float,
    help="Angle between probe and truth, 0 to 90 degrees. Default: from the probe's error rate (digits; --by value).",
)
@click.option("--alpha-tot-max", type=float, help="Ceiling on examples before pruning per parameter.")
@click.option("--f-min", type=float, help="Floor on the fraction kept.")
@shared.selection
@shared.student
@shared.lam
@shared.flip
@click.option("--alpha-min", type=float, default=0.5, show_default=True, help="Smallest alpha_prune.")
@click.option("--alpha-max", type=float, help="Largest alpha_prune. Default: the ceiling, or 100.")
@click.option("--points", type=int, default=25, show_default=True, help="Number of sizes, log-spaced.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("frontier-out"),
    show_default=True,
    help="Folder for frontier.csv, frontier.nc and frontier.png.",
)
def frontier(**options: Any) -> None:
    """Pareto frontier of measured scores: the best fraction to keep at each size, as table and picture.

    SCORES is a .npy, .npz, .csv, .parquet, .json, .pt or raw file with one score per example; without it, margins
    that this project measured on 1,597 images of digits. A ceiling (--alpha-tot-max) or floor (--f-min) is required.

    \b
    Examples:
      perceptron-theory frontier --alpha-tot-max 100 --out frontier-out
      perceptron-theory frontier el2n.npz --key el2n --higher-is harder --theta-deg 10 --alpha-tot-max 100
      perceptron-theory frontier margins.npy --higher-is easier --by value --f-min 0.1 --selection easy
    """  # noqa: D301 (click reads the backspace)
    from perceptron_theory.cli.frontier import run_frontier

    if not run_frontier(**options):
        raise click.exceptions.Exit(1)


@commands.group()
def scores() -> None:
    """Look at score files."""


@scores.command()
@click.argument("file", type=click.Path(path_type=Path))
@shared.reading
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("scores-out"),
    show_default=True,
    help="Folder for scores.png.",
)
def inspect(file: Path, out: Path, **reading: str | None) -> None:
    """Print what is in a score file, with a picture: number, direction, quantiles, ties, sentinels, rounding.

    \b
    Examples:
      perceptron-theory scores inspect el2n.npz --key el2n --higher-is harder
      perceptron-theory scores inspect ImageNet-1K_memorization.csv
    """  # noqa: D301 (click reads the backspace)
    from perceptron_theory.cli.inspection import run_inspection

    run_inspection(file, reading, out)


@commands.command()
@click.argument("file", type=click.Path(path_type=Path))
@shared.reading
@shared.fraction
@click.option(
    "--mode",
    default="hard",
    show_default=True,
    help="hard, easy, random, band:Q (|z| quantiles from Q up), or policy (the theory's best windows).",
)
@click.option("--random-share", type=float, default=0.0, show_default=True, help="Share of what is kept at random.")
@click.option(
    "--class-floor",
    type=float,
    help="Share of the equal share that each class keeps at least, 0 to 1.  [default: 0.5 with --labels]",
)
@click.option("--alpha-tot", type=float, help="For policy: examples before pruning per parameter.")
@click.option("--theta-deg", type=float, help="For policy: angle between probe and truth, 0 to 90 degrees.")
@shared.seed
@click.option("--stream", is_flag=True, help="Read in batches, in bounded memory: for tables larger than memory.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("select-out"),
    show_default=True,
    help="Folder for indices, mask, ids, table and manifest.",
)
def select(file: Path, **options: Any) -> None:
    """Write the list of examples to keep, in the formats of the tools that train.

    \b
    Examples:
      perceptron-theory select el2n.npz --key el2n --labels label --higher-is harder --f 0.8
      perceptron-theory select ImageNet-1K_memorization.csv --f 0.8 --labels labels.npy --out keep-80
      perceptron-theory select shards/ --column score --ids uid --higher-is keep --f 0.3 --stream
    """  # noqa: D301 (click reads the backspace)
    from perceptron_theory.cli.selection import run_selection

    run_selection(file, **options)


@commands.command()
@click.argument("folder", type=click.Path(path_type=Path))
def check(folder: Path) -> None:
    """Check that the files of a keep-list are whole, unchanged and of one selection; exit code 1 if they are not.

    FOLDER is what select wrote.

    \b
    Example:
      perceptron-theory check keep-80
    """  # noqa: D301 (click reads the backspace)
    from perceptron_theory.cli.checking import run_check

    run_check(folder)


@commands.command()
@click.option("--n", type=int, required=True, help="Number of inputs, which is the number of parameters.")
@click.option("--alpha-prune", type=float, required=True, help="Examples kept per parameter, > 0.")
@shared.fraction
@shared.theta_deg
@shared.selection
@shared.trials
@shared.seed
@shared.workers
@click.option("--out", type=click.Path(path_type=Path), help=".csv file for a table with one row per trial.")
def simulate(**options: Any) -> None:
    """Train finite students on pruned data and print what they measure.

    Each trial draws a teacher, a probe and data, prunes the data, and finds the max-margin student
    exactly, with a certificate. No equation of the theory is used.

    \b
    Examples:
      perceptron-theory simulate --n 200 --alpha-prune 3 --f 0.3 --theta-deg 10 --selection hard
      perceptron-theory simulate --n 100 --alpha-prune 5 --f 0.2 --trials 1000 --seed 7 --out trials.csv
    """  # noqa: D301 (click reads the backspace)
    from perceptron_theory.cli.trials import run_trials

    if not run_trials(**options):
        raise click.exceptions.Exit(1)


@commands.command()
@click.option(
    "--n",
    type=int,
    multiple=True,
    default=(100, 200, 400),
    show_default=True,
    help="Number of inputs; repeat it for several, which are extrapolated.",
)
@click.option(
    "--alpha-prune",
    type=float,
    multiple=True,
    default=(0.5, 1.0, 2.0, 5.0, 10.0),
    show_default=True,
    help="Examples kept per parameter, > 0; repeat it for several.",
)
@shared.fraction
@shared.theta_deg
@shared.selection
@shared.trials
@shared.seed
@shared.workers
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("compare-out"),
    show_default=True,
    help="Folder for compare.csv, compare.nc, compare.png and the trials, in store.",
)
def compare(**options: Any) -> None:
    """Confront the theory with simulations at several sizes, as table and picture.

    The differences are extrapolated in 1/N to infinite size, where the theory is exact, and given in
    standard errors. Trials are kept in the folder store as they come: if the command is interrupted,
    the same command continues from there. Other parameters need another --out.

    \b
    Examples:
      perceptron-theory compare --f 0.3 --theta-deg 10 --out compare-out
      perceptron-theory compare --n 50 --n 100 --alpha-prune 1 --alpha-prune 3 --f 0.5 --selection band:0.1
    """  # noqa: D301 (click reads the backspace)
    from perceptron_theory.cli.comparison import run_comparison

    if not run_comparison(**options):
        raise click.exceptions.Exit(1)


@commands.command()
@shared.calibrating
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("calibrate-out"),
    show_default=True,
    help="Folder for report.html, the tables behind it and calibration.json.",
)
def calibrate(**options: Any) -> None:
    """Parameters of the theory from measured pruning runs, with intervals and what the runs cannot tell.

    RUNS is a .csv or .parquet table with a row per run: n_total, n_kept, selection (hard, easy, random or band:Q),
    test_error (a fraction), seed; n_test if known. SCORES, if given, says how examples lie along the metric; without it
    they are Gaussian.

    \b
    Examples:
      perceptron-theory calibrate runs.csv --chance 0.9 --free N,theta,floor,exponent --out calibrate-out
      perceptron-theory calibrate runs.csv --where student=network --where "probe=late|any" --compare
      perceptron-theory calibrate runs.csv margins.npy --higher-is easier --fix theta=0.2 --free N,floor
    """  # noqa: D301 (click reads the backspace)
    from perceptron_theory.cli.calibration import run_calibration

    run_calibration(**options)


@commands.command()
@shared.calibrating
@click.option("--pool", type=int, required=True, help="Number of examples that there are.")
@click.option("--budget", type=int, help="Most examples to train on. Either this or --error.")
@click.option("--error", type=float, help="Test error to reach with as few examples as possible.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("recommend-out"),
    show_default=True,
    help="Folder for report.html, the tables behind it and recommendation.json.",
)
def recommend(**options: Any) -> None:
    """What to keep of a pool, how much and which part, by a theory that measured runs calibrate.

    RUNS and SCORES are those of `calibrate`. A random subset is advised unless something else is better with
    probability 0.8.

    \b
    Examples:
      perceptron-theory recommend runs.csv --chance 0.9 --pool 1000000 --budget 200000
      perceptron-theory recommend runs.csv --chance 0.9 --pool 1000000 --error 0.05 --out recommend-out
    """  # noqa: D301 (click reads the backspace)
    from perceptron_theory.cli.recommendation import run_recommendation

    run_recommendation(**options)


@commands.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--fast", is_flag=True, help="Fewer points and trials: under two minutes on two cores.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("figures"),
    show_default=True,
    help="Folder for NAME.png, NAME.pdf and the numbers behind them, NAME.nc.",
)
def figures(names: tuple[str, ...], fast: bool, out: Path) -> None:
    """Make the figures again: those of the paper that are theory, and those that no paper has.

    Without a NAME all of them. The same version gives the same numbers on the same kind of processor.

    \b
    Examples:
      perceptron-theory figures
      perceptron-theory figures fig_1a capacity_wall --fast --out quick
    """  # noqa: D301 (click reads the backspace)
    from perceptron_theory.cli.figures import run_figures

    if not run_figures(names, fast, out):
        raise click.exceptions.Exit(1)


@commands.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
def cite(names: tuple[str, ...]) -> None:
    """Print the BibTeX of students, presets and metrics; without a NAME of this package and its paper.

    \b
    Examples:
      perceptron-theory cite
      perceptron-theory cite gibbs surrogate_sampling el2n > theory.bib
    """  # noqa: D301 (click reads the backspace)
    from perceptron_theory.citations.citing import cite as entries

    click.echo(entries(*names))


@commands.command()
@click.option("--port", type=int, default=0, help="Where to serve it.  [default: a free port]")
@click.option("--browser/--no-browser", default=True, show_default=True, help="Open it in a browser.")
def explore(port: int, browser: bool) -> None:
    """Move through the theory on a local page: sliders, graphs, your own scores and runs.

    The page answers to this computer only, and files that are dropped on it stay there. Ctrl-C ends it.

    \b
    Examples:
      perceptron-theory explore
      perceptron-theory explore --port 8050 --no-browser
    """  # noqa: D301 (click reads the backspace)
    from perceptron_theory.cli.exploration import run_exploration

    run_exploration(port, browser)


def main(arguments: list[str] | None = None) -> int:
    """Run a command; errors are one line on stderr.

    Returns
    -------
    int
        Exit code: 0 done, 1 a point failed its certificate or a keep-list its check, 2 bad input.
    """
    with showing_everything():
        return _ended(arguments)


def _ended(arguments: list[str] | None) -> int:
    """Exit code of a command that ran, or of the error that it ended with."""
    try:
        code = commands.main(arguments, prog_name="perceptron-theory", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 2
    except click.ClickException as error:
        message = " ".join(error.format_message().split())
        click.echo(f"error: {message} See perceptron-theory --help.", err=True)
        return 2
    except click.Abort:
        click.echo("error: interrupted", err=True)
        return 130
    except MemoryError:
        click.echo("error: out of memory: take smaller sizes, or fewer --workers.", err=True)
        return 2
    except PerceptronTheoryError as error:
        click.echo(f"error: {' '.join(str(error).split())}", err=True)
        return 1 if isinstance(error, (ArithmeticError, KeepListError)) else 2
    return int(code or 0)


def entry() -> None:
    """Console script."""
    sys.exit(main())
