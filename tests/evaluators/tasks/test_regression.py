"""Regression keeps the laws of a task, and is told in the units of the target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from toy_tasks import number_task

from fusearch.testing import TaskSuite


class TestRegression(TaskSuite):
    name = "regression"

    def label_columns(self, rng: np.random.Generator, rows: int) -> Mapping[str, Any]:
        return {"column": rng.normal(50, 9, rows)}


def test_targets_are_standardised_by_the_training_rows() -> None:
    layer = number_task().fit(np.array([10.0, 20.0, 30.0]))
    held_out = layer.encode(np.array([20.0, 40.0]))
    assert held_out.dtype == torch.float32
    assert held_out.tolist() == pytest.approx([0.0, 20 / np.std([10, 20, 30])])
    np.testing.assert_allclose(layer.scored(held_out[:, None]), [20.0, 40.0])


def test_constant_targets_are_only_centred() -> None:
    layer = number_task().fit(np.array([3.0, 3.0]))
    assert (layer.encode(np.array([3.0, 5.0])).tolist(), layer.unit) == ([0.0, 2.0], 1.0)


def test_the_loss_is_the_mean_squared_error() -> None:
    torch.testing.assert_close(number_task().loss(torch.tensor([[1.0], [3.0]]), torch.tensor([0.0, 1.0])), torch.tensor(2.5))
