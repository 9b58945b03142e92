"""Encoders of images, volumes and videos. Axis letters: B batch, T tokens, D width."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from fusearch.data.modality import Modality
from fusearch.evaluators.network.blocks import ConvBlock, Dropout, conv, group_norm, pool
from fusearch.evaluators.network.encoder_network import StageEncoder, encoder, from_grid, to_grid
from fusearch.evaluators.network.operator_layer import TokenShape

__all__ = ["CNN", "CNN3D", "DenseNet", "ResNet"]


@encoder("cnn")
class CNN(StageEncoder):
    """Stages of 3 x 3 convolution, GroupNorm, ReLU, 2 x 2 max pooling and dropout, all of the recipe's width."""

    def __init__(self, modality: Modality, width: int, dropout: float, stages: int = 3) -> None:
        super().__init__(modality, width, dropout)
        for _ in range(stages):
            block = ConvBlock(self.shapes[-1], width, dropout, pooled=True)
            self.add(block, block.out)


@encoder("cnn3d")
class CNN3D(CNN):
    """The same in three dimensions: 3 x 3 x 3 convolutions and 2 x 2 x 2 pooling. What is behind the end of a film moves nothing."""

    masks = True


class _OnGrid(nn.Module):
    """Applies a network of torch's image layout to tokens."""

    def __init__(self, shape: TokenShape, layers: nn.Module) -> None:
        super().__init__()
        self.shape, self.layers = shape, layers

    def forward(self, x_BTD: Tensor) -> Tensor:
        return from_grid(self.layers(to_grid(x_BTD, self.shape)))


@encoder("resnet")
class ResNet(StageEncoder):
    """ResNet-18 of MONAI's residual blocks, with GroupNorm in place of BatchNorm; a recipe's width of 64 gives the published widths.

    It has as many dimensions as the modality has positions.
    `monai.networks.nets.ResNet` itself hands its `norm` only to its stem (MONAI 1.6), hence the blocks.
    """

    def __init__(self, modality: Modality, width: int, dropout: float) -> None:
        from monai.networks.nets.resnet import ResNetBlock

        super().__init__(modality, width, dropout)
        dimensions = len(modality.positions)
        _add_layers(self, *_stem(modality, width))
        for level in range(4):
            source, target, stride = self.shapes[-1].width, width * 2**level, 1 if level == 0 else 2
            skip = None
            if source != target or stride > 1:
                skip = nn.Sequential(conv(dimensions, source, target, 1, stride=stride, bias=False), group_norm(target))
            norm = ("group", {"num_groups": group_norm(target).num_groups})
            first = ResNetBlock(source, target, spatial_dims=dimensions, stride=stride, downsample=skip, norm=norm)
            second = ResNetBlock(target, target, spatial_dims=dimensions, norm=norm)
            _add_layers(self, nn.Sequential(first, second, Dropout(dropout)), target, stride)


class _DenseLayer(nn.Module):
    """Adds `growth` channels to those it reads (DenseNet-BC, Huang et al. 2017, section 3)."""

    def __init__(self, dimensions: int, width: int, growth: int) -> None:
        super().__init__()
        narrow = [group_norm(width), nn.ReLU(), conv(dimensions, width, 4 * growth, 1, bias=False)]
        wide = [group_norm(4 * growth), nn.ReLU(), conv(dimensions, 4 * growth, growth, 3, bias=False)]
        self.layers = nn.Sequential(*narrow, *wide)

    def forward(self, x_BDs: Tensor) -> Tensor:
        return torch.cat([x_BDs, self.layers(x_BDs)], dim=1)


@encoder("densenet")
class DenseNet(StageEncoder):
    """DenseNet-BC with GroupNorm in place of BatchNorm; `layers` of 6 and a recipe's width of 64 are DenseNet-121 (Huang et al. 2017).

    It has as many dimensions as the modality has positions. A transition, which halves channels and sides, belongs to the block before it;
    it takes the largest of neighbours, not their mean, so that odd sides are treated alike in every format of a model file.
    `monai.networks.nets.DenseNet` has BatchNorm, or one number of groups for all widths, and cannot read sides below 32 (MONAI 1.6).
    """

    def __init__(self, modality: Modality, width: int, dropout: float, layers: int = 2) -> None:
        super().__init__(modality, width, dropout)
        dimensions, growth = len(modality.positions), max(1, width // 2)
        _add_layers(self, *_stem(modality, width))
        for block, count in enumerate((layers, 2 * layers, 4 * layers, round(8 * layers / 3))):
            channels = self.shapes[-1].width
            parts: list[nn.Module] = [_DenseLayer(dimensions, channels + number * growth, growth) for number in range(count)]
            channels += count * growth
            parts += [group_norm(channels), nn.ReLU()]
            if block < 3:
                parts += [conv(dimensions, channels, channels // 2, 1, bias=False), pool(dimensions)]
                channels //= 2
            _add_layers(self, nn.Sequential(*parts, Dropout(dropout)), channels, 2 if block < 3 else 1)


def _stem(modality: Modality, width: int) -> tuple[nn.Module, int, int]:
    """Return the first stage of a residual or dense network, its width and its stride.

    Where a side is below 64, it keeps the size (a convolution of 3, no pooling), as is usual for small images.
    """
    channels, *grid = modality.shape
    small, dimensions = min(grid) < 64, len(grid)
    layers = [conv(dimensions, channels, width, 3 if small else 7, stride=1 if small else 2), group_norm(width), nn.ReLU()]
    return nn.Sequential(*layers, *([] if small else [pool(dimensions, 3)])), width, 1 if small else 4


def _add_layers(network: StageEncoder, layers: nn.Module, width: int, stride: int) -> None:
    source = network.shapes[-1]
    grid = tuple(math.ceil(size / stride) for size in source.grid or ())
    network.add(_OnGrid(source, layers), TokenShape(math.prod(grid), width, grid))
