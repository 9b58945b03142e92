"""Encoders of graphs, by the dense layers of torch_geometric (decision 0094).

Axis letters: B batch, T tokens (nodes), D width, F features of a node.
"""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor, nn

from fusearch.data.modality import Modality
from fusearch.errors import DesignError
from fusearch.evaluators.network.blocks import Dropout, largest_heads
from fusearch.evaluators.network.encoder_network import StageEncoder, encoder, mask_tokens
from fusearch.evaluators.network.operator_layer import TokenShape

__all__ = ["GAT", "GCN", "GraphBlock"]


class GraphBlock(nn.Module):
    """A layer over nodes and edges, LayerNorm, ReLU, dropout."""

    def __init__(self, layer: nn.Module, width: int, dropout: float) -> None:
        super().__init__()
        self.layer = layer
        self.rest = nn.Sequential(nn.LayerNorm(width), nn.ReLU(), Dropout(dropout))

    def forward(self, x_BTD: Tensor, links_BTT: Tensor) -> Tensor:
        """Map (B, T, D) to (B, T, width); `links_BTT` is the weight of the edge from each node (last axis) to each."""
        result: Tensor = self.rest(self.layer(x_BTD, links_BTT, add_loop=False))
        return result


class _GraphEncoder(StageEncoder):
    """Stages that read the edges beside the nodes. A node that is not there moves nothing."""

    masks = True

    def __init__(self, modality: Modality, width: int, dropout: float, stages: int) -> None:
        super().__init__(modality, width, dropout)
        self.features = modality.layout.num_measured(modality.shape)
        for index in range(stages):
            source = self.features if index == 0 else width
            self.add(GraphBlock(self.make_layer(source, width), width, dropout), TokenShape(self.shapes[0].tokens, width))

    def make_layer(self, source: int, target: int) -> nn.Module:
        """Return a layer of torch_geometric for dense graphs."""
        raise NotImplementedError

    def stage(self, index: int, x_BTD: Tensor, raw: Tensor | None = None) -> Tensor:
        """Apply stage `index`; the raw values hold the edges."""
        if raw is None:
            raise DesignError("a stage over a graph needs the edges of its samples, expected the raw values beside the tokens")
        x_BTD = x_BTD[:, :, : self.features] if index == 1 else x_BTD
        links_BTT = raw[:, :, self.features :]
        # A node that is not there has no edge, and an attention over nothing is no number: it sees itself, and is masked behind.
        own = torch.eye(links_BTT.shape[1], dtype=raw.dtype, device=raw.device) * (links_BTT == 0)
        return mask_tokens(self.stages[index - 1](x_BTD, links_BTT + own), self.mask(raw, index))


@encoder("gcn")
class GCN(_GraphEncoder):
    """Graph convolutions: y_i = sum_j a_ij W x_j / sqrt(d_i d_j), a_ii = 1, d_i = max(1, sum_j a_ij) (Kipf & Welling 2017, eq. 2)."""

    def __init__(self, modality: Modality, width: int, dropout: float, stages: int = 2) -> None:
        super().__init__(modality, width, dropout, stages)

    def make_layer(self, source: int, target: int) -> nn.Module:
        """Return a graph convolution."""
        layer: nn.Module = _dense_layers().DenseGCNConv(source, target)
        return layer


@encoder("gat")
class GAT(_GraphEncoder):
    """Graph attention, several heads side by side (Velickovic et al. 2018, eqs. 3 and 5)."""

    def __init__(self, modality: Modality, width: int, dropout: float, stages: int = 2, heads: int = 4) -> None:
        self.heads = largest_heads(width, heads)
        super().__init__(modality, width, dropout, stages)

    def make_layer(self, source: int, target: int) -> nn.Module:
        """Return a graph attention."""
        layer: nn.Module = _dense_layers().DenseGATConv(source, target // self.heads, heads=self.heads)
        return layer


def _dense_layers() -> Any:
    """Return the layers of torch_geometric for dense graphs; importing it takes seconds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, about what torch_geometric does while it is imported
        from torch_geometric.nn import dense
    return dense
