"""The head of a task with a class at each position of a grid: the way up of a U-Net (decision 0099).

Axis letters: B batch, T tokens, D width, K outputs, s positions of a grid.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from fusearch.errors import DesignError
from fusearch.evaluators.network.blocks import conv, group_norm, pool
from fusearch.evaluators.network.encoder_network import to_grid
from fusearch.evaluators.network.operator_layer import TokenShape
from fusearch.search_space import FusionGraph

__all__ = ["DenseHead", "refuse_dense", "skip_depths"]

#: The coarsest level of a head: the grid halved so often, while each side keeps so many positions.
_HALVINGS, _LEAST_SIDE = 3, 4

_MODES = {1: "linear", 2: "bilinear", 3: "trilinear"}


def refuse_dense(graph: FusionGraph) -> None:
    """Refuse what joins class scores of a grid by anything but their mean: weights, products or a head would have a number a position.

    Raises:
        DesignError: A design does so.
    """
    for fusion in graph.fusions:
        if fusion.operator != "vote_mean" and any(tap.depth == "score" for tap in fusion.args):
            raise DesignError(f"{fusion.name}: {fusion.operator} joins class scores of each position of a grid, expected vote_mean")


def skip_depths(shapes: Sequence[TokenShape], grid: tuple[int, ...], most: int | None = None) -> tuple[int, ...]:
    """Return the depths of an encoder whose stages a head reads: the deepest of each grid; none of a modality that lies on another grid.

    Args:
        shapes: Shape at each depth.
        grid: Grid of the head.
        most: Deepest depth that is computed; None: all.
    """
    deepest = {shape.grid: depth for depth, shape in enumerate(shapes[: None if most is None else most + 1])}
    return (
        tuple(sorted(depth for at, depth in deepest.items() if at is not None and len(at) == len(grid))) if shapes[0].grid == grid else ()
    )


class DenseHead(nn.Module):
    """A U-Net from a fused feature to the grid: (B, T, D) -> (B, K), K = classes x positions.

    It has levels, each half as fine as the next one, up to the grid. A feature on a grid enters at the level of its size and, where that is
    not the coarsest one, goes down first; one without a grid is spread over the coarsest level by a linear map. On the way up each level
    reads the level below, its own way down and, beside them, the stages of that size of all streams that the feature is made of. A level
    is two convolutions of 3 with GroupNorm (MONAI's `TwoConv`), as in the encoder `unet`.

    Reference: Ronneberger et al., U-Net: convolutional networks for biomedical image segmentation, MICCAI 2015.

    Args:
        shape: What it reads.
        skips: Shape of each stage that it reads beside.
        num_outputs: K.
        grid: The grid.
        width: Width of every level.
    """

    def __init__(self, shape: TokenShape, skips: Sequence[TokenShape], num_outputs: int, grid: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.shape, self.skips, self.grid, self.sizes = shape, tuple(skips), grid, _levels(grid)
        self.on_grid = shape.grid is not None and len(shape.grid) == len(grid)
        self.start = _level_of(shape.grid, self.sizes) if self.on_grid and shape.grid is not None else 0
        self.read: dict[int, list[int]] = {level: [] for level in range(len(self.sizes))}  # which skips each level reads
        for index, skip in enumerate(self.skips):
            level = _level_of(skip.grid or (), self.sizes)
            if level > self.start or not self.on_grid:
                self.read[level].append(index)
        dimensions, source = len(grid), shape.width
        if not self.on_grid:
            self.spread = nn.Linear(shape.width, width * math.prod(self.sizes[0]))
            source = width
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for level in range(self.start, -1, -1):  # the last one is the turning point
            beside = sum(self.skips[index].width for index in self.read[level]) if level == 0 and not self.on_grid else 0
            self.down.append(_two_convs(dimensions, source + beside, width))
            source = width
        self.pool = pool(dimensions)
        for level in range(1, len(self.sizes)):
            own = width if level <= self.start else 0
            self.up.append(_two_convs(dimensions, width + own + sum(self.skips[index].width for index in self.read[level]), width))
        self.out = conv(dimensions, width, num_outputs // math.prod(grid), 1)

    def forward(self, x_BTD: Tensor, skips: Sequence[Tensor]) -> Tensor:
        """Return logits, class by class.

        Args:
            x_BTD: The feature.
            skips: The stages, (B, T, D) each.
        """
        if self.on_grid:
            x = _resized(to_grid(x_BTD, self.shape), self.sizes[self.start])
        else:
            x = self.spread(x_BTD.mean(dim=1)).unflatten(1, (-1, *self.sizes[0]))
            x = torch.cat([x, *self._beside(0, skips)], dim=1)
        kept: dict[int, Tensor] = {}
        for block, level in zip(self.down, range(self.start, -1, -1), strict=True):
            x = block(x)
            if level:
                kept[level], x = x, _resized(self.pool(x), self.sizes[level - 1])
        for level, block in enumerate(self.up, start=1):
            own = [kept[level]] if level in kept else []
            x = block(torch.cat([_resized(x, self.sizes[level]), *own, *self._beside(level, skips)], dim=1))
        logits: Tensor = self.out(x).flatten(1)
        return logits

    def _beside(self, level: int, skips: Sequence[Tensor]) -> list[Tensor]:
        return [_resized(to_grid(skips[index], self.skips[index]), self.sizes[level]) for index in self.read[level]]


def _levels(grid: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Return the grids of the levels, from the coarsest to the whole one."""
    sizes = [grid]
    while len(sizes) <= _HALVINGS and min(sizes[0]) >= 2 * _LEAST_SIDE:
        sizes.insert(0, tuple(math.ceil(size / 2) for size in sizes[0]))
    return tuple(sizes)


def _level_of(size: tuple[int, ...], sizes: Sequence[tuple[int, ...]]) -> int:
    """Return the coarsest level that is no coarser than a grid; the finest where none is."""
    fine = (level for level, at in enumerate(sizes) if all(ours >= theirs for ours, theirs in zip(at, size, strict=True)))
    return next(fine, len(sizes) - 1)


def _resized(x_BDs: Tensor, size: tuple[int, ...]) -> Tensor:
    """Bring a grid to a size, linearly."""
    if tuple(x_BDs.shape[2:]) == size:
        return x_BDs
    return nn.functional.interpolate(x_BDs, size=size, mode=_MODES[len(size)], align_corners=False)


def _two_convs(dimensions: int, source: int, target: int) -> nn.Module:
    from monai.networks.nets.basic_unet import TwoConv

    norm: Any = ("group", {"num_groups": group_norm(target).num_groups})
    block: nn.Module = TwoConv(dimensions, source, target, ("LeakyReLU", {"negative_slope": 0.1}), norm, bias=True)
    return block
