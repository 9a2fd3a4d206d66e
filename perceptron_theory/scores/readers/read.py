"""One function for all score files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from perceptron_theory.errors import ScoreError
from perceptron_theory.scores.published import (
    published_direction,
    published_metric,
    published_remark,
    sniff_columns,
)
from perceptron_theory.scores.readers.csv_files import first_rows, read_csv
from perceptron_theory.scores.readers.folders import WILDCARDS
from perceptron_theory.scores.readers.json_files import read_json
from perceptron_theory.scores.readers.numpy_files import read_npy, read_npz
from perceptron_theory.scores.readers.parquet_files import read_parquet
from perceptron_theory.scores.readers.raw_files import read_raw
from perceptron_theory.scores.readers.request import Contents, Request, listed
from perceptron_theory.scores.readers.torch_files import read_torch
from perceptron_theory.scores.readers.translation import translated
from perceptron_theory.scores.scores import Direction, Scores, check_direction


@dataclass(frozen=True)
class _Format:
    """How a kind of file is read, and which options it takes."""

    read: Callable[[Request], Contents]
    takes: tuple[str, ...] = ()


_COLUMNS = ("column", "ids", "labels")
_KEYS = ("key", "ids", "labels")
_FORMATS = {
    ".npy": _Format(read_npy, ("dtype",)),
    ".npz": _Format(read_npz, _KEYS),
    ".csv": _Format(read_csv, _COLUMNS),
    ".parquet": _Format(read_parquet, _COLUMNS),
    ".json": _Format(read_json),
    ".pt": _Format(read_torch, _KEYS),
    ".pth": _Format(read_torch, _KEYS),
    **dict.fromkeys((".bin", ".dat", ".memmap", ".raw"), _Format(read_raw, ("dtype",))),
}
_SNIFFED_ROWS = 1000


def read_scores(
    path: str | Path,
    *,
    higher_is: Direction | None = None,
    column: str | None = None,
    key: str | None = None,
    ids: str | None = None,
    labels: str | None = None,
    dtype: str | None = None,
    metric: str | None = None,
) -> Scores:
    r"""Read one score per example, in the order of the file.

    ===================================  =========================================================
    file                                 holds
    ===================================  =========================================================
    .npy                                 a vector
    .npz                                 vectors by `key`
    .npy, .bin, .dat, .memmap, .raw      bare numbers of one `dtype`, without header (SemDeDup)
    .csv                                 a header row; columns by name
    .parquet, folder or glob of them     columns by name; files in the order of their paths
    .json                                one object {id: score}
    .pt, .pth                            a tensor, or a dict of tensors and lists by `key`
    ImageNet-1K_<metric>.csv             the published files of arXiv:2206.14486: nothing need be
                                         said, direction, names and metric are known
    ===================================  =========================================================

    Pickles are refused: loading them can run code.

    Parameters
    ----------
    path : str or Path
        File; for parquet also a folder, searched to its depths, or a glob. Below these, files and folders whose
        names start with a point or an underscore, such as `_temporary`, are no data and left out.
    higher_is : {"harder", "easier", "keep"}
        What a high score means; never guessed, and needed for all but the published files.
    column : str, optional
        Column of the scores in a .csv or .parquet file. Needed unless only one is left for them.
    key : str, optional
        Array of the scores in a .npz or .pt file. Needed unless only one is left for them.
    ids : str, optional
        Column or key that names the examples. Text of a .csv file that is whole numbers throughout
        becomes whole numbers. Beside a distance of NeMo Curator (cosine_dist_to_cent,
        l2_dist_to_cent) its column id is used.
    labels : str, optional
        Column or key of the classes.
    dtype : str, optional
        Type of the numbers of a file without header, such as "float32".
    metric : str, optional
        What was measured, such as "EL2N".

    Returns
    -------
    Scores
        Its source says so if a published file does not have 1,281,167 rows.

    Raises
    ------
    ScoreError
        If the file is missing, empty, damaged or pickled; a part is unknown, or an option is not one
        of this format; the direction is missing; scores are not finite, not real, or all equal; or
        ids or labels do not fit.

    Examples
    --------
    >>> import os, tempfile, perceptron_theory as pt
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "el2n.csv")
    ...     with open(path, "w") as file:
    ...         _ = file.write("image,class,el2n\na.png,0,0.7\nb.png,1,0.2\n")
    ...     scores = pt.read_scores(path, higher_is="harder", ids="image", labels="class")
    >>> scores.values.tolist(), scores.ids.tolist(), scores.labels.tolist()
    ([0.7, 0.2], ['a.png', 'b.png'], [0, 1])
    """
    published = published_metric(path)
    if published is not None:
        higher_is, metric = published_direction(path, higher_is), metric or published
    direction = check_direction(higher_is)
    path = _existing(path)
    form = _form(path, {"column": column, "key": key, "ids": ids, "labels": labels, "dtype": dtype})
    request = Request(path, column if key is None else key, ids, labels, dtype)
    contents = form.read(_sniffed(request) if published else request)
    values = contents.values
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]  # one column is one score per example
    source = f"{path}:{listed([contents.part])}" if contents.part else str(path)
    remark = published_remark(values.size) if published else ""
    return Scores(values, direction, source + remark, contents.ids, contents.labels, metric)


def _existing(given: str | Path) -> Path:
    """Path of a file that is not empty, of a folder, or of a glob."""
    try:
        path = Path(given)
        is_file = path.is_file()
        size = path.stat().st_size if is_file else 0
        many = path.is_dir() or (not path.exists() and not WILDCARDS.isdisjoint(str(path)))
    except (OSError, TypeError, ValueError) as error:
        raise ScoreError(f"cannot read {given} ({error}): check the path.") from None
    if not (is_file or many):
        raise ScoreError(f"no such file: {path}: check the path.")
    if is_file and size == 0:
        raise ScoreError(f"empty file: {path}: write the scores again.")
    return path


def _form(path: Path, options: dict[str, str | None]) -> _Format:
    """The format of a path; refuses options that it does not take."""
    suffix = ".parquet" if path.is_dir() else path.suffix.lower()
    if suffix not in _FORMATS:
        raise ScoreError(f"unknown score format {path.suffix!r} of {path}: use {', '.join(_FORMATS)}.")
    if suffix != ".parquet" and not path.is_file():
        raise ScoreError(f"no such file: {path}: check the path; only .parquet files can be many.")
    form = _FORMATS[suffix]
    for name, value in options.items():
        if value is not None and name not in form.takes:
            takers = ", ".join(ending for ending, other in _FORMATS.items() if name in other.takes)
            use = f"use {', '.join(form.takes)}" if form.takes else "leave it out"
            raise ScoreError(f"{name}={value!r} is for {takers} files, got {path}: {use}.")
    return form


def _sniffed(request: Request) -> Request:
    """The request for a published file, its columns found unless they were named."""
    if request.part is not None and request.ids is not None:
        return request
    with translated(request.path, "csv file", "it should be one of the published ImageNet-1K files"):
        scores, names = sniff_columns(request.path, *first_rows(request.path, _SNIFFED_ROWS))
    return replace(request, part=request.part or scores, ids=request.ids or names)
