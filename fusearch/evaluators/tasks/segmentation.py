"""The torch half of segmentation. Axis letters: B batch, K logits, C classes, P positions, N rows, S scores, M members."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fusearch.evaluators.tasks.task_layer import TaskLayer, at_least_float32, task_layer
from fusearch.tasks import Task
from fusearch.tasks.segmentation import Segmentation

__all__ = ["SegmentationLayer", "mask_scores"]

#: Keeps the Dice loss of a class that is nowhere finite, as MONAI's does.
_SMOOTH = 1e-5
#: Masks that are scored at a time.
_AT_ONCE = 16


@task_layer("segmentation")
class SegmentationLayer(TaskLayer):
    """One logit a class and position, class by class; Dice loss plus cross-entropy; softmax over the classes.

    Reference: Isensee et al., nnU-Net, Nature Methods 2021: the sum of the soft Dice loss without the background and the cross-entropy.
    It equals `monai.losses.DiceCELoss(softmax=True, include_background=False)`, written so that members can be trained together.
    """

    task: Segmentation

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.grid = self.task.grid

    @property
    def num_logits(self) -> int:
        """One a class and position."""
        return len(self.task.labels) * int(np.prod(self.grid))

    def loss(self, logits_BK: Tensor, targets_B: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return the mean of the cross-entropy over positions plus that of the Dice loss over samples and classes."""
        del weights
        log_BCP = self._by_class(at_least_float32(logits_BK)).log_softmax(dim=1)
        truth_BCP = targets_B[:, None] == torch.arange(len(self.task.labels), device=targets_B.device)[:, None]
        entropy = -torch.where(truth_BCP, log_BCP, 0.0).sum(dim=1).mean()
        said_BCP, truth_BCP = log_BCP[:, 1:].exp(), truth_BCP[:, 1:].to(log_BCP.dtype)
        both_BC = (said_BCP * truth_BCP).sum(dim=2)
        dice_BC = (2 * both_BC + _SMOOTH) / (said_BCP.sum(dim=2) + truth_BCP.sum(dim=2) + _SMOOTH)
        return entropy + (1 - dice_BC).mean()

    def forward(self, logits_BK: Tensor) -> Tensor:
        """Return class probabilities of each position, (B, C P), class by class."""
        return self._by_class(logits_BK).softmax(dim=1).flatten(1)

    def judged(self, logits_NK: Tensor, targets: NDArray[Any]) -> NDArray[np.float64]:
        """Return the scores of each sample, (N, S)."""
        classes_NP = [self._by_class(part).argmax(dim=1).to(torch.uint8).cpu() for part in torch.split(logits_NK, _AT_ONCE)]
        return mask_scores(torch.cat(classes_NP).numpy(), targets, self.task)

    def alike(self, targets_B: Tensor) -> Tensor:
        """Return the Dice coefficient of what is no background in the masks of two samples; 1 where neither has any."""
        there_BP = (targets_B > 0).to(torch.get_default_dtype())
        size_B = there_BP.sum(dim=1)
        total_BB = size_B[:, None] + size_B[None]
        shared_BB: Tensor = torch.where(total_BB > 0, 2 * there_BP @ there_BP.T / total_BB.clamp(min=1), 1.0)
        return shared_BB

    def _by_class(self, logits_BK: Tensor) -> Tensor:
        return torch.unflatten(logits_BK, 1, (len(self.task.labels), -1))


def mask_scores(said_NP: NDArray[np.uint8], targets_NP: NDArray[Any], task: Segmentation) -> NDArray[np.float64]:
    """Return what each mask scores, (N, S), in the order of `task.outputs`, by MONAI.

    A class that neither mask of a sample has is right: Dice 1, distance 0. One that only one of them has has Dice 0 and the farthest
    distance on the grid. Distances are in millimetres where the task knows the spacing of the grid, else in positions.

    Args:
        said_NP: Classes that were predicted.
        targets_NP: The true ones.
        task: What is predicted.
    """
    from monai.metrics.hausdorff_distance import compute_hausdorff_distance
    from monai.metrics.meandice import compute_dice

    scores = []
    for start in range(0, len(said_NP), _AT_ONCE):
        said, true = (_one_hot(masks[start : start + _AT_ONCE], task) for masks in (said_NP, targets_NP))
        dice_NC = compute_dice(said, true, include_background=False, ignore_empty=False).double().numpy()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of masks that lack a class, which count as said above
            how = {"percentile": 95, "spacing": list(task.spacing) or None}
            distance_NC = compute_hausdorff_distance(said, true, include_background=False, **how).double().numpy()
        there = said.flatten(2).any(dim=2).numpy()[:, 1:], true.flatten(2).any(dim=2).numpy()[:, 1:]
        distance_NC = np.where(there[0] & there[1], distance_NC, np.where(there[0] | there[1], task.farthest, 0.0))
        own_NC = dice_NC if len(task.labels) > 2 else dice_NC[:, :0]
        scores.append(np.column_stack([dice_NC.mean(axis=1), distance_NC.mean(axis=1), own_NC]))
    return np.concatenate(scores) if scores else np.zeros((0, len(task.outputs)))


def _one_hot(masks_NP: NDArray[Any], task: Segmentation) -> Tensor:
    """Return (N, C, *grid) booleans."""
    masks = torch.as_tensor(np.ascontiguousarray(masks_NP).reshape(-1, *task.grid))
    return torch.stack([masks == code for code in range(len(task.labels))], dim=1)
