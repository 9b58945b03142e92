"""outer_cnn: the outer product of two vectors, read by a convolutional network as if it were an image."""

# ruff: noqa: ARG002  # all layers share one signature

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fusearch.errors import DesignError
from fusearch.evaluators.network.operator_layer import Losses, OperatorLayer, TokenShape, mask_absent, operator_layer
from fusearch.evaluators.operators.alignment import Alignment, any_present, common_shape, mask_all

__all__ = ["OuterCNN"]


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
        if kernel % 2 == 0:
            raise DesignError(f"operator 'outer_cnn': parameter 'kernel' is {kernel}, expected an odd number such as 3")
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
        aligned = self.align(mask_all(xs, present))
        vectors = [torch.where(present_B[:, None, None], x, 1.0) for x, present_B in zip(aligned, present, strict=True)]
        maps = (vectors[0][..., :, None] * vectors[1][..., None, :]).flatten(0, 1)[:, None]
        for index, block in enumerate(self.blocks):
            result = block(maps)
            maps = result + self.skips[index](maps) if self.skips else result
        return mask_absent(torch.unflatten(self.head(maps), 0, (-1, self.out.tokens)), any_present(present))


def _block(source: int, filters: int, kernel: int, convs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for index in range(convs):
        layers += [nn.Conv2d(source if index == 0 else filters, filters, kernel, padding=kernel // 2), nn.ReLU()]
    return nn.Sequential(*layers)
