"""One simulation: what finite students on pruned data do, printed with its certificate."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
import pandas as pd

from perceptron_theory.cli.arguments import angle, finite, process_count, rule, trial_count
from perceptron_theory.errors import OutputError
from perceptron_theory.output import check_writable, write_all
from perceptron_theory.progress import compiling
from perceptron_theory.simulation.simulation import MEASURED, Simulation
from perceptron_theory.simulation.trials import as_seed, simulate


def run_trials(
    *,
    n: int,
    alpha_prune: float,
    f: float,
    theta_deg: float,
    selection: str,
    trials: int,
    seed: int,
    workers: int | None,
    out: Path | None,
) -> bool:
    """Validate everything, then simulate, print and write. False if a trial has no certificate."""
    chosen = rule(selection)
    theta = angle(theta_deg)
    finite(n, alpha_prune, f, theta, chosen)
    trials = trial_count(trials, 1, "it is the number of independent repetitions")
    seed, workers = as_seed(seed), process_count(workers)
    if out is not None:
        # Written beside its place and moved there, which would replace a device such as /dev/stdout.
        if out.suffix != ".csv":
            raise OutputError(f"--out must name a .csv file, got {out}: it holds a row for each trial.")
        check_writable(out.parent, [out.name])
    with compiling():
        sim = simulate(
            n, alpha_prune, f, theta, selection=chosen, trials=trials, seed=seed, workers=workers, progress=True
        )
    _print(sim, theta_deg, selection)
    if out is not None:
        table = trial_table(sim)
        write_all(out.parent, {out.name: lambda path: table.to_csv(path, index=False)})
        click.echo(f"written           {out}")
    return sim.failed == 0


def trial_table(sim: Simulation) -> pd.DataFrame:
    """A row for each trial: the problem as realised, and all that was measured."""
    columns = {"N": sim.N, "alpha_prune": sim.alpha_prune, "f": sim.f, "theta": sim.theta}
    return pd.DataFrame({**columns, "trial": np.arange(sim.trials), **{name: getattr(sim, name) for name in MEASURED}})


def _print(sim: Simulation, theta_deg: float, selection: str) -> None:
    finite = sim.finite
    rows = [
        ("alpha_prune", f"{sim.alpha_prune:g}", "examples kept per parameter, as realised"),
        ("f", f"{sim.f:g}", "fraction kept, as realised"),
        ("alpha_tot", f"{finite.pool / finite.N:g}", "examples before pruning per parameter"),
        ("N", f"{finite.N}", "inputs, which is parameters"),
        ("P", f"{finite.P}", "examples kept"),
        ("pool", f"{finite.pool}", "examples before pruning"),
        ("theta", f"{theta_deg:g} deg", "angle between probe and teacher"),
        ("selection", selection, "which examples are kept"),
        ("trials", f"{sim.trials}", "independent repetitions"),
        ("seed", f"{sim.seed}", "of the random numbers"),
    ]
    meanings = {
        "test_error": "probability of a wrong label, mean +- standard error",
        "R": "cosine of student and teacher",
        "rho": "cosine of student and probe",
        "kappa": "margin",
    }
    for name, meaning in meanings.items():
        value = f"{getattr(sim.mean, name):.6g} +- {getattr(sim.standard_error, name):.2g}"
        rows.append((name, value, meaning))
    support = np.where(np.isnan(sim.R), np.nan, sim.n_support).mean()
    certificate = (
        f"{sim.failed} of {sim.trials} trials have no certificate; means without them would be biased"
        if sim.failed
        else "every student is optimal up to its gap"
    )
    rows += [
        ("gap", f"{sim.gap.max():.1e}", "worst relative duality gap"),
        ("n_support", f"{support:.6g}", "mean number of examples that the student leans on"),
        ("status", "failed" if sim.failed else "certified", certificate),
    ]
    for name, value, meaning in rows:
        click.echo(f"{name:<18}{value:<24} {meaning}")
