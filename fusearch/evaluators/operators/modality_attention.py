"""Attention over modalities: modality_attention, modality_spatial_attention."""

# ruff: noqa: ARG002  # all layers share one signature

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fusearch.evaluators.network.operator_layer import Losses, OperatorLayer, TokenShape, operator_layer
from fusearch.evaluators.operators.alignment import Alignment, common_shape, mask_all, presence
from fusearch.evaluators.operators.softmax_attention import masked_softmax

__all__ = ["ModalityAttention", "ModalitySpatialAttention"]


@operator_layer("modality_attention")
class ModalityAttention(OperatorLayer):
    """a = softmax over m of w . tanh(U h_m + b), h_m = W_m x_m + b_m; y = sum_m a_m h_m, or [a_1 h_1; ...; a_n h_n].

    Works token by token on the tokens of the longest argument. The weight of an absent argument is zero; zeros where none is present.

    Args:
        shapes: Shape of each argument.
        width: Width of each h_m.
        merge: `sum`, or `cat` for a result n times as wide.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int, *, merge: str) -> None:
        super().__init__()
        target = common_shape(shapes, width)
        self.merge = merge
        self.align = Alignment(shapes, target, bias=True, always=True)
        self.score = nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1, bias=False))
        self.out = target if merge == "sum" else TokenShape(target.tokens, len(shapes) * width, target.grid)

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        """Return (B, T, width) or (B, T, n width)."""
        h_BNTD = torch.stack(self.align(mask_all(xs, present)), dim=1)
        weights_BNT1 = masked_softmax(self.score(h_BNTD), presence(present)[:, :, None, None], dim=1)
        weighted_BNTD = weights_BNT1 * h_BNTD
        return weighted_BNTD.sum(dim=1) if self.merge == "sum" else weighted_BNTD.transpose(1, 2).flatten(2)


@operator_layer("modality_spatial_attention")
class ModalitySpatialAttention(OperatorLayer):
    """y = vec(H * sigmoid(T)): H has the rows W_m x_m + b_m (M x L), T a value for each modality plus one for each feature.

    The value of a modality is FC FC over its L features, that of a feature FC over the M modalities and FC FC over L. Works token by
    token on the tokens of the longest argument. The row of an absent argument is zero.

    Args:
        shapes: Shape of each argument.
        width: Length L of the rows.
        reduction: How much narrower than L the hidden layers are.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int, *, reduction: int) -> None:
        super().__init__()
        target = common_shape(shapes, width)
        hidden = max(1, width // reduction)
        self.align = Alignment(shapes, target, bias=True, always=True)
        self.modality = nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, 1, bias=False))
        self.across = nn.Linear(len(shapes), 1)
        self.spatial = nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, width))
        self.out = TokenShape(target.tokens, len(shapes) * width, target.grid)

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        """Return (B, T, n width)."""
        rows = self.align(mask_all(xs, present))
        mask_BN = presence(present)[:, None, :, None]
        h_BTNL = torch.stack(rows, dim=2)
        h_BTNL = torch.where(mask_BN, h_BTNL, 0.0)
        modality_BTN1 = self.modality(h_BTNL)
        features_BTL = self.spatial(self.across(h_BTNL.transpose(2, 3)).squeeze(3))
        return (h_BTNL * torch.sigmoid(modality_BTN1 + features_BTL[:, :, None])).flatten(2)
