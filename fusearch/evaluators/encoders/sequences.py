"""Encoders of series, audio, text and sequences. Axis letters: B batch, T tokens (steps), D width."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from fusearch.data.modality import Modality
from fusearch.evaluators.network.blocks import ConvBlock, Dropout, RecurrentBlock, TransformerBlock, conv, group_norm, masked_layers
from fusearch.evaluators.network.encoder_network import StageEncoder, encoder
from fusearch.evaluators.network.operator_layer import TokenShape

__all__ = ["GRU", "TCN", "CodeEmbedding", "SequenceEncoder", "SequenceTransformer", "TemporalBlock", "TextCNN", "sinusoids"]


class CodeEmbedding(nn.Module):
    """Looks integer codes up: 1, unknown, to `codes` - 1, which larger ones share. Code 0, behind the end of a sample, gives zeros."""

    def __init__(self, codes: int, width: int) -> None:
        super().__init__()
        self.codes = codes
        self.table = nn.Embedding(codes - 1, width)

    def forward(self, x_BT1: Tensor) -> Tensor:
        """Map codes, (B, T, 1), to (B, T, width)."""
        vectors_BTD: Tensor = self.table(x_BT1[..., 0].long().clamp(1, self.codes - 1) - 1)
        return torch.where(x_BT1 > 0, vectors_BTD, 0.0)


class _Embedded(nn.Module):
    """A first stage: codes are looked up, then comes its block."""

    def __init__(self, embedding: nn.Module, block: nn.Module) -> None:
        super().__init__()
        self.embedding, self.block = embedding, block

    def forward(self, x_BT1: Tensor, mask_BT: Tensor | None = None) -> Tensor:
        result: Tensor = self.block(self.embedding(x_BT1), mask_BT)
        return result


class SequenceEncoder(StageEncoder):
    """Stages over steps that keep their number, and masks where the values are codes: what is behind the end of a sample moves nothing.

    Codes are looked up in the first stage, in a table as wide as the recipe says.
    """

    masks = True

    def add_block(self, index: int, block: nn.Module, width: int) -> None:
        """Append stage `index`, counted from 0."""
        steps = self.shapes[0].tokens
        if index == 0 and self.reads_codes:
            block = _Embedded(CodeEmbedding(self.modality.entry.codes, width), block)
        self.add(block, TokenShape(steps, width, (steps,)))

    @property
    def reads_codes(self) -> bool:
        """Whether its values are codes of symbols."""
        return self.modality.layout.channel_axis is None

    def source(self, index: int, width: int) -> TokenShape:
        """Return what the block of stage `index`, counted from 0, reads: of codes, their vectors."""
        steps = self.shapes[0].tokens
        return TokenShape(steps, width, (steps,)) if index == 0 and self.reads_codes else self.shapes[-1]


class TemporalBlock(nn.Module):
    """Two dilated convolutions with a residual (Bai et al. 2018, figure 1b), centred instead of causal: a whole series is classified."""

    def __init__(self, source: int, width: int, dropout: float, dilation: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            conv(1, source, width, 3, dilation=dilation),
            group_norm(width),
            nn.ReLU(),
            Dropout(dropout),
            conv(1, width, width, 3, dilation=dilation),
            group_norm(width),
            nn.ReLU(),
            Dropout(dropout),
        )
        self.skip = nn.Identity() if source == width else nn.Conv1d(source, width, 1)

    def forward(self, x_BTD: Tensor, mask_BT: Tensor | None = None) -> Tensor:
        """Map (B, T, D) to (B, T, width)."""
        x_BDT = x_BTD.transpose(1, 2)
        inner_BDT = self.layers(x_BDT) if mask_BT is None else masked_layers(self.layers, x_BDT, mask_BT)
        result: Tensor = (inner_BDT + self.skip(x_BDT)).relu()
        return result.transpose(1, 2)


@encoder("tcn")
class TCN(SequenceEncoder):
    """Temporal blocks; the dilation doubles from stage to stage."""

    def __init__(self, modality: Modality, width: int, dropout: float, stages: int = 3) -> None:
        super().__init__(modality, width, dropout)
        for index in range(stages):
            self.add_block(index, TemporalBlock(self.source(index, width).width, width, dropout, 2**index), width)


@encoder("gru")
class GRU(SequenceEncoder):
    """GRU layers; every step is a token."""

    def __init__(self, modality: Modality, width: int, dropout: float, layers: int = 2) -> None:
        super().__init__(modality, width, dropout)
        for index in range(layers):
            self.add_block(index, RecurrentBlock(self.source(index, width).width, width, dropout), width)


@encoder("text_cnn")
class TextCNN(SequenceEncoder):
    """An embedding of codes and 1D convolutions; a text that comes as embeddings (T, D) goes straight to the convolutions."""

    def __init__(self, modality: Modality, width: int, dropout: float, stages: int = 3) -> None:
        super().__init__(modality, width, dropout)
        for index in range(stages):
            self.add_block(index, ConvBlock(self.source(index, width), width, dropout), width)


class _TransformerStage(nn.Module):
    """A transformer block and a LayerNorm; the first one is given its width and the places of the steps."""

    places: Tensor | None

    def __init__(self, source: int, width: int, dropout: float, heads: int, steps: int) -> None:
        super().__init__()
        self.widen = nn.Linear(source, width) if steps and source != width else nn.Identity()
        self.register_buffer("places", sinusoids(steps, width) if steps else None, persistent=False)
        self.block, self.norm = TransformerBlock(width, dropout, heads=heads), nn.LayerNorm(width)

    def forward(self, x_BTD: Tensor, mask_BT: Tensor | None = None) -> Tensor:
        """Map (B, T, D) to (B, T, width)."""
        x_BTD = self.widen(x_BTD)
        if self.places is not None:
            x_BTD = x_BTD + self.places
        result: Tensor = self.norm(self.block(x_BTD, mask_BT))
        return result


def sinusoids(steps: int, width: int) -> Tensor:
    """Return the sine and cosine of each place at falling frequencies, (T, D) (Vaswani et al. 2017, section 3.5)."""
    column = torch.arange(width)
    angles_TD = torch.arange(steps)[:, None] * torch.exp(-math.log(10_000.0) * (column // 2 * 2) / width)
    return torch.where(column % 2 == 0, angles_TD.sin(), angles_TD.cos()).to(torch.get_default_dtype())


@encoder("transformer")
class SequenceTransformer(SequenceEncoder):
    """Transformer blocks over steps, to which the first one adds their places."""

    def __init__(self, modality: Modality, width: int, dropout: float, blocks: int = 2, heads: int = 4) -> None:
        super().__init__(modality, width, dropout)
        for index in range(blocks):
            steps = self.shapes[0].tokens if index == 0 else 0
            self.add_block(index, _TransformerStage(self.source(index, width).width, width, dropout, heads, steps), width)
