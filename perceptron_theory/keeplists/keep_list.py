"""The result of a selection: what is kept and why, and the files that say so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from perceptron_theory.analyses.policies.policy import Policy
from perceptron_theory.keeplists import formats as fm
from perceptron_theory.keeplists.checking import check_no_other
from perceptron_theory.keeplists.manifest import manifest, sealed
from perceptron_theory.keeplists.preference import Rule, names_of
from perceptron_theory.keeplists.thresholds import Threshold
from perceptron_theory.output import check_writable, held, replace_all
from perceptron_theory.scores.scores import Scores

if TYPE_CHECKING:
    from torch.utils.data import Dataset, Subset

    from perceptron_theory.keeplists.loader import KeptSampler

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, repr=False)
class KeepList:
    """Which examples of a data set are kept, and why. Made by `select`.

    Attributes
    ----------
    scores : Scores
        What examples were ranked by; with their ids and labels, if they have them.
    mode : Hard, Easy, Random, Band or Policy
        The rule.
    f_requested : float
        Fraction asked for, in (0, 1].
    random_share : float
        Share of the kept examples that is random, in [0, 1].
    class_floor : float or None
        Share of k / (number of classes) that every class keeps at least; None: classes are not looked at.
    seed : int
        Of the random choices.
    indices : ndarray of int64, shape (count,)
        Positions of the kept examples, ascending.
    rank : ndarray of int64, shape (n,)
        Place of each example in the order of preference, 0 for the first to be kept.
    reason : Categorical, length n
        Why each example is kept, or "not kept": "rule": it is one of the first k of the rule; "random share": it
        replaces one of these at random; "class floor": its class would have fallen short without it.
    classes : DataFrame or None
        A row per class, columns `label`, `n` (examples), `floor` and `kept`; None without labels.
    thresholds : tuple of Threshold
        The scores at which the rule stops keeping, with the number of examples tied there and kept.
    theory : mapping
        Parameters of the theory behind the choice, and their intervals, as given.

    Examples
    --------
    >>> import perceptron_theory as pt
    >>> from perceptron_theory.keeplists.selecting import select
    >>> keep = select(pt.digits_scores(), 0.3)
    >>> keep
    KeepList(479 of 1,597 examples, f = 0.299937, hard)
    >>> keep.indices[:4].tolist(), str(keep.reason[0])
    ([9, 10, 15, 17], 'not kept')
    """

    scores: Scores
    mode: Rule
    f_requested: float
    random_share: float
    class_floor: float | None
    seed: int
    indices: IntArray
    rank: IntArray
    reason: pd.Categorical[str]
    classes: pd.DataFrame | None
    thresholds: tuple[Threshold, ...]
    theory: Mapping[str, Any]

    @property
    def n(self) -> int:
        """Examples in all."""
        return self.scores.n

    @property
    def count(self) -> int:
        """Examples kept."""
        return int(self.indices.size)

    @property
    def f_realised(self) -> float:
        """Fraction kept, count / n."""
        return self.count / self.n

    @property
    def mask(self) -> BoolArray:
        """Whether each example is kept, shape (n,)."""
        mask = np.zeros(self.n, dtype=bool)
        mask[self.indices] = True
        return mask

    @property
    def ids(self) -> npt.NDArray[np.generic]:
        """Ids of the kept examples in the order of the data set; positions where there are none. Shape (count,)."""
        return np.asarray(names_of(self.scores)[self.indices])

    def write(self, folder: str | Path, formats: Sequence[str] | None = None) -> tuple[Path, ...]:
        """Write the keep-list for the tools that train: all files or none, the same bytes for the same keep-list.

        =========  =======================  ==========================================================================
        format     file                     content
        =========  =======================  ==========================================================================
        indices    `kept_indices.npy`       `indices`: for ``datasets.Dataset.select`` and ``torch.utils.data.Subset``
        mask       `mask.npy`               `mask`
        ids        `ids.txt`                `ids`, one per line, UTF-8
        table      `selection.parquet`      all examples: id, index, label (if known), score, rank, kept, reason
        curator    `ids_to_remove.parquet`  column `id` of what is not kept, sorted: for NeMo Curator
        datacomp   `datacomp_subset.npy`    uids of what is kept, pairs of 64-bit numbers, sorted
        (always)   `selection.json`         versions, fingerprints of scores and ids, settings, counts, ties, theory;
                                            the SHA-256 of each file and of its own content, for `check_keep_list`
        =========  =======================  ==========================================================================

        Parameters
        ----------
        folder : path
            Made if it does not exist. Files of the same names are replaced.
        formats : sequence of str, optional
            Default: all; "datacomp" only if every id is a uid of 32 lower-case hexadecimal digits.

        Returns
        -------
        tuple of Path
            The files.

        Raises
        ------
        InvalidInputError
            If a format is unknown or not possible with these ids, or an id holds a line break.
        OutputError
            If a file cannot be written, another process writes a keep-list there, or the folder holds a file of
            another keep-list that would be left beside this one. What was there before stays.

        Examples
        --------
        >>> import tempfile, numpy as np, perceptron_theory as pt
        >>> from perceptron_theory.keeplists.selecting import select
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     files = select(pt.digits_scores(), 0.3).write(folder, formats=["indices", "ids"])
        ...     print([file.name for file in files], np.load(files[0]).size)
        ['kept_indices.npy', 'ids.txt', 'selection.json'] 479
        """
        folder = Path(folder)
        writers = self._writers(fm.chosen_formats(formats, names_of(self.scores)))
        check_writable(folder, writers)
        with held(folder, fm.MANIFEST):
            check_no_other(folder, writers)
            replace_all(folder, writers)
        return tuple(folder / name for name in writers)

    def manifest(self) -> dict[str, Any]:
        """Content of `selection.json`, without the fingerprints of the files."""
        return manifest(self)

    def subset(self, dataset: Dataset[Any]) -> Subset[Any]:
        """The kept examples of a torch data set, in its order.

        Parameters
        ----------
        dataset : torch.utils.data.Dataset
            Map-style, in the order of the scores.

        Raises
        ------
        InvalidInputError
            If the data set has another length.
        MissingExtraError
            If torch is not installed.
        """
        from perceptron_theory.keeplists.loader import subset

        return subset(dataset, self.indices, self.n)

    def sampler(self, *, shuffle: bool = True) -> KeptSampler:
        """Sampler of the kept examples, for a DataLoader on the *whole* data set.

        Parameters
        ----------
        shuffle : bool
            Whether to draw a new order every epoch (see `KeptSampler.set_epoch`), from the seed of the keep-list.

        Raises
        ------
        MissingExtraError
            If torch is not installed.
        """
        from perceptron_theory.keeplists.loader import KeptSampler

        return KeptSampler(self.indices, self.seed, shuffle)

    def __repr__(self) -> str:
        name = "policy" if isinstance(self.mode, Policy) else self.mode.name
        return f"KeepList({self.count:,} of {self.n:,} examples, f = {self.f_realised:g}, {name})"

    def _writers(self, formats: Sequence[str]) -> dict[str, Callable[[Path], object]]:
        """What writes each file, by its name."""
        made = manifest(self)  # refuses ids with line breaks, before anything is written
        names, kept = names_of(self.scores), self.mask
        columns: dict[str, fm.Column] = {"id": names, "index": np.arange(self.n)}
        if self.scores.labels is not None:
            columns["label"] = self.scores.labels
        columns |= {"score": self.scores.values, "rank": self.rank, "kept": kept, "reason": self.reason}
        writers: dict[str, Callable[[Path], object]] = {
            "indices": lambda path: np.save(path, self.indices),
            "mask": lambda path: np.save(path, kept),
            "ids": lambda path: fm.write_ids(path, names[kept]),
            "table": lambda path: fm.write_table(path, columns),
            "curator": lambda path: fm.write_removed_ids(path, names[~kept]),
            "datacomp": lambda path: fm.write_uids(path, names[kept]),
        }
        return sealed({fm.FILES[name]: writers[name] for name in formats}, made)
