"""Bilinear attention against its equation."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from fusearch.evaluators.network.operator_layer import TokenShape
from fusearch.testing import OperatorSuite, affine


class TestBilinearAttention(OperatorSuite):
    name = "bilinear_attention"

    def twin_shapes(self) -> list[list[TokenShape]]:
        return [[TokenShape(3, 4), TokenShape(2, 5)]]

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        def factor(values: Tensor, m: int) -> Tensor:
            return values if here[m] else torch.ones_like(values)

        pairs = list(itertools.product(range(len(xs[0])), range(len(xs[1]))))
        y = list(xs[1])
        for glimpse in range(params["glimpses"]):
            scores = {}
            for i, j in pairs:
                left = factor(torch.relu(affine(layer.score_maps[0], xs[0][i])), 0)
                right = factor(torch.relu(affine(layer.score_maps[1], xs[1][j])), 1)
                scores[i, j] = math.exp(float(layer.score.weight[glimpse] @ (left * right)))
            joined = torch.zeros(params["hidden"] * params["k"], dtype=torch.float64)
            for i, j in pairs:
                u, v = factor(affine(layer.left[glimpse], xs[0][i]), 0), factor(affine(layer.right[glimpse], y[j]), 1)
                joined += scores[i, j] / sum(scores.values()) * u * v
            b = torch.stack([part.sum() for part in joined.split(params["k"])])
            y = [token + affine(layer.back[glimpse], b) for token in y]
        return sum(y)[None] * any(here)
