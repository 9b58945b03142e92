"""The confidence gate and its losses against their equations."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor
from toy_tasks import class_task, number_task

from fusearch.evaluators.network.operator_layer import Losses
from fusearch.testing import OperatorSuite, affine


def gate(layer: Any, m: int, token: Tensor) -> Tensor:
    return 1 / (1 + torch.exp(-affine(layer.gate[m], token)))


class TestConfidenceGate(OperatorSuite):
    name = "confidence_gate"
    features_move = True

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        parts = []
        for m, x in enumerate(xs):
            features = [token * gate(layer, m, token) for token in x]
            confidence = affine(layer.confidence[m], sum(features) / len(features))
            parts.append([confidence * token for token in features])
        return torch.stack([torch.cat([part[t] for part in parts]) for t in range(len(xs[0]))])

    @pytest.mark.parametrize("regression", [False, True])
    @torch.no_grad()
    def test_losses_match_their_naive_twin(self, regression: bool) -> None:
        layer: Any = self.build(self.shapes())
        xs, present = self.inputs(self.shapes())
        targets = torch.tensor([0.3, -1.0, 2.0, 0.0, 1.0]).double() if regression else torch.tensor([2, 0, 1, 2, 1])
        losses = Losses(targets, number_task() if regression else class_task(3))
        layer(xs, present, losses)
        expected = 0.0
        for m, (x, mask) in enumerate(zip(xs, present, strict=True)):
            rows = []
            for row in range(5):
                if mask[row]:
                    gates = [gate(layer, m, token) for token in x[row]]
                    vector = sum(g * token for g, token in zip(gates, x[row], strict=True)) / len(gates)
                    outputs = affine(layer.classify[m], vector).tolist()
                    if regression:
                        error = (outputs[0] - float(targets[row])) ** 2
                    else:
                        error = -math.log(math.exp(outputs[targets[row]]) / sum(math.exp(value) for value in outputs))
                    informative = float(torch.stack(gates).mean())
                    rows.append(informative + (float(affine(layer.confidence[m], vector)) - math.exp(-error)) ** 2 + error)
            expected += sum(rows) / len(rows)
        assert float(losses.total()) == pytest.approx(expected, rel=1e-10)
