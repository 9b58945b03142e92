"""Encoders of tables: multilayer perceptrons and the FT-Transformer. Axis letters: B batch, T tokens, D width."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from fusearch.data.modality import Modality
from fusearch.evaluators.network.blocks import DenseBlock, TransformerBlock
from fusearch.evaluators.network.encoder_network import StageEncoder, encoder
from fusearch.evaluators.network.operator_layer import TokenShape
from fusearch.search_space.encoders.tables import PAPER_WIDTHS

__all__ = ["MLP", "MOST_TOKENS", "FTTransformer", "FeatureTokenizer"]

#: Most tokens of a table: with 200 columns a step over a token each takes 0.8 s on a CPU core, with a thousand 19 s.
MOST_TOKENS = 64


@encoder("mlp")
class MLP(StageEncoder):
    """Stages of Linear, LayerNorm, ReLU and dropout, all of the recipe's width."""

    def __init__(self, modality: Modality, width: int, dropout: float, layers: int = 2) -> None:
        super().__init__(modality, width, dropout)
        for _ in range(layers):
            self.add(DenseBlock(self.shapes[-1].width, width, dropout), TokenShape(1, width))


class _PaperMLP(StageEncoder):
    """The same stages with the widths that the method paper prints; the recipe's width does not apply."""

    widths: tuple[int, ...]

    def __init__(self, modality: Modality, width: int, dropout: float) -> None:
        super().__init__(modality, width, dropout)
        for target in self.widths:
            self.add(DenseBlock(self.shapes[-1].width, target, dropout), TokenShape(1, target))


for _name, _widths in PAPER_WIDTHS.items():
    encoder(_name)(
        type(_name.upper(), (_PaperMLP,), {"widths": _widths, "__module__": __name__, "__doc__": f"Hidden layers of {_widths}."})
    )


class FeatureTokenizer(nn.Module):
    """One token a column: x_j w_j + b_j (Gorishniy et al. 2021, section 3.3).

    The paper's class token is left out: a design reads the mean over tokens, or hands the tokens on to an operator. Attention costs the
    square of the tokens, so of a table with more than `MOST_TOKENS` columns neighbours share a token, the sum of theirs.
    """

    def __init__(self, columns: int, width: int) -> None:
        super().__init__()
        self.columns_of_token = math.ceil(columns / MOST_TOKENS)
        self.tokens = math.ceil(columns / self.columns_of_token)
        bound = 1 / math.sqrt(width)
        self.weight = nn.Parameter(torch.empty(columns, width).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(columns, width).uniform_(-bound, bound))

    def forward(self, x_B1D: Tensor) -> Tensor:
        """Map one token of D columns, (B, 1, D), to T tokens, (B, T, width)."""
        if self.columns_of_token == 1:
            return x_B1D.transpose(1, 2) * self.weight + self.bias
        missing, groups = self.tokens * self.columns_of_token - x_B1D.shape[2], (self.tokens, self.columns_of_token)
        x_BTG = functional.pad(x_B1D[:, 0], (0, missing)).reshape(-1, *groups)
        weight_TGW, bias_TGW = (functional.pad(each, (0, 0, 0, missing)).reshape(*groups, -1) for each in (self.weight, self.bias))
        x_BTW: Tensor = torch.einsum("btg,tgw->btw", x_BTG, weight_TGW) + bias_TGW.sum(dim=1)
        return x_BTW


@encoder("ft_transformer")
class FTTransformer(StageEncoder):
    """The FT-Transformer: a feature tokenizer, then transformer blocks; a LayerNorm ends the last one."""

    def __init__(self, modality: Modality, width: int, dropout: float, blocks: int = 2, heads: int = 4) -> None:
        super().__init__(modality, width, dropout)
        tokenizer = FeatureTokenizer(self.shapes[0].width, width)
        shape = TokenShape(tokenizer.tokens, width)
        self.add(tokenizer, shape)
        for index in range(blocks):
            block: nn.Module = TransformerBlock(width, dropout, heads=heads)
            self.add(nn.Sequential(block, nn.LayerNorm(width)) if index == blocks - 1 else block, shape)
