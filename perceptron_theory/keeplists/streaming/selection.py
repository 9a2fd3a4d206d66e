"""From a table larger than memory to the files that say what is kept of it."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Executor
from pathlib import Path

import numpy as np
import pandas as pd

from perceptron_theory.errors import ScoreError
from perceptron_theory.keeplists import formats as fm
from perceptron_theory.keeplists.checking import check_no_other
from perceptron_theory.keeplists.manifest import plain, sealed
from perceptron_theory.keeplists.preference import Rule
from perceptron_theory.keeplists.quotas import class_floors, kept_count
from perceptron_theory.keeplists.streaming.gathering import Parts
from perceptron_theory.keeplists.streaming.passes import Piece
from perceptron_theory.keeplists.streaming.plans import Plan, by_label, planned
from perceptron_theory.keeplists.streaming.readings import Table
from perceptron_theory.keeplists.streaming.results import StreamSelection
from perceptron_theory.keeplists.streaming.settings import Settings, checked
from perceptron_theory.keeplists.streaming.surveys import Survey
from perceptron_theory.keeplists.streaming.tables import RawScores, Source, open_table
from perceptron_theory.keeplists.streaming.writing import IDS, INDICES, MASK, Writing, Written, write_part
from perceptron_theory.keeplists.thresholds import Threshold
from perceptron_theory.output import check_writable, held, replace_all, unfinished_prefix
from perceptron_theory.scores.scores import Direction, check_direction
from perceptron_theory.simulation.execution import check_place
from perceptron_theory.validation import whole_number


def select_stream(
    source: Source,
    f: float,
    *,
    higher_is: Direction,
    out: str | Path,
    mode: str | Rule = "hard",
    score: str = "score",
    ids: str | None = None,
    labels: str | None = None,
    random_share: float = 0.0,
    class_floor: float | None = None,
    seed: int = 0,
    theory: Mapping[str, object] | None = None,
    mask: bool = False,
    executor: Executor | None = None,
    batch_rows: int = 2**17,
    progress: bool = False,
) -> StreamSelection:
    """Choose the fraction `f` to keep of a table that need not fit into memory; the same examples as `select` chooses.

    The table is read four to eight times, a batch of rows at a time: it is counted; the last examples to keep are
    sought in samples that close in on them, exact in the end; and what is kept is written. Memory does not grow
    with the table (about 1 GB); the result depends neither on the executor nor on how rows lie in files.

    ====================  =======================================================================================
    file                  content
    ====================  =======================================================================================
    kept_indices.npy      row numbers of what is kept, int64, ascending; files in the order of their paths
    kept_ids.parquet      ids of what is kept, in the same order, if there are ids
    mask.npy              whether each row is kept, if `mask`
    selection.json        versions, files, settings, counts, ties, theory; fingerprints of the files written
    ====================  =======================================================================================

    Parameters
    ----------
    source : path, sequence of paths, or RawScores
        .parquet, .csv with a header row, or .npy; a folder, searched to its depths, or a glob stands for its files in
        the order of their paths. `RawScores` is for numbers without header.
    f : float
        Fraction to keep, in (0, 1]. The realised count is f n, rounded, at least 1.
    higher_is : {"harder", "easier", "keep"}
        What a high score means; never guessed.
    out : path
        Folder for the files; made if it does not exist. Files of the same names are replaced, all or none.
    mode : {"hard", "easy", "random"} or Band
        Which examples, see `select`.
    score, ids, labels : str
        Columns of the scores; of the names, integers or strings, that break ties (default: row numbers); of the
        classes. That no id occurs twice is not checked: rows that share one are told apart by their numbers.
    random_share : float
        Of the kept examples this share is random, see `select`; in [0, 1].
    class_floor : float, optional
        Share of k / (number of classes) that every class keeps at least; in [0, 1], with a rule other than a band and
        without random share. At most 65,536 classes.
    seed : int
        Of random choices, >= 0. Ties do not depend on it.
    theory : mapping, optional
        Parameters of the theory behind `f` and their intervals, for the manifest.
    mask : bool
        Whether to write `mask.npy`.
    executor : concurrent.futures.Executor, optional
        Where to read: processes, or a cluster by dask's ``client.get_executor()``, whose workers see `source` and
        `out` under the same names. Default: this process.
    batch_rows : int
        Rows read at a time, >= 1.
    progress : bool
        Show a bar on stderr for every reading that takes longer than two seconds.

    Returns
    -------
    StreamSelection
        Counts, thresholds, classes, and the files.

    Raises
    ------
    InvalidInputError
        If an argument lies outside its range, or rules are combined that need the whole table in memory.
    ScoreError
        If files or columns are missing, damaged, of a wrong type, or change while they are read; or scores are not
        finite, or all equal.
    OutputError
        If the files cannot be written, or another process writes a keep-list there; what was there before stays.

    Examples
    --------
    >>> import os, tempfile, numpy as np, perceptron_theory as pt
    >>> from perceptron_theory.keeplists.streaming.selection import select_stream
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(os.path.join(folder, "el2n.npy"), np.array([0.3, 0.9, 0.1, 0.7]))
    ...     keep = select_stream(os.path.join(folder, "el2n.npy"), 0.5, higher_is="harder", out=folder)
    ...     print(keep, np.load(keep.files[0]))
    StreamSelection(2 of 4 examples, f = 0.5, hard) [1 3]
    """
    settings = checked(f, mode, random_share, class_floor, labels, seed)
    direction, parameters = check_direction(higher_is), plain(theory or {})
    rows = whole_number("batch_rows", batch_rows, 1, "it is the number of rows read at a time")
    check_place(executor, None)
    folder, files = Path(out), _files(mask, ids)
    shards = open_table(source, score, ids, labels)
    check_writable(folder, files)
    called = str(source.path if isinstance(source, RawScores) else source)
    pieces = tuple(Piece(shard, rows, index) for index, shard in enumerate(shards))
    with (
        held(folder, fm.MANIFEST),
        tempfile.TemporaryDirectory(
            dir=folder.resolve(), prefix=unfinished_prefix(fm.MANIFEST), ignore_cleanup_errors=True
        ) as unfinished,
    ):
        check_no_other(folder, files)
        table, survey = Table(called, pieces, executor, progress).surveyed()
        count = kept_count(survey.rows, settings.f)
        classes = _classes(survey, count, settings.class_floor) if labels is not None else None
        plan = planned(table, settings, direction, survey.rows, count, classes)
        written = _write(table, plan, classes, Path(unfinished), count)
        selection = StreamSelection(
            source=called,
            higher_is=direction,
            mode=settings.rule,
            f_requested=settings.f,
            random_share=settings.random_share,
            class_floor=settings.class_floor,
            seed=settings.seed,
            n=survey.rows,
            count=count,
            classes=None if classes is None else classes.assign(kept=written.classes),
            reasons=_reasons(settings, survey.rows, written),
            thresholds=_thresholds(plan, written),
            theory=parameters,
            inputs=_inputs(table),
            files=tuple(folder / file for file in files),
        )
        parts = Parts(Path(unfinished), tuple(piece.index for piece in table.pieces), survey.rows, count)
        made = selection.manifest(parts.indices_sha256())
        replace_all(folder, sealed(parts.writers(mask, ids), made))
    return selection


def _files(mask: bool, ids: str | None) -> list[str]:
    """Names of the files to write."""
    return [INDICES, *([MASK] if mask else []), *([] if ids is None else [IDS]), fm.MANIFEST]


def _classes(survey: Survey, count: int, floor: float | None) -> pd.DataFrame:
    """Labels in ascending order, with the number of their examples and their floors."""
    labels = sorted(survey.classes)  # all integers or all strings
    n = np.array([survey.classes[label] for label in labels])
    floors = np.zeros_like(n) if floor is None else class_floors(n, count, floor)
    return pd.DataFrame({"label": np.asarray(labels, dtype=object).astype(type(labels[0])), "n": n, "floor": floors})


def _write(table: Table, plan: Plan, classes: pd.DataFrame | None, folder: Path, count: int) -> Written:
    """Parts of the files, one for each piece."""
    labels = None if classes is None else by_label(classes)
    jobs = [
        Writing(piece, plan.groups, plan.bracket, plan.rule, labels, plan.thresholds, folder) for piece in table.pieces
    ]
    written = Written.total(table.each(write_part, jobs, "writing"))
    if written.kept != count:
        raise ScoreError(
            f"{table.source} was changed while it was being read ({written.kept:,} rows to keep instead of {count:,}): "
            "select again when nothing writes to it."
        )
    return written


def _reasons(settings: Settings, n: int, written: Written) -> dict[str, int]:
    """How many examples are kept for which reason."""
    other = written.kept - written.by_rule
    return {
        "rule": written.by_rule,
        "class floor": 0 if settings.random_share else other,
        "random share": other if settings.random_share else 0,
        "not kept": n - written.kept,
    }


def _thresholds(plan: Plan, written: Written) -> tuple[Threshold, ...]:
    counted = zip(plan.thresholds, written.tied.tolist(), written.tied_kept.tolist(), strict=True)
    return tuple(Threshold(*one) for one in counted)


def _inputs(table: Table) -> tuple[tuple[str, int, int], ...]:
    """Name, bytes and rows of each file."""
    rows: Counter[tuple[str, int]] = Counter()
    for piece in table.pieces:
        rows[(str(piece.shard.path), piece.shard.stamp[0])] += piece.rows or 0
    return tuple((name, size, count) for (name, size), count in rows.items())
