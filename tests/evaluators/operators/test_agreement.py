"""Losses on projections against their equations."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from toy_tasks import class_task, number_task

from fusearch.evaluators.network.operator_layer import Losses, TokenShape
from fusearch.testing import OperatorSuite, affine


class Agreement(OperatorSuite):
    """The naive twin of a projection with a loss on the means over tokens."""

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> list[Tensor]:
        return [torch.stack([affine(layer.align[m].project, token) for token in x]) for m, x in enumerate(xs)]

    def naive_loss(self, vectors: list[dict[int, Tensor]], targets: Tensor, params: Mapping[str, Any]) -> float:
        """Return the loss from the vectors of each modality, by row; rows without it are not there."""
        raise NotImplementedError

    @torch.no_grad()
    def loss_and_twin(self, targets: Tensor, changed: Mapping[str, Any]) -> tuple[float, float]:
        layer: Any = self.build(self.shapes(), changed)
        xs, present = self.inputs(self.shapes(), batch=8, seed=2)
        losses = Losses(targets, number_task() if targets.is_floating_point() else class_task(3))
        layer(xs, present, losses)
        vectors = []
        for m, x in enumerate(xs):
            means = [sum(affine(layer.align[m].project, token) for token in sample) / len(sample) for sample in x]
            vectors.append({row: mean.detach() for row, mean in enumerate(means) if present[m][row]})
        params = {name: param.default for name, param in self.operator.params.items()}
        return float(losses.total()), self.naive_loss(vectors, targets, {**params, **changed})

    def test_loss_matches_its_naive_twin(self) -> None:
        changes = [{name: value} for name, param in self.operator.params.items() for value in param.choices or (param.default,)]
        for targets in (torch.arange(8) % 3, torch.linspace(-1, 2, 8).double()):
            for changed in changes or [{}]:
                loss, twin = self.loss_and_twin(targets, changed)
                assert loss == pytest.approx(twin, rel=1e-9)
                assert loss > 0

    def test_it_is_finite_where_no_sample_has_two_modalities(self) -> None:
        layer = self.build(self.shapes())
        xs, _ = self.inputs(self.shapes(), batch=3)
        losses = Losses(torch.tensor([0, 1, 2]), class_task(3))
        layer(xs, [torch.arange(3) == m for m in range(len(xs))], losses)
        assert losses.total().isfinite()


def mean_over_pairs(vectors: list[dict[int, Tensor]], loss: Any) -> float:
    pairs = list(itertools.combinations(vectors, 2))
    return sum(loss(left, right) for left, right in pairs) / len(pairs)


def common(left: dict[int, Tensor], right: dict[int, Tensor]) -> list[int]:
    return [row for row in left if row in right]


class TestOrthogonal(Agreement):
    name = "orthogonal"

    def naive_loss(self, vectors: list[dict[int, Tensor]], targets: Tensor, params: Mapping[str, Any]) -> float:
        def cosine(left: dict[int, Tensor], right: dict[int, Tensor]) -> float:
            rows = common(left, right)
            return sum(float(torch.cosine_similarity(left[row], right[row], dim=0)) ** 2 for row in rows) / len(rows)

        return mean_over_pairs(vectors, cosine)


class TestContrastive(Agreement):
    name = "contrastive"

    def naive_loss(self, vectors: list[dict[int, Tensor]], targets: Tensor, params: Mapping[str, Any]) -> float:
        def directed(queries: dict[int, Tensor], keys: dict[int, Tensor], rows: list[int]) -> float:
            total = 0.0
            for i in rows:
                scores = {j: math.exp(float(torch.cosine_similarity(queries[i], keys[j], dim=0)) / params["temperature"]) for j in rows}
                total -= math.log(scores[i] / sum(scores.values())) / len(rows)
            return total

        def both(left: dict[int, Tensor], right: dict[int, Tensor]) -> float:
            rows = common(left, right)
            return (directed(left, right, rows) + directed(right, left, rows)) / 2

        return mean_over_pairs(vectors, both)


class TestDistributionMatch(Agreement):
    name = "distribution_match"

    def naive_loss(self, vectors: list[dict[int, Tensor]], targets: Tensor, params: Mapping[str, Any]) -> float:
        def kernel(x: Tensor, y: Tensor) -> float:
            squared, width = float((x - y).square().sum()), len(x)
            return sum(math.exp(-squared / (2 * (scale * math.sqrt(width)) ** 2)) for scale in (0.25, 0.5, 1, 2, 4))

        def mean_kernel(left: Any, right: Any) -> float:
            return sum(kernel(x, y) for x in left for y in right) / (len(left) * len(right))

        def mmd(left: dict[int, Tensor], right: dict[int, Tensor]) -> float:
            x, y = list(left.values()), list(right.values())
            return mean_kernel(x, x) + mean_kernel(y, y) - 2 * mean_kernel(x, y)

        def coral(left: dict[int, Tensor], right: dict[int, Tensor]) -> float:
            covariances = [torch.cov(torch.stack(list(side.values())).T, correction=0) for side in (left, right)]
            return float((covariances[0] - covariances[1]).square().sum()) / (4 * len(covariances[0]) ** 2)

        def deep_coral(left: dict[int, Tensor], right: dict[int, Tensor]) -> float:
            """Sun & Saenko, eq. 1 to 3."""
            covariances = []
            for side in (left, right):
                data = np.stack([row.numpy() for row in side.values()])
                ones = np.ones((1, len(data)))
                covariances.append((data.T @ data - (ones @ data).T @ (ones @ data) / len(data)) / (len(data) - 1))
            return float(((covariances[0] - covariances[1]) ** 2).sum()) / (4 * data.shape[1] ** 2)

        return mean_over_pairs(vectors, {"mmd": mmd, "coral": coral, "deep_coral": deep_coral}[params["distance"]])

    def test_a_single_row_has_no_covariance(self) -> None:
        layer = self.build(self.shapes(), {"distance": "deep_coral"})
        xs, _ = self.inputs(self.shapes(), batch=2)
        losses = Losses(torch.tensor([0, 1]), class_task(3))
        layer(xs, [torch.arange(2) == m % 2 for m in range(len(xs))], losses)
        assert float(losses.total().detach()) == 0.0


class TestManifold(Agreement):
    name = "manifold"

    def naive_loss(self, vectors: list[dict[int, Tensor]], targets: Tensor, params: Mapping[str, Any]) -> float:
        def distance(side: dict[int, Tensor], i: int, j: int) -> float:
            return float((side[i] - side[j]).norm()) / math.sqrt(len(side[i]))

        def inside(side: dict[int, Tensor]) -> float:
            terms = []
            for i, j in itertools.permutations(side, 2):
                alike = math.exp(-(float(targets[i] - targets[j]) ** 2)) if targets.is_floating_point() else float(targets[i] == targets[j])
                far = max(0.0, params["margin"] - distance(side, i, j))
                terms.append(alike * distance(side, i, j) ** 2 + (1 - alike) * far**2)
            return sum(terms) / len(terms)

        def between(left: dict[int, Tensor], right: dict[int, Tensor]) -> float:
            pairs = list(itertools.permutations(common(left, right), 2))
            return sum((distance(left, i, j) - distance(right, i, j)) ** 2 for i, j in pairs) / len(pairs)

        return sum(inside(side) for side in vectors) / len(vectors) + mean_over_pairs(vectors, between)

    @torch.no_grad()
    def test_inside_a_modality_it_is_twice_the_loss_of_hadsell_et_al(self) -> None:
        """Their eq. 4, (1 - Y) D^2 / 2 + Y max(0, m - D)^2 / 2, with D over sqrt(d); Y is one for samples of different classes."""
        layer: Any = self.build(self.shapes())
        (z, _, _), _ = self.inputs([TokenShape(1, 8)] * 3, batch=6)
        labels, present = torch.arange(6) % 3, torch.ones(6, dtype=torch.bool)
        losses = Losses(labels, class_task(3))
        inside = float(layer.loss([z[:, 0]] * 3, [present] * 3, losses))  # equal modalities have equal distances
        terms = []
        for i, j in itertools.permutations(range(6), 2):
            distance = float((z[i, 0] - z[j, 0]).norm()) / math.sqrt(8)
            other = float(labels[i] != labels[j])
            terms.append((1 - other) * distance**2 / 2 + other * max(0.0, 1.0 - distance) ** 2 / 2)
        assert inside == pytest.approx(2 * sum(terms) / len(terms), rel=1e-6)
