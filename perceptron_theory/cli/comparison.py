"""Theory against simulation over a range of sizes: as table, netCDF and picture, from a sweep that can be continued."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
import pandas as pd
import xarray as xr

from perceptron_theory.analyses.learning_curves import learning_curve
from perceptron_theory.cli.arguments import angle, finite, process_count, rule, trial_count
from perceptron_theory.comparison import Comparison, compare
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.margins.selection import FractionRule, Random
from perceptron_theory.output import check_writable, write_all
from perceptron_theory.plotting import comparison_figure
from perceptron_theory.progress import compiling
from perceptron_theory.simulation.simulation import Simulation
from perceptron_theory.simulation.sweep import Sweep, simulate_sweep
from perceptron_theory.simulation.training.trained import UncertifiedError
from perceptron_theory.simulation.trials import as_seed
from perceptron_theory.solving.saddle_point import solve
from perceptron_theory.solving.solution import Status

#: What is written, beside the store.
FILES = ("compare.csv", "compare.nc", "compare.png")
STORE = "store"

#: Points of the drawn theory, and by what factor it reaches beyond the simulated sizes.
DRAWN_POINTS = 81
DRAWN_BEYOND = 1.3

#: Fewer trials make standard errors so uncertain that deviations above 4 are no longer rare.
FEW_TRIALS = 30

#: Status of a point whose trials and theory all carry their certificates.
CERTIFIED = "certified"

_COLUMNS = (
    "alpha_prune",
    "f",
    "theta",
    "selection",
    "observable",
    "N",
    "trials",
    "alpha_prune_realised",
    "f_realised",
    "theory",
    "mean",
    "standard_error",
    "difference",
    "difference_error",
    "deviation",
    "worst_gap",
    "status",
)


def run_comparison(
    *,
    n: Sequence[int],
    alpha_prune: Sequence[float],
    f: float,
    theta_deg: float,
    selection: str,
    trials: int,
    seed: int,
    workers: int | None,
    out: Path,
) -> bool:
    """Validate everything, then simulate and solve, then write. False if a point failed."""
    chosen = rule(selection)
    theta = angle(theta_deg)
    # In order, so that the order they were given in does not make another sweep.
    sizes, alphas = sorted(n), sorted(alpha_prune)
    realised = {finite(size, alpha, f, theta, chosen) for alpha in alphas for size in sizes}
    for name, values in (("--n", sizes), ("--alpha-prune", alphas)):
        if len(set(values)) != len(values):
            listed = ", ".join(f"{value:g}" for value in values)
            raise InvalidInputError(f"{name} must be given once for each value, got {listed}: leave out the repeated.")
    if len(realised) < len(sizes) * len(alphas):
        raise InvalidInputError(
            "two --alpha-prune keep the same whole number of examples at the same --n, and would be the same trials: "
            "take them further apart, or a larger --n."
        )
    trials = trial_count(trials, 2, "a standard error needs two independent repetitions")
    seed, workers = as_seed(seed), process_count(workers)
    check_writable(out, FILES)
    click.echo(f"theta      {theta_deg:g} deg")
    click.echo(f"keep       {selection}, f = {f:g}")
    click.echo(f"trials     {trials} at each of {len(alphas)} alpha_prune and N = {', '.join(map(str, sizes))}")
    click.echo(f"store      {out / STORE}: if interrupted, the same command continues from there")
    with compiling():
        sweep = simulate_sweep(
            out / STORE,
            sizes,
            alphas,
            f,
            theta,
            selection=chosen,
            trials=trials,
            seed=seed,
            workers=workers,
            progress=True,
        )
    result = _result(sweep, len(sizes), chosen, selection)
    comparison = Comparison(result.isel(cell=np.flatnonzero(result.status.values == CERTIFIED)))
    curves = _curves(alphas, f, theta, chosen)
    _print(result, comparison)
    figure = comparison_figure(comparison, curves, f"{trials} trials at each size, ± 2 standard errors")
    table = _table(result)

    def write_datasets(path: Path) -> None:
        result.to_netcdf(path, engine="netcdf4")
        curves.to_netcdf(path, engine="netcdf4", group="curves", mode="a")

    write_all(
        out,
        {
            "compare.csv": lambda path: table.to_csv(path, index=False, float_format="%.12g"),
            "compare.nc": write_datasets,
            "compare.png": lambda path: figure.savefig(path, format="png"),
        },
    )
    click.echo(f"written    {out / 'compare.csv'}, .nc, .png")
    return bool((result.status == CERTIFIED).all())


def _result(sweep: Sweep, n_sizes: int, chosen: FractionRule, selection: str) -> xr.Dataset:
    """Comparison of what has certificates; the rest is NaN with a status."""
    groups = [sweep.simulations[i : i + n_sizes] for i in range(0, len(sweep), n_sizes)]
    status = [_status(group, chosen) for group in groups]
    good = [i for i, s in enumerate(status) if s == CERTIFIED]
    if not good:
        raise UncertifiedError(
            f"no point can be compared, the first has a {status[0]}: change --alpha-prune or --f. Nothing was written "
            f"but {sweep.path}."
        )
    compared = compare(solve, [sim for i in good for sim in groups[i]])
    first = groups[0][0]

    def by_size(name: str, meaning: str) -> tuple[tuple[str, str], list[list[float]], dict[str, str]]:
        return ("cell", "size"), [[getattr(sim, name) for sim in group] for group in groups], {"long_name": meaning}

    data = compared.data.assign_coords(cell=good).reindex(cell=range(len(groups))).drop_vars("cell")
    data = data.assign(
        N=by_size("N", "number of inputs"),
        trials=by_size("trials", "number of trials"),
        alpha_prune_realised=by_size("alpha_prune", "examples kept per parameter, as realised"),
        f_realised=by_size("f", "fraction kept, as realised"),
        worst_gap=(
            "cell",
            [max(float(sim.gap.max()) for sim in group) for group in groups],
            {"long_name": "largest relative duality gap of a student"},
        ),
        status=("cell", status, {"long_name": "what became of the point"}),
        p_value=(
            "observable",
            list(compared.p_value.values()),
            {"long_name": "probability that the cells deviate more if the theory is right"},
        ),
    )
    data = data.assign_coords(
        {name: ("cell", [float(getattr(g[0].problem, name)) for g in groups]) for name in ("alpha_prune", "f", "theta")}
    )
    # With the quantile of a band, which the rule's own name leaves out.
    data = data.assign_coords(selection=("cell", [selection] * len(groups)))
    # A seed may have more digits than a number in netCDF.
    return data.assign_attrs(student=first.student, seed=str(first.seed))


def _status(group: Sequence[Simulation], chosen: FractionRule) -> str:
    for sim in group:
        if sim.failed:
            return f"trial without certificate at N = {sim.N}"
        theory = solve(sim.alpha_prune, sim.f, sim.theta, selection=chosen, throw=False)
        if not theory.converged:
            return f"theory that is {Status(int(theory.status)).name.lower()} at N = {sim.N}"
    return CERTIFIED


def _curves(alphas: Sequence[float], f: float, theta: float, chosen: FractionRule) -> xr.Dataset:
    sizes = np.geomspace(alphas[0] / DRAWN_BEYOND, alphas[-1] * DRAWN_BEYOND, DRAWN_POINTS)
    curves = learning_curve(sizes, f, theta, selection=chosen, progress=True)
    if not isinstance(chosen, Random) and f < 1.0:
        random = learning_curve(sizes, 1.0, theta, selection="random", progress=True)
        curves = curves.assign(test_error_random=random.test_error.drop_vars("f"))
    return curves


def _print(result: xr.Dataset, comparison: Comparison) -> None:
    click.echo(
        f"{'alpha_prune':>12}{'N':>8}  {'observable':<12}{'theory':>11}{'simulation':>13}    {'s.e.':<10}"
        f"{'extrapolated difference' if result.sizes['size'] > 1 else 'difference':>24}"
    )
    for i in range(result.sizes["cell"]):
        point = result.isel(cell=i, size=-1)
        head = f"{float(point.alpha_prune):>12.4g}{int(point.N):>8}"
        if point.status.item() != CERTIFIED:
            click.echo(f"{head}  failed: {point.status.item()}")
            continue
        for name in point.observable.values:
            row = point.sel(observable=name)
            click.echo(
                f"{head}  {name:<12}{float(row.theory):>11.6f}{float(row['mean']):>13.6f} +- "
                f"{float(row.standard_error):<10.2g}{float(row.deviation):>+19.2f} s.e."
            )
            head = " " * len(head)
    click.echo(f"p_value    {', '.join(f'{name} {p:.3g}' for name, p in comparison.p_value.items())}")
    deviation = abs(comparison.deviation)
    worst = deviation.isel(deviation.argmax(["cell", "observable"]))
    where = f"{worst.observable.item()} at alpha_prune = {float(worst.alpha_prune):g}"
    click.echo(f"worst      {comparison.worst:.2f} s.e.: {where}")
    click.echo(f"gap        {float(result.worst_gap.max()):.1e}, worst relative duality gap of a student")
    if result.sizes["size"] == 1:
        click.echo("note       one N only: differences are not extrapolated and hold finite-size effects of order 1/N")
    if int(result.trials.min()) < FEW_TRIALS:
        click.echo(f"note       fewer than {FEW_TRIALS} trials: standard errors are uncertain, deviations often large")


def _table(result: xr.Dataset) -> pd.DataFrame:
    """A row for each point, observable and size; differences are those extrapolated from all sizes."""
    frame = result.drop_vars("p_value").to_dataframe(dim_order=["cell", "observable", "size"]).reset_index()
    return pd.DataFrame(frame[list(_COLUMNS)])
