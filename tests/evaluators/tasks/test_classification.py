"""Classification keeps the laws of a task, and its loss is what it says. Two classes and more are one task."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from toy_tasks import class_task

from fusearch.testing import TaskSuite


class TestTwoClasses(TaskSuite):
    name = "classification"

    def label_columns(self, rng: np.random.Generator, rows: int) -> Mapping[str, Any]:
        return {"column": rng.choice(["alive", "dead"], rows)}


class TestFourClasses(TaskSuite):
    name = "classification"

    def label_columns(self, rng: np.random.Generator, rows: int) -> Mapping[str, Any]:
        return {"column": rng.permutation(np.arange(rows) % 4)}


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    from sklearn.utils.class_weight import compute_class_weight

    targets = torch.tensor([0, 0, 0, 1, 2, 2])
    expected = compute_class_weight("balanced", classes=np.arange(3), y=targets.numpy())
    torch.testing.assert_close(class_task(3).class_weights(targets), torch.tensor(expected, dtype=torch.float32))


def test_a_class_that_is_not_there_weighs_nothing_and_the_others_stay_balanced() -> None:
    torch.testing.assert_close(class_task(3).class_weights(torch.tensor([0, 0, 2])), torch.tensor([0.75, 0.0, 1.5]))


def test_the_weighted_loss_is_a_weighted_mean() -> None:
    logits, targets, weights = torch.randn(4, 3), torch.tensor([0, 1, 2, 2]), torch.tensor([1.0, 2.0, 5.0])
    terms = -logits.log_softmax(dim=1)[torch.arange(4), targets]
    loss = class_task(3).loss
    torch.testing.assert_close(loss(logits, targets, weights), (terms * weights[targets]).sum() / weights[targets].sum())
    torch.testing.assert_close(loss(logits, targets), terms.mean())


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("weights", [None, torch.tensor([1.0, 2.0, 5.0])])
def test_the_focal_loss_is_that_of_the_paper(gamma: float, weights: Tensor | None) -> None:
    """Lin et al. 2017, equation 5: alpha (1 - p)^gamma (-log p), averaged over samples as weights are."""
    logits, targets = torch.randn(6, 3, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 2, 2, 1, 0])
    naive, count = 0.0, 0.0
    for row, code in zip(logits.tolist(), targets.tolist(), strict=True):
        chance = math.exp(row[code]) / sum(map(math.exp, row))
        weight = 1.0 if weights is None else float(weights[code])
        naive, count = naive - weight * (1 - chance) ** gamma * math.log(chance), count + weight
    assert float(class_task(3).focal_loss(logits, targets, torch.tensor(gamma), weights)) == pytest.approx(naive / count, rel=1e-5)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_the_focal_loss_has_a_gradient_where_a_class_is_certain(gamma: float) -> None:
    for logits in ([[80.0, -80.0]], [[-80.0, 80.0]]):
        moving = torch.tensor(logits, requires_grad=True)
        loss = class_task(2).focal_loss(moving, torch.tensor([0]), torch.tensor(gamma))
        (grad,) = torch.autograd.grad(loss, moving)
        assert loss.isfinite()
        assert grad.isfinite().all()


def test_outputs_are_probabilities_and_what_is_explained_their_log_odds() -> None:
    logits = torch.tensor([[0.3, -1.2, 2.0]])
    chances = class_task(3)(logits)
    torch.testing.assert_close(chances.sum(dim=1), torch.ones(1))
    torch.testing.assert_close(class_task(3).explained(logits, torch.tensor([2])), torch.logit(chances[:, 2]))
