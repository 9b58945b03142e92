"""Attention over tokens: cross_attention, co_attention, self_attention, bottleneck, mbt."""

# ruff: noqa: ARG002  # all layers share one signature

from __future__ import annotations

from collections.abc import Collection, Sequence

import torch
from torch import Tensor, nn

from fusearch.evaluators.network.operator_layer import Losses, OperatorLayer, TokenShape, mask_absent, operator_layer
from fusearch.evaluators.operators.alignment import Alignment, any_present, mask_all, masked_mean, presence
from fusearch.evaluators.operators.softmax_attention import Attention, TransformerLayer

__all__ = ["MBT", "Bottleneck", "CoAttention", "CrossAttention", "SelfAttention"]


def tokens_present(shapes: Sequence[TokenShape], present: Sequence[Tensor]) -> Tensor:
    """Return which tokens, of all arguments one after the other, are present: (B, sum of T_i)."""
    return torch.cat([present_B[:, None].expand(-1, shape.tokens) for shape, present_B in zip(shapes, present, strict=True)], dim=1)


@operator_layer("cross_attention")
class CrossAttention(OperatorLayer):
    """Y = X_1 + W_o softmax(Q K^T / sqrt(d)) V; Q = W_q X_1, K and V from the tokens of all other arguments.

    An absent key gets no weight; an absent query asks with its bias alone and adds nothing itself. Where all keys of a query are
    absent, it reads the bias of W_o.

    Args:
        shapes: Shape of each argument.
        width: Width of Q, K and V; the result has the first argument's shape.
        heads: Number of heads.
        residual: Whether X_1 is added.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int, *, heads: int, residual: bool) -> None:
        super().__init__()
        self.out: TokenShape = shapes[0]
        self.key_shapes, self.residual = tuple(shapes[1:]), residual
        self.align = Alignment(self.key_shapes, [TokenShape(shape.tokens, width) for shape in self.key_shapes])
        self.attention = Attention(shapes[0].width, width, width, heads)

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        """Return (B, T_1, D_1)."""
        query, *others = mask_all(xs, present)
        keys = torch.cat(self.align(others), dim=1)
        read: Tensor = self.attention(query, keys, tokens_present(self.key_shapes, present[1:]))
        return query + read if self.residual else read


@operator_layer("co_attention")
class CoAttention(OperatorLayer):
    """Y_m = X_m + cross attention of X_m to the tokens of all other arguments, for each m; one result an argument.

    An absent key gets no weight; the result of an absent argument is what it reads from the others.

    Args:
        shapes: Shape of each argument; the results have the same.
        width: Width of Q, K and V.
        heads: Number of heads.
    """

    per_result = ("attention",)

    def __init__(self, shapes: Sequence[TokenShape], width: int, *, heads: int) -> None:
        super().__init__()
        self.out: tuple[TokenShape, ...] = tuple(shapes)
        self.align = Alignment(shapes, [TokenShape(shape.tokens, width) for shape in shapes])
        self.attention = nn.ModuleList(Attention(shape.width, width, width, heads) for shape in shapes)

    def leave_out(self, unread: Collection[int]) -> None:
        super().leave_out(unread)
        read = set(range(len(self.out))) - self.unread
        if len(read) == 1:
            self.align[read.pop()] = nn.Identity()  # no other result asks it

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> list[Tensor]:
        """Return one (B, T_m, D_m) an argument."""
        xs = mask_all(xs, present)
        keys = self.align(xs)
        results = list(xs)
        for index, (attention, query) in enumerate(zip(self.attention, xs, strict=True)):
            if index in self.unread:
                continue
            others = [other for other in range(len(xs)) if other != index]
            allowed = tokens_present([self.out[other] for other in others], [present[other] for other in others])
            results[index] = query + attention(query, torch.cat([keys[other] for other in others], dim=1), allowed)
        return results


@operator_layer("self_attention")
class SelfAttention(OperatorLayer):
    """Transformer layers over the tokens of all arguments: X <- X + MHA(LN X), X <- X + W_b gelu(W_a LN X).

    Each argument enters through its own W_m and b_m, which also tells the layers whose token it is. The tokens of an absent argument
    get no weight in the attention and in the mean; unpooled they are zero.

    Args:
        shapes: Shape of each argument.
        width: Width of the tokens where `dim` is 0.
        layers: Number of transformer layers.
        heads: Number of heads.
        dim: Width of the tokens; 0: the network's width.
        residual: Whether each part of a layer adds its input.
        pool: `mean` over all tokens, `none`, or `mean_per_stream`: one mean an argument, side by side.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int, *, layers: int, heads: int, dim: int, residual: bool, pool: str) -> None:
        super().__init__()
        width = dim or width
        self.shapes, self.pool = tuple(shapes), pool
        self.align = Alignment(shapes, [TokenShape(shape.tokens, width) for shape in shapes], bias=True, always=True)
        self.layers = nn.ModuleList(TransformerLayer(width, heads, residual=residual) for _ in range(layers))
        num_tokens = sum(shape.tokens for shape in shapes)
        self.out = {
            "mean": TokenShape(1, width),
            "none": TokenShape(num_tokens, width),
            "mean_per_stream": TokenShape(1, len(shapes) * width),
        }[pool]

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        """Return (B, 1, dim), (B, sum of T_i, dim) or (B, 1, n dim)."""
        x_BTD = torch.cat(self.align(mask_all(xs, present)), dim=1)
        allowed_BT = tokens_present(self.shapes, present)
        for layer in self.layers:
            x_BTD = layer(x_BTD, allowed_BT)
        x_BTD = torch.where(allowed_BT[:, :, None], x_BTD, 0.0)
        if self.pool == "none":
            return x_BTD
        if self.pool == "mean":
            count_B = allowed_BT.sum(dim=1).clamp(min=1).to(x_BTD.dtype)
            return (x_BTD.sum(dim=1) / count_B[:, None])[:, None]
        streams = torch.split(x_BTD, [shape.tokens for shape in self.shapes], dim=1)
        return torch.cat([stream.mean(dim=1, keepdim=True) for stream in streams], dim=2)


