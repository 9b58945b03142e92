"""Encoders of series, audio, text and sequences. Axis letters: B batch, T tokens (steps), D width."""

from __future__ import annotations

from torch import Tensor, nn

from fusearch.data.modality import Modality
from fusearch.evaluators.network.blocks import ConvBlock, Dropout, RecurrentBlock, conv, group_norm
from fusearch.evaluators.network.encoder_network import StageEncoder, encoder
from fusearch.evaluators.network.operator_layer import TokenShape

__all__ = ["GRU", "TCN", "CodeEmbedding", "TemporalBlock", "TextCNN"]


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

    def forward(self, x_BTD: Tensor) -> Tensor:
        """Map (B, T, D) to (B, T, width)."""
        x_BDT = x_BTD.transpose(1, 2)
        result: Tensor = (self.layers(x_BDT) + self.skip(x_BDT)).relu()
        return result.transpose(1, 2)


@encoder("tcn")
class TCN(StageEncoder):
    """Temporal blocks; the dilation doubles from stage to stage."""

    def __init__(self, modality: Modality, width: int, dropout: float, stages: int = 3) -> None:
        super().__init__(modality, width, dropout)
        steps = self.shapes[0].tokens
        for index in range(stages):
            self.add(TemporalBlock(self.shapes[-1].width, width, dropout, 2**index), TokenShape(steps, width, (steps,)))


@encoder("gru")
class GRU(StageEncoder):
    """GRU layers; every step is a token."""

    def __init__(self, modality: Modality, width: int, dropout: float, layers: int = 2) -> None:
        super().__init__(modality, width, dropout)
        steps = self.shapes[0].tokens
        for _ in range(layers):
            self.add(RecurrentBlock(self.shapes[-1].width, width, dropout), TokenShape(steps, width, (steps,)))


class CodeEmbedding(nn.Module):
    """Looks integer codes up; those outside 0 to `vocabulary` - 1 share the nearest entry."""

    def __init__(self, vocabulary: int, width: int) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self.table = nn.Embedding(vocabulary, width)

    def forward(self, x_BT1: Tensor) -> Tensor:
        """Map codes, (B, T, 1), to (B, T, width)."""
        result: Tensor = self.table(x_BT1[..., 0].long().clamp(0, self.vocabulary - 1))
        return result


@encoder("text_cnn")
class TextCNN(StageEncoder):
    """An embedding of codes and 1D convolutions; a text that comes as embeddings (T, D) goes straight to the convolutions."""

    def __init__(self, modality: Modality, width: int, dropout: float, stages: int = 3, vocabulary: int = 1000) -> None:
        super().__init__(modality, width, dropout)
        steps = self.shapes[0].tokens
        shape = TokenShape(steps, width, (steps,))
        for index in range(stages):
            codes = index == 0 and len(modality.shape) == 1
            block: nn.Module = ConvBlock(shape if codes else self.shapes[-1], width, dropout)
            self.add(nn.Sequential(CodeEmbedding(vocabulary, width), block) if codes else block, shape)
