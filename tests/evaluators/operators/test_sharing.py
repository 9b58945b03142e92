"""Knowledge sharing and its losses against their equations."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
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


class TestMISA(OperatorSuite):
    name = "misa"

    def parts(self, layer: Any, m: int, token: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        projected = torch.relu(affine(layer.align[m].project, token))
        centred = projected - projected.mean()
        norm = layer.norm[m]
        hidden = norm.weight * centred / torch.sqrt(centred.square().mean() + norm.eps) + norm.bias
        shared, private = (1 / (1 + torch.exp(-affine(encode, hidden))) for encode in (layer.shared, layer.private[m]))
        return hidden, shared, private

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> list[Tensor]:
        results = []
        for m, x in enumerate(xs):
            parts = [self.parts(layer, m, token)[1:] for token in x]
            results.append(torch.stack([torch.cat(part) if params["emit"] == "both" else part[0] for part in parts]))
        return results

    @torch.no_grad()
    def test_losses_match_the_equations_of_the_paper(self) -> None:
        """Hazarika et al.: similarity (eq. 5 to 7), difference (eq. 8), reconstruction (eq. 10), in numpy."""
        layer: Any = self.build(self.shapes())
        xs, present = self.inputs(self.shapes(), batch=9)
        losses = Losses(self.targets(9, self.shapes()), class_task(3))
        layer(xs, present, losses)
        means = [
            {
                row: [sum(part) / len(part) for part in zip(*[self.parts(layer, m, token) for token in xs[m][row]], strict=True)]
                for row in range(9)
            }
            for m in range(3)
        ]

        def sample(m: int, part: int, rows: list[int]) -> NDArray[np.float64]:
            return np.stack([means[m][row][part].numpy() for row in rows])

        def discrepancy(left: NDArray[np.float64], right: NDArray[np.float64]) -> float:
            terms = [np.linalg.norm(left.mean(axis=0) - right.mean(axis=0))]
            for order in range(2, 6):
                moments = [((x - x.mean(axis=0)) ** order).mean(axis=0) for x in (left, right)]
                terms.append(np.linalg.norm(moments[0] - moments[1]))
            return float(sum(terms))

        def difference(left: NDArray[np.float64], right: NDArray[np.float64]) -> float:
            left, right = (x - x.mean(axis=0) for x in (left, right))
            left, right = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (left, right))
            return float(np.linalg.norm(left.T @ right, "fro") ** 2) / left.shape[1] ** 2

        rows = [[row for row in range(9) if present[m][row]] for m in range(3)]
        similar = apart = rebuilt = 0.0
        for m, n in itertools.combinations(range(3), 2):
            both = [row for row in rows[m] if row in rows[n]]
            similar += discrepancy(sample(m, 1, rows[m]), sample(n, 1, rows[n])) / 3
            apart += difference(sample(m, 2, both), sample(n, 2, both))
        for m in range(3):
            apart += difference(sample(m, 1, rows[m]), sample(m, 2, rows[m]))
            for row in rows[m]:
                hidden, shared, private = means[m][row]
                rebuilt += float((hidden - affine(layer.decode, shared + private)).square().mean()) / len(rows[m]) / 3
        assert [float(term) for term in losses.terms] == pytest.approx([similar, apart, rebuilt], rel=1e-7)

    def test_losses_are_finite_without_a_common_row(self) -> None:
        layer: Any = self.build(self.shapes())
        xs, _ = self.inputs(self.shapes(), batch=3)
        losses = Losses(torch.tensor([0, 1, 2]), class_task(3))
        layer(xs, [torch.arange(3) == m for m in range(2)] + [torch.zeros(3, dtype=torch.bool)], losses)
        losses.total().backward()  # type: ignore[no-untyped-call]  # torch has no type for it
        assert losses.total().isfinite()
        assert all(parameter.grad.isfinite().all() for parameter in layer.parameters() if parameter.grad is not None)


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
