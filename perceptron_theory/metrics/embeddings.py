"""Embeddings as unit vectors, a chunk at a time, from a tensor or from a file larger than memory."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.progress import track
from perceptron_theory.validation import check_plain

#: A tensor, or an array that may lie in a file (`numpy.load(path, mmap_mode="r")`, `numpy.memmap`).
Embeddings = Tensor | npt.NDArray[Any]

#: Numbers in a chunk: 64 MB in float32.
CHUNK = 2**24


class UnitRows:
    """Rows of an (n, d) table of embeddings, each divided by its norm, in float32 on a device.

    Parameters
    ----------
    embeddings : Tensor or ndarray, shape (n, d)
        Floating-point numbers; finite, no row all zero. An array that lies in a file is read a chunk at a time, and
        the pages read are given back at once.
    device : str or torch.device, optional
        Where to compute. Default: where a tensor is; the CPU for an array.

    Raises
    ------
    InvalidInputError
        If these are no embeddings; rows are checked when they are read.
    """

    def __init__(self, embeddings: Embeddings, device: str | torch.device | None = None) -> None:
        if not isinstance(embeddings, Tensor | np.ndarray):
            raise InvalidInputError(
                f"embeddings must be a torch tensor or a numpy array, got {type(embeddings).__name__}: convert them."
            )
        check_plain("embeddings", embeddings.detach() if isinstance(embeddings, Tensor) else embeddings)
        real = embeddings.is_floating_point() if isinstance(embeddings, Tensor) else embeddings.dtype.kind == "f"
        if embeddings.ndim != 2 or 0 in embeddings.shape or not real:
            raise InvalidInputError(
                f"embeddings must be floating-point numbers of shape (n, d), all at least 1, got {embeddings.dtype} "
                f"of shape {tuple(embeddings.shape)}: give one row per example."
            )
        self._rows = embeddings
        self.n, self.d = int(embeddings.shape[0]), int(embeddings.shape[1])
        own = embeddings.device if isinstance(embeddings, Tensor) else "cpu"
        self.device = torch.device(own if device is None else device)

    def chunks(self, width: int, description: str, progress: bool) -> Iterator[tuple[slice, Tensor]]:
        """All rows in order; a chunk with `width` numbers per row stays below 64 MB."""
        step = max(1, CHUNK // max(width, self.d))
        for start in track(range(0, self.n, step), description, progress):
            rows = slice(start, min(start + step, self.n))
            yield rows, self._unit(rows, np.arange(rows.start, rows.stop))

    def sample(self, size: int, generator: torch.Generator, progress: bool) -> Tensor:
        """Different rows at random, in the order they have in the table."""
        chosen = np.sort(torch.randperm(self.n, generator=generator)[:size].numpy())
        # Scattered rows of a file bring their neighbours into memory: fewer at a time.
        step = max(1, CHUNK // (8 * self.d))
        taken = torch.empty((len(chosen), self.d), device=self.device)
        for start in track(range(0, len(chosen), step), "sampling embeddings", progress):
            rows = chosen[start : start + step]
            taken[start : start + len(rows)] = self._unit(rows, rows)
        return taken

    def _unit(self, rows: slice | npt.NDArray[np.int64], numbers: npt.NDArray[np.int64]) -> Tensor:
        """The rows with these numbers, read, checked and normalised."""
        if isinstance(self._rows, Tensor):
            chosen = rows if isinstance(rows, slice) else torch.from_numpy(rows).to(self._rows.device)
            read = self._rows.detach()[chosen].to(self.device, torch.float32)
        else:
            read = torch.from_numpy(np.array(self._rows[rows], dtype=np.float32)).to(self.device)
            _release(self._rows)
        return unit_vectors(read, lambda at: f"the embedding of example {numbers[at]}")


def unit_vectors(rows: Tensor, name: Callable[[int], str]) -> Tensor:
    """Rows divided by their norms; `name` says which row it is that has no direction."""
    # Divided by the largest entry first: squares of large numbers overflow.
    largest: Tensor = torch.linalg.vector_norm(rows, torch.inf, dim=1, keepdim=True)
    wrong = ~(torch.isfinite(largest) & (largest > 0.0)).squeeze(1)
    if wrong.any():
        at = int(torch.nonzero(wrong)[0])
        raise InvalidInputError(
            f"{name(at)} must be finite and have a direction, got {float(largest[at])} as its largest entry "
            f"({int(wrong.sum())} of {len(rows)} rows beside it are like this): leave it out, or compute it again."
        )
    scaled = rows / largest
    scaled /= torch.linalg.vector_norm(scaled, dim=1, keepdim=True)
    return scaled


def _release(array: npt.NDArray[Any]) -> None:
    """Let go of the pages of a file that have been read, so that they do not pile up in this process's memory."""
    pages = getattr(array, "_mmap", None)
    # In mode "c" pages hold changes that are nowhere else.
    if pages is not None and getattr(array, "mode", "c") != "c" and hasattr(mmap, "MADV_DONTNEED"):
        pages.madvise(mmap.MADV_DONTNEED)
