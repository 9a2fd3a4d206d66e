"""How many scores are shared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class TieReport:
    """How many scores are shared.

    Attributes
    ----------
    n : int
        Number of examples.
    n_distinct : int
        Number of distinct scores.
    tied_fraction : float
        Fraction of examples whose score another example has too.
    largest : int
        Size of the largest group of equal scores.
    """

    n: int
    n_distinct: int
    tied_fraction: float
    largest: int

    def __str__(self) -> str:
        return (
            f"{self.n:,} scores, {self.n_distinct:,} distinct; {100 * self.tied_fraction:.1f} % of examples "
            f"share their score, the largest group has {self.largest:,}"
        )


def count_ties(values: npt.NDArray[np.float64]) -> TieReport:
    """Ties among scores, at least one of them.

    Examples
    --------
    >>> print(count_ties(np.array([0.1, 0.9, 0.4, 0.4])))
    4 scores, 3 distinct; 50.0 % of examples share their score, the largest group has 2
    """
    _, counts = np.unique(values, return_counts=True)
    tied = int(counts[counts > 1].sum())
    return TieReport(values.size, counts.size, tied / values.size, int(counts.max()))
