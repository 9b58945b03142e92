"""Attention over all pairs of tokens of two modalities: bilinear_attention, ban."""

# ruff: noqa: ARG002  # all layers share one signature

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from fusearch.evaluators.network.operator_layer import Losses, OperatorLayer, TokenShape, mask_absent, operator_layer
from fusearch.evaluators.operators.alignment import any_present, mask_all

__all__ = ["BAN", "BilinearAttention"]


@operator_layer("bilinear_attention")
class BilinearAttention(OperatorLayer):
    """A = softmax over all pairs (i, j) of p . (relu(U x_i) * relu(V y_j)); b = sum_ij A_ij (U' x_i * V' y_j), summed over k neighbours.

    Each glimpse has its own p, U', V' and P, and adds P b to each y_j; the result is sum_j y_j. The factors of an absent argument are
    one, so that the attention is over the other's tokens; zero where none is present.

    Args:
        shapes: Shape of x and of y.
        width: Not used; the result is one token as wide as y.
        glimpses: Number of glimpses.
        hidden: Features of b.
        k: Number of neighbouring products that are summed to one feature of b.
    """

    #: Whether the projections of the join have a ReLU, and all projections a bias.
    rectified: ClassVar[bool] = False

    def __init__(self, shapes: Sequence[TokenShape], width: int, *, glimpses: int, hidden: int, k: int) -> None:
        super().__init__()
        first, second = (shape.width for shape in shapes)
        self.hidden, self.k = hidden, k
        bias = self.rectified
        self.score_maps = nn.ModuleList(nn.Linear(size, hidden * k, bias=bias) for size in (first, second))
        self.score = nn.Linear(hidden * k, glimpses, bias=False)
        self.left = nn.ModuleList(nn.Linear(first, hidden * k, bias=bias) for _ in range(glimpses))
        self.right = nn.ModuleList(nn.Linear(second, hidden * k, bias=bias) for _ in range(glimpses))
        self.back = nn.ModuleList(nn.Linear(hidden, second) for _ in range(glimpses))
        self.out: TokenShape = TokenShape(1, second)

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        """Return (B, 1, D_2)."""
        x_BID, y_BJD = mask_all(xs, present)

        def factor(features: Tensor, index: int) -> Tensor:
            return torch.where(present[index][:, None, None], features, 1.0)

        scored = [factor(torch.relu(self.score_maps[index](x)), index) for index, x in enumerate((x_BID, y_BJD))]
        # (p_g * U x_i) . (V y_j) for every glimpse g: no (B, I, J, hidden) product is stored.
        scores_BGIJ = (scored[0][:, None] * self.score.weight[:, None, :]) @ scored[1].transpose(1, 2)[:, None]
        attention_BGIJ = torch.softmax(scores_BGIJ.flatten(2), dim=2).reshape(scores_BGIJ.shape)
        for glimpse, (left, right, back) in enumerate(zip(self.left, self.right, self.back, strict=True)):
            u_BIK, v_BJK = left(x_BID), right(y_BJD)
            if self.rectified:
                u_BIK, v_BJK = torch.relu(u_BIK), torch.relu(v_BJK)
            u_BIK, v_BJK = factor(u_BIK, 0), factor(v_BJK, 1)
            joined_BK = (u_BIK * (attention_BGIJ[:, glimpse] @ v_BJK)).sum(dim=1)
            y_BJD = y_BJD + back(torch.unflatten(joined_BK, 1, (self.hidden, self.k)).sum(dim=2))[:, None]
        return mask_absent(y_BJD.sum(dim=1, keepdim=True), any_present(present))


@operator_layer("ban")
class BAN(BilinearAttention):
    """The same with a ReLU on both projections of the join as well, and a bias in every projection: the published network.

    Args:
        shapes: Shape of x and of y.
        width: Not used; the result is one token as wide as y.
        glimpses: Number of glimpses.
        hidden: Features of b.
        k: Number of neighbouring products that are summed to one feature of b.
    """

    rectified = True
