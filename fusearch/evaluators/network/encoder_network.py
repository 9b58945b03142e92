"""The contract of every encoder network: a chain of stages that can be tapped at any depth.

Axis letters: B batch, T tokens, D width, C channels.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar, TypeVar

import torch
from torch import Tensor, nn

from fusearch.data.modality import Modality
from fusearch.errors import DesignError
from fusearch.evaluators.network.operator_layer import TokenShape
from fusearch.registry import Registry
from fusearch.search_space import Value
from fusearch.search_space.entries.encoder import ENCODERS, POOL, WIDTH

__all__ = [
    "NETWORKS",
    "AttentionPool",
    "MeanPool",
    "StageEncoder",
    "encoder",
    "from_grid",
    "make_encoder",
    "mask_tokens",
    "mean_tokens",
    "pooled",
    "raw_shape",
    "to_grid",
]


def raw_shape(modality: Modality) -> TokenShape:
    """Return what a tap at depth 0 carries: positions, steps or codes as tokens, a table as one token.

    Raises:
        DesignError: The modality has no shape, so no network can be built for it.
    """
    shape = modality.shape
    if not shape:
        raise DesignError(f"modality {modality.name!r} has no shape, expected one such as (30,), as a data set gives it")
    layout = modality.layout
    grid = modality.positions
    width = 1 if layout.channel_axis is None else shape[layout.channel_axis]
    return TokenShape(math.prod(grid), width, grid if modality.has_grid else None)


def to_grid(x_BTD: Tensor, shape: TokenShape) -> Tensor:
    """Lay tokens out on their grid: (B, T, D) -> (B, D, *grid), the layout of torch's convolutions."""
    return x_BTD.transpose(1, 2).reshape(x_BTD.shape[0], shape.width, *(shape.grid or (shape.tokens,)))


def from_grid(x_BDs: Tensor) -> Tensor:
    """Take a grid as tokens, row by row: (B, D, *grid) -> (B, T, D)."""
    return x_BDs.flatten(2).transpose(1, 2)


def pooled(shape: TokenShape) -> TokenShape:
    """Return the shape of one vector of many tokens."""
    return TokenShape(1, shape.width)


def mean_tokens(x_BTD: Tensor, mask_BT: Tensor | None = None) -> Tensor:
    """Return the mean over tokens, of those that `mask_BT` has where it is given: (B, T, D) -> (B, 1, D); of none, zeros."""
    if mask_BT is None:
        return x_BTD.mean(dim=1, keepdim=True) if x_BTD.shape[1] > 1 else x_BTD
    counts_B11 = mask_BT.sum(dim=1).clamp(min=1)[:, None, None]
    return torch.where(mask_BT[:, :, None], x_BTD, 0.0).sum(dim=1, keepdim=True) / counts_B11


def mask_tokens(x_BTD: Tensor, mask_BT: Tensor | None) -> Tensor:
    """Return tokens with zeros where a mask leaves them out."""
    return x_BTD if mask_BT is None else torch.where(mask_BT[:, :, None], x_BTD, 0.0)


class AttentionPool(nn.Module):
    """Weighs the tokens: y = sum_t a_t x_t, a = softmax over t of w . tanh(V x_t).

    Reference: Ilse et al., Attention-based deep multiple instance learning, ICML 2018, eq. 8.

    Args:
        shape: What it reads.
    """

    def __init__(self, shape: TokenShape) -> None:
        super().__init__()
        self.hidden = nn.Linear(shape.width, shape.width, bias=False)
        self.score = nn.Linear(shape.width, 1, bias=False)

    def forward(self, x_BTD: Tensor, mask_BT: Tensor | None = None) -> Tensor:
        """Map (B, T, D) to (B, 1, D), over the tokens of the mask where there is one."""
        scores_BT1 = self.score(torch.tanh(self.hidden(x_BTD)))
        if mask_BT is not None:
            scores_BT1 = torch.where(mask_BT[:, :, None], scores_BT1, torch.finfo(scores_BT1.dtype).min)
        weights_BT1 = torch.softmax(scores_BT1, dim=1)
        return (weights_BT1 * x_BTD).sum(dim=1, keepdim=True)


class MeanPool(nn.Module):
    """The mean over tokens: (B, T, D) -> (B, 1, D)."""

    def forward(self, x_BTD: Tensor, mask_BT: Tensor | None = None) -> Tensor:
        """Map (B, T, D) to (B, 1, D), over the tokens of the mask where there is one."""
        return mean_tokens(x_BTD, mask_BT)


