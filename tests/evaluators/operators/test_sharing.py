"""Knowledge sharing and its losses against their equations."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor
from toy_tasks import class_task

from fusearch.evaluators.network.operator_layer import Losses, TokenShape
from fusearch.evaluators.operators.sharing import CrossStitch, row_mean, unit_rows
from fusearch.testing import OperatorSuite, affine


class TestSharedPrivate(OperatorSuite):
    name = "shared_private"

    def parts(self, layer: Any, m: int, token: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        hidden = affine(layer.align[m].project, token)
        return hidden, torch.tanh(affine(layer.shared, hidden)), torch.tanh(affine(layer.private[m], hidden))

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> list[Tensor]:
        results = []
        for m, x in enumerate(xs):
            parts = [self.parts(layer, m, token) for token in x]
            results.append(
                torch.stack([shared if params["emit"] == "shared" else torch.cat([shared, private]) for _, shared, private in parts])
            )
        return results

    @torch.no_grad()
    def test_losses_match_their_naive_twin(self) -> None:
        layer: Any = self.build(self.shapes())
        xs, present = self.inputs(self.shapes())
        losses = Losses(self.targets(5, self.shapes()), class_task(3))
        layer(xs, present, losses)
        means: dict[tuple[int, int], list[Tensor]] = {}
        for m, row in itertools.product(range(3), range(5)):
            tokens = [self.parts(layer, m, token) for token in xs[m][row]]
            means[m, row] = [sum(token[part] for token in tokens) / len(tokens) for part in range(3)]
        expected = 0.0
        for m, other in itertools.combinations(range(3), 2):
            rows = [row for row in range(5) if present[m][row] and present[other][row]]
            expected += sum(float((means[m, row][1] - means[other, row][1]).square().mean()) for row in rows) / len(rows) / 3
        for m in range(3):
            rows = [row for row in range(5) if present[m][row]]
            gram = sum(torch.outer(*(means[m, row][part] / means[m, row][part].norm() for part in (1, 2))) for row in rows)
            expected += float(gram.square().sum()) / len(rows) ** 2 / 3
            for row in rows:
                hidden, shared, private = means[m, row]
                expected += float((hidden - affine(layer.decode, shared + private)).square().mean()) / len(rows) / 3
        assert float(losses.total()) == pytest.approx(expected, rel=1e-9)


class TestSharedBottleneck(OperatorSuite):
    name = "shared_bottleneck"

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> list[Tensor]:
        results = [torch.zeros_like(x) for x in xs]
        for t in range(len(xs[0])):
            codes = [torch.relu(affine(layer.encode[m].project, x[t])) for m, x in enumerate(xs) if here[m]]
            code = sum(codes) / len(codes) if codes else torch.zeros(params["dim"], dtype=torch.float64)
            for m, x in enumerate(xs):
                results[m][t] = x[t] + affine(layer.decode[m].project, code)
        return results


class TestCrossStitch(OperatorSuite):
    name = "cross_stitch"

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> list[Tensor]:
        results = []
        for m, x in enumerate(xs):
            tokens = [
                sum(layer.stitch[m, n] * affine(layer.align[m][n].project, other[t]) for n, other in enumerate(xs)) for t in range(len(x))
            ]
            results.append(torch.stack(tokens))
        return results

    def permute_state(self, layer: Any, order: Sequence[int], shapes: Sequence[TokenShape]) -> dict[str, Tensor]:
        return {**super().permute_state(layer, order, shapes), "stitch": layer.stitch[list(order)][:, list(order)]}

    def test_it_starts_with_little_exchange(self) -> None:
        stitch = CrossStitch([TokenShape(1, 2)] * 3, 8).stitch
        torch.testing.assert_close(stitch, torch.tensor([[0.9, 0.05, 0.05], [0.05, 0.9, 0.05], [0.05, 0.05, 0.9]]))


def test_a_mean_over_no_row_is_zero() -> None:
    assert row_mean(torch.tensor([3.0, 4.0]), torch.zeros(2)) == 0
    assert row_mean(torch.tensor([3.0, 4.0]), torch.tensor([0.0, 2.0])) == 4


def test_a_zero_row_has_no_direction() -> None:
    assert unit_rows(torch.tensor([[0.0, 0.0], [3.0, 4.0]])).tolist() == [[0.0, 0.0], pytest.approx([0.6, 0.8])]
