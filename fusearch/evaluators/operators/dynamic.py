"""Layers whose gates or weights are made from other modalities: expert_gated_unit, dynamic_mlp, recursive_dynamic_mlp."""

# ruff: noqa: ARG002  # all layers share one signature

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from fusearch.evaluators.network.operator_layer import Losses, OperatorLayer, TokenShape, operator_layer
from fusearch.evaluators.operators.alignment import Align, mask_all, means
from fusearch.evaluators.operators.elementwise import product

__all__ = ["DynamicMLP", "ExpertGatedUnit", "RecursiveDynamicMLP"]


@operator_layer("expert_gated_unit")
class ExpertGatedUnit(OperatorLayer):
    """e = sum_i softmax(G r)_i relu(E_i r), r = [mean over tokens of ra; of rb]; (g_a, g_b) = sigmoid(W e + c); merge(g_a * a, g_b * P b).

    Arguments: a, b and their raw inputs ra, rb; P brings b to the shape of a. Of a and b the one that is present passes alone (zero
    where both are absent); the mean of an absent ra or rb is zero. In the paper all units share their experts; here each has its own.

    Args:
        shapes: Shape of each argument.
        width: Width of the experts; the result has the shape of a.
        merge: `product` or `sum`.
        experts: Number of experts.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int, *, merge: str, experts: int) -> None:
        super().__init__()
        self.out: TokenShape = shapes[0]
        self.merge, self.num_experts = merge, experts
        raw = shapes[2].width + shapes[3].width
        self.align = Align(shapes[1], shapes[0])
        self.choose = nn.Linear(raw, experts, bias=False)
        self.experts = nn.Linear(raw, experts * width, bias=False)
        self.gates = nn.Linear(width, 2 * shapes[0].width)

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        """Return (B, T_1, D_1)."""
        a_BTD, b_BTD, *raw = mask_all(xs, present)
        r_BD = means(raw)
        opinions_BEW = torch.unflatten(torch.relu(self.experts(r_BD)), 1, (self.num_experts, -1))
        e_BW = (torch.softmax(self.choose(r_BD), dim=1)[:, :, None] * opinions_BEW).sum(dim=1)
        gate_a, gate_b = torch.sigmoid(self.gates(e_BW))[:, None].chunk(2, dim=2)
        gated = [gate_a * a_BTD, gate_b * self.align(b_BTD)]
        return gated[0] + gated[1] if self.merge == "sum" else product(gated, present[:2])


@operator_layer("dynamic_mlp")
class DynamicMLP(OperatorLayer):
    """h_0 = W_i x_1; h_k = relu(LN(M h_(k-1))), M = reshape(W s + b) to dim x dim, s = means over tokens of the others; y = W_o h.

    The mean of an absent argument is zero, so that M keeps its learned part b; an absent x_1 enters as zeros.

    Args:
        shapes: Shape of each argument.
        width: Not used; the result has the first argument's shape.
        dim: Width inside.
        steps: How often M is applied.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int, *, dim: int, steps: int) -> None:
        super().__init__()
        self.out: TokenShape = shapes[0]
        self.dim, self.steps = dim, steps
        self.enter = nn.Linear(shapes[0].width, dim)
        self.weights = nn.Linear(sum(shape.width for shape in shapes[1:]), dim * dim)
        self.norm = nn.LayerNorm(dim)
        self.leave = nn.Linear(dim, shapes[0].width)

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        """Return (B, T_1, D_1)."""
        x_BTD, *others = mask_all(xs, present)
        matrix_BDD = torch.unflatten(self.weights(means(others)), 1, (self.dim, self.dim))
        hidden: Tensor = self.enter(x_BTD)
        for _ in range(self.steps):
            hidden = torch.relu(self.norm(hidden @ matrix_BDD.transpose(1, 2)))
        result: Tensor = self.leave(hidden)
        return result


class DynamicBlock(nn.Module):
    """One step of the recursive dynamic MLP, h -> h'.

    Args:
        source: Width of h.
        target: Width of h'.
        context: Width of s.
        kind: `a`, `b` or `c`, as in the paper.
    """

    def __init__(self, source: int, target: int, context: int, kind: str) -> None:
        super().__init__()
        self.kind, self.sizes = kind, (source, target)
        size, made_from = {"a": (source, context), "b": (source, context), "c": (source + context, source + context)}[kind]
        self.features = nn.Identity() if kind == "a" else _two_layers(size, source, source)
        self.weights = nn.Linear(made_from, source * target) if kind == "a" else _two_layers(made_from, source, source * target)
        self.norm = nn.LayerNorm(target)
        self.last = (
            nn.Sequential() if kind == "a" else nn.Sequential(nn.Linear(target, target, bias=False), nn.LayerNorm(target), nn.ReLU())
        )

    def forward(self, h_BTD: Tensor, s_BD: Tensor) -> Tensor:
        """Map (B, T, source) to (B, T, target)."""
        features, made_from = h_BTD, s_BD[:, None]
        if self.kind == "c":
            features = made_from = torch.cat([h_BTD, made_from.expand(-1, h_BTD.shape[1], -1)], dim=2)
        matrix_BTDW = torch.unflatten(self.weights(made_from), 2, self.sizes)
        mixed = (self.features(features)[:, :, None] @ matrix_BTDW)[:, :, 0]
        result: Tensor = self.last(torch.relu(self.norm(mixed)))
        return result


def _two_layers(source: int, hidden: int, target: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(source, hidden), nn.ReLU(), nn.Linear(hidden, target))


@operator_layer("recursive_dynamic_mlp")
class RecursiveDynamicMLP(OperatorLayer):
    """h_0 = W_i x_1; h_k = block_k(h_(k-1), s), each with its own generator and LayerNorm; y = x_1 + LN(W_o h), token by token.

    s holds the means over tokens of the others. The mean of an absent argument is zero; an absent x_1 enters as zeros.

    Args:
        shapes: Shape of each argument.
        width: Not used; the result has the first argument's shape.
        block: `a`: relu(LN(h M(s))); `c`: relu(LN(V relu(LN(A(z) M(z))))), z = [h; s]; `b`: as `c` with A of h and M of s.
        dim: Width of the first and the last h.
        hidden: Width of those between.
        steps: Number of blocks.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int, *, block: str, dim: int, hidden: int, steps: int) -> None:
        super().__init__()
        self.out: TokenShape = shapes[0]
        context = sum(shape.width for shape in shapes[1:])
        widths = [dim, *[hidden] * (steps - 1), dim]
        self.enter = nn.Linear(shapes[0].width, dim)
        self.blocks = nn.ModuleList(DynamicBlock(source, target, context, block) for source, target in pairwise(widths))
        self.leave = nn.Linear(dim, shapes[0].width)
        self.norm = nn.LayerNorm(shapes[0].width)

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        """Return (B, T_1, D_1)."""
        x_BTD, *others = mask_all(xs, present)
        s_BD = means(others)
        hidden: Tensor = self.enter(x_BTD)
        for block in self.blocks:
            hidden = block(hidden, s_BD)
        result: Tensor = self.norm(self.leave(hidden))
        return x_BTD + result
