"""From a score file to a keep-list."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click

from perceptron_theory.analyses.policies.optimal import optimal_policy
from perceptron_theory.analyses.policies.policy import Policy
from perceptron_theory.cli.arguments import angle, rule
from perceptron_theory.cli.score_files import label_file, read
from perceptron_theory.errors import InvalidInputError
from perceptron_theory.keeplists.keep_list import KeepList
from perceptron_theory.keeplists.preference import Rule
from perceptron_theory.keeplists.selecting import select
from perceptron_theory.keeplists.streaming.results import StreamSelection
from perceptron_theory.keeplists.streaming.selection import select_stream
from perceptron_theory.progress import compiling
from perceptron_theory.scores.published import published_direction, published_metric
from perceptron_theory.scores.scores import Direction

POLICY = "policy"
#: Of the equal share, as Sorscher et al. 2022 keep at least.
CLASS_FLOOR = 0.5


def run_selection(
    path: Path,
    *,
    higher_is: str | None,
    column: str | None,
    key: str | None,
    ids: str | None,
    labels: str | None,
    dtype: str | None,
    f: float,
    mode: str,
    random_share: float,
    class_floor: float | None,
    alpha_tot: float | None,
    theta_deg: float | None,
    seed: int,
    stream: bool,
    out: Path,
) -> None:
    """Select, write, and say what was kept."""
    floor = CLASS_FLOOR if class_floor is None and labels is not None and random_share == 0.0 else class_floor
    theory = {} if mode != POLICY else {"alpha_tot": alpha_tot, "theta_deg": theta_deg}
    chosen = _mode(mode, f, alpha_tot, theta_deg)
    keep: KeepList | StreamSelection
    if stream:
        if isinstance(chosen, Policy):
            raise InvalidInputError("--mode policy needs all scores in memory: leave --stream out.")
        if key is not None or dtype is not None or label_file(labels) is not None:
            raise InvalidInputError(
                "--stream reads columns of .parquet and .csv files, and .npy: leave out --key, --dtype and label files."
            )
        published = published_metric(path)
        direction = higher_is if published is None else published_direction(path, cast("Direction | None", higher_is))
        keep = select_stream(
            path,
            f,
            higher_is=cast(Direction, direction),
            out=out,
            mode=chosen,
            score=column or "score",
            ids=ids,
            labels=labels,
            random_share=random_share,
            class_floor=floor,
            seed=seed,
            mask=True,
            progress=True,
        )
        files = keep.files
    else:
        reading = {"higher_is": higher_is, "column": column, "key": key, "ids": ids, "labels": labels, "dtype": dtype}
        scores = read(path, reading)
        keep = select(scores, f, mode=chosen, random_share=random_share, class_floor=floor, seed=seed, theory=theory)
        files = keep.write(out)
    _print(keep)
    click.echo(f"written    {', '.join(file.name for file in files)} in {out}")


def _mode(mode: str, f: float, alpha_tot: float | None, theta_deg: float | None) -> Rule:
    if mode != POLICY:
        if alpha_tot is not None or theta_deg is not None:
            raise InvalidInputError(f"--alpha-tot and --theta-deg are for --mode policy, got {mode!r}: leave them out.")
        return cast(Rule, rule(mode, "--mode"))
    if alpha_tot is None or theta_deg is None:
        raise InvalidInputError(
            "--mode policy needs --alpha-tot and --theta-deg: the best windows depend on the size of the pool per "
            "parameter and on the angle of the probe."
        )
    with compiling():
        return optimal_policy(alpha_tot, f, angle(theta_deg))


def _print(keep: KeepList | StreamSelection) -> None:
    """What was kept, and why."""
    click.echo(f"kept       {keep.count:,} of {keep.n:,} examples, f = {keep.f_realised:.6g}")
    for threshold in keep.thresholds:
        click.echo(f"threshold  {threshold.score:g}: {threshold.kept:,} of {threshold.tied:,} with this score kept")
    if keep.classes is not None:
        kept, floor = keep.classes["kept"], keep.classes["floor"]
        click.echo(
            f"classes    {len(kept):,}; kept per class {kept.min():,} to {kept.max():,}, "
            f"{int(((kept == floor) & (floor > 0)).sum()):,} held by their floor"
        )
