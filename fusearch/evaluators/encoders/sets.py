"""Encoders of unordered nodes. Axis letters: B batch, T tokens (nodes), D width."""

from __future__ import annotations

from torch import Tensor, nn

from fusearch.data.modality import Modality
from fusearch.evaluators.network.blocks import Dropout
from fusearch.evaluators.network.encoder_network import StageEncoder, encoder, mean_tokens
from fusearch.evaluators.network.operator_layer import TokenShape

__all__ = ["DeepSet", "SetBlock"]


class SetBlock(nn.Module):
    """A linear layer on every node plus one on the mean of all nodes (Zaheer et al. 2017, eq. 4), LayerNorm, ReLU, dropout.

    Args:
        source: Width of what it reads: the first columns of what it is given.
        width: Width of the result.
        dropout: Probability.
    """

    def __init__(self, source: int, width: int, dropout: float) -> None:
        super().__init__()
        self.node, self.mean = nn.Linear(source, width), nn.Linear(source, width, bias=False)
        self.rest = nn.Sequential(nn.LayerNorm(width), nn.ReLU(), Dropout(dropout))

    def forward(self, x_BTD: Tensor, mask_BT: Tensor | None = None) -> Tensor:
        """Map (B, T, D) to (B, T, width), over the nodes of the mask where there is one."""
        x_BTD = x_BTD[:, :, : self.node.in_features]
        mean_B1D = x_BTD.mean(dim=1, keepdim=True) if mask_BT is None else mean_tokens(x_BTD, mask_BT)
        result: Tensor = self.rest(self.node(x_BTD) + self.mean(mean_B1D))
        return result


@encoder("deepset")
class DeepSet(StageEncoder):
    """Permutation-equivariant stages over the nodes of a graph; its edges are not read."""

    masks = True

    def __init__(self, modality: Modality, width: int, dropout: float, stages: int = 2) -> None:
        super().__init__(modality, width, dropout)
        nodes = self.shapes[0].tokens
        for index in range(stages):
            source = self.shapes[-1].width if index else modality.layout.num_measured(modality.shape)
            self.add(SetBlock(source, width, dropout), TokenShape(nodes, width))
