"""What a torch half does where it says nothing of its own."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from fusearch.errors import UnknownNameError
from fusearch.evaluators.tasks import TASK_LAYERS, TaskLayer, bind_task
from fusearch.tasks import TASKS, SeveralTasks, Task
from fusearch.tasks.regression import Regression


class Plain(TaskLayer):
    @property
    def num_logits(self) -> int:
        return 1

    def loss(self, logits_BK: Tensor, targets_B: Tensor, weights: Tensor | None = None) -> Tensor:
        return (logits_BK[:, 0] - targets_B).abs().mean()

    def forward(self, logits_BK: Tensor) -> Tensor:
        return logits_BK


class Nothing(Regression):
    kind = "nothing"


def test_every_task_has_exactly_one_torch_half() -> None:
    assert {*TASKS, SeveralTasks.kind} == set(TASK_LAYERS)


def test_a_task_without_one_is_named() -> None:
    with pytest.raises(UnknownNameError, match="unknown task layer 'nothing'"):
        bind_task(Nothing("x"))


def test_defaults() -> None:
    layer, logits, targets = Plain(Regression("x")), torch.tensor([[1.0], [4.0]]), torch.tensor([1.0, 2.0])
    assert layer.class_weights(targets) is None
    assert layer.explained(logits, torch.zeros(2, dtype=torch.int64)).tolist() == [1.0, 4.0]
    assert [part.tolist() for part in layer.certainty(logits, targets)] == [[1.0, 1.0], [0.0, 0.0]]
    assert layer.residuals(logits[:, None], targets).abs().sum() == 0
    torch.testing.assert_close(layer.alike(targets), torch.exp(-torch.tensor([[0.0, 1.0], [1.0, 0.0]])))
    assert isinstance(layer.task, Task)
