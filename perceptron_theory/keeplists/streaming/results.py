"""The result of a selection from a table larger than memory."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from perceptron_theory.keeplists.thresholds import Threshold
from perceptron_theory.margins.selection import Band, FractionRule
from perceptron_theory.version import __version__


@dataclass(frozen=True, eq=False, repr=False)
class StreamSelection:
    """What was kept of a table, and why. Made by `select_stream`; the kept examples are in its files.

    Attributes
    ----------
    source : str
        The table.
    higher_is : {"harder", "easier", "keep"}
        What a high score means.
    mode : Hard, Easy, Random or Band
        The rule.
    f_requested : float
        Fraction asked for, in (0, 1].
    random_share : float
        Share of the kept examples that is random, in [0, 1].
    class_floor : float or None
        Share of k / (number of classes) that every class keeps at least; None: classes are not looked at.
    seed : int
        Of the random choices.
    n, count : int
        Examples in all, and kept.
    classes : DataFrame or None
        A row per class, columns `label`, `n` (examples), `floor` and `kept`; None without labels.
    reasons : mapping
        How many examples are kept by the "rule", for a "class floor", for a "random share"; how many "not kept".
    thresholds : tuple of Threshold
        The scores at which the rule stops keeping, with the number of examples tied there and kept. With floors: where
        what they leave is used up; none if they leave nothing.
    theory : mapping
        Parameters of the theory behind the choice, and their intervals, as given.
    inputs : tuple of (str, int, int)
        Files of the table: name, bytes, rows.
    files : tuple of Path
        What was written.
    """

    source: str
    higher_is: str
    mode: FractionRule
    f_requested: float
    random_share: float
    class_floor: float | None
    seed: int
    n: int
    count: int
    classes: pd.DataFrame | None
    reasons: Mapping[str, int]
    thresholds: tuple[Threshold, ...]
    theory: Mapping[str, Any]
    inputs: tuple[tuple[str, int, int], ...]
    files: tuple[Path, ...] = ()

    @property
    def f_realised(self) -> float:
        """Fraction kept, count / n."""
        return self.count / self.n

    def __repr__(self) -> str:
        return f"StreamSelection({self.count:,} of {self.n:,} examples, f = {self.f_realised:g}, {self.mode.name})"

    def manifest(self, indices_sha256: str) -> dict[str, Any]:
        """Content of `selection.json`, without the fingerprints of the files.

        It is what `KeepList.manifest` says, with the files of the table for its scores.

        Parameters
        ----------
        indices_sha256 : str
            Fingerprint of the row numbers that are kept.
        """
        settings: dict[str, Any] = {"name": self.mode.name}
        settings |= {"lower": float(self.mode.lower)} if isinstance(self.mode, Band) else {}
        settings |= {"random_share": self.random_share} if self.random_share else {}
        return {
            "versions": {
                "numpy": np.__version__,
                "pandas": pd.__version__,
                "perceptron_theory": __version__,
                "pyarrow": pa.__version__,
                "python": platform.python_version(),
            },
            "scores": {
                "source": self.source,
                "higher_is": self.higher_is,
                "files": [{"file": file, "bytes": size, "rows": rows} for file, size, rows in self.inputs],
            },
            "mode": settings,
            "seed": self.seed,
            "f_requested": self.f_requested,
            "f_realised": self.f_realised,
            "n": self.n,
            "count": self.count,
            "kept_indices_sha256": indices_sha256,
            "class_floor": self.class_floor,
            "classes": None if self.classes is None else self.classes.to_dict(orient="records"),
            "reasons": dict(self.reasons),
            "thresholds": [dict(sorted(threshold._asdict().items())) for threshold in self.thresholds],
            "theory": dict(self.theory),
        }
