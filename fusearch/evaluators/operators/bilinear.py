"""Layers for products of all features with all features, in full: outer, bilinear; and in low rank: low_rank, factorized_bilinear, tucker.

Each works token by token on the tokens of the longest argument.
"""

# ruff: noqa: ARG002  # all layers share one signature

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fusearch.evaluators.network.operator_layer import Losses, OperatorLayer, TokenShape, operator_layer
from fusearch.evaluators.operators.alignment import Alignment, common_shape, mask_all, with_one
from fusearch.evaluators.operators.elementwise import product

__all__ = ["Bilinear", "FactorizedBilinear", "LowRank", "Outer", "Tucker", "power_normalize"]


def power_normalize(z_BTD: Tensor, eps: float = 1e-4) -> Tensor:
    """Take the signed square root, then divide each token by its length (MFB, MCB).

    `eps` keeps the slope of the root at zero at 100: without it rounding errors grow so large that an export differs from the network.
    """
    rooted = z_BTD / torch.sqrt(z_BTD.abs() + eps)
    return rooted / torch.sqrt(rooted.square().sum(dim=-1, keepdim=True) + eps)


@operator_layer("outer")
class Outer(OperatorLayer):
    """y = vec([W_1 x_1; 1] (x) ... (x) [W_n x_n; 1]). The vector of an absent argument is [0; 1], so the products without it stay.

    Args:
        shapes: Shape of each argument.
        width: Not used; the result has (dim + 1)^n features.
        dim: Features that each argument is reduced to; W_m only where x_m has another width.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int, *, dim: int) -> None:
        super().__init__()
        target = common_shape(shapes, dim)
        self.align = Alignment(shapes, target)
        self.out = TokenShape(target.tokens, (dim + 1) ** len(shapes), target.grid)

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        """Return (B, T, (dim + 1)^n)."""
        vectors = [with_one(x) for x in self.align(mask_all(xs, present))]
        result = vectors[0]
        for vector in vectors[1:]:
            result = (result[..., :, None] * vector[..., None, :]).flatten(2)
        return result


@operator_layer("bilinear")
class Bilinear(OperatorLayer):
    """y_k = [x_1; 1]^T W_k [x_2; 1]. The vector of an absent argument is [0; 1], which leaves the linear map of the other.

    Args:
        shapes: Shape of each argument.
        width: Width of the result; wider arguments are first projected to it.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int) -> None:
        super().__init__()
        self.out: TokenShape = common_shape(shapes, width)
        widths = [min(shape.width, width) for shape in shapes]
        self.align = Alignment(shapes, [common_shape(shapes, size) for size in widths])
        scale = ((widths[0] + 1) * (widths[1] + 1)) ** -0.5
        self.weight = nn.Parameter(torch.empty(widths[0] + 1, widths[1] + 1, width).normal_().mul_(scale))

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        """Return (B, T, width)."""
        left, right = (with_one(x) for x in self.align(mask_all(xs, present)))
        # (B, T, i) x (i, j, k) first: the full (B, T, i, j) product of both arguments is never stored.
        partial = torch.einsum("bti,ijk->btjk", left, self.weight)
        return torch.einsum("btjk,btj->btk", partial, right)


@operator_layer("low_rank")
class LowRank(OperatorLayer):
    """y = sum_r prod_m W_m^(r) [x_m; 1]. The vector of an absent argument is [0; 1], which leaves the products without it.

    Args:
        shapes: Shape of each argument.
        width: Width of the result.
        rank: Number of terms R.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int, *, rank: int) -> None:
        super().__init__()
        self.out: TokenShape = common_shape(shapes, width)
        # The bias is the column of W_m that meets the appended one.
        self.align = Alignment(shapes, common_shape(shapes, rank * width), bias=True, always=True)
        self.rank = rank

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        """Return (B, T, width)."""
        factors = self.align(mask_all(xs, present))
        result = factors[0]
        for factor in factors[1:]:
            result = result * factor
        return torch.unflatten(result, 2, (self.rank, self.out.width)).sum(dim=2)


@operator_layer("factorized_bilinear")
class FactorizedBilinear(OperatorLayer):
    """z = sum over k neighbours of U_1 x_1 * ... * U_n x_n; y = normalize(z / sqrt(|z| + 1e-4)).

    The factor of an absent argument is one; zero where none is present.

    Args:
        shapes: Shape of each argument.
        width: Width of the result.
        k: Number of neighbouring products that are summed to one feature.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int, *, k: int) -> None:
        super().__init__()
        self.out: TokenShape = common_shape(shapes, width)
        self.align = Alignment(shapes, common_shape(shapes, k * width), always=True)
        self.k = k

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        """Return (B, T, width)."""
        joined = product(self.align(mask_all(xs, present)), present)
        return power_normalize(torch.unflatten(joined, 2, (self.out.width, self.k)).sum(dim=3))


@operator_layer("tucker")
class Tucker(OperatorLayer):
    """y = W_o sum_r (M_1r a_1 * ... * M_nr a_n), a_m = tanh(W_m x_m).

    The factors of an absent argument are one; zeros enter W_o where none is present.

    Args:
        shapes: Shape of each argument.
        width: Width of the result.
        dim: Features of each a_m and of the core's result.
        rank: Number of terms R that the core tensor is made of.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int, *, dim: int, rank: int) -> None:
        super().__init__()
        self.out: TokenShape = common_shape(shapes, width)
        self.align = Alignment(shapes, common_shape(shapes, dim), always=True)
        self.core = nn.ModuleList(nn.Linear(dim, rank * dim, bias=False) for _ in shapes)
        self.output = nn.Linear(dim, width)
        self.dim, self.rank = dim, rank

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        """Return (B, T, width)."""
        reduced = [torch.tanh(x) for x in self.align(mask_all(xs, present))]
        joined = product([core(a) for core, a in zip(self.core, reduced, strict=True)], present)
        result: Tensor = self.output(torch.unflatten(joined, 2, (self.rank, self.dim)).sum(dim=2))
        return result
