"""ResNet-18 (He et al. 2016, arXiv:1512.03385) for images of 32 x 32 pixels."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from perceptron_theory.measured_runs.cifar_images import CLASSES


class Block(nn.Module):
    """Two convolutions beside a short cut, which is a convolution of single pixels where sizes change."""

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.path = nn.Sequential(
            *_convolution(channels_in, channels_out, 3, stride), nn.ReLU(), *_convolution(channels_out, channels_out, 3)
        )
        same = channels_in == channels_out
        self.short_cut = nn.Sequential(*(() if same else _convolution(channels_in, channels_out, 1)))
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """Channels (b, channels_out, h / stride, w / stride)."""
        # The stride of the short cut is a slice, not an argument of its convolution: for that oneDNN has a special way
        # that writes past its memory on processors with AVX2 (github.com/uxlfoundation/oneDNN/issues/6035).
        return torch.relu(self.path(x) + self.short_cut(x[:, :, :: self.stride, :: self.stride]))


class ResNet18(nn.Module):
    """The network for ImageNet with a first convolution of 3 x 3 pixels, and no pooling after it.

    Parameters
    ----------
    width : int
        Channels of the first of four stages, >= 1; each later one has twice as many. 64 is what is usual.
    seed : int
        Of the first weights.

    Examples
    --------
    >>> import torch
    >>> sum(weights.numel() for weights in ResNet18(64, seed=0).parameters())
    11173962
    >>> network = ResNet18(2, seed=0)
    >>> tuple(network.features(torch.zeros(5, 3, 32, 32)).shape), tuple(network(torch.zeros(5, 3, 32, 32)).shape)
    ((5, 16), (5, 10))
    """

    def __init__(self, width: int, seed: int) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            blocks: list[nn.Module] = [Block(width, width, 1), Block(width, width, 1)]
            for channels in (2 * width, 4 * width, 8 * width):
                blocks += [Block(channels // 2, channels, 2), Block(channels, channels, 1)]
            self.body = nn.Sequential(*_convolution(3, width, 3), nn.ReLU(), *blocks)
            self.last = nn.Linear(8 * width, len(CLASSES))

    def features(self, x: Tensor) -> Tensor:
        """What the last layer is given, (b, 8 width), of images (b, 3, 32, 32)."""
        channels: Tensor = self.body(x)
        # A mean in half precision would have three digits, and scores made of it ties.
        return channels.float().mean(dim=(2, 3))

    def forward(self, x: Tensor) -> Tensor:
        """Logits (b, 10) of images (b, 3, 32, 32)."""
        logits: Tensor = self.last(self.features(x))
        return logits


def _convolution(channels_in: int, channels_out: int, pixels: int, stride: int = 1) -> tuple[nn.Module, nn.Module]:
    convolution = nn.Conv2d(channels_in, channels_out, pixels, stride, padding=pixels // 2, bias=False)
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    return convolution, nn.BatchNorm2d(channels_out)
