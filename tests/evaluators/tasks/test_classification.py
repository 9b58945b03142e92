"""Classification keeps the laws of a task, and its loss is what it says. Two classes and more are one task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
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


def test_outputs_are_probabilities_and_what_is_explained_their_log_odds() -> None:
    logits = torch.tensor([[0.3, -1.2, 2.0]])
    chances = class_task(3)(logits)
    torch.testing.assert_close(chances.sum(dim=1), torch.ones(1))
    torch.testing.assert_close(class_task(3).explained(logits, torch.tensor([2])), torch.logit(chances[:, 2]))
