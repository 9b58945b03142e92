"""Concatenation layers against their equations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from fusearch.evaluators.network.operator_layer import TokenShape
from fusearch.testing import OperatorSuite, affine


def permute_blocks(tensor: Tensor, dim: int, sizes: Sequence[int], order: Sequence[int]) -> Tensor:
    """Reorder the blocks of those sizes along an axis."""
    blocks = torch.split(tensor, list(sizes), dim=dim)
    return torch.cat([blocks[i] for i in order], dim=dim)


class TestCat(OperatorSuite):
    name = "cat"
    features_move = True

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        if params["align"]:
            return torch.stack([torch.tensor([value for x in xs for value in x[t]]) for t in range(len(xs[0]))])
        return torch.tensor([[value for x in xs for token in x for value in token]], dtype=torch.float64)


class TestCatAligned(TestCat):
    params: ClassVar = {"align": True}


class TestCatTokens(OperatorSuite):
    name = "cat_tokens"

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        return torch.stack([affine(layer.align[m].project, token) for m, x in enumerate(xs) for token in x])

    def test_equal_widths_are_kept(self) -> None:
        layer = self.build([TokenShape(2, 5), TokenShape(3, 5)])
        assert layer.out == TokenShape(5, 5)
        assert not self.trained(layer)


class TestCatChannels(OperatorSuite):
    name = "cat_channels"

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        return torch.stack([affine(layer.mix, torch.cat([x[t] for x in xs])) for t in range(len(xs[0]))])


class TestGatedCat(OperatorSuite):
    name = "gated_cat"
    features_move = True

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        rows = []
        for t in range(len(xs[0])):
            together = torch.cat([x[t] for x in xs])
            gates = 1 / (1 + torch.exp(-affine(layer.gate, together)))
            rows.append(gates * together)
        return torch.stack(rows)

    def permute_state(self, layer: Any, order: Sequence[int], shapes: Sequence[TokenShape]) -> dict[str, Tensor]:
        sizes = [shape.width for shape in shapes]
        weight = permute_blocks(permute_blocks(layer.gate.weight, 0, sizes, order), 1, sizes, order)
        return {"gate.weight": weight, "gate.bias": permute_blocks(layer.gate.bias, 0, sizes, order)}


def test_a_raw_table_and_a_raw_image_become_all_their_columns() -> None:
    layer = TestCat().build([TokenShape(6, 2, (2, 3)), TokenShape(1, 5)])
    assert layer.out == TokenShape(1, 17)
