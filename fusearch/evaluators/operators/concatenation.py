"""Concatenation layers: cat, cat_tokens, cat_channels, gated_cat."""

# ruff: noqa: ARG002  # all layers share one signature

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fusearch.evaluators.network.operator_layer import Losses, OperatorLayer, TokenShape, operator_layer, resize_tokens
from fusearch.evaluators.operators.alignment import Alignment, common_shape, mask_all

__all__ = ["Cat", "CatChannels", "CatTokens", "GatedCat"]


@operator_layer("cat")
class Cat(OperatorLayer):
    """Put all features side by side: y = [vec(x_1); ...; vec(x_n)]. The features of an absent argument are zero.

    Args:
        shapes: Shape of each argument.
        width: Not used; the result is as wide as all arguments together.
        align: Keep the tokens: bring all arguments to the tokens of the longest one and concatenate token by token.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int, *, align: bool) -> None:
        super().__init__()
        self.shapes, self.align = tuple(shapes), align
        flat = TokenShape(1, sum(shape.tokens * shape.width for shape in shapes))
        self.out: TokenShape = common_shape(shapes, sum(shape.width for shape in shapes)) if align else flat

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        """Return (B, 1, sum of T_i D_i), or (B, T, sum of D_i) where `align`."""
        xs = mask_all(xs, present)
        if self.align:
            return torch.cat([resize_tokens(x, shape, self.out) for x, shape in zip(xs, self.shapes, strict=True)], dim=2)
        return torch.cat([x_BTD.flatten(1) for x_BTD in xs], dim=1)[:, None]


@operator_layer("cat_tokens")
class CatTokens(OperatorLayer):
    """Put all tokens one after the other: Y = [X_1 W_1; ...; X_n W_n]. The tokens of an absent argument are zero.

    Args:
        shapes: Shape of each argument.
        width: Width of the result where the arguments differ in width; equal widths are kept, without W.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int) -> None:
        super().__init__()
        widths = {shape.width for shape in shapes}
        width = widths.pop() if len(widths) == 1 else width
        self.align = Alignment(shapes, [TokenShape(shape.tokens, width, shape.grid) for shape in shapes])
        self.out = TokenShape(sum(shape.tokens for shape in shapes), width)

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        """Return (B, sum of T_i, D)."""
        return torch.cat(self.align(mask_all(xs, present)), dim=1)


@operator_layer("cat_channels")
class CatChannels(OperatorLayer):
    """Join channels on the first argument's grid and bring them back to its width: y_t = W [x_1t; ...; x_nt] + b.

    The channels of an absent argument are zero.

    Args:
        shapes: Shape of each argument.
        width: Not used; the result has the first argument's shape.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int) -> None:
        super().__init__()
        self.out: TokenShape = shapes[0]
        self.shapes = tuple(shapes)
        self.mix = nn.Linear(sum(shape.width for shape in shapes), shapes[0].width)

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        """Return (B, T_1, D_1)."""
        xs = mask_all(xs, present)
        channels = torch.cat([resize_tokens(x, shape, self.out) for x, shape in zip(xs, self.shapes, strict=True)], dim=2)
        mixed: Tensor = self.mix(channels)
        return mixed


@operator_layer("gated_cat")
class GatedCat(OperatorLayer):
    """Concatenate after a gate: y_t = [g_1 * x_1t; ...; g_n * x_nt], g_m = sigmoid(W_m [x_1t; ...; x_nt] + b_m).

    The features of an absent argument are zero, in the result and in every gate.

    Args:
        shapes: Shape of each argument.
        width: Not used; the result is as wide as all arguments together, on the tokens of the longest one.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int) -> None:
        super().__init__()
        self.shapes = tuple(shapes)
        self.out: TokenShape = common_shape(shapes, sum(shape.width for shape in shapes))
        self.gate = nn.Linear(self.out.width, self.out.width)

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        """Return (B, T, sum of D_i)."""
        xs = mask_all(xs, present)
        x_BTD = torch.cat([resize_tokens(x, shape, self.out) for x, shape in zip(xs, self.shapes, strict=True)], dim=2)
        return torch.sigmoid(self.gate(x_BTD)) * x_BTD
