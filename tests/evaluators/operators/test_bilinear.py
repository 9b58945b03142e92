"""Products of all features with all features against their equations."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from fusearch.evaluators.network.operator_layer import TokenShape
from fusearch.evaluators.operators.bilinear import Bilinear, FactorizedBilinear, LowRank
from fusearch.testing import OperatorSuite, affine


def aligned(layer: Any, xs: list[Tensor], t: int) -> list[Tensor]:
    return [affine(layer.align[m].project, x[t]) for m, x in enumerate(xs)]


def plus_one(vector: Tensor) -> Tensor:
    return torch.cat([vector, torch.ones(1, dtype=vector.dtype)])


def power_normalized(z: Tensor) -> Tensor:
    rooted = torch.tensor([float(value) / (abs(float(value)) + 1e-4) ** 0.5 for value in z], dtype=z.dtype)
    return rooted / (sum(float(value) ** 2 for value in rooted) + 1e-4) ** 0.5


class TestOuter(OperatorSuite):
    name = "outer"
    features_move = True

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        rows = []
        for t in range(len(xs[0])):
            vectors = [plus_one(vector) for vector in aligned(layer, xs, t)]
            rows.append(torch.stack([torch.stack(factors).prod() for factors in itertools.product(*vectors)]))
        return torch.stack(rows)

    def test_the_other_argument_stays_where_one_is_absent(self) -> None:
        layer = self.build([TokenShape(1, 8), TokenShape(1, 8)])
        x = torch.arange(8.0).double()[None, None]
        result = layer([x, x], [torch.tensor([True]), torch.tensor([False])])
        assert set(x.flatten().tolist()) <= set(result.flatten().tolist())


class TestBilinear(OperatorSuite):
    name = "bilinear"

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        result = torch.zeros(len(xs[0]), layer.out.width, dtype=torch.float64)
        for t in range(len(xs[0])):
            left, right = (plus_one(vector) for vector in aligned(layer, xs, t))
            for i, j, k in itertools.product(range(len(left)), range(len(right)), range(layer.out.width)):
                result[t, k] += left[i] * layer.weight[i, j, k] * right[j]
        return result

    def permute_state(self, layer: Any, order: Sequence[int], shapes: Sequence[TokenShape]) -> dict[str, Tensor]:
        state = super().permute_state(layer, order, shapes)
        return {**state, "weight": layer.weight if list(order) == [0, 1] else layer.weight.transpose(0, 1)}


class TestLowRank(OperatorSuite):
    name = "low_rank"

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        width = layer.out.width
        result = torch.zeros(len(xs[0]), width, dtype=torch.float64)
        for t, r in itertools.product(range(len(xs[0])), range(params["rank"])):
            term = torch.ones(width, dtype=torch.float64)
            for m, x in enumerate(xs):
                linear = layer.align[m].project
                factor = torch.cat([linear.weight, linear.bias[:, None]], dim=1)[r * width : (r + 1) * width]
                term = term * (factor @ plus_one(x[t]))
            result[t] += term
        return result


class TestFactorizedBilinear(OperatorSuite):
    name = "factorized_bilinear"

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        rows = []
        for t in range(len(xs[0])):
            vectors = [vector for vector, present in zip(aligned(layer, xs, t), here, strict=True) if present]
            joined = torch.stack(vectors).prod(dim=0) if vectors else torch.zeros(layer.out.width * params["k"], dtype=torch.float64)
            rows.append(
                power_normalized(torch.stack([joined[d * params["k"] : (d + 1) * params["k"]].sum() for d in range(layer.out.width)]))
            )
        return torch.stack(rows)


class TestTucker(OperatorSuite):
    name = "tucker"

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        dim, rows = params["dim"], []
        for t in range(len(xs[0])):
            vectors = [torch.tanh(vector) for vector in aligned(layer, xs, t)]
            core = torch.zeros(dim, dtype=torch.float64)
            for r in range(params["rank"]):
                term = torch.full((dim,), float(any(here)), dtype=torch.float64)
                for m, vector in enumerate(vectors):
                    if here[m]:
                        term = term * (layer.core[m].weight[r * dim : (r + 1) * dim] @ vector)
                core = core + term
            rows.append(affine(layer.output, core))
        return torch.stack(rows)


def test_planted_bugs_are_found(planted: Any) -> None:
    class SumsOverWidth(LowRank):
        def forward(self, xs: Any, present: Any, losses: Any = None) -> Tensor:
            factors = self.align([torch.where(mask[:, None, None], x, 0.0) for x, mask in zip(xs, present, strict=True)])
            joined = factors[0]
            for factor in factors[1:]:
                joined = joined * factor
            return torch.unflatten(joined, 2, (self.out.width, self.rank)).sum(dim=3)

    class ForgetsToNormalize(FactorizedBilinear):
        def forward(self, xs: Any, present: Any, losses: Any = None) -> Tensor:
            return 2 * super().forward(xs, present, losses)

    class LeavesOutTheOnes(Bilinear):
        def forward(self, xs: Any, present: Any, losses: Any = None) -> Tensor:
            left, right = self.align([torch.where(mask[:, None, None], x, 0.0) for x, mask in zip(xs, present, strict=True)])
            return torch.einsum("bti,ijk,btj->btk", left, self.weight[:-1, :-1], right)

    planted(TestLowRank, SumsOverWidth)
    planted(TestFactorizedBilinear, ForgetsToNormalize)
    planted(TestBilinear, LeavesOutTheOnes)
