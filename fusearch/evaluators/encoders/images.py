"""Encoders of images, volumes and videos. Axis letters: B batch, T tokens, D width."""

from __future__ import annotations

import math

from torch import Tensor, nn

from fusearch.data.modality import Modality
from fusearch.evaluators.network.blocks import ConvBlock, Dropout, conv, group_norm, pool
from fusearch.evaluators.network.encoder_network import StageEncoder, encoder, from_grid, to_grid
from fusearch.evaluators.network.operator_layer import TokenShape

__all__ = ["CNN", "CNN3D", "ResNet"]


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
    """The same in three dimensions: 3 x 3 x 3 convolutions and 2 x 2 x 2 pooling."""


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

    It has as many dimensions as the modality has positions. Where a side is below 64, the stem keeps the size (a convolution of 3, no
    pooling), as is usual for small images.
    `monai.networks.nets.ResNet` itself hands its `norm` only to its stem (MONAI 1.6), hence the blocks.
    """

    def __init__(self, modality: Modality, width: int, dropout: float) -> None:
        from monai.networks.nets.resnet import ResNetBlock

        super().__init__(modality, width, dropout)
        channels, *grid = modality.shape
        small = min(grid) < 64
        dimensions = len(grid)
        stem: list[nn.Module] = [conv(dimensions, channels, width, 3 if small else 7, stride=1 if small else 2)]
        stem += [group_norm(width), nn.ReLU()] + ([] if small else [pool(dimensions, 3)])
        self._add_layers(nn.Sequential(*stem), width, 1 if small else 4)
        for level in range(4):
            source, target, stride = self.shapes[-1].width, width * 2**level, 1 if level == 0 else 2
            skip = None
            if source != target or stride > 1:
                skip = nn.Sequential(conv(dimensions, source, target, 1, stride=stride, bias=False), group_norm(target))
            norm = ("group", {"num_groups": group_norm(target).num_groups})
            first = ResNetBlock(source, target, spatial_dims=dimensions, stride=stride, downsample=skip, norm=norm)
            second = ResNetBlock(target, target, spatial_dims=dimensions, norm=norm)
            self._add_layers(nn.Sequential(first, second, Dropout(dropout)), target, stride)

    def _add_layers(self, layers: nn.Module, width: int, stride: int) -> None:
        source = self.shapes[-1]
        grid = tuple(math.ceil(size / stride) for size in source.grid or ())
        self.add(_OnGrid(source, layers), TokenShape(math.prod(grid), width, grid))
