"""Losses against their definitions."""

from __future__ import annotations

import numpy as np
import torch

from fusearch.evaluators.losses import class_weights, task_loss


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    from sklearn.utils.class_weight import compute_class_weight

    targets = torch.tensor([0, 0, 0, 1, 2, 2])
    expected = compute_class_weight("balanced", classes=np.arange(3), y=targets.numpy())
    torch.testing.assert_close(class_weights(targets, 3), torch.tensor(expected, dtype=torch.float32))


def test_a_class_that_is_not_there_weighs_nothing_and_the_others_stay_balanced() -> None:
    torch.testing.assert_close(class_weights(torch.tensor([0, 0, 2]), 3), torch.tensor([0.75, 0.0, 1.5]))


def test_the_weighted_loss_is_a_weighted_mean() -> None:
    logits, targets, weights = torch.randn(4, 3), torch.tensor([0, 1, 2, 2]), torch.tensor([1.0, 2.0, 5.0])
    terms = -logits.log_softmax(dim=1)[torch.arange(4), targets]
    torch.testing.assert_close(task_loss(logits, targets, weights), (terms * weights[targets]).sum() / weights[targets].sum())
    torch.testing.assert_close(task_loss(logits, targets), terms.mean())


def test_float_targets_are_a_regression() -> None:
    torch.testing.assert_close(task_loss(torch.tensor([[1.0], [3.0]]), torch.tensor([0.0, 1.0])), torch.tensor(2.5))


def test_half_precision_outputs_give_a_loss_in_full_precision() -> None:
    assert task_loss(torch.zeros(2, 2, dtype=torch.bfloat16), torch.tensor([0, 1])).dtype == torch.float32
