"""The main job: measured scores in; frontier as table, netCDF and picture out."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, cast

import click
import numpy as np
import xarray as xr

from perceptron_theory.analyses.learning_curves import learning_curve
from perceptron_theory.analyses.pareto import pareto_frontier
from perceptron_theory.cli.arguments import angle, rule, trained
from perceptron_theory.cli.score_files import read_if_named
from perceptron_theory.convex_loss import ConvexLoss
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.labels import Labels
from perceptron_theory.margins.distributions import MeasuredMargins
from perceptron_theory.margins.selection import FractionRule
from perceptron_theory.output import check_writable, write_all
from perceptron_theory.plotting import frontier_figure
from perceptron_theory.progress import compiling
from perceptron_theory.scores import Scores, digits_scores
from perceptron_theory.solving.solution import Status
from perceptron_theory.validation import kept_fraction, positive

#: Fractions kept that the picture draws behind the frontier.
DRAWN_FRACTIONS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7)
DRAWN_POINTS = 61

#: What is written.
FILES = ("frontier.csv", "frontier.nc", "frontier.png")

#: More sizes than any picture or table can use.
MAX_POINTS = 10_000

#: What enters of the scores.
BY = {"rank": "by rank: those of Gaussian data, apart from ties", "value": "by value"}

_COLUMNS = (
    "alpha_prune",
    "f",
    "alpha_tot",
    "test_error",
    "test_error_random",
    "active",
    "status",
    "theta",
    "R",
    "rho",
    "kappa",
    "lam",
    "residual",
    "quadrature_error",
)


def run_frontier(
    *,
    scores: Path | None,
    by: str | None,
    theta_deg: float | None,
    alpha_tot_max: float | None,
    f_min: float | None,
    selection: str,
    student: str,
    lam: str | None,
    flip: float,
    alpha_min: float,
    alpha_max: float | None,
    points: int,
    out: Path,
    **reading: str | None,
) -> bool:
    """Validate everything, then compute, then write. False if a point failed its certificate."""
    chosen = rule(selection)
    who, labels = trained(student, lam, flip)
    measured = read_if_named(scores, reading) or digits_scores()
    by = by or ("value" if scores is None else "rank")
    margins = measured.margins(cast(Literal["rank", "value"], by))
    theta, origin = _theta(measured, by, theta_deg, embedded=scores is None)
    alpha = _sizes(alpha_min, alpha_max, alpha_tot_max, points)
    if alpha_tot_max is None and f_min is None:
        raise InvalidInputError(
            "--alpha-tot-max or --f-min is required: without a ceiling on the pool or a floor on f "
            "there is no frontier."
        )
    if f_min is not None and kept_fraction("--f-min", f_min) > chosen.largest_f():
        raise InvalidInputError(
            f"--f-min must be at most {chosen.largest_f():g} for this band, got {f_min:g}: lower one of them."
        )
    margins.check_theta(theta, labels is None or labels.link == "sign")
    check_writable(out, FILES)
    click.echo(f"scores     {measured.source}: {measured.ties}")
    click.echo(f"margins    {BY[by]}; second moment {margins.second_moment:.4g}")
    click.echo(f"theta      {np.rad2deg(theta):.4g} deg, {origin}")
    with compiling():
        result = pareto_frontier(
            alpha,
            theta,
            selection=chosen,
            alpha_tot_max=alpha_tot_max,
            f_min=f_min,
            student=who,
            margins=margins,
            labels=labels,
            progress=True,
        )
    curves = _curves(result, chosen, who, margins, labels)
    result = result.assign_attrs(
        scores=measured.source, higher_is=measured.higher_is, margins_by=by, ties=str(measured.ties)
    )
    _print_table(result)
    name = " ".join(Path(measured.source).name.split())
    figure = frontier_figure(result, curves, f"{name}, {measured.n:,} examples\nmargins {BY[by]}")
    table = result.reset_coords("theta").to_dataframe().reset_index()
    table = table[[name for name in _COLUMNS if name in table]]
    table["status"] = [Status(s).name.lower() for s in table["status"]]
    write_all(
        out,
        {
            "frontier.csv": lambda path: table.to_csv(path, index=False, float_format="%.12g"),
            "frontier.nc": lambda path: result.to_netcdf(path, engine="netcdf4"),
            "frontier.png": lambda path: figure.savefig(path, format="png"),
        },
    )
    click.echo(f"written    {out / 'frontier.csv'}, .nc, .png")
    return bool(result.status.isin([Status.CONVERGED, Status.INFEASIBLE]).all())


def _theta(scores: Scores, by: str, theta_deg: float | None, *, embedded: bool) -> tuple[float, str]:
    """Angle of the probe and where it comes from."""
    if theta_deg is not None:
        return angle(theta_deg), "given"
    if embedded:
        wrong = 100.0 * float(np.mean(scores.values < 0.0))
        return scores.theta_from_errors(), f"from the probe's error of {wrong:.1f} % on images it was not trained on"
    if by == "value":
        return scores.theta_from_errors(), (
            "from the fraction of negative margins (theta = pi P(m < 0)): too small if the probe was trained on them"
        )
    raise InvalidInputError(
        "--theta-deg is required with scores by rank: say how far the scoring probe is from the truth "
        "(0: perfect metric)."
    )


def _sizes(alpha_min: float, alpha_max: float | None, ceiling: float | None, points: int) -> np.ndarray:
    low = float(positive("--alpha-min", alpha_min, "it is the smallest number of examples kept per parameter"))
    if ceiling is not None:
        positive("--alpha-tot-max", ceiling, "it is the number of examples before pruning per parameter")
    high = alpha_max if alpha_max is not None else (ceiling if ceiling is not None else 100.0)
    high = float(positive("--alpha-max", high, "it is the largest number of examples kept per parameter"))
    if not 2 <= points <= MAX_POINTS or high <= low:
        raise InvalidInputError(
            f"sizes must run upwards over 2 to {MAX_POINTS} points, got {points} from {low:g} to {high:g}: "
            "set --alpha-min, --alpha-max and --points."
        )
    return np.geomspace(low, high, points)


def _curves(
    frontier: xr.Dataset, chosen: FractionRule, student: str | ConvexLoss, margins: MeasuredMargins, labels: Labels
) -> xr.Dataset:
    drawn = [f for f in DRAWN_FRACTIONS if f <= chosen.largest_f()]
    sizes = frontier.alpha_prune.values
    return learning_curve(
        np.geomspace(sizes[0], sizes[-1], DRAWN_POINTS),
        drawn,
        float(frontier.theta),
        selection=chosen,
        student=student,
        margins=margins,
        labels=labels,
        progress=True,
    )


def _print_table(result: xr.Dataset) -> None:
    click.echo(
        f"{'alpha_prune':>12}{'best f':>10}{'alpha_tot':>11}{'error':>12}{'random':>12}  {'f held by':<15}status"
    )
    for i in range(result.sizes["alpha_prune"]):
        row = result.isel(alpha_prune=i)
        click.echo(
            f"{float(row.alpha_prune):>12.4g}{float(row.f):>10.4f}{float(row.alpha_tot):>11.4g}"
            f"{float(row.test_error):>12.6f}{float(row.test_error_random):>12.6f}  {row.active.item():<15}"
            f"{Status(int(row.status)).name.lower()}"
        )
