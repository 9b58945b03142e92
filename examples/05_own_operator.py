"""Your own operator in one file: a gate of the first argument by the agreement of the two, searched like any other.

Run it as it is, or let the command line and its workers see it: `fusearch --plugin examples/05_own_operator.py search ...`
"""

import sys
from collections.abc import Sequence

import torch
from torch import Tensor, nn

import fusearch as fs
from fusearch.evaluators import OperatorLayer, TokenShape
from fusearch.evaluators.network.operator_layer import Losses, mask_absent


@fs.fusion_operator(
    fs.Operator(
        "agreement_gate",
        family="attention",
        max_args=2,
        equation="y_t = W_1 x_1t * sigmoid(cos(W_1 x_1t, W_2 mean_t x_2t))",
        absent="without the second argument the gate is open by half; without the first the result is the bias of W_1",
        reference="this example",
    )
)
class AgreementGate(OperatorLayer):
    """Scales each token of the first argument by its cosine with the mean of the second."""

    def __init__(self, shapes: Sequence[TokenShape], width: int) -> None:
        super().__init__()
        self.first, self.second = (nn.Linear(shape.width, width) for shape in shapes)
        self.out = TokenShape(shapes[0].tokens, width, shapes[0].grid)

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        xs = [mask_absent(x_BTD, present_B) for x_BTD, present_B in zip(xs, present, strict=True)]
        a_BTD, b_B1D = self.first(xs[0]), self.second(xs[1].mean(dim=1, keepdim=True))
        cosine_BT1 = torch.cosine_similarity(a_BTD, b_B1D, dim=-1).unsqueeze(-1)
        return a_BTD * torch.sigmoid(torch.where(present[1][:, None, None], cosine_BT1, 0.0))


if __name__ == "__main__":
    out = sys.argv[1] if len(sys.argv) > 1 else "runs/own_operator"
    data = fs.load_data("wisconsin")
    space = fs.SearchSpace(data.modalities, operators=["cat", "agreement_gate"], max_fusions=2)
    evaluator = fs.TrainingEvaluator(data, folds=2, epochs=5)
    mine = fs.FusionGraph.parse("F1 = agreement_gate(mean@L, worst@L) ->", data.modalities)
    run = fs.run_search(space, evaluator, objectives=["auroc", "parameters"], trials=10, first=[mine], executor="inline", out=out)
    for record in run.front():
        print(record.objectives, record.formula, sep="\n")
