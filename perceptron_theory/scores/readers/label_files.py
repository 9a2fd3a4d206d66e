"""Labels in a file of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy.typing as npt

from perceptron_theory.scores.readers.numpy_files import read_npy
from perceptron_theory.scores.readers.request import Request


def read_labels(path: Path) -> npt.NDArray[Any]:
    """Vector of a .npy file.

    Raises
    ------
    ScoreError
        If the file is damaged or pickled.
    """
    return read_npy(Request(path, None, None, None, None)).values
