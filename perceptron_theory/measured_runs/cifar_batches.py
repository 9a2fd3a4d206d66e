"""Images on a device as bytes; cropped, mirrored and normalised there, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import torch
from torch import Tensor

from perceptron_theory.errors import InvalidInputError
from perceptron_theory.measured_runs.cifar_images import SIDE, Labelled

#: Of the pixels of the training images, by colour, on the scale of bytes.
MEAN: Final = (125.3, 123.0, 113.9)
DEVIATION: Final = (63.0, 62.1, 66.7)
#: Pixels that are mirrored at each edge before an image is cropped to its size again.
PAD: Final = 4
#: Images that are looked at together where nothing is learned.
CHUNK: Final = 2000


class Draws(NamedTuple):
    """What training draws, on the CPU so that it is the same for every device.

    Attributes
    ----------
    rows : Tensor of int64, shape (steps, batch)
        Which of n images.
    crops : Tensor of int64, shape (steps, batch, 3)
        First row and first column of the crop, and whether it is mirrored.
    """

    rows: Tensor
    crops: Tensor


def training_draws(n: int, steps: int, batch: int, seed: int) -> Draws:
    """Batches cut from random orders of n images, one order after the other, so that all are as large.

    Examples
    --------
    >>> draws = training_draws(n=4, steps=2, batch=6, seed=0)
    >>> draws.rows.flatten().bincount().tolist(), tuple(draws.crops.shape)
    ([3, 3, 3, 3], (2, 6, 3))
    """
    generator = torch.Generator().manual_seed(seed)
    orders = [torch.randperm(n, generator=generator) for _ in range(-(-steps * batch // n))]
    corners = torch.randint(2 * PAD + 1, (steps, batch, 2), generator=generator)
    mirrored = torch.randint(2, (steps, batch, 1), generator=generator)
    return Draws(torch.cat(orders)[: steps * batch].view(steps, batch), torch.cat([corners, mirrored], dim=2))


def usable_device(name: str) -> torch.device:
    """A device by its name, tried.

    Raises
    ------
    InvalidInputError
        If torch cannot use it.

    Examples
    --------
    >>> usable_device("cpu")
    device(type='cpu')
    """
    try:
        return torch.zeros(1, device=name).device
    except (RuntimeError, AssertionError) as error:  # the latter from a torch without CUDA
        reason = str(error).splitlines()[0]
        raise InvalidInputError(
            f"torch must be able to use the device, got {name!r} ({reason}): name another, such as 'cpu'."
        ) from None


class DeviceImages:
    """Images and labels on a device.

    Parameters
    ----------
    images : Labelled
        Bytes (n, 32, 32, 3) and classes (n,).
    device : torch.device
        Holds them: 4.8 kB per image.

    Attributes
    ----------
    label : Tensor of int64, shape (n,)
        Classes.
    """

    def __init__(self, images: Labelled, device: torch.device) -> None:
        edges = ((0, 0), (PAD, PAD), (PAD, PAD), (0, 0))
        self._padded = torch.from_numpy(np.pad(images.x, edges, mode="reflect")).to(device)
        self.label = torch.from_numpy(images.label).to(device)
        self._mean, self._deviation = (torch.tensor(values, device=device) for values in (MEAN, DEVIATION))
        self._along = torch.arange(SIDE, device=device)

    def __len__(self) -> int:
        return len(self.label)

    @property
    def device(self) -> torch.device:
        """Where they are."""
        return self.label.device

    def cropped(self, rows: Tensor, crops: Tensor) -> Tensor:
        """Images `rows` (b,), cropped as `crops` (b, 3) says, as network inputs (b, 3, 32, 32)."""
        top, left, mirrored = crops[:, :, None].unbind(dim=1)
        columns = left + torch.where(mirrored > 0, SIDE - 1 - self._along, self._along)
        return self._inputs(self._padded[rows[:, None, None], (top + self._along)[:, :, None], columns[:, None, :]])

    def whole(self) -> Iterator[Tensor]:
        """All images as they are, in order, a chunk at a time, as network inputs (b, 3, 32, 32)."""
        inner = slice(PAD, PAD + SIDE)
        for start in range(0, len(self), CHUNK):
            yield self._inputs(self._padded[start : start + CHUNK, inner, inner])

    def _inputs(self, pixels: Tensor) -> Tensor:
        # Colours stay last in memory, which is the order that convolutions in half precision are fast in.
        return ((pixels.float() - self._mean) / self._deviation).permute(0, 3, 1, 2)
