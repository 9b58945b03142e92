"""Encoders of series, audio, text and sequences. Axis letters: B batch, T tokens (steps), D width."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from fusearch.data.modality import Modality
from fusearch.evaluators.network.blocks import (
    ConvBlock,
    Dropout,
    LSTMBlock,
    RecurrentBlock,
    TransformerBlock,
    conv,
    group_norm,
    masked_layers,
)
from fusearch.evaluators.network.encoder_network import StageEncoder, encoder
from fusearch.evaluators.network.operator_layer import TokenShape

__all__ = [
    "GRU",
    "LSTM",
    "TCN",
    "CodeEmbedding",
    "OneHot",
    "ResNet1D",
    "SequenceEncoder",
    "SequenceTransformer",
    "TemporalBlock",
    "TextCNN",
    "sinusoids",
]


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


class OneHot(nn.Module):
    """A column for each code: 1, unknown, to `codes` - 1, which larger ones share. Code 0, behind the end of a sample, gives zeros."""

    columns: Tensor

    def __init__(self, codes: int) -> None:
        super().__init__()
        self.register_buffer("columns", torch.arange(1, codes, dtype=torch.get_default_dtype()), persistent=False)

    def forward(self, x_BT1: Tensor) -> Tensor:
        """Map codes, (B, T, 1), to (B, T, codes - 1)."""
        return (x_BT1.clamp(max=len(self.columns)) == self.columns).to(x_BT1.dtype)


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

    Codes are looked up in the first stage, in a table as wide as the recipe says, or get a column each.
    """

    masks = True

    def __init__(self, modality: Modality, width: int, dropout: float, embedding: str = "learned") -> None:
        super().__init__(modality, width, dropout)
        self.one_hot = embedding == "one_hot"

    def add_block(self, index: int, block: nn.Module, width: int) -> None:
        """Append stage `index`, counted from 0."""
        steps = self.shapes[0].tokens
        if index == 0 and self.reads_codes:
            codes = self.modality.entry.codes
            block = _Embedded(OneHot(codes) if self.one_hot else CodeEmbedding(codes, width), block)
        self.add(block, TokenShape(steps, width, (steps,)))

    @property
    def reads_codes(self) -> bool:
        """Whether its values are codes of symbols."""
        return self.modality.layout.channel_axis is None

    def source(self, index: int, width: int) -> TokenShape:
        """Return what the block of stage `index`, counted from 0, reads: of codes, their vectors."""
        steps = self.shapes[0].tokens
        if index or not self.reads_codes:
            return self.shapes[-1]
        return TokenShape(steps, self.modality.entry.codes - 1 if self.one_hot else width, (steps,))


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

    def __init__(self, modality: Modality, width: int, dropout: float, stages: int = 3, embedding: str = "learned") -> None:
        super().__init__(modality, width, dropout, embedding)
        for index in range(stages):
            self.add_block(index, TemporalBlock(self.source(index, width).width, width, dropout, 2**index), width)


@encoder("gru")
class GRU(SequenceEncoder):
    """GRU layers; every step is a token."""

    def __init__(self, modality: Modality, width: int, dropout: float, layers: int = 2, embedding: str = "learned") -> None:
        super().__init__(modality, width, dropout, embedding)
        for index in range(layers):
            self.add_block(index, RecurrentBlock(self.source(index, width).width, width, dropout), width)


@encoder("text_cnn")
class TextCNN(SequenceEncoder):
    """An embedding of codes and 1D convolutions; a text that comes as embeddings (T, D) goes straight to the convolutions."""

    def __init__(self, modality: Modality, width: int, dropout: float, stages: int = 3, embedding: str = "learned") -> None:
        super().__init__(modality, width, dropout, embedding)
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

    def __init__(self, modality: Modality, width: int, dropout: float, blocks: int = 2, heads: int = 4, embedding: str = "learned") -> None:
        super().__init__(modality, width, dropout, embedding)
        for index in range(blocks):
            steps = self.shapes[0].tokens if index == 0 else 0
            self.add_block(index, _TransformerStage(self.source(index, width).width, width, dropout, heads, steps), width)


@encoder("lstm")
class LSTM(SequenceEncoder):
    """LSTM layers; every step is a token."""

    def __init__(self, modality: Modality, width: int, dropout: float, layers: int = 2, embedding: str = "learned") -> None:
        super().__init__(modality, width, dropout, embedding)
        for index in range(layers):
            self.add_block(index, LSTMBlock(self.source(index, width).width, width, dropout), width)


class ResidualBlock(nn.Module):
    """Three convolutions of 7, 5 and 3 steps with a residual (Wang et al. 2017, figure 1c), GroupNorm in place of BatchNorm."""

    def __init__(self, source: int, width: int, dropout: float) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for place, kernel in enumerate((7, 5, 3)):
            layers += [*([nn.ReLU()] if place else []), conv(1, width if place else source, width, kernel, bias=False), group_norm(width)]
        self.layers = nn.Sequential(*layers)
        self.skip = nn.Identity() if source == width else nn.Conv1d(source, width, 1)
        self.dropout = Dropout(dropout)

    def forward(self, x_BTD: Tensor, mask_BT: Tensor | None = None) -> Tensor:
        """Map (B, T, D) to (B, T, width)."""
        x_BDT = x_BTD.transpose(1, 2)
        inner_BDT = self.layers(x_BDT) if mask_BT is None else masked_layers(self.layers, x_BDT, mask_BT)
        result: Tensor = self.dropout((inner_BDT + self.skip(x_BDT)).relu())
        return result.transpose(1, 2)


@encoder("resnet1d")
class ResNet1D(SequenceEncoder):
    """The residual network of series: no stage leaves steps out, so that ragged ones are masked. A recipe's width of 64 is the paper's."""

    def __init__(self, modality: Modality, width: int, dropout: float, stages: int = 3, embedding: str = "learned") -> None:
        super().__init__(modality, width, dropout, embedding)
        for index in range(stages):
            target = width if index == 0 else 2 * width
            self.add_block(index, ResidualBlock(self.source(index, width).width, target, dropout), target)
