"""recurrent: a recurrent cell that takes one modality a step (MedFuse)."""

# ruff: noqa: ARG002  # all layers share one signature

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fusearch.evaluators.network.operator_layer import Losses, OperatorLayer, TokenShape, operator_layer
from fusearch.evaluators.operators.alignment import Alignment, common_shape, mask_all

__all__ = ["Recurrent"]


@operator_layer("recurrent")
class Recurrent(OperatorLayer):
    """h_m = cell(W_m x_m + b_m, h_(m-1)) over the arguments in order; y = h_n.

    Works token by token on the tokens of the longest argument. The step of an absent argument is skipped: the state passes unchanged.
    The cells are written out, as the fused ones have no rule for members in one batch.

    Args:
        shapes: Shape of each argument.
        width: Width of the state.
        cell: `lstm` or `gru`.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int, *, cell: str) -> None:
        super().__init__()
        self.out: TokenShape = common_shape(shapes, width)
        self.cell = cell
        self.align = Alignment(shapes, self.out, bias=True, always=True)
        gates = {"lstm": 4, "gru": 3}[cell]
        self.input = nn.Linear(width, gates * width)
        self.state = nn.Linear(width, gates * width)

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        """Return (B, T, width)."""
        steps = self.align(mask_all(xs, present))
        h = c = torch.zeros_like(steps[0])
        for step, present_B in zip(steps, present, strict=True):
            next_h, next_c = self.lstm(step, h, c) if self.cell == "lstm" else self.gru(step, h, c)
            h = torch.where(present_B[:, None, None], next_h, h)
            c = torch.where(present_B[:, None, None], next_c, c)
        return h

    def lstm(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """Return the next state and cell of a long short-term memory (Hochreiter & Schmidhuber 1997)."""
        take, keep, new, show = (self.input(x) + self.state(h)).chunk(4, dim=-1)
        c = torch.sigmoid(keep) * c + torch.sigmoid(take) * torch.tanh(new)
        return torch.sigmoid(show) * torch.tanh(c), c

    def gru(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """Return the next state of a gated recurrent unit (Cho et al. 2014); it has no cell."""
        reset_x, update_x, new_x = self.input(x).chunk(3, dim=-1)
        reset_h, update_h, new_h = self.state(h).chunk(3, dim=-1)
        update = torch.sigmoid(update_x + update_h)
        new = torch.tanh(new_x + torch.sigmoid(reset_x + reset_h) * new_h)
        return (1 - update) * new + update * h, c
