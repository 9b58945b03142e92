"""Elementwise layers: sum, sum_on_grid, mean, product, max, difference. The result has the shape of the first argument."""

# ruff: noqa: ARG002  # all layers share one signature

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fusearch.evaluators.network.operator_layer import Losses, OperatorLayer, TokenShape, mask_absent, operator_layer
from fusearch.evaluators.operators.alignment import Alignment, any_present, mask_all, masked_mean, total

__all__ = ["Difference", "Elementwise", "Max", "Mean", "Product", "Sum", "SumOnGrid"]


class Elementwise(OperatorLayer):
    """Bring all arguments to the first one's tokens and, by P_m where it differs, to its width; then combine them elementwise.

    Args:
        shapes: Shape of each argument.
        width: Not used; the result has the first argument's shape.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int) -> None:
        super().__init__()
        self.out: TokenShape = shapes[0]
        self.align = Alignment(shapes, shapes[0])

    @abstractmethod
    def combine(self, xs: list[Tensor], present: list[Tensor]) -> Tensor:
        """Combine (B, T, D) arguments of one shape; absent ones are zero."""

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        """Return (B, T_1, D_1)."""
        return self.combine(self.align(mask_all(xs, present)), present)


@operator_layer("sum")
class Sum(Elementwise):
    """y = x_1 + P_2 x_2 + ... + P_n x_n. An absent argument adds nothing."""

    def combine(self, xs: list[Tensor], present: list[Tensor]) -> Tensor:
        return total(xs)


@operator_layer("mean")
class Mean(Elementwise):
    """y = (x_1 + P_2 x_2 + ... + P_n x_n) / n, over the arguments that are present; zero where none is."""

    def combine(self, xs: list[Tensor], present: list[Tensor]) -> Tensor:
        return masked_mean(xs, present)


@operator_layer("product")
class Product(Elementwise):
    """y = x_1 * P_2 x_2 * ... * P_n x_n. The factor of an absent argument is one; zero where none is present."""

    def combine(self, xs: list[Tensor], present: list[Tensor]) -> Tensor:
        return product(xs, present)


@operator_layer("max")
class Max(Elementwise):
    """y = max(x_1, P_2 x_2, ..., P_n x_n) elementwise, over the arguments that are present; zero where none is."""

    def combine(self, xs: list[Tensor], present: list[Tensor]) -> Tensor:
        lowest = torch.finfo(xs[0].dtype).min
        candidates = [torch.where(present_B[:, None, None], x, lowest) for x, present_B in zip(xs, present, strict=True)]
        return mask_absent(torch.stack(candidates).amax(dim=0), any_present(present))


@operator_layer("difference")
class Difference(Elementwise):
    """y = x_1 - P_2 x_2, or its absolute value. The difference is zero where either argument is absent.

    Args:
        shapes: Shape of each argument.
        width: Not used; the result has the first argument's shape.
        absolute: Return |y|, which does not depend on which argument comes first.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int, *, absolute: bool) -> None:
        super().__init__(shapes, width)
        self.absolute = absolute

    def combine(self, xs: list[Tensor], present: list[Tensor]) -> Tensor:
        difference = mask_absent(xs[0] - xs[1], present[0] & present[1])
        return difference.abs() if self.absolute else difference


@operator_layer("sum_on_grid")
class SumOnGrid(OperatorLayer):
    """y_t = b + sum_m W_m x_mt on the grid of the first argument. An absent argument adds nothing.

    An argument with more axes than the first has its first axes in x_mt: an image reads a volume with W_m over all its slices. One with
    fewer axes, or none, is repeated.

    Args:
        shapes: Shape of each argument.
        width: Not used; the result has the first argument's shape.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int) -> None:
        super().__init__()
        self.out: TokenShape = shapes[0]
        rank = len(shapes[0].grid or ())
        self.folded = tuple(_folded(shape, rank) for shape in shapes)
        self.align = Alignment(self.folded, self.out, always=True)
        self.bias_D = nn.Parameter(torch.zeros(self.out.width))

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        """Return (B, T_1, D_1)."""
        slices = [
            torch.unflatten(x_BTD, 1, (-1, shape.tokens)).transpose(1, 2).flatten(2)
            for x_BTD, shape in zip(mask_all(xs, present), self.folded, strict=True)
        ]
        return total(self.align(slices)) + self.bias_D


def _folded(shape: TokenShape, rank: int) -> TokenShape:
    """Return the shape of an argument of which the first axes, beyond the last `rank`, stand in the features."""
    grid = (shape.grid or ())[-rank:]
    if not rank or len(shape.grid or ()) <= rank:
        return shape
    tokens = math.prod(grid)
    return TokenShape(tokens, shape.width * (shape.tokens // tokens), grid)


def product(xs: Sequence[Tensor], present: Sequence[Tensor]) -> Tensor:
    """Multiply arguments of one shape; the factor of an absent argument is one, and the result is zero where none is present."""
    # Where none is present the first factor is zero, all others one.
    result = torch.where(present[0][:, None, None], xs[0], any_present(present)[:, None, None].to(xs[0].dtype))
    for x, present_B in zip(xs[1:], present[1:], strict=True):
        result = result * torch.where(present_B[:, None, None], x, 1.0)
    return result
