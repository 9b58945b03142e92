"""Attention over modalities against its equations."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from fusearch.evaluators.network.operator_layer import TokenShape
from fusearch.evaluators.operators.modality_attention import ModalityAttention
from fusearch.testing import OperatorSuite, affine


class TestModalityAttention(OperatorSuite):
    name = "modality_attention"

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        rows = []
        for t in range(len(xs[0])):
            hidden = [affine(layer.align[m].project, x[t]) for m, x in enumerate(xs)]
            scores = [math.exp(float(layer.score[2].weight[0] @ torch.tanh(affine(layer.score[0], h)))) for h in hidden]
            total = sum(score for score, present in zip(scores, here, strict=True) if present)
            weighted = [score / total * h if present else 0 * h for score, h, present in zip(scores, hidden, here, strict=True)]
            rows.append(torch.stack(weighted).sum(dim=0) if params["merge"] == "sum" else torch.cat(weighted))
        return torch.stack(rows)


class TestModalitySpatialAttention(OperatorSuite):
    name = "modality_spatial_attention"
    features_move = True

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        rows = []
        for t in range(len(xs[0])):
            matrix = [affine(layer.align[m].project, x[t]) * here[m] for m, x in enumerate(xs)]
            own = [affine(layer.modality[2], torch.relu(affine(layer.modality[0], row))) for row in matrix]
            across = torch.stack([affine(layer.across, torch.stack([row[d] for row in matrix]))[0] for d in range(len(matrix[0]))])
            feature = affine(layer.spatial[2], torch.relu(affine(layer.spatial[0], across)))
            rows.append(torch.cat([row / (1 + torch.exp(-(own[m] + feature))) for m, row in enumerate(matrix)]))
        return torch.stack(rows)

    def permute_state(self, layer: Any, order: Sequence[int], shapes: Sequence[TokenShape]) -> dict[str, Tensor]:
        return {**super().permute_state(layer, order, shapes), "across.weight": layer.across.weight[:, list(order)]}


def test_a_planted_bug_is_found(planted: Any) -> None:
    class SoftmaxOverTokens(ModalityAttention):
        def forward(self, xs: Any, present: Any, losses: Any = None) -> Tensor:
            h_BNTD = torch.stack(self.align([torch.where(mask[:, None, None], x, 0.0) for x, mask in zip(xs, present, strict=True)]), dim=1)
            weighted = torch.softmax(self.score(h_BNTD), dim=2) * h_BNTD * torch.stack(present, dim=1)[:, :, None, None]
            return weighted.sum(dim=1) if self.merge == "sum" else weighted.transpose(1, 2).flatten(2)

    planted(TestModalityAttention, SoftmaxOverTokens)
