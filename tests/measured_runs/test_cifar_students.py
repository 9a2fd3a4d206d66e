"""Batches of images, and networks trained on them."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import numpy.typing as npt
import pytest
import torch

from perceptron_theory import InvalidInputError
from perceptron_theory.measured_runs.cifar_batches import DeviceImages, training_draws, usable_device
from perceptron_theory.measured_runs.cifar_images import Labelled
from perceptron_theory.measured_runs.cifar_network import ResNet18
from perceptron_theory.measured_runs.cifar_students import DivergedError, Recipe, network_outputs, train

CPU = torch.device("cpu")
TINY = Recipe(width=4, steps=12, batch=16, rate=0.1)


def coloured(n: int) -> Labelled:
    """Noise that is the brighter the higher the class, of two."""
    label = np.arange(n) % 2
    noise = np.random.default_rng(0).integers(0, 100, (n, 32, 32, 3))
    return Labelled((noise + 150 * label[:, None, None, None]).astype(np.uint8), label)


@pytest.fixture(scope="module")
def images() -> DeviceImages:
    return DeviceImages(coloured(40), CPU)


def weights(network: ResNet18) -> npt.NDArray[np.float32]:
    return np.concatenate([part.detach().numpy().ravel() for part in network.parameters()])


def test_crops() -> None:
    images = DeviceImages(coloured(5), CPU)
    whole = torch.cat(list(images.whole()))
    # Once the middle, once mirrored, once two rows up and one column to the right.
    crops = torch.tensor([[4, 4, 0], [4, 4, 1], [2, 5, 0]])
    middle, mirrored, moved = images.cropped(torch.tensor([3, 1, 4]), crops)
    assert torch.equal(middle, whole[3])
    assert torch.equal(mirrored, whole[1].flip(2))
    assert torch.equal(moved[:, 2:, :-1], whole[4][:, :-2, 1:])
    assert torch.equal(moved[:, :2, :-1], whole[4][:, [2, 1], 1:])  # mirrored at the edge


def test_colours_stay_apart_and_are_normalised() -> None:
    pixels = np.zeros((1, 32, 32, 3), dtype=np.uint8)
    pixels[..., 1] = 123  # the mean of green
    (x,) = DeviceImages(Labelled(pixels, np.zeros(1, dtype=np.int64)), CPU).whole()
    assert x.is_contiguous(memory_format=torch.channels_last)
    # -mean / deviation of red and blue, in float32.
    torch.testing.assert_close(x[0, :, 0, 0], torch.tensor([-1.98889, 0.0, -1.70765]), rtol=0.0, atol=1e-5)


def test_draws() -> None:
    rows, crops = training_draws(n=7, steps=10, batch=21, seed=3)
    assert (rows.flatten().bincount() == 30).all()
    assert (rows[0].view(3, 7).sort(dim=1).values == torch.arange(7)).all()
    for column, largest in ((0, 8), (1, 8), (2, 1)):
        assert np.unique(crops[..., column]).tolist() == list(range(largest + 1))
    same, other = (training_draws(n=7, steps=10, batch=21, seed=seed) for seed in (3, 4))
    assert torch.equal(same.rows, rows)
    assert torch.equal(same.crops, crops)
    assert not torch.equal(other.rows, rows)


def test_rate_rises_once_and_falls_to_nothing() -> None:
    recipe = Recipe(steps=50, rate=0.3)
    rates = np.array([recipe.rate_at(step) for step in range(50)])
    peak = int(rates.argmax())
    assert rates.max() == 0.3
    assert peak == 9  # the last step of a fifth
    assert (np.diff(rates[: peak + 1]) > 0.0).all()
    assert (np.diff(rates[peak + 1 :]) < 0.0).all()
    assert 0.0 < rates[-1] < 0.001  # the last of 40 steps of half a cosine


def test_learns(images: DeviceImages) -> None:
    network = train(images, np.arange(30), Recipe(width=4, steps=60, batch=16, rate=0.1), seed=0)
    outputs = network_outputs(network, images)
    assert outputs.error(images.label) == 0.0  # by brightness; a network that learns nothing is wrong for a half
    assert outputs.features.shape == (40, 32)
    assert np.unique(outputs.logits.numpy()).size > 350  # of 400: no ties by rounding


#: Gradients of blocks that halve the picture, against those in double precision, for which torch has plain loops only.
GRADIENTS = """
import torch
from perceptron_theory.measured_runs.cifar_network import Block

torch.set_num_threads(1)
for width in (1, 2, 3, 4, 5, 12, 16):
    torch.manual_seed(0)
    block = Block(width, 2 * width, 2).to(memory_format=torch.channels_last).eval()
    convolution, normalised = block.short_cut
    torch.nn.init.constant_(normalised.bias, 100.0)  # no output is cut off at 0
    x = torch.randn(8, width, 32, 32).to(memory_format=torch.channels_last)
    along = torch.randn(8, 2 * width, 16, 16)
    (single,) = torch.autograd.grad(block(x), convolution.weight, along)
    (double,) = torch.autograd.grad(block.double()(x.double()), convolution.weight, along.double())
    # Sums of 2,048 terms of either sign, which are rounded to 6e-8 of a term each.
    torch.testing.assert_close(single.double(), double, rtol=0.0, atol=1e-4 * float(double.abs().max()))
    print(width)
"""


# A processor that has no AVX2 ignores the setting.
def test_gradients_of_narrow_networks_on_a_processor_with_avx2() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", GRADIENTS],
        env=os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX2"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr  # below 0: the number of the signal that killed it
    assert done.stdout.split() == ["1", "2", "3", "4", "5", "12", "16"]


def test_seed_decides(images: DeviceImages) -> None:
    rows = np.arange(20)
    once, again, other = (weights(train(images, rows, TINY, seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(once, again)
    assert not np.allclose(once, other)


def test_only_the_chosen_images_are_learned_from(images: DeviceImages) -> None:
    rows = np.array([3, 8, 20])
    changed = coloured(40)
    others = np.setdiff1d(np.arange(40), rows)
    changed.x[others], changed.label[others] = 0, 9
    np.testing.assert_array_equal(
        weights(train(images, rows, TINY, 0)), weights(train(DeviceImages(changed, CPU), rows, TINY, 0))
    )


def test_random_state_is_left_alone(images: DeviceImages) -> None:
    before = torch.random.get_rng_state()
    train(images, np.arange(4), Recipe(width=1, steps=1, batch=2), seed=0)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_divergence_is_an_error(images: DeviceImages) -> None:
    network = train(images, np.arange(4), Recipe(width=1, steps=3, batch=4, rate=1e30), seed=0)
    with pytest.raises(DivergedError, match=r"logits must be finite.*lower the rate"):
        network_outputs(network, images)


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [("width", 0, "width must be a whole number of at least 1, got 0"), ("steps", 0, "steps"), ("batch", 1, "batch")],
)
def test_recipes_that_are_none(name: str, value: int, part: str) -> None:
    with pytest.raises(InvalidInputError, match=part):
        Recipe(**{name: value})


def test_devices_that_are_not_there() -> None:
    with pytest.raises(InvalidInputError, match=r"use the device, got 'toaster' .*name another, such as 'cpu'"):
        usable_device("toaster")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_the_same_again_on_a_gpu() -> None:
    images = DeviceImages(coloured(40), torch.device("cuda"))
    once, again = (network_outputs(train(images, np.arange(30), TINY, 0), images) for _ in range(2))
    assert torch.equal(once.logits, again.logits)
    assert once.logits.dtype == torch.float32
