"""The loss of a task. Axis letters: B batch, K outputs."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["class_weights", "task_loss"]


def class_weights(targets: Tensor, num_classes: int) -> Tensor:
    """Return 'balanced' weights, N / (K n_k), from training targets (N,); a class that is not there weighs nothing."""
    counts = torch.bincount(targets, minlength=num_classes).to(torch.float32)
    present = counts > 0
    weights = len(targets) / (present.sum() * counts.clamp(min=1))
    return torch.where(present, weights, torch.zeros_like(weights))


def task_loss(outputs_BK: Tensor, targets_B: Tensor, weights_K: Tensor | None = None) -> Tensor:
    """Return the mean loss: cross-entropy for class codes (int64), squared error for regression targets (float).

    With `weights_K`, the mean is weighted: sum(w l) / sum(w).
    """
    if targets_B.is_floating_point():
        return nn.functional.mse_loss(outputs_BK[:, 0].float(), targets_B)
    return nn.functional.cross_entropy(outputs_BK.float(), targets_B, weight=weights_K)
