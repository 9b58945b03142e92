"""softmax(Q K^T / sqrt(d)) V with several heads, written by hand (decision 0034).

Exact, and without the slow fallback of the fused kernels under vmap.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

__all__ = ["Attention", "TransformerLayer", "masked_softmax"]


def masked_softmax(scores: Tensor, allowed: Tensor, dim: int = -1) -> Tensor:
    """Softmax over the allowed entries; all zero where none is allowed.

    Args:
        scores: Any shape.
        allowed: Boolean, broadcastable to `scores`.
        dim: Axis that sums to one.
    """
    weights = torch.softmax(torch.where(allowed, scores, torch.finfo(scores.dtype).min), dim=dim)
    return torch.where(allowed, weights, 0.0)


class Attention(nn.Module):
    """Let queries read from keys. Keys have no bias: a softmax does not see it.

    Args:
        query_width: Width of the queries and of the result.
        key_width: Width of the keys.
        width: Width inside, shared by the heads and rounded up to a multiple of them.
        heads: Number of heads.
    """

    def __init__(self, query_width: int, key_width: int, width: int, heads: int) -> None:
        super().__init__()
        inner = heads * math.ceil(width / heads)
        self.heads = heads
        self.query = nn.Linear(query_width, inner)
        self.key = nn.Linear(key_width, inner, bias=False)
        self.value = nn.Linear(key_width, inner)
        self.output = nn.Linear(inner, query_width)

    def forward(self, query_BQD: Tensor, key_BKD: Tensor, allowed_BK: Tensor) -> Tensor:
        """Return what each query reads (B, Q, query_width); keys that are not allowed have no influence."""
        query, key, value = (
            torch.unflatten(tokens, 2, (self.heads, -1)).transpose(1, 2)
            for tokens in (self.query(query_BQD), self.key(key_BKD), self.value(key_BKD))
        )
        scores_BHQK = query @ key.transpose(2, 3) / math.sqrt(query.shape[-1])
        read = masked_softmax(scores_BHQK, allowed_BK[:, None, None, :]) @ value
        result: Tensor = self.output(read.transpose(1, 2).flatten(2))
        return result


class TransformerLayer(nn.Module):
    """x <- x + MHA(LN x), x <- x + W_b gelu(W_a LN x).

    Args:
        width: Width of the tokens.
        heads: Number of heads.
        residual: Whether x is added to both parts.
        expansion: How much wider W_a x is than x.
    """

    def __init__(self, width: int, heads: int, *, residual: bool = True, expansion: int = 2) -> None:
        super().__init__()
        self.residual = residual
        self.norm_attention = nn.LayerNorm(width)
        self.attention = Attention(width, width, width, heads)
        self.norm_feedforward = nn.LayerNorm(width)
        self.feedforward = nn.Sequential(nn.Linear(width, expansion * width), nn.GELU(), nn.Linear(expansion * width, width))

    def forward(self, x_BTD: Tensor, allowed_BT: Tensor) -> Tensor:
        """Return (B, T, width); tokens that are not allowed are not read by the others."""
        normed = self.norm_attention(x_BTD)
        attended: Tensor = self.attention(normed, normed, allowed_BT)
        x_BTD = x_BTD + attended if self.residual else attended
        result: Tensor = self.feedforward(self.norm_feedforward(x_BTD))
        return x_BTD + result if self.residual else result
