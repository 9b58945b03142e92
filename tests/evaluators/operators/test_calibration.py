"""Calibration by squeezed vectors against its equations."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from fusearch.evaluators.network.operator_layer import TokenShape
from fusearch.evaluators.operators.calibration import MMTM
from fusearch.testing import OperatorSuite, affine


def sigmoid(value: Tensor) -> Tensor:
    return 1 / (1 + torch.exp(-value))


def squeezed(xs: list[Tensor]) -> Tensor:
    return torch.cat([sum(x) / len(x) for x in xs])


def permute_columns(weight: Tensor, shapes: Sequence[TokenShape], order: Sequence[int]) -> Tensor:
    blocks = torch.split(weight, [shape.width for shape in shapes], dim=1)
    return torch.cat([blocks[i] for i in order], dim=1)


class TestMMTM(OperatorSuite):
    name = "mmtm"

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> list[Tensor]:
        z = torch.relu(affine(layer.squeeze, squeezed(xs)))
        gates = [2 * sigmoid(affine(excite, z)) for excite in layer.excite]
        if params["emit"] == "gates":
            return [torch.stack([gate for _ in x]) for gate, x in zip(gates, xs, strict=True)]
        return [torch.stack([gate * token for token in x]) for gate, x in zip(gates, xs, strict=True)]

    def permute_state(self, layer: Any, order: Sequence[int], shapes: Sequence[TokenShape]) -> dict[str, Tensor]:
        state = super().permute_state(layer, order, shapes)
        return {**state, "squeeze.weight": permute_columns(layer.squeeze.weight, shapes, order)}


class TestMIFM(OperatorSuite):
    name = "mifm"

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> list[Tensor]:
        a, b = xs
        scores = [math.exp(float(affine(layer.context, token))) for token in a]
        pooled = sum(score / sum(scores) * token for score, token in zip(scores, a, strict=True))
        attended = torch.zeros_like(b[0])
        for query in b:
            weights = [math.exp(float(affine(layer.query, query) @ affine(layer.key, key)) / math.sqrt(len(query))) for key in b]
            attended = attended + sum(w / sum(weights) * affine(layer.value, key) for w, key in zip(weights, b, strict=True)) / len(b)
        s = torch.cat([pooled, attended])
        return [torch.stack([sigmoid(affine(gate, s)) for _ in x]) for gate, x in zip(layer.gate, xs, strict=True)]


class TestFiLM(OperatorSuite):
    name = "film"

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        if not any(here[1:]):
            return xs[0]
        s = squeezed(xs[1:])
        return torch.stack([(1 + affine(layer.scale, s)) * token + affine(layer.shift, s) for token in xs[0]])


class TestGatedUnit(OperatorSuite):
    name = "gated_unit"

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        rows, width = [], layer.out.width
        for t in range(len(xs[0])):
            together, result = torch.cat([x[t] for x in xs]), torch.zeros(width, dtype=torch.float64)
            for m, x in enumerate(xs):
                gate = sigmoid(layer.gate.weight[m * width : (m + 1) * width] @ together)
                result = result + gate * torch.tanh(affine(layer.align[m].project, x[t]))
            rows.append(result)
        return torch.stack(rows)

    def permute_state(self, layer: Any, order: Sequence[int], shapes: Sequence[TokenShape]) -> dict[str, Tensor]:
        rows = layer.gate.weight.chunk(len(order), dim=0)
        weight = permute_columns(torch.cat([rows[i] for i in order]), shapes, order)
        return {**super().permute_state(layer, order, shapes), "gate.weight": weight}


class TestInputGate(OperatorSuite):
    name = "input_gate"

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        context = affine(layer.context, squeezed(xs[1:]))
        return torch.stack([token * sigmoid(affine(layer.own, token) + context) for token in xs[0]])


def test_a_planted_bug_is_found(planted: Any) -> None:
    class ForgetsTheTwo(MMTM):
        def forward(self, xs: Any, present: Any, losses: Any = None) -> list[Tensor]:
            return [result / 2 for result in super().forward(xs, present, losses)]

    planted(TestMMTM, ForgetsTheTwo)
