"""Multilabel keeps the laws of a task."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from fusearch.evaluators.tasks import bind_task
from fusearch.tasks.multilabel import Multilabel
from fusearch.testing import TaskSuite


class TestMultilabel(TaskSuite):
    name = "multilabel"

    def label_columns(self, rng: np.random.Generator, rows: int) -> Mapping[str, Any]:
        return {"cough": rng.integers(0, 2, rows), "fever": rng.permutation(np.arange(rows) % 5 == 0).astype(int)}


def test_balanced_sides_of_a_label_weigh_alike() -> None:
    layer = bind_task(Multilabel("labels", ("a", "b")))
    targets = torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    weights = layer.class_weights(targets)
    torch.testing.assert_close(weights, torch.tensor([[2 / 3, 0.5], [2.0, 0.0]]))
    wrong = torch.where(targets == 1, -1.0, 1.0)
    even = layer.loss(wrong, targets)
    torch.testing.assert_close(layer.loss(wrong, targets, weights), even)  # all are as wrong
    torch.testing.assert_close(layer.loss(wrong, targets, torch.ones(2, 2)), even)


def test_heads_start_at_the_log_odds_of_each_label() -> None:
    layer = bind_task(Multilabel("labels", ("rare", "frequent", "never")))
    targets = torch.zeros(1000, 3)
    targets[:20, 0] = targets[:900, 1] = 1
    said = layer.constant_logits(targets)
    assert said is not None
    torch.testing.assert_close(said.sigmoid(), torch.tensor([0.02, 0.9, 0.0]), atol=1e-3, rtol=0)
    assert torch.isfinite(said).all()
    even = layer.constant_logits(targets, layer.class_weights(targets))
    assert even is not None
    torch.testing.assert_close(even[:2], torch.zeros(2), atol=1e-5, rtol=0)


@pytest.mark.parametrize("weights", [None, torch.tensor([[1.0, 2.0], [5.0, 3.0]])])
def test_the_focal_loss_is_that_of_each_label(weights: Tensor | None) -> None:
    """Lin et al. 2017, equation 5, which is of one label."""
    layer = bind_task(Multilabel("labels", ("a", "b")))
    logits = torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    targets = torch.tensor([[1.0, 0.0], [0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]])
    naive, count = 0.0, 0.0
    for row, truths in zip(logits.tolist(), targets.tolist(), strict=True):
        for label, (logit, truth) in enumerate(zip(row, truths, strict=True)):
            chance = 1 / (1 + math.exp(-logit if truth else logit))
            weight = 1.0 if weights is None else float(weights[int(truth), label])
            naive, count = naive - weight * (1 - chance) ** 2 * math.log(chance), count + weight
    assert float(layer.focal_loss(logits, targets, torch.tensor(2.0), weights)) == pytest.approx(naive / count, rel=1e-5)


def test_rows_with_rare_labels_are_drawn_more_often() -> None:
    layer = bind_task(Multilabel("labels", ("a", "b")))
    targets = torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    torch.testing.assert_close(layer.row_weights(targets), torch.tensor([4 / 3, 2 / 3, 4 / 3, 2 / 3]))
