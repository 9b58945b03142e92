"""Sharing by a pretext: adversarial, reconstruction.

Each gives one result an argument, and in training a loss that needs no target. Axis letters: B batch, T tokens, D width, M arguments.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fusearch.evaluators.network.operator_layer import Losses, OperatorLayer, TokenShape, operator_layer
from fusearch.evaluators.operators.agreement import Projections
from fusearch.evaluators.operators.alignment import Alignment, mask_all
from fusearch.evaluators.operators.sharing import row_mean

__all__ = ["Adversarial", "Reconstruction", "reversed_gradient"]


@operator_layer("reconstruction")
class Reconstruction(OperatorLayer):
    """h_m = relu(W_m x_m + b_m), a loss on how well x_m is made again from h_m, token by token.

    Loss: mean over m, over the rows that have it and over tokens of |x_m - (V_m h_m + c_m)|^2 / d_m; x_m is taken as given. The result of
    an absent argument comes from zeros, and it is left out of the loss.

    Args:
        shapes: Shape of each argument.
        width: Width of the results.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int) -> None:
        super().__init__()
        self.out: tuple[TokenShape, ...] = tuple(TokenShape(shape.tokens, width, shape.grid) for shape in shapes)
        self.align = Alignment(shapes, self.out, bias=True, always=True)
        self.decode = nn.ModuleList(nn.Linear(width, shape.width) for shape in shapes)

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> list[Tensor]:
        """Return one (B, T_m, width) an argument."""
        masked = mask_all(xs, present)
        hidden = [torch.relu(each) for each in self.align(masked)]
        if losses is not None:
            terms = []
            for x_BTD, h_BTD, decode, present_B in zip(masked, hidden, self.decode, present, strict=True):
                error_B = (x_BTD.detach() - decode(h_BTD)).square().mean(dim=(1, 2))
                terms.append(row_mean(error_B, losses.rows(present_B).to(error_B)))
            losses.add(torch.stack(terms).mean())
        return hidden


@operator_layer("adversarial")
class Adversarial(Projections):
    """y_m = W_m x_m + b_m; a discriminator learns to tell m from z_m, and the W_m that it cannot.

    Loss: mean over m and over the rows that have it of -log softmax(V relu(U z_m + u) + v) at m, z_m the mean over tokens of y_m; its
    gradient is reversed on the way to y_m.

    Args:
        shapes: Shape of each argument.
        width: Width of the results and of the hidden layer of the discriminator.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int) -> None:
        super().__init__(shapes, width)
        self.discriminator = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, len(shapes)))

    def loss(self, vectors: list[Tensor], present: list[Tensor], losses: Losses) -> Tensor:
        """Return the mean over modalities of the cross-entropy of telling them apart."""
        terms = []
        for m, (z_BD, present_B) in enumerate(zip(vectors, present, strict=True)):
            log_BM = torch.log_softmax(self.discriminator(reversed_gradient(z_BD)), dim=1)
            terms.append(row_mean(-log_BM[:, m], losses.rows(present_B).to(log_BM)))
        return torch.stack(terms).mean()


def reversed_gradient(x: Tensor) -> Tensor:
    """Return the same values, with the opposite gradient."""
    return 2 * x.detach() - x
