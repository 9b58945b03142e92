"""The torch half of regression. Axis letters: B batch, M voters, N rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fusearch.evaluators.tasks.convex import Solver, ridge
from fusearch.evaluators.tasks.task_layer import TaskLayer, at_least_float32, task_layer
from fusearch.tasks import Task

__all__ = ["RegressionLayer"]


@task_layer("regression")
class RegressionLayer(TaskLayer):
    """One number in standard units of the training targets; squared error.

    Attributes:
        mean: Mean of the training targets.
        unit: Their standard deviation; 1 where they are constant, so that they are only centred.
    """

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.mean = 0.0

    @property
    def num_logits(self) -> int:
        """One."""
        return 1

    def fit(self, targets: NDArray[Any]) -> RegressionLayer:
        """Take mean and standard deviation."""
        std = float(np.std(targets))
        self.mean, self.unit = float(np.mean(targets)), std if std > 0 else 1.0
        return self

    def encode(self, targets: NDArray[Any]) -> Tensor:
        """Return the targets in standard units, float32."""
        return torch.as_tensor(((np.asarray(targets, dtype=np.float64) - self.mean) / self.unit).astype(np.float32))

    def loss(self, logits_BK: Tensor, targets_B: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return the mean squared error."""
        del weights
        values_B = at_least_float32(logits_BK[:, 0])
        return nn.functional.mse_loss(values_B, targets_B.to(values_B.dtype))

    def loss_of_known(self, logits_BK: Tensor, targets_B: Tensor, known_B: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return the mean squared error over the rows that have a number."""
        del weights
        values_B = at_least_float32(logits_BK[:, 0])
        known_B = known_B.to(values_B.dtype)
        return (known_B * (values_B - targets_B.to(values_B.dtype)).square()).sum() / known_B.sum().clamp(min=1)

    def forward(self, logits_BK: Tensor) -> Tensor:
        """Return predictions in the units of the target."""
        return logits_BK * self.unit + self.mean

    def solver(self, *, balanced: bool) -> Solver:
        """Return that of a ridge regression."""
        del balanced
        return ridge()

    def residuals(self, logits_NMK: Tensor, targets_N: Tensor) -> Tensor:
        """Return values minus targets."""
        return logits_NMK - targets_N[:, None, None]

    def certainty(self, logits_BK: Tensor, targets_B: Tensor) -> tuple[Tensor, Tensor]:
        """Return exp(-error) and the squared error."""
        error_B = (logits_BK[:, 0] - targets_B).square()
        return torch.exp(-error_B), error_B