@operator_layer("bottleneck")
class Bottleneck(OperatorLayer):
    """[X_m; Z_m] = transformer layer_m([X_m; Z]), Z = mean over m of Z_m; y = the bottleneck tokens Z of the last layer.

    The bottleneck tokens of an absent argument are left out of the mean; where none is present Z stays as it begins.

    Args:
        shapes: Shape of each argument.
        width: Width of all tokens and of the result.
        tokens: Number of bottleneck tokens.
        layers: Number of layers.
        heads: Number of heads.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int, *, tokens: int, layers: int, heads: int) -> None:
        super().__init__()
        self.out: TokenShape = TokenShape(tokens, width)
        self.shapes = tuple(shapes)
        self.bottleneck_TD = nn.Parameter(torch.empty(tokens, width).normal_().mul_(0.02))
        self.align = Alignment(shapes, [TokenShape(shape.tokens, width) for shape in shapes], bias=True, always=True)
        self.layers = nn.ModuleList(nn.ModuleList(TransformerLayer(width, heads) for _ in range(layers)) for _ in shapes)

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        """Return (B, tokens, width)."""
        streams = self.align(mask_all(xs, present))
        shared_BTD = self.bottleneck_TD.expand(xs[0].shape[0], -1, -1)
        for depth in range(len(self.layers[0])):  # type: ignore[arg-type]  # a ModuleList of ModuleLists
            streams, shared_BTD = exchange([layers[depth] for layers in self.layers], streams, shared_BTD, present)  # type: ignore[index]  # a ModuleList
        return shared_BTD


def exchange(layers: Sequence[nn.Module], streams: list[Tensor], shared_BTD: Tensor, present: list[Tensor]) -> tuple[list[Tensor], Tensor]:
    """Apply one layer of each stream to its tokens and the shared ones; return the streams, and the shared tokens averaged over them."""
    everything = torch.ones_like(presence(present)[:, :1])
    results, updates = [], []
    for layer, stream_BTD, present_B in zip(layers, streams, present, strict=True):
        tokens = torch.cat([stream_BTD, shared_BTD], dim=1)
        tokens = layer(tokens, everything.expand(-1, tokens.shape[1]))
        stream_BTD, update_BTD = torch.split(tokens, [stream_BTD.shape[1], shared_BTD.shape[1]], dim=1)  # the next one
        results.append(stream_BTD)
        updates.append(mask_absent(update_BTD, present_B))
    return results, torch.where(any_present(present)[:, None, None], masked_mean(updates, present), shared_BTD)


@operator_layer("mbt")
class MBT(OperatorLayer):
    """[X_m; Z_m] = transformer layer_m([X_m; Z]), Z = mean over m of Z_m; y = mean over m of LN(class token_m).

    X_m begins as [class token_m; the tokens of m], with learned positions added.
    The class and bottleneck tokens of an absent argument are left out of the means; zero where none is present.

    Args:
        shapes: Shape of each argument.
        width: Width of all tokens and of the result.
        tokens: Number of bottleneck tokens.
        layers: Number of layers; with one, nothing would be exchanged before the class tokens are read.
        heads: Number of heads.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int, *, tokens: int, layers: int, heads: int) -> None:
        super().__init__()
        self.out: TokenShape = TokenShape(1, width)
        self.bottleneck_TD = nn.Parameter(torch.empty(tokens, width).normal_().mul_(0.02))
        self.align = Alignment(shapes, [TokenShape(shape.tokens, width) for shape in shapes], bias=True, always=True)
        self.class_D = nn.ParameterList(torch.zeros(width) for _ in shapes)
        self.positions_TD = nn.ParameterList(torch.empty(1 + shape.tokens, width).normal_().mul_(0.02) for shape in shapes)
        self.layers = nn.ModuleList(nn.ModuleList(TransformerLayer(width, heads, expansion=4) for _ in range(layers)) for _ in shapes)
        self.norm = nn.LayerNorm(width)

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        """Return (B, 1, width)."""
        streams = []
        for x_BTD, class_D, positions_TD in zip(self.align(mask_all(xs, present)), self.class_D, self.positions_TD, strict=True):
            begin_B1D = class_D.expand(x_BTD.shape[0], 1, -1)
            streams.append(torch.cat([begin_B1D, x_BTD], dim=1) + positions_TD)
        shared_BTD = self.bottleneck_TD.expand(xs[0].shape[0], -1, -1)
        for depth in range(len(self.layers[0])):  # type: ignore[arg-type]  # a ModuleList of ModuleLists
            streams, shared_BTD = exchange([layers[depth] for layers in self.layers], streams, shared_BTD, present)  # type: ignore[index]  # a ModuleList
        return masked_mean(mask_all([self.norm(stream_BTD[:, :1]) for stream_BTD in streams], present), present)
