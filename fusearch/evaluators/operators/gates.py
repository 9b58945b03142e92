"""Gates of one argument by the others, over tokens, positions or channels.

context_attention, spatial_gate, spatial_max_gate, channel_gate, high_order_gate. The result has the shape of the first argument.
"""

# ruff: noqa: ARG002  # all layers share one signature

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fusearch.errors import DesignError
from fusearch.evaluators.network.operator_layer import Losses, OperatorLayer, TokenShape, mask_absent, operator_layer, resize_tokens
from fusearch.evaluators.operators.alignment import any_present, mask_all, means, total

__all__ = ["ChannelGate", "ContextAttention", "HighOrderGate", "SpatialGate", "SpatialMaxGate"]


@operator_layer("context_attention")
class ContextAttention(OperatorLayer):
    """y = a * x, a = softmax over tokens of W_o(W_q c * W_k c).

    The context is brought to the tokens of x. Without it every token gets the same weight; without x the result is zero.

    Args:
        shapes: Shape of x and of the context c.
        width: Width of W_q c and W_k c; the result has the shape of x.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int) -> None:
        super().__init__()
        self.out: TokenShape = shapes[0]
        self.context_shape = shapes[1]
        self.query = nn.Linear(shapes[1].width, width, bias=False)
        self.key = nn.Linear(shapes[1].width, width, bias=False)
        self.score = nn.Linear(width, 1, bias=False)

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        """Return (B, T_1, D_1)."""
        x_BTD, context = mask_all(xs, present)
        context = resize_tokens(context, self.context_shape, self.out)
        return torch.softmax(self.score(self.query(context) * self.key(context)), dim=1) * x_BTD


@operator_layer("spatial_gate")
class SpatialGate(OperatorLayer):
    """y_t = x_t * sigmoid(w . relu(W_x x_t + W_2 g_2t + ... + b) + c), the others on the grid of x.

    An absent gate signal adds nothing to the sum; without x the result is zero.

    Args:
        shapes: Shape of x and of each gate signal.
        width: Width of the sum; the result has the shape of x.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int) -> None:
        super().__init__()
        self.out: TokenShape = shapes[0]
        self.shapes = tuple(shapes)
        self.maps = nn.ModuleList(nn.Linear(shape.width, width, bias=index == 0) for index, shape in enumerate(shapes))
        self.score = nn.Linear(width, 1)

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        """Return (B, T_1, D_1)."""
        xs = mask_all(xs, present)
        parts = [resize_tokens(linear(x), shape, self.out) for linear, x, shape in zip(self.maps, xs, self.shapes, strict=True)]
        return xs[0] * torch.sigmoid(self.score(torch.relu(total(parts))))


@operator_layer("spatial_max_gate")
class SpatialMaxGate(OperatorLayer):
    """y = W [x_1; ...; x_n] * max_m sigmoid(conv_m([mean_c x_m; max_c x_m])) on the grid of x_1, back to its width.

    The channels of an absent argument are zero and its map is left out of the maximum; zero where none is present.

    Args:
        shapes: Shape of each argument.
        width: Not used; the result has the first argument's shape.
        kernel: Size of the convolution, odd; over the tokens as a series where there is no grid.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int, *, kernel: int) -> None:
        super().__init__()
        if kernel % 2 == 0:
            raise DesignError(f"operator 'spatial_max_gate': parameter 'kernel' is {kernel}, expected an odd number such as 3")
        self.out: TokenShape = shapes[0]
        self.shapes = tuple(shapes)
        self.grid = self.out.grid if self.out.grid is not None and len(self.out.grid) <= 3 else (self.out.tokens,)
        conv = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[len(self.grid) - 1]
        self.maps = nn.ModuleList(conv(2, 1, kernel, padding=kernel // 2) for _ in shapes)
        self.mix = nn.Linear(sum(shape.width for shape in shapes), self.out.width, bias=False)

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        """Return (B, T_1, D_1)."""
        xs = [resize_tokens(x, shape, self.out) for x, shape in zip(mask_all(xs, present), self.shapes, strict=True)]
        maps = []
        for conv, x, present_B in zip(self.maps, xs, present, strict=True):
            pooled_B2s = torch.unflatten(torch.stack([x.mean(dim=2), x.amax(dim=2)], dim=1), 2, self.grid)
            maps.append(mask_absent(torch.sigmoid(conv(pooled_B2s)).flatten(1)[:, :, None], present_B))
        # A sigmoid is above zero, so a map that is masked to zero never is the largest.
        return mask_absent(self.mix(torch.cat(xs, dim=2)) * torch.stack(maps).amax(dim=0), any_present(present))


@operator_layer("channel_gate")
class ChannelGate(OperatorLayer):
    """y = x_1 * sigmoid(W_b relu(W_a [s_1; ...; s_n] + a) + b), s_m = mean over tokens of x_m.

    The mean of an absent argument is zero; without x_1 the result is zero.

    Args:
        shapes: Shape of each argument.
        width: Not used; the result has the first argument's shape.
        reduction: How much narrower than all arguments together the hidden layer is.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int, *, reduction: int) -> None:
        super().__init__()
        self.out: TokenShape = shapes[0]
        squeezed = sum(shape.width for shape in shapes)
        hidden = math.ceil(squeezed / reduction)
        self.gate = nn.Sequential(nn.Linear(squeezed, hidden), nn.ReLU(), nn.Linear(hidden, shapes[0].width), nn.Sigmoid())

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        """Return (B, T_1, D_1)."""
        xs = mask_all(xs, present)
        gate_BD: Tensor = self.gate(means(xs))
        return gate_BD[:, None] * xs[0]


@operator_layer("high_order_gate")
class HighOrderGate(OperatorLayer):
    """y_t = x_t * sigmoid(b + sum_(r=1..order) A_r (U_r1 z_t * ... * U_rr z_t)), z_t = [x_t; c_t].

    The context c is brought to the tokens of x. Its half of z is zero where it is absent; without x the result is zero.

    Args:
        shapes: Shape of x and of the context c.
        width: Width of each U z; the result has the shape of x.
        order: Highest number of factors.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int, *, order: int) -> None:
        super().__init__()
        self.out: TokenShape = shapes[0]
        self.context_shape = shapes[1]
        joined = shapes[0].width + shapes[1].width
        self.factors = nn.ModuleList(nn.Linear(joined, degree * width, bias=False) for degree in range(1, order + 1))
        self.maps = nn.ModuleList(nn.Linear(width, shapes[0].width, bias=degree == 0) for degree in range(order))

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        """Return (B, T_1, D_1)."""
        x_BTD, context = mask_all(xs, present)
        z_BTD = torch.cat([x_BTD, resize_tokens(context, self.context_shape, self.out)], dim=2)
        terms = []
        for degree, (factors, linear) in enumerate(zip(self.factors, self.maps, strict=True), start=1):
            product = torch.ones_like(x_BTD[..., :1])
            for factor in factors(z_BTD).chunk(degree, dim=2):
                product = product * factor
            terms.append(linear(product))
        return torch.sigmoid(total(terms)) * x_BTD
