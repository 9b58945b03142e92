"""Gates and weights made from other modalities, against their equations."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from fusearch.testing import OperatorSuite, affine


def squeezed(xs: list[Tensor]) -> Tensor:
    return torch.cat([sum(x) / len(x) for x in xs])


class TestExpertGatedUnit(OperatorSuite):
    name = "expert_gated_unit"

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        a, b, r = xs[0], xs[1], squeezed(xs[2:])
        choice = [math.exp(float(score)) for score in affine(layer.choose, r)]
        opinions = affine(layer.experts, r).chunk(params["experts"])
        e = sum(weight / sum(choice) * torch.relu(opinion) for weight, opinion in zip(choice, opinions, strict=True))
        gate_a, gate_b = (1 / (1 + torch.exp(-gate)) for gate in affine(layer.gates, e).chunk(2))
        rows = []
        for token_a, token_b in zip(a, b, strict=True):
            left, right = gate_a * token_a, gate_b * affine(layer.align.project, token_b)
            if params["merge"] == "sum":
                rows.append(left + right)
            else:
                rows.append((left if here[0] else 1) * (right if here[1] else 1) if any(here[:2]) else 0 * left)
        return torch.stack(rows)


class TestDynamicMLP(OperatorSuite):
    name = "dynamic_mlp"

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        matrix = affine(layer.weights, squeezed(xs[1:])).reshape(params["dim"], params["dim"])
        rows = []
        for token in xs[0]:
            hidden = affine(layer.enter, token)
            for _ in range(params["steps"]):
                hidden = matrix @ hidden
                centred = hidden - hidden.mean()
                hidden = torch.relu(layer.norm.weight * centred / torch.sqrt(centred.square().mean() + layer.norm.eps) + layer.norm.bias)
            rows.append(affine(layer.leave, hidden))
        return torch.stack(rows)
