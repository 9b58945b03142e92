"""Encoders of films. What is behind the last frame of a sample moves nothing (decision 0093).

Axis letters: B batch, T tokens, D width, F frames, H and W sides of a frame.
"""

from __future__ import annotations

import math

from torch import Tensor, nn

from fusearch.data.modality import Modality
from fusearch.evaluators.network.blocks import ConvBlock, Dropout, RecurrentBlock, group_norm, masked_layers, pool
from fusearch.evaluators.network.encoder_network import StageEncoder, encoder, from_grid, to_grid
from fusearch.evaluators.network.operator_layer import TokenShape

__all__ = ["FrameGRU", "R2Plus1D", "SplitConvBlock"]


class _OnFrames(nn.Module):
    """A block of images, on every frame by itself."""

    def __init__(self, shape: TokenShape, width: int, dropout: float) -> None:
        super().__init__()
        self.frames, *sides = shape.grid or (shape.tokens,)
        self.block = ConvBlock(TokenShape(math.prod(sides), shape.width, tuple(sides)), width, dropout, pooled=True)
        grid = (self.frames, *(self.block.out.grid or ()))
        self.out = TokenShape(math.prod(grid), width, grid)

    def forward(self, x_BTD: Tensor, mask_BT: Tensor | None = None) -> Tensor:  # noqa: ARG002  # no frame sees another one
        """Map (B, F * H * W, D) to (B, F * H' * W', width)."""
        frames = x_BTD.reshape(-1, x_BTD.shape[1] // self.frames, x_BTD.shape[2])
        x_BDs = to_grid(frames, self.block.shape)
        for layer in self.block.layers:
            # Of frames that are down to one position vmap would ask for a layout of images, which it cannot.
            x_BDs = layer(x_BDs.flatten(2)).reshape(x_BDs.shape) if isinstance(layer, nn.GroupNorm) else layer(x_BDs)
        return from_grid(x_BDs).reshape(x_BTD.shape[0], self.out.tokens, self.out.width)


class _OverFrames(nn.Module):
    """A GRU over the means of the frames."""

    def __init__(self, shape: TokenShape, width: int, dropout: float) -> None:
        super().__init__()
        self.frames = (shape.grid or (shape.tokens,))[0]
        self.block = RecurrentBlock(shape.width, width, dropout)

    def forward(self, x_BTD: Tensor, mask_BT: Tensor | None = None) -> Tensor:  # noqa: ARG002  # no state hangs on what follows it
        """Map (B, F * H * W, D) to (B, F, width)."""
        means_BFD = x_BTD.reshape(x_BTD.shape[0], self.frames, -1, x_BTD.shape[2]).mean(dim=2)
        result: Tensor = self.block(means_BFD)
        return result


@encoder("frame_gru")
class FrameGRU(StageEncoder):
    """Stages of the image encoder `cnn` on every frame, then a GRU over the frames."""

    masks = True

    def __init__(self, modality: Modality, width: int, dropout: float, stages: int = 3) -> None:
        super().__init__(modality, width, dropout)
        for _ in range(stages):
            block = _OnFrames(self.shapes[-1], width, dropout)
            self.add(block, block.out)
        frames = modality.positions[0]
        self.add(_OverFrames(self.shapes[-1], width, dropout), TokenShape(frames, width, (frames,)))


class SplitConvBlock(nn.Module):
    """A convolution of 1 x 3 x 3, one of 3 x 1 x 1, each with GroupNorm and ReLU; pooling and dropout (Tran et al. 2018, figure 1e).

    Between the two stand as many channels as give the parameters of one convolution of 3 x 3 x 3 (section 3.5).
    """

    def __init__(self, shape: TokenShape, width: int, dropout: float) -> None:
        super().__init__()
        grid = shape.grid or (shape.tokens, 1, 1)
        self.shape = shape
        inner = max(1, 27 * shape.width * width // (9 * shape.width + 3 * width))
        self.layers = nn.Sequential(
            nn.Conv3d(shape.width, inner, (1, 3, 3), padding=(0, 1, 1)),
            group_norm(inner),
            nn.ReLU(),
            nn.Conv3d(inner, width, (3, 1, 1), padding=(1, 0, 0)),
            group_norm(width),
            nn.ReLU(),
            pool(3),
            Dropout(dropout),
        )
        halved = tuple(math.ceil(size / 2) for size in grid)
        self.out = TokenShape(math.prod(halved), width, halved)

    def forward(self, x_BTD: Tensor, mask_BT: Tensor | None = None) -> Tensor:
        """Map (B, T, D) to (B, T', width)."""
        x_BDs = to_grid(x_BTD, self.shape)
        return from_grid(self.layers(x_BDs) if mask_BT is None else masked_layers(self.layers, x_BDs, mask_BT))


@encoder("r2plus1d")
class R2Plus1D(StageEncoder):
    """Stages of a convolution inside the frames and one along them."""

    masks = True

    def __init__(self, modality: Modality, width: int, dropout: float, stages: int = 3) -> None:
        super().__init__(modality, width, dropout)
        for _ in range(stages):
            block = SplitConvBlock(self.shapes[-1], width, dropout)
            self.add(block, block.out)
