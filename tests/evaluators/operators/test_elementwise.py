"""Elementwise layers against their equations."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from fusearch.evaluators.network.operator_layer import TokenShape, argument_order
from fusearch.testing import OperatorSuite, affine


class Elementwise(OperatorSuite):
    """The naive twin of an operator that works number by number."""

    def combine(self, values: list[float], here: list[bool], params: Mapping[str, Any]) -> float:
        raise NotImplementedError

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        result = torch.zeros_like(xs[0])
        for t in range(len(xs[0])):
            aligned = [affine(layer.align[m].project, x[t]) for m, x in enumerate(xs)]
            for d in range(xs[0].shape[1]):
                result[t, d] = self.combine([float(vector[d]) for vector in aligned], here, params)
        return result


class TestSum(Elementwise):
    name = "sum"

    def combine(self, values: list[float], here: list[bool], params: Mapping[str, Any]) -> float:
        return sum(values)

    def test_shapes_of_its_own_kind_add_no_parameter(self) -> None:
        assert not self.trained(self.build([TokenShape(4, 5)] * 3))


class TestMean(Elementwise):
    name = "mean"

    def combine(self, values: list[float], here: list[bool], params: Mapping[str, Any]) -> float:
        return sum(values) / max(1, sum(here))


class TestProduct(Elementwise):
    name = "product"

    def combine(self, values: list[float], here: list[bool], params: Mapping[str, Any]) -> float:
        return math.prod(value for value, present in zip(values, here, strict=True) if present) if any(here) else 0.0


class TestMax(Elementwise):
    name = "max"

    def combine(self, values: list[float], here: list[bool], params: Mapping[str, Any]) -> float:
        return max((value for value, present in zip(values, here, strict=True) if present), default=0.0)


class TestDifference(Elementwise):
    name = "difference"

    def combine(self, values: list[float], here: list[bool], params: Mapping[str, Any]) -> float:
        difference = values[0] - values[1] if all(here) else 0.0
        return abs(difference) if params["absolute"] else difference


class TestSumOnGrid(OperatorSuite):
    name = "sum_on_grid"

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        return torch.stack([layer.bias_D + sum(affine(layer.align[m].project, x[t]) for m, x in enumerate(xs)) for t in range(len(xs[0]))])

    def test_a_volume_keeps_its_places_on_an_image(self) -> None:
        """W reads all slices of a place, written out: what stands elsewhere does not reach it, and each slice has weights of its own."""
        image, volume = TokenShape(4, 3, (2, 2)), TokenShape(12, 5, (3, 2, 2))
        layer: Any = self.build([image, volume])
        x, v = torch.randn(1, 4, 3).double(), torch.randn(1, 12, 5).double()
        result = layer([x, v], [torch.tensor([True])] * 2)
        for row in range(2):
            for column in range(2):
                place = 2 * row + column
                slices = torch.cat([v[0, 4 * depth + place] for depth in range(3)])
                expected = affine(layer.align[0].project, x[0, place]) + affine(layer.align[1].project, slices) + layer.bias_D
                torch.testing.assert_close(result[0, place], expected)


def test_the_order_of_a_formula_does_not_decide_the_shape() -> None:
    shapes = [TokenShape(1, 9), TokenShape(6, 4, (2, 3)), TokenShape(6, 5)]
    kept = [[shapes[i] for i in order][argument_order([shapes[i] for i in order])[0]] for order in ((0, 1, 2), (2, 0, 1), (1, 2, 0))]
    assert kept == [TokenShape(6, 5)] * 3
    assert argument_order(shapes, continued=0)[0] == 0
