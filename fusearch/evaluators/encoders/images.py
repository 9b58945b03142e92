"""Encoders of images, volumes and videos. Axis letters: B batch, T tokens, D width."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from fusearch.data.modality import Modality
from fusearch.evaluators.network.blocks import ConvBlock, Dropout, TransformerBlock, conv, group_norm, pool
from fusearch.evaluators.network.encoder_network import StageEncoder, encoder, from_grid, to_grid
from fusearch.evaluators.network.operator_layer import TokenShape
from fusearch.search_space.encoders.images import EFFICIENTNET_STRIDES, patch_sizes

__all__ = ["CNN", "CNN3D", "DenseNet", "EfficientNet", "ResNet", "UNet", "ViT"]


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
    """ResNet of MONAI's residual blocks, with GroupNorm in place of BatchNorm; two `blocks` a layer and a width of 64 are ResNet-18.

    It has as many dimensions as the modality has positions.
    `monai.networks.nets.ResNet` itself hands its `norm` only to its stem (MONAI 1.6), hence the blocks.
    """

    def __init__(self, modality: Modality, width: int, dropout: float, blocks: int = 2) -> None:
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
            others = [ResNetBlock(target, target, spatial_dims=dimensions, norm=norm) for _ in range(blocks - 1)]
            _add_layers(self, nn.Sequential(first, *others, Dropout(dropout)), target, stride)


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


@encoder("efficientnet")
class EfficientNet(StageEncoder):
    """EfficientNet-B0 of MONAI's inverted bottlenecks, with GroupNorm in place of BatchNorm; a recipe's width of 64 gives its widths.

    It has as many dimensions as the modality has positions. The stem keeps the size where a side is below 64, as that of `ResNet`.
    `monai.networks.nets.EfficientNet` itself has one number of groups for all widths, and square images alone (MONAI 1.6).
    """

    #: Of each of its seven stages: expansion, width, blocks, side of the depthwise convolution.
    STAGES = ((1, 16, 1, 3), (6, 24, 2, 3), (6, 40, 2, 5), (6, 80, 3, 3), (6, 112, 3, 5), (6, 192, 4, 5), (6, 320, 1, 3))

    def __init__(self, modality: Modality, width: int, dropout: float, depth: float = 1.0) -> None:
        super().__init__(modality, width, dropout)
        channels, *grid = modality.shape
        dimensions, first = len(grid), 1 if min(grid) < 64 else EFFICIENTNET_STRIDES[0]

        def wide(published: int) -> int:
            return max(2, round(published * width / 64))

        stem = nn.Sequential(conv(dimensions, channels, wide(32), 3, stride=first, bias=False), group_norm(wide(32)), nn.SiLU())
        _add_layers(self, stem, wide(32), first)
        for (ratio, published, count, kernel), stride in zip(self.STAGES, EFFICIENTNET_STRIDES[1:], strict=False):
            source, target = self.shapes[-1], wide(published)
            blocks = [_bottleneck(source.grid or (), source.width, target, kernel, stride, ratio)]
            ended = [math.ceil(size / stride) for size in source.grid or ()]
            blocks += [_bottleneck(ended, target, target, kernel, 1, ratio) for _ in range(math.ceil(count * depth) - 1)]
            _add_layers(self, nn.Sequential(*blocks, Dropout(dropout)), target, stride)
        head = [conv(dimensions, self.shapes[-1].width, wide(1280), 1, bias=False), group_norm(wide(1280)), nn.SiLU()]
        _add_layers(self, nn.Sequential(*head, Dropout(dropout)), wide(1280), EFFICIENTNET_STRIDES[-1])


def _bottleneck(grid: Sequence[int], source: int, target: int, kernel: int, stride: int, ratio: int) -> nn.Module:
    """Return MONAI's MBConvBlock without noise of its own; its norms share a number of groups that divides all of its widths."""
    from monai.networks.nets.efficientnet import MBConvBlock

    groups = math.gcd(group_norm(source * ratio).num_groups, group_norm(target).num_groups)
    block = MBConvBlock(
        len(grid),
        source,
        target,
        kernel,
        stride,
        list(grid),
        ratio,
        se_ratio=0.25,
        norm=("group", {"num_groups": groups}),
        drop_connect_rate=0.0,
    )
    block.set_swish(memory_efficient=False)  # the other one cannot be batched over members
    bottleneck: nn.Module = block
    return bottleneck


class _Patches(nn.Module):
    """A linear map of each patch, and its learned place; the image is filled up with zeros to whole patches."""

    def __init__(self, shape: TokenShape, patch: Sequence[int], width: int, patches: int, dropout: float) -> None:
        super().__init__()
        self.shape = shape
        missing = [-size % side for size, side in zip(shape.grid or (), patch, strict=True)]
        self.ends = [end for number in reversed(missing) for end in (0, number)]
        several: Any = nn.Conv2d if len(patch) == 2 else nn.Conv3d
        self.linear = several(shape.width, width, tuple(patch), stride=tuple(patch))
        self.places = nn.Parameter(torch.empty(1, patches, width).normal_(std=0.02))
        self.dropout = Dropout(dropout)

    def forward(self, x_BTD: Tensor) -> Tensor:
        filled = functional.pad(to_grid(x_BTD, self.shape), self.ends)
        result: Tensor = self.dropout(from_grid(self.linear(filled)) + self.places)
        return result


@encoder("vit")
class ViT(StageEncoder):
    """The vision transformer without a class token: a design reads the mean over patches. A LayerNorm ends the last block.

    It has as many dimensions as the modality has positions; a width of 768, 12 blocks, 12 heads and patches of 16 are ViT-B/16.
    The blocks are our own: those of `monai.networks.nets.ViT` hold a norm that nothing reads, and need `einops` (MONAI 1.6).
    """

    def __init__(self, modality: Modality, width: int, dropout: float, patch: int = 0, blocks: int = 4, heads: int = 4) -> None:
        super().__init__(modality, width, dropout)
        sides = patch_sizes(modality.positions, patch)
        grid = tuple(math.ceil(size / side) for size, side in zip(modality.positions, sides, strict=True))
        shape = TokenShape(math.prod(grid), width, grid)
        self.add(_Patches(self.shapes[0], sides, width, shape.tokens, dropout), shape)
        for index in range(blocks):
            block: nn.Module = TransformerBlock(width, dropout, heads=heads, expansion=4)
            self.add(nn.Sequential(block, nn.LayerNorm(width)) if index == blocks - 1 else block, shape)


@encoder("unet")
class UNet(StageEncoder):
    """The way down of a U-Net, of the convolutions of MONAI's `BasicUNet`; a recipe's width of 64 gives the published widths.

    It has as many dimensions as the modality has positions. Every stage is a grid, half as large as the one before, that a way up can join.
    """

    elsewhere = ((r"conv_0\.", "stages.0.layers.0."), (r"down_(\d+)\.convs\.", r"stages.\1.layers.1."))  # of BasicUNet

    def __init__(self, modality: Modality, width: int, dropout: float, levels: int = 3) -> None:
        from monai.networks.nets.basic_unet import TwoConv

        super().__init__(modality, width, dropout)
        dimensions = len(modality.positions)
        for level in range(levels + 1):
            target = width * 2**level
            norm: Any = ("group", {"num_groups": group_norm(target).num_groups})
            convs = TwoConv(dimensions, self.shapes[-1].width, target, ("LeakyReLU", {"negative_slope": 0.1}), norm, bias=True)
            down = [pool(dimensions)] if level else []
            _add_layers(self, nn.Sequential(*down, convs, Dropout(dropout)), target, 2 if level else 1)


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
