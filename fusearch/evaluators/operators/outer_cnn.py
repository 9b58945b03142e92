"""The outer product of two vectors, read by a convolutional network as if it were an image: outer_cnn, opcnn."""

# ruff: noqa: ARG002  # all layers share one signature

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fusearch.errors import DesignError
from fusearch.evaluators.network.operator_layer import Losses, OperatorLayer, TokenShape, mask_absent, operator_layer
from fusearch.evaluators.operators.alignment import Alignment, any_present, common_shape, mask_all

__all__ = ["OPCNN", "OuterCNN"]


@operator_layer("outer_cnn")
class OuterCNN(OperatorLayer):
    """y = W vec(maxpool(CNN(a b^T))), a = W_1 x_1, b = W_2 x_2.

    Works token by token on the tokens of the longest argument. The vector of an absent argument is ones, so that the map repeats the
    other one; zero where both are absent.

    Args:
        shapes: Shape of each argument.
        width: Width of the result where `out` is 0.
        dim: Features of a and b; W_m only where x_m has another width.
        filters: Channels of the convolutions.
        kernel: Size of the convolutions, odd.
        blocks: Number of blocks.
        convs: Convolutions, each with a ReLU, in a block.
        residual: Whether a block adds its input, by a 1 x 1 convolution where the channels differ.
        pool: Size of the maximum pooling, no larger than `dim`.
        dropout: Share of the pooled features that training drops.
        out: Width of the result; 0: the network's width.
    """

    def __init__(
        self,
        shapes: Sequence[TokenShape],
        width: int,
        *,
        dim: int,
        filters: int,
        kernel: int,
        blocks: int,
        convs: int,
        residual: bool,
        pool: int,
        dropout: float,
        out: int,
    ) -> None:
        super().__init__()
        _check_odd("outer_cnn", kernel)
        if pool > dim:
            raise DesignError(f"operator 'outer_cnn': parameter 'pool' is {pool}, expected at most dim = {dim}")
        target = common_shape(shapes, dim)
        self.align = Alignment(shapes, target)
        channels = [1] + [filters] * blocks
        self.blocks = nn.ModuleList(_block(source, filters, kernel, convs) for source in channels[:-1])
        self.skips = nn.ModuleList(
            nn.Identity() if source == filters else nn.Conv2d(source, filters, 1, bias=False) for source in channels[:-1] if residual
        )
        self.head = nn.Sequential(
            nn.MaxPool2d(pool), nn.Flatten(), nn.Dropout(dropout), nn.Linear(filters * (dim // pool) ** 2, out or width)
        )
        self.out: TokenShape = TokenShape(target.tokens, out or width, target.grid)

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        """Return (B, T, out)."""
        maps = _outer_maps(self.align(mask_all(xs, present)), present)
        for index, block in enumerate(self.blocks):
            result = block(maps)
            maps = result + self.skips[index](maps) if self.skips else result
        return mask_absent(torch.unflatten(self.head(maps), 0, (-1, self.out.tokens)), any_present(present))


@operator_layer("opcnn")
class OPCNN(OperatorLayer):
    """M_0 = a b^T, a = W_1 x_1 + b_1, b = W_2 x_2 + b_2; a block is c_1 = relu(conv M), ..., M <- c_1 + c_convs; y = vec(M).

    Works token by token on the tokens of the longest argument. The vector of an absent argument is ones, so that the map repeats the
    other one; zero where both are absent.

    Args:
        shapes: Shape of each argument.
        width: Not used; the result has `filters` maps of `dim` x `dim` features.
        dim: Features of a and b.
        filters: Channels of the convolutions.
        kernel: Size of the convolutions, odd.
        blocks: Number of blocks.
        convs: Convolutions, each with a ReLU, in a block; the first and the last are added.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int, *, dim: int, filters: int, kernel: int, blocks: int, convs: int) -> None:
        super().__init__()
        _check_odd("opcnn", kernel)
        target = common_shape(shapes, dim)
        self.align = Alignment(shapes, target, bias=True, always=True)
        self.first = nn.ModuleList(_block(source, filters, kernel, 1) for source in [1] + [filters] * (blocks - 1))
        self.rest = nn.ModuleList(_block(filters, filters, kernel, convs - 1) for _ in range(blocks))
        self.out: TokenShape = TokenShape(target.tokens, filters * dim**2, target.grid)

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        """Return (B, T, filters dim dim)."""
        maps = _outer_maps(self.align(mask_all(xs, present)), present)
        for first, rest in zip(self.first, self.rest, strict=True):
            begun = first(maps)
            maps = begun + rest(begun)
        return mask_absent(torch.unflatten(maps.flatten(1), 0, (-1, self.out.tokens)), any_present(present))


def _check_odd(operator: str, kernel: int) -> None:
    if kernel % 2 == 0:
        raise DesignError(f"operator {operator!r}: parameter 'kernel' is {kernel}, expected an odd number such as 3")


def _outer_maps(aligned: list[Tensor], present: list[Tensor]) -> Tensor:
    """Return the outer products of two vectors as images of one channel: (B T, 1, dim, dim)."""
    left, right = (torch.where(present_B[:, None, None], x, 1.0) for x, present_B in zip(aligned, present, strict=True))
    return (left[..., :, None] * right[..., None, :]).flatten(0, 1)[:, None]


def _block(source: int, filters: int, kernel: int, convs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for index in range(convs):
        layers += [nn.Conv2d(source if index == 0 else filters, filters, kernel, padding=kernel // 2), nn.ReLU()]
    return nn.Sequential(*layers)
