"""Calibration by squeezed vectors: mmtm, mifm, film, gated_unit, input_gate."""

# ruff: noqa: ARG002  # all layers share one signature

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fusearch.evaluators.network.operator_layer import Losses, OperatorLayer, TokenShape, operator_layer, resize_tokens
from fusearch.evaluators.operators.alignment import Alignment, any_present, common_shape, mask_all, means

__all__ = ["MIFM", "MMTM", "FiLM", "GatedUnit", "InputGate"]


@operator_layer("mmtm")
class MMTM(OperatorLayer):
    """z = relu(W [s_1; ...; s_n] + b), s_m = mean over tokens of x_m; g_m = 2 sigmoid(W_m z + b_m); y_m = g_m * x_m, or g_m.

    The mean of an absent argument is zero; its own stream stays zero, its own gate comes from the others.

    Args:
        shapes: Shape of each argument; the results have the same.
        width: Not used.
        emit: `streams` for the gated arguments, `gates` for the gates alone, repeated over the tokens of their argument.
        reduction: How much narrower than all arguments together z is.
    """

    per_result = ("excite",)

    def __init__(self, shapes: Sequence[TokenShape], width: int, *, emit: str, reduction: int) -> None:
        super().__init__()
        self.out: tuple[TokenShape, ...] = tuple(shapes)
        self.emit = emit
        total = sum(shape.width for shape in shapes)
        hidden = math.ceil(total / reduction)
        self.squeeze = nn.Linear(total, hidden)
        self.excite = nn.ModuleList(nn.Linear(hidden, shape.width) for shape in shapes)

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> list[Tensor]:
        """Return one (B, T_m, D_m) an argument."""
        xs = mask_all(xs, present)
        z_BD = torch.relu(self.squeeze(means(xs)))
        results = list(xs)
        for index, excite in enumerate(self.excite):
            if index not in self.unread:
                gate_B1D = 2 * torch.sigmoid(excite(z_BD))[:, None]
                results[index] = gate_B1D.expand(-1, self.out[index].tokens, -1) if self.emit == "gates" else gate_B1D * xs[index]
        return results


@operator_layer("mifm")
class MIFM(OperatorLayer):
    """s = [sum_t softmax_t(w . a_t) a_t; mean_t of self-attention(b)_t]; g_m = sigmoid(W_m s + b_m); y_m = g_m on every token of m.

    The part of s of an absent argument is zero.

    Args:
        shapes: Shape of each argument; the results have the same.
        width: Not used.
    """

    per_result = ("gate",)

    def __init__(self, shapes: Sequence[TokenShape], width: int) -> None:
        super().__init__()
        self.out: tuple[TokenShape, ...] = tuple(shapes)
        first, second = (shape.width for shape in shapes)
        self.context = nn.Linear(first, 1, bias=False)
        self.query = nn.Linear(second, second, bias=False)
        self.key = nn.Linear(second, second, bias=False)
        self.value = nn.Linear(second, second, bias=False)
        self.gate = nn.ModuleList(nn.Linear(first + second, shape.width) for shape in shapes)

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> list[Tensor]:
        """Return one gate (B, T_m, D_m) an argument."""
        results = mask_all(xs, present)
        a_BTD, b_BTD = results
        pooled = (torch.softmax(self.context(a_BTD), dim=1) * a_BTD).sum(dim=1)
        scores_BTS = self.query(b_BTD) @ self.key(b_BTD).transpose(1, 2) / math.sqrt(b_BTD.shape[2])
        attended = (torch.softmax(scores_BTS, dim=2) @ self.value(b_BTD)).mean(dim=1)
        s_BD = torch.cat([pooled, attended], dim=1)
        for index, gate in enumerate(self.gate):
            if index not in self.unread:
                results[index] = torch.sigmoid(gate(s_BD))[:, None].expand(-1, self.out[index].tokens, -1)
        return results


@operator_layer("film")
class FiLM(OperatorLayer):
    """y = (1 + G s + g) * x_1 + B s + b, s = [mean over tokens of x_2; ...; of x_n].

    The mean of an absent condition is zero; where all conditions are absent x_1 passes unchanged.

    Args:
        shapes: Shape of each argument.
        width: Not used; the result has the first argument's shape.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int) -> None:
        super().__init__()
        self.out: TokenShape = shapes[0]
        condition = sum(shape.width for shape in shapes[1:])
        self.scale = nn.Linear(condition, shapes[0].width)
        self.shift = nn.Linear(condition, shapes[0].width)

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        """Return (B, T_1, D_1)."""
        x_BTD, *conditions = mask_all(xs, present)
        s_BD = means(conditions)
        modulated = (1 + self.scale(s_BD)[:, None]) * x_BTD + self.shift(s_BD)[:, None]
        return torch.where(any_present(present[1:])[:, None, None], modulated, x_BTD)


@operator_layer("gated_unit")
class GatedUnit(OperatorLayer):
    """y = sum_m z_m * h_m, h_m = tanh(W_m x_m), z_m = sigmoid(U_m [x_1; ...; x_n]).

    Works token by token on the tokens of the longest argument. The term of an absent argument is zero, and so are its features in
    every gate.

    Args:
        shapes: Shape of each argument.
        width: Width of the result.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int) -> None:
        super().__init__()
        self.out: TokenShape = common_shape(shapes, width)
        self.shapes = tuple(shapes)
        self.align = Alignment(shapes, self.out, always=True)
        self.gate = nn.Linear(sum(shape.width for shape in shapes), len(shapes) * width, bias=False)

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        """Return (B, T, width)."""
        xs = mask_all(xs, present)
        hidden_BTNW = torch.stack([torch.tanh(x) for x in self.align(xs)], dim=2)
        together = torch.cat([resize_tokens(x, shape, self.out) for x, shape in zip(xs, self.shapes, strict=True)], dim=2)
        gates_BTNW = torch.unflatten(torch.sigmoid(self.gate(together)), 2, (len(self.shapes), self.out.width))
        return torch.sum(gates_BTNW * hidden_BTNW, dim=2)


@operator_layer("input_gate")
class InputGate(OperatorLayer):
    """y_t = x_1t * sigmoid(W_x x_1t + W s + b), s = [mean over tokens of x_2; ...; of x_n].

    The mean of an absent argument is zero; without x_1 the result is zero.

    Args:
        shapes: Shape of each argument.
        width: Not used; the result has the first argument's shape.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int) -> None:
        super().__init__()
        self.out: TokenShape = shapes[0]
        self.own = nn.Linear(shapes[0].width, shapes[0].width)
        self.context = nn.Linear(sum(shape.width for shape in shapes[1:]), shapes[0].width, bias=False)

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        """Return (B, T_1, D_1)."""
        x_BTD, *context = mask_all(xs, present)
        return x_BTD * torch.sigmoid(self.own(x_BTD) + self.context(means(context))[:, None])
