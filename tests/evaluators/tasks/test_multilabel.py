"""Multilabel keeps the laws of a task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

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
