"""Encoders of unordered nodes. Axis letters: B batch, T tokens (nodes), D width."""

from __future__ import annotations

from torch import Tensor, nn

from fusearch.data.modality import Modality
from fusearch.evaluators.network.blocks import Dropout
from fusearch.evaluators.network.encoder_network import StageEncoder, encoder
from fusearch.evaluators.network.operator_layer import TokenShape

__all__ = ["DeepSet", "SetBlock"]


class SetBlock(nn.Module):
    """A linear layer on every node plus one on the mean of all nodes (Zaheer et al. 2017, eq. 4), LayerNorm, ReLU, dropout."""

    def __init__(self, source: int, width: int, dropout: float) -> None:
        super().__init__()
        self.node, self.mean = nn.Linear(source, width), nn.Linear(source, width, bias=False)
        self.rest = nn.Sequential(nn.LayerNorm(width), nn.ReLU(), Dropout(dropout))

    def forward(self, x_BTD: Tensor) -> Tensor:
        """Map (B, T, D) to (B, T, width)."""
        result: Tensor = self.rest(self.node(x_BTD) + self.mean(x_BTD.mean(dim=1, keepdim=True)))
        return result


@encoder("deepset")
class DeepSet(StageEncoder):
    """Permutation-equivariant stages over nodes."""

    def __init__(self, modality: Modality, width: int, dropout: float, stages: int = 2) -> None:
        super().__init__(modality, width, dropout)
        nodes = self.shapes[0].tokens
        for _ in range(stages):
            self.add(SetBlock(self.shapes[-1].width, width, dropout), TokenShape(nodes, width))
