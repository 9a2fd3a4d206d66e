"""The metric every other has to beat."""

from __future__ import annotations

import torch
from torch import Tensor

from perceptron_theory.validation import whole_number


def random_scores(n: int, *, seed: int) -> Tensor:
    """Independent uniform numbers, one per example.

    High means keep (``HIGHER_IS["random_scores"] == "keep"``), which is the same as low. Costs nothing.

    Parameters
    ----------
    n : int
        Number of examples, >= 1.
    seed : int
        >= 0. The same seed gives the same numbers on every device.

    Returns
    -------
    Tensor of float64, shape (n,)
        In [0, 1).

    Raises
    ------
    InvalidInputError
        If n or seed is not a whole number, or too small.

    Notes
    -----
    Like the files random-100 ... random-104 of Sorscher et al. 2022, arXiv:2206.14486; not their numbers.

    Examples
    --------
    >>> bool((random_scores(5, seed=1) == random_scores(5, seed=1)).all())
    True
    """
    size = whole_number("n", n, 1, "n is the number of examples")
    start = whole_number("seed", seed, 0, "seed is the start of the random numbers")
    return torch.rand(size, generator=torch.Generator().manual_seed(start), dtype=torch.float64)
