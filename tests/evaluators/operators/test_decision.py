"""Votes against their equations."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor
from toy_tasks import class_task, number_task

from fusearch.evaluators.network.operator_layer import TokenShape
from fusearch.evaluators.operators.decision import Stacking
from fusearch.testing import OperatorSuite


def scores(outputs: int) -> TokenShape:
    return TokenShape(1, outputs, classes=outputs > 1)


def probabilities(scores: Tensor) -> list[float]:
    exponentials = [math.exp(float(score)) for score in scores]
    return [value / sum(exponentials) for value in exponentials]


class Vote(OperatorSuite):
    """The naive twin of a vote: one of class scores, one of values."""

    def twin_shapes(self) -> list[list[TokenShape]]:
        return [[scores(outputs)] * 3 for outputs in (3, 1)]

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        voters = [m for m in range(len(xs)) if here[m]]
        if not voters:
            return torch.zeros_like(xs[0])
        if xs[0].shape[1] == 1:
            return torch.tensor([[self.average(layer, {m: float(xs[m]) for m in voters})]], dtype=torch.float64)
        chances = self.vote(layer, {m: probabilities(xs[m][0]) for m in voters})
        return torch.tensor([[math.log(chance) for chance in chances]], dtype=torch.float64)

    def weights(self, layer: Any, voters: list[int]) -> dict[int, float]:
        return {m: 1 / len(voters) for m in voters}

    def average(self, layer: Any, values: dict[int, float]) -> float:
        return sum(self.weights(layer, list(values))[m] * value for m, value in values.items())

    def vote(self, layer: Any, chances: dict[int, list[float]]) -> list[float]:
        weights = self.weights(layer, list(chances))
        return [sum(weights[m] * chance[c] for m, chance in chances.items()) for c in range(3)]

    @pytest.mark.parametrize("outputs", [3, 1])
    def test_the_result_is_usable_at_once(self, outputs: int) -> None:
        shapes = [scores(outputs)] * 2
        xs, present = self.inputs(shapes)
        present[0][:], present[1][0] = True, False
        result = self.build(shapes)(xs, present)
        assert result.shape == (5, 1, outputs)
        if outputs > 1:
            torch.testing.assert_close(result.exp().sum(dim=2), torch.ones(5, 1).double())


class WeightedVote(Vote):
    """A vote with weights that `fit` has set."""

    def weights(self, layer: Any, voters: list[int]) -> dict[int, float]:
        total = sum(float(layer.voter_weights[m]) for m in voters)
        return {m: float(layer.voter_weights[m]) / total if total > 0 else 1 / len(voters) for m in voters}

    def permute_state(self, layer: Any, order: Any, shapes: Any) -> dict[str, Tensor]:
        return {**super().permute_state(layer, order, shapes), "voter_weights": layer.voter_weights[list(order)]}


class TestVoteMean(Vote):
    name = "vote_mean"

    def test_a_probability_that_underflows_keeps_its_logarithm(self) -> None:
        unlikely = torch.tensor([[[0.0, -1000.0, -1000.0]]], dtype=torch.float64)
        result = self.build([scores(3)] * 2)([unlikely, unlikely], [torch.tensor([True])] * 2)
        torch.testing.assert_close(result, torch.log_softmax(unlikely, dim=2))


class TestVoteWeighted(WeightedVote):
    name = "vote_weighted"

    def test_weights_are_inverse_mean_squared_errors(self) -> None:
        layer: Any = self.build([scores(3)] * 3)
        xs, present = self.inputs([scores(3)] * 3, batch=30)
        targets = torch.arange(30) % 3
        layer.fit(xs, targets, present, class_task(3))
        precisions = []
        for x, mask in zip(xs, present, strict=True):
            errors = [
                sum((chance - (c == int(targets[row]))) ** 2 for c, chance in enumerate(probabilities(x[row, 0])))
                for row in range(30)
                if mask[row]
            ]
            precisions.append(1 / statistics.mean(errors))
        expected = torch.tensor([precision / sum(precisions) for precision in precisions], dtype=torch.float64)
        torch.testing.assert_close(layer.voter_weights, expected, rtol=1e-10, atol=1e-10)

    def test_a_voter_that_was_never_there_gets_no_weight(self) -> None:
        layer: Any = self.build([scores(1)] * 2)
        xs, _ = self.inputs([scores(1)] * 2, batch=9)
        layer.fit(xs, torch.zeros(9).double(), [torch.ones(9, dtype=torch.bool), torch.zeros(9, dtype=torch.bool)], number_task())
        assert layer.voter_weights[1] < 1e-6
        alone = layer(xs, [torch.zeros(9, dtype=torch.bool), torch.ones(9, dtype=torch.bool)])
        torch.testing.assert_close(alone, xs[1], rtol=1e-9, atol=1e-9)


class TestInverseCovariance(WeightedVote):
    name = "inverse_covariance"

    def test_weights_solve_for_the_least_squared_error(self) -> None:
        layer: Any = self.build([scores(1)] * 3, {"shrinkage": 0.0})
        generator = torch.Generator().manual_seed(0)
        targets = torch.randn(200, generator=generator, dtype=torch.float64)
        noise = torch.randn(200, 3, generator=generator, dtype=torch.float64) * torch.tensor([0.5, 1.0, 1.0])
        opinions = [(targets + noise[:, m])[:, None, None] for m in range(3)]
        layer.fit(opinions, targets, [torch.ones(200, dtype=torch.bool)] * 3, number_task())
        inverse = torch.linalg.inv(noise.T @ noise / 200)
        torch.testing.assert_close(layer.voter_weights, inverse.sum(dim=1) / inverse.sum(), rtol=1e-8, atol=1e-8)

    def test_full_shrinkage_is_the_weighted_vote(self) -> None:
        fitted = []
        for suite, changed in ((self, {"shrinkage": 1.0}), (TestVoteWeighted(), {})):
            fitted.append(suite.build([scores(3)] * 3, changed).voter_weights)
        torch.testing.assert_close(*fitted, rtol=1e-8, atol=1e-8)


class TestVoteMajority(Vote):
    name = "vote_majority"

    def average(self, layer: Any, values: dict[int, float]) -> float:
        return statistics.median(values.values())

    def vote(self, layer: Any, chances: dict[int, list[float]]) -> list[float]:
        votes = [chance.index(max(chance)) for chance in chances.values()]
        mean = super().vote(layer, chances)
        return [(votes.count(c) + mean[c] / 2) / (len(votes) + 0.5) for c in range(3)]

    def test_an_even_vote_goes_to_the_surer_side(self) -> None:
        sure, unsure = torch.tensor([[[5.0, 0.0]]]).double(), torch.tensor([[[0.0, 1.0]]]).double()
        result = self.build([scores(2)] * 2)([unsure, sure], [torch.tensor([True])] * 2)
        assert result[0, 0].argmax() == 0

    def test_the_majority_beats_the_surer_side(self) -> None:
        sure, unsure = torch.tensor([[[50.0, 0.0]]]).double(), torch.tensor([[[0.0, 0.1]]]).double()
        result = self.build([scores(2)] * 3)([unsure, sure, unsure], [torch.tensor([True])] * 3)
        assert result[0, 0].argmax() == 1


class TestProductOfExperts(WeightedVote):
    name = "product_of_experts"

    def vote(self, layer: Any, chances: dict[int, list[float]]) -> list[float]:
        prior = [math.exp(float(value)) for value in layer.log_prior]
        products = [math.prod(chance[c] for chance in chances.values()) / prior[c] ** (len(chances) - 1) for c in range(3)]
        return [value / sum(products) for value in products]

    def test_the_prior_is_counted_once(self) -> None:
        layer: Any = self.build([scores(2)] * 2)
        targets = torch.tensor([0] * 78 + [1] * 20)
        layer.fit([torch.zeros(98, 1, 2)] * 2, targets, [torch.ones(98, dtype=torch.bool)] * 2, class_task(2))
        torch.testing.assert_close(layer.log_prior.exp(), torch.tensor([0.79, 0.21]).double())
        prior = layer.log_prior[None, None]
        torch.testing.assert_close(layer([prior, prior], [torch.tensor([True])] * 2), prior)


class TestStacking(Vote):
    name = "stacking"

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        result = layer.bias.clone()
        for m, x in enumerate(xs):
            if here[m]:
                opinion = (
                    x[0] if x.shape[1] == 1 else torch.tensor([math.log(chance) for chance in probabilities(x[0])], dtype=torch.float64)
                )
                result = result + layer.maps[m] @ opinion
            else:
                result = result + layer.absent[m]
        return result[None]

    @pytest.mark.parametrize("outputs", [3, 1])
    def test_the_result_is_usable_at_once(self, outputs: int) -> None:
        layer = Stacking([scores(outputs)] * 2, 8).double()
        xs, _ = self.inputs([scores(outputs)] * 2)
        opinions = [x if outputs == 1 else torch.log_softmax(x, dim=2) for x in xs]
        mean = (opinions[0] + opinions[1]) / 2
        torch.testing.assert_close(layer(xs, [torch.ones(5, dtype=torch.bool)] * 2), mean)
