"""Votes against their equations."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss
from torch import Tensor
from toy_tasks import class_task, number_task

from fusearch.evaluators.network.operator_layer import TokenShape
from fusearch.evaluators.operators.decision import Stacking
from fusearch.evaluators.tasks.convex import STRENGTHS
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

    def stack(self, layer: Any, opinions: dict[int, list[float]]) -> list[float]:
        """Return the sum of the terms, an absent voter's among them."""
        result = [float(value) for value in layer.bias]
        for m in range(len(layer.maps)):
            for c in range(len(result)):
                if m in opinions:
                    result[c] += sum(float(layer.maps[m, c, d]) * opinion for d, opinion in enumerate(opinions[m]))
                else:
                    result[c] += float(layer.absent[m, c])
        return result

    def average(self, layer: Any, values: dict[int, float]) -> float:
        return self.stack(layer, {m: [value] for m, value in values.items()})[0]

    def vote(self, layer: Any, chances: dict[int, list[float]]) -> list[float]:
        logits = self.stack(layer, {m: [math.log(chance) for chance in each] for m, each in chances.items()})
        return probabilities(torch.tensor(logits, dtype=torch.float64))

    def permute_state(self, layer: Any, order: Any, shapes: Any) -> dict[str, Tensor]:
        moved = {name: getattr(layer, name)[list(order)] for name in ("maps", "absent")}
        return {**super().permute_state(layer, order, shapes), **moved}

    @pytest.mark.parametrize("outputs", [3, 1])
    def test_before_it_is_fitted_it_is_the_mean_opinion(self, outputs: int) -> None:
        layer = Stacking([scores(outputs)] * 2, 8).double()
        xs, _ = self.inputs([scores(outputs)] * 2)
        opinions = [x if outputs == 1 else torch.log_softmax(x, dim=2) for x in xs]
        mean = (opinions[0] + opinions[1]) / 2
        expected = mean if outputs == 1 else torch.log_softmax(mean, dim=2)
        torch.testing.assert_close(layer(xs, [torch.ones(5, dtype=torch.bool)] * 2), expected)

    @pytest.mark.parametrize("balanced", [False, True])
    @pytest.mark.parametrize("outputs", [2, 3])
    def test_it_is_the_logistic_regression_whose_strength_has_the_least_loss_on_the_parts(self, outputs: int, balanced: bool) -> None:
        xs, present, targets, parts = self.voters(outputs)
        layer = Stacking([scores(outputs)] * 2, 8).double()
        layer.fit(xs, targets, present, class_task(outputs), parts=parts, balanced=balanced)
        columns = self.columns(xs, present)

        def probability(strength: float, seen: Any, rest: Any) -> Any:
            weight = "balanced" if balanced else None
            model = LogisticRegression(C=strength, class_weight=weight, tol=1e-8, max_iter=10_000)
            return model.fit(columns[seen], targets.numpy()[seen]).predict_proba(columns[rest])

        def loss(strength: float) -> float:
            held = [(parts.numpy() == part, targets.numpy()[parts.numpy() == part]) for part in range(3)]
            return sum(
                log_loss(truth, probability(strength, ~rest, rest), labels=range(outputs), sample_weight=row_weights(truth))
                for rest, truth in held
            )

        def row_weights(truth: Any) -> Any:
            counts = torch.bincount(targets, minlength=outputs).double()
            return (1 / counts if balanced else torch.ones(outputs))[torch.as_tensor(truth)].numpy()

        every = parts.numpy() >= 0
        expected = probability(min(STRENGTHS, key=loss), every, every)
        np.testing.assert_allclose(layer(xs, present).exp().squeeze(1).numpy(), expected, atol=5e-3)

    def test_of_values_it_is_the_ridge_regression(self) -> None:
        xs, present, targets, parts = self.voters(1)
        layer = Stacking([scores(1)] * 2, 8).double()
        layer.fit(xs, targets, present, number_task(), parts=parts)
        columns = self.columns(xs, present)
        fits = [Ridge(alpha=1 / strength).fit(columns, targets.numpy()).predict(columns) for strength in STRENGTHS]
        distances = [np.abs(layer(xs, present).flatten().numpy() - each).max() for each in fits]
        assert min(distances) < 1e-8
        assert np.argmin(distances) > 3  # voters that know something are not shrunk to nothing

    def test_a_voter_that_knows_nothing_is_not_heard(self) -> None:
        xs, present, targets, parts = self.voters(2)
        noise = torch.randn(xs[0].shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
        layer = Stacking([scores(2)] * 2, 8).double()
        layer.fit([xs[0], 10 * noise], targets, present, class_task(2), parts=parts)
        moved = [layer.maps[m][1] - layer.maps[m][0] for m in range(2)]
        assert moved[1].abs().max() < 0.2 * moved[0].abs().max()

    def test_a_voter_that_was_never_absent_counts_as_its_mean_opinion_where_it_is(self) -> None:
        xs, _, targets, parts = self.voters(3)
        xs = [x.nan_to_num() for x in xs]
        here = torch.ones(len(targets), dtype=torch.bool)
        layer = Stacking([scores(3)] * 2, 8).double()
        layer.fit(xs, targets, [here, here], class_task(3), parts=parts)
        first, second = (torch.log_softmax(x, dim=2) for x in xs)
        every = torch.ones(len(targets), 2, 1, dtype=torch.bool)
        logits = layer.average(torch.cat([first, second.mean(dim=0, keepdim=True).expand_as(second)], dim=1), every)
        torch.testing.assert_close(layer(xs, [here, ~here]).squeeze(1), torch.log_softmax(logits, dim=1))

    def test_without_a_solver_or_a_voter_opinions_weigh_alike(self) -> None:
        xs, present, targets, parts = self.voters(3)
        task = class_task(3)
        task.solver = lambda **_: None  # type: ignore[method-assign]  # a task that has none
        unsolved, unheard = (Stacking([scores(3)] * 2, 8).double() for _ in range(2))
        unsolved.fit(xs, targets, present, task, parts=parts)
        unheard.fit(xs, targets, [torch.zeros(len(targets), dtype=torch.bool)] * 2, class_task(3), parts=parts)
        for layer in (unsolved, unheard):
            torch.testing.assert_close(layer.maps, torch.eye(3).double().repeat(2, 1, 1) / 2)

    def voters(self, outputs: int) -> tuple[list[Tensor], list[Tensor], Tensor, Tensor]:
        """Two voters that both know something, the second one absent on a third of 90 rows, where what stands in it is not finite."""
        generator = torch.Generator().manual_seed(0)
        targets = (
            torch.randint(0, max(outputs, 2), (90,), generator=generator) if outputs > 1 else torch.randn(90, generator=generator).double()
        )
        truth = torch.nn.functional.one_hot(targets, outputs).double() if outputs > 1 else targets[:, None]
        xs = [(truth + noise * torch.randn(truth.shape, generator=generator).double())[:, None] for noise in (0.8, 1.2)]
        present = [torch.ones(90, dtype=torch.bool), torch.rand(90, generator=generator) < 0.67]
        xs[1] = torch.where(present[1][:, None, None], xs[1], torch.nan)
        return xs, present, targets, torch.arange(90) % 3

    def columns(self, xs: list[Tensor], present: list[Tensor]) -> Any:
        """Return what is read, written out: centred opinions, zero where absent, and whether they are."""
        columns = []
        for x, here in zip(xs, present, strict=True):
            opinion = (x if x.shape[2] == 1 else torch.log_softmax(x, dim=2)).squeeze(1)
            centred = opinion - opinion[here].mean(dim=0)
            columns += [torch.where(here[:, None], centred, 0.0), (~here)[:, None].double()]
        return torch.cat(columns, dim=1).numpy()
