"""One row of a table of measured runs."""

from __future__ import annotations

from typing import NamedTuple


class Run(NamedTuple):
    """A row of the tables that `measure_mnist` and `measure_cifar` describe."""

    n_total: int
    n_kept: int
    f: float
    selection: str
    test_error: float
    seed: int
    task: str
    student: str
    probe: str
    metric: str
    n_test: int
