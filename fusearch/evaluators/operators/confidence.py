"""Each modality is weighed by how informative its features and how reliable it is: confidence_gate, multimodal_dynamics."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fusearch.evaluators.network.operator_layer import Losses, OperatorLayer, TokenShape, mask_absent, operator_layer, resize_tokens
from fusearch.evaluators.operators.alignment import common_shape, mask_all
from fusearch.evaluators.operators.sharing import row_mean

__all__ = ["ConfidenceGate", "MultimodalDynamics"]


@operator_layer("confidence_gate")
class ConfidenceGate(OperatorLayer):
    """f_m = x_m * sigmoid(W_m x_m + b_m); c_m = w_m . mean_t f_m + d_m; y = [c_1 f_1; ...; c_n f_n].

    In training each modality adds: the mean of its feature gate; (c_m - p_m(true class))^2 with p_m = softmax(V_m mean_t f_m + v_m),
    which is taken as given there; and the cross-entropy of p_m. In a regression p_m(true class) is exp(-(v - target)^2) and the
    cross-entropy (v - target)^2, with v the first output of V_m. The features of an absent argument are zero and its losses are left out.

    Args:
        shapes: Shape of each argument.
        width: Not used; the result is as wide as all arguments together, on the tokens of the longest one.
        classes: Outputs of V_m. A network raises it to the number of classes; outputs beyond that learn probability zero.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int, *, classes: int) -> None:  # noqa: ARG002  # all layers share one signature
        super().__init__()
        self.out: TokenShape = common_shape(shapes, sum(shape.width for shape in shapes))
        self.shapes = tuple(shapes)
        self.gate = nn.ModuleList(nn.Linear(shape.width, shape.width) for shape in shapes)
        self.confidence = nn.ModuleList(nn.Linear(shape.width, 1) for shape in shapes)
        self.classify = nn.ModuleList(nn.Linear(shape.width, classes) for shape in shapes)

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        """Return (B, T, sum of D_i)."""
        results = []
        for index, x in enumerate(mask_all(xs, present)):
            gate = torch.sigmoid(self.gate[index](x))
            features = gate * x
            vector = features.mean(dim=1)
            confidence_B1 = self.confidence[index](vector)
            results.append(resize_tokens(confidence_B1[:, None] * features, self.shapes[index], self.out))
            if losses is not None:
                probability_B, error_B = losses.task.certainty(self.classify[index](vector), losses.targets)
                calibration_B = (confidence_B1.squeeze(1) - probability_B.detach()).square()
                losses.add(row_mean(gate.mean(dim=(1, 2)) + calibration_B + error_B, losses.rows(present[index])))
        return torch.cat(results, dim=2)


@operator_layer("multimodal_dynamics")
class MultimodalDynamics(OperatorLayer):
    """f_m = dropout(relu(E_m (x_m * sigmoid(W_m x_m + b_m)) + e_m)); c_m = w_m . mean_t f_m + d_m; y = [c_1 f_1; ...; c_n f_n].

    The gate is on what comes in, before the encoder E_m, so that the paper's network has it on the raw inputs. In training each modality
    adds the mean of its gate, (c_m - p_m(true class))^2 and the cross-entropy of p_m = softmax(V_m mean_t f_m + v_m); as in the authors'
    code the gradient of the square reaches both sides. In a regression p_m(true class) and the cross-entropy are those of
    `ConfidenceGate`. The features of an absent argument are zero and its losses are left out.

    Args:
        shapes: Shape of each argument.
        width: Width of f_m where `dim` is 0.
        dim: Width of f_m; 0: the network's width.
        dropout: Share of f_m that training drops.
        classes: Outputs of V_m. A network raises it to the number of classes.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int, *, dim: int, dropout: float, classes: int) -> None:
        super().__init__()
        dim = dim or width
        self.out: TokenShape = common_shape(shapes, len(shapes) * dim)
        self.shapes = tuple(TokenShape(shape.tokens, dim, shape.grid) for shape in shapes)
        self.gate = nn.ModuleList(nn.Linear(shape.width, shape.width) for shape in shapes)
        self.encode = nn.ModuleList(nn.Linear(shape.width, dim) for shape in shapes)
        self.confidence = nn.ModuleList(nn.Linear(dim, 1) for _ in shapes)
        self.classify = nn.ModuleList(nn.Linear(dim, classes) for _ in shapes)
        self.dropout = nn.Dropout(dropout)

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        """Return (B, T, n dim)."""
        results = []
        for index, x in enumerate(mask_all(xs, present)):
            gate = torch.sigmoid(self.gate[index](x))
            features = self.dropout(torch.relu(self.encode[index](gate * x)))
            vector = features.mean(dim=1)
            confidence_B1 = self.confidence[index](vector)
            weighed = mask_absent(confidence_B1[:, None] * features, present[index])
            results.append(resize_tokens(weighed, self.shapes[index], self.out))
            if losses is not None:
                probability_B, error_B = losses.task.certainty(self.classify[index](vector), losses.targets)
                calibration_B = (confidence_B1.squeeze(1) - probability_B).square()
                losses.add(row_mean(gate.mean(dim=(1, 2)) + calibration_B + error_B, losses.rows(present[index])))
        return torch.cat(results, dim=2)
