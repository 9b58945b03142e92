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

    def rectified(self, projection: Tensor) -> Tensor:
        return projection

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
                left, right = self.rectified(affine(layer.left[glimpse], xs[0][i])), self.rectified(affine(layer.right[glimpse], y[j]))
                u, v = factor(left, 0), factor(right, 1)
                joined += scores[i, j] / sum(scores.values()) * u * v
            b = torch.stack([part.sum() for part in joined.split(params["k"])])
            y = [token + affine(layer.back[glimpse], b) for token in y]
        return sum(y)[None] * any(here)


class TestBAN(TestBilinearAttention):
    """Kim et al.: every projection, those of the join too, has a ReLU."""

    name = "ban"

    def rectified(self, projection: Tensor) -> Tensor:
        return torch.stack([max(value, torch.zeros_like(value)) for value in projection])


def test_published_is_not_the_same_as_bilinear_attention() -> None:
    xs, present = TestBAN().inputs(TestBAN().shapes())
    published, simple = TestBAN().build(TestBAN().shapes()), TestBilinearAttention().build(TestBAN().shapes())
    published.load_state_dict(simple.state_dict(), strict=False)
    for name, parameter in published.named_parameters():
        if name.endswith("bias") and not name.startswith("back"):
            parameter.data.zero_()
    assert not torch.allclose(published(xs, present), simple(xs, present))  # type: ignore[arg-type]  # neither has ports