class StageEncoder(nn.Module, ABC):
    """A chain of stages over one modality. It keeps no statistics over a batch (no BatchNorm).

    Args:
        modality: What it reads.
        width: Width of the embedding (and of the stages, where the encoder is free to choose).
        dropout: Probability, after each stage's non-linearity.

    Attributes:
        shapes: What a tap carries; index = depth, from `shapes[0]`, the raw input, to `shapes[L]`, the embedding.
        stages: The L stages; `stages[i - 1]` leads from depth i - 1 to depth i.
        pool: Makes one vector of the last stage's tokens: what `@L` and the stream's class scores read.
        masks: Whether each stage takes a second argument, which of the tokens that it reads a sample has. Without it what stands behind the
            end of a text or a film counts as a position like any other (decisions 0076, 0093).
        elsewhere: Names of its weights in the network that it is taken from: pairs of a pattern there and what it is replaced by here.
    """

    masks: ClassVar[bool] = False
    elsewhere: ClassVar[tuple[tuple[str, str], ...]] = ()
    shapes: tuple[TokenShape, ...]
    stages: nn.ModuleList

    @abstractmethod
    def __init__(self, modality: Modality, width: int, dropout: float) -> None:
        super().__init__()
        self.modality = modality
        self.shapes = (raw_shape(modality),)
        self.stages = nn.ModuleList()
        self.pool: nn.Module = MeanPool()

    def add(self, stage: nn.Module, shape: TokenShape) -> None:
        """Append a stage that maps (B, T, D) of the last shape to (B, T, D) of `shape`."""
        self.stages.append(stage)
        self.shapes = (*self.shapes, shape)

    def tokens(self, raw: Tensor) -> Tensor:
        """Return depth 0: (B, *modality.shape) -> (B, T, D)."""
        layout = self.modality.layout
        if layout.channel_axis is None:
            return raw.flatten(1).unsqueeze(2)
        if not layout.positions:
            return raw.unsqueeze(1)
        return from_grid(raw.movedim(1 + layout.channel_axis, 1) if layout.channel_axis else raw)

    def mask(self, raw: Tensor, depth: int = 0) -> Tensor | None:
        """Return which tokens of a depth a sample has, (B, T); None: all of them.

        Of codes, 0 stands behind the end; of numbers, a position of the ragged axis whose values are all exactly zero. Stages that
        make positions fewer halve them, from the first on.
        """
        layout = self.modality.layout
        if not self.masks:
            return None
        if layout.channel_axis is None:
            return raw > 0
        if layout.ragged_axis is None:
            return None
        there_BT = (raw != 0).movedim(1 + layout.ragged_axis, 1).flatten(2).any(dim=2)
        shape, step = self.shapes[depth], 1
        steps = shape.grid[0] if shape.grid else shape.tokens
        while math.ceil(there_BT.shape[1] / step) > steps:
            step *= 2
        there_BT = there_BT[:, ::step]
        return there_BT[:, :, None].expand(-1, -1, shape.tokens // steps).flatten(1)

    def stage(self, index: int, x_BTD: Tensor, raw: Tensor | None = None) -> Tensor:
        """Apply stage `index` (1 to L): depth index - 1 -> depth index.

        Where the raw values are given, what a sample does not have moves nothing, and is zero in the result.
        """
        mask_BT = None if raw is None else self.mask(raw, index - 1)
        if raw is None or mask_BT is None:
            return self.stages[index - 1](x_BTD)  # type: ignore[no-any-return]  # of a ModuleList
        return mask_tokens(self.stages[index - 1](x_BTD, mask_BT), self.mask(raw, index))

    def states(self, raw: Tensor, depth: int) -> list[Tensor]:
        """Return what taps at depth 0 to `depth` carry, (B, T, D) each."""
        found = [self.tokens(raw)]
        for index in range(1, depth + 1):
            found.append(self.stage(index, found[-1], raw))
        return found

    def truncate(self, depth: int) -> None:
        """Drop the stages beyond `depth`, which nothing needs. `shapes` stays whole."""
        del self.stages[depth:]


NETWORKS: Registry[type[StageEncoder]] = Registry("encoder network")


def make_encoder(name: str, modality: Modality, width: int, dropout: float, params: Mapping[str, Value]) -> StageEncoder:
    """Return the network of an encoder with its complete parameters: as wide as they say, else as `width`, and pooled as they say.

    Raises:
        DesignError: It needs a package that is not installed.
    """
    lacks = ENCODERS[name].lacks
    if lacks is not None:
        raise DesignError(lacks)
    own = {key: value for key, value in params.items() if key not in (POOL, WIDTH)}
    network = NETWORKS[name](modality, int(params.get(WIDTH) or width), dropout, **own)
    if params.get(POOL) == "attention":
        network.pool = AttentionPool(network.shapes[-1])
    return network


E = TypeVar("E", bound=type[StageEncoder])


def encoder(name: str) -> Callable[[E], E]:
    """Bind a network to the encoder of that name."""

    def register(network: E) -> E:
        NETWORKS.add(name, network)
        return network

    return register
