"""The student of the measured runs on CIFAR-10: one recipe for all sizes."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from perceptron_theory.errors import PerceptronTheoryError
from perceptron_theory.measured_runs.cifar_batches import DeviceImages, training_draws
from perceptron_theory.measured_runs.cifar_network import ResNet18
from perceptron_theory.measured_runs.one_torch_thread import one_torch_thread
from perceptron_theory.validation import whole_number

IntArray = npt.NDArray[np.int64]


class DivergedError(PerceptronTheoryError):
    """Training ended with numbers that are none."""


@dataclass(frozen=True)
class Recipe:
    """How a network is trained: by stochastic gradient descent with Nesterov's momentum on the cross-entropy.

    Attributes
    ----------
    width : int
        Channels of the first stage, >= 1; see `ResNet18`.
    steps : int
        Steps, >= 1, however many images there are.
    batch : int
        Images per step, >= 2. Each is cropped and mirrored at random.
    rate : float
        Largest learning rate; see `rate_at`.
    warm_up : float
        Fraction of the steps that the rate rises for, in (0, 1).
    momentum : float
        In (0, 1).
    decay : float
        Penalty decay / 2 |w|^2 beside the mean loss, >= 0.

    Raises
    ------
    InvalidInputError
        If a number of these is not whole, or too small.
    """

    width: int = 32
    steps: int = 1000
    batch: int = 512
    rate: float = 0.4
    warm_up: float = 0.2
    momentum: float = 0.9
    decay: float = 5e-4

    def __post_init__(self) -> None:
        whole_number("width", self.width, 1, "it is the number of channels of the first stage")
        whole_number("steps", self.steps, 1, "it is the number of steps of training")
        whole_number("batch", self.batch, 2, "it is the number of images per step, which are normalised together")

    def rate_at(self, step: int) -> float:
        """Learning rate at a step, from 0: up along a line, and down to 0 along half a cosine.

        Examples
        --------
        >>> recipe = Recipe(steps=10)
        >>> [round(recipe.rate_at(step), 3) for step in (0, 1, 2, 6, 9)]
        [0.2, 0.4, 0.4, 0.2, 0.015]
        """
        top = self.warm_up * self.steps
        if step < top:
            return self.rate * min(1.0, (step + 1) / top)
        return 0.5 * self.rate * (1.0 + math.cos(math.pi * (step - top) / (self.steps - top)))


class Outputs(NamedTuple):
    """Logits (n, 10) and what the last layer was given (n, 8 width), in float32."""

    logits: Tensor
    features: Tensor

    def error(self, label: Tensor) -> float:
        """Fraction of the images whose largest logit is not that of their class."""
        return float((self.logits.argmax(dim=1) != label).double().mean())


def train(images: DeviceImages, rows: IntArray, recipe: Recipe, seed: int) -> ResNet18:
    """A network trained on the images `rows`.

    `seed` draws weights, batches and crops; these are the same on all devices. In half precision (bfloat16) on a GPU.

    Examples
    --------
    >>> import numpy as np, torch
    >>> from perceptron_theory.measured_runs.cifar_images import Labelled
    >>> bytes = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), dtype=np.uint8)
    >>> images = DeviceImages(Labelled(bytes, np.arange(8)), torch.device("cpu"))
    >>> network = train(images, np.arange(8), Recipe(width=2, steps=2, batch=4), seed=0)
    >>> network_outputs(network, images).error(images.label) <= 1.0
    True
    """
    of_weights, of_draws = np.random.SeedSequence(seed).generate_state(2).tolist()
    network = ResNet18(recipe.width, of_weights).to(images.device)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    draws = training_draws(len(rows), recipe.steps, recipe.batch, of_draws)
    chosen, crops = torch.from_numpy(rows)[draws.rows].to(images.device), draws.crops.to(images.device)
    optimiser = torch.optim.SGD(
        network.parameters(), lr=recipe.rate, momentum=recipe.momentum, nesterov=True, weight_decay=recipe.decay
    )
    with _repeatable(images.device):
        for step in range(recipe.steps):
            optimiser.param_groups[0]["lr"] = recipe.rate_at(step)
            optimiser.zero_grad()
            with _half_precision(images.device):
                logits = network(images.cropped(chosen[step], crops[step]))
                loss = torch.nn.functional.cross_entropy(logits, images.label[chosen[step]])
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    return network.eval()


def network_outputs(network: ResNet18, images: DeviceImages) -> Outputs:
    """What a trained network says of all images, neither cropped nor mirrored.

    Raises
    ------
    DivergedError
        If it says something that is no number.
    """
    features = []
    with torch.no_grad(), _repeatable(images.device):
        for x in images.whole():
            with _half_precision(images.device):
                features.append(network.features(x))
        # In single precision: otherwise many logits would be tied.
        outputs = Outputs(network.last(torch.cat(features)), torch.cat(features))
    if not torch.isfinite(outputs.logits).all():
        raise DivergedError("logits must be finite, got others after training: lower the rate of the recipe.")
    return outputs


def _half_precision(device: torch.device) -> torch.autocast:
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=device.type == "cuda")


def _repeatable(device: torch.device) -> AbstractContextManager[None]:
    """The same algorithms every time: otherwise the fastest of the moment, and sums in the order of the moment."""
    if device.type == "cpu":
        return one_torch_thread()
    return torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True)
