"""Gates against their equations."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from fusearch.errors import DesignError
from fusearch.evaluators.network.operator_layer import TokenShape
from fusearch.testing import OperatorSuite, affine


def sigmoid(value: Tensor) -> Tensor:
    return 1 / (1 + torch.exp(-value))


class TestContextAttention(OperatorSuite):
    name = "context_attention"

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        scores = [math.exp(float(affine(layer.score, affine(layer.query, token) * affine(layer.key, token)))) for token in xs[1]]
        return torch.stack([score / sum(scores) * token for score, token in zip(scores, xs[0], strict=True)])


class TestSpatialGate(OperatorSuite):
    name = "spatial_gate"

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        rows = []
        for t in range(len(xs[0])):
            hidden = torch.relu(sum(affine(layer.maps[m], x[t]) for m, x in enumerate(xs)))
            rows.append(xs[0][t] * sigmoid(affine(layer.score, hidden)))
        return torch.stack(rows)


class TestSpatialMaxGate(OperatorSuite):
    name = "spatial_max_gate"

    def twin_shapes(self) -> list[list[TokenShape]]:
        return [[TokenShape(6, 4, (2, 3)), TokenShape(6, 5, (2, 3)), TokenShape(6, 3, (2, 3))]]

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        height, width, half = 2, 3, params["kernel"] // 2
        result = torch.zeros_like(xs[0])
        for row, column in itertools.product(range(height), range(width)):
            maps = []
            for m, x in enumerate(xs):
                value = layer.maps[m].bias[0].clone()
                for i, j in itertools.product(range(-half, half + 1), repeat=2):
                    if 0 <= row + i < height and 0 <= column + j < width:
                        token = x[(row + i) * width + column + j]
                        weight = layer.maps[m].weight[0, :, half + i, half + j]
                        value += weight[0] * token.mean() + weight[1] * token.max()
                if here[m]:
                    maps.append(float(sigmoid(value)))
            t = row * width + column
            if maps:
                result[t] = max(maps) * affine(layer.mix, torch.cat([x[t] for x in xs]))
        return result

    def test_an_even_kernel_is_refused(self) -> None:
        with pytest.raises(DesignError, match=r"'kernel' is 4, expected an odd number"):
            self.build(self.shapes(), {"kernel": 4})


class TestChannelGate(OperatorSuite):
    name = "channel_gate"

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        squeezed = torch.cat([sum(x) / len(x) for x in xs])
        gate = sigmoid(affine(layer.gate[2], torch.relu(affine(layer.gate[0], squeezed))))
        return torch.stack([gate * token for token in xs[0]])


class TestHighOrderGate(OperatorSuite):
    name = "high_order_gate"

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        rows = []
        for t in range(len(xs[0])):
            z = torch.cat([xs[0][t], xs[1][t]])
            total = torch.zeros(xs[0].shape[1], dtype=z.dtype)
            for order in range(1, params["order"] + 1):
                factors = affine(layer.factors[order - 1], z).chunk(order)
                total = total + affine(layer.maps[order - 1], torch.stack(factors).prod(dim=0))
            rows.append(xs[0][t] * sigmoid(total))
        return torch.stack(rows)
