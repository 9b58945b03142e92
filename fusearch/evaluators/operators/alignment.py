"""Bring arguments of different tokens and widths together.

Axis letters: B batch, T tokens, D width, N arguments.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fusearch.evaluators.network.operator_layer import TokenShape, mask_absent, resize_tokens

__all__ = ["Align", "Alignment", "any_present", "common_shape", "mask_all", "masked_mean", "means", "presence", "total", "with_one"]


class Align(nn.Module):
    """Bring one argument to the tokens and, by a linear map where it differs, to the width of `target`.

    Args:
        source: Shape of the argument.
        target: Shape of the result.
        bias: Whether the linear map has one.
        always: Whether to project even where the widths agree.
    """

    def __init__(self, source: TokenShape, target: TokenShape, *, bias: bool = False, always: bool = False) -> None:
        super().__init__()
        self.source, self.target = source, target
        same = source.width == target.width and not always
        self.project = nn.Identity() if same else nn.Linear(source.width, target.width, bias=bias)

    def forward(self, x_BTD: Tensor) -> Tensor:
        """Map (B, T, D) to (B, target.tokens, target.width)."""
        projected: Tensor = self.project(x_BTD)
        return resize_tokens(projected, self.source, self.target)


class Alignment(nn.ModuleList):
    """Bring each argument to one target, or to a target of its own.

    Args:
        sources: Shape of each argument.
        target: The target, or one an argument.
        bias: Whether the linear maps have one.
        always: Whether to project even where the widths agree.
    """

    def __init__(
        self, sources: Sequence[TokenShape], target: TokenShape | Sequence[TokenShape], *, bias: bool = False, always: bool = False
    ) -> None:
        targets = [target] * len(sources) if isinstance(target, TokenShape) else target
        super().__init__(Align(source, each, bias=bias, always=always) for source, each in zip(sources, targets, strict=True))

    def forward(self, xs: Sequence[Tensor]) -> list[Tensor]:
        """Map each argument to its target."""
        return [align(x_BTD) for align, x_BTD in zip(self, xs, strict=True)]


def common_shape(shapes: Sequence[TokenShape], width: int) -> TokenShape:
    """Return the tokens and grid of the argument with the most tokens, whatever the order of the arguments, with that width."""
    largest = max(shapes, key=lambda shape: (shape.tokens, shape.grid or ()))
    return TokenShape(largest.tokens, width, largest.grid)


def mask_all(xs: Sequence[Tensor], present: Sequence[Tensor]) -> list[Tensor]:
    """Zero what is absent in every argument."""
    return [mask_absent(x_BTD, present_B) for x_BTD, present_B in zip(xs, present, strict=True)]


def means(xs: Sequence[Tensor]) -> Tensor:
    """Return the means over tokens of all arguments, side by side: (B, sum of widths)."""
    return torch.cat([x_BTD.mean(dim=1) for x_BTD in xs], dim=1)


def presence(present: Sequence[Tensor]) -> Tensor:
    """Stack the masks: (B, N)."""
    return torch.stack(list(present), dim=1)


def any_present(present: Sequence[Tensor]) -> Tensor:
    """Return whether a sample has at least one of the arguments (B,)."""
    return presence(present).any(dim=1)


def total(xs: Sequence[Tensor]) -> Tensor:
    """Add arguments of one shape."""
    result = xs[0]
    for x_BTD in xs[1:]:
        result = result + x_BTD
    return result


def masked_mean(xs: Sequence[Tensor], present: Sequence[Tensor]) -> Tensor:
    """Average arguments of one shape over those that are present; zero where none is. Absent ones must be zero already."""
    count_B = presence(present).sum(dim=1).clamp(min=1).to(xs[0].dtype)
    return total(xs) / count_B[:, None, None]


def with_one(x_BTD: Tensor) -> Tensor:
    """Append the constant one to each token: (B, T, D + 1)."""
    return torch.cat([x_BTD, torch.ones_like(x_BTD[..., :1])], dim=-1)
