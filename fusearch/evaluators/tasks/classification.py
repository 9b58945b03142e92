"""The torch half of classification. Axis letters: B batch, K classes, M voters, N rows."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from fusearch.evaluators.tasks.convex import Solver, logistic
from fusearch.evaluators.tasks.task_layer import TaskLayer, at_least_float32, task_layer

__all__ = ["ClassificationLayer"]


@task_layer("classification")
class ClassificationLayer(TaskLayer):
    """One logit a class, also with two; cross-entropy; softmax."""

    classes: ClassVar[bool] = True

    @property
    def num_logits(self) -> int:
        """One a class."""
        return len(self.task.labels)

    def loss(self, logits_BK: Tensor, targets_B: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return the mean cross-entropy; with weights w of the classes sum(w l) / sum(w)."""
        logits_BK = at_least_float32(logits_BK)
        return nn.functional.cross_entropy(logits_BK, targets_B, weight=None if weights is None else weights.to(logits_BK.dtype))

    def focal_loss(self, logits_BK: Tensor, targets_B: Tensor, gamma: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return the mean of (1 - p)^gamma times the cross-entropy; with weights w of the classes sum(w f) / sum(w)."""
        logits_BK = at_least_float32(logits_BK)
        truth_BK = targets_B[:, None] == torch.arange(logits_BK.shape[1], device=targets_B.device)
        total_B = logits_BK.logsumexp(dim=1)
        error_B = total_B - torch.where(truth_BK, logits_BK, 0.0).sum(dim=1)
        # The logarithm of 1 - p, from the other classes: where p is 1 to all digits a power of 1 - p would have no gradient.
        rest_B = torch.where(truth_BK, -torch.inf, logits_BK).logsumexp(dim=1) - total_B
        focal_B = (gamma * rest_B).exp() * error_B
        if weights is None:
            return focal_B.mean()
        weights_B = torch.where(truth_BK, weights.to(logits_BK.dtype), 0.0).sum(dim=1)
        return (weights_B * focal_B).sum() / weights_B.sum()

    def loss_of_known(self, logits_BK: Tensor, targets_B: Tensor, known_B: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return the mean cross-entropy over the rows that have a label."""
        logits_BK = at_least_float32(logits_BK)
        each_B = nn.functional.cross_entropy(logits_BK, targets_B, reduction="none")
        of_class_B = known_B.to(logits_BK.dtype) * (1.0 if weights is None else weights.to(logits_BK.dtype)[targets_B])
        return (of_class_B * each_B).sum() / of_class_B.sum().clamp(min=torch.finfo(logits_BK.dtype).tiny)

    def forward(self, logits_BK: Tensor) -> Tensor:
        """Return class probabilities."""
        return logits_BK.softmax(dim=-1)

    def class_weights(self, targets_B: Tensor) -> Tensor:
        """Return 'balanced' weights, N / (K n_k), K the classes that are there; a class that is not there weighs nothing."""
        counts = torch.bincount(targets_B, minlength=self.num_logits).to(torch.float32)
        present = counts > 0
        weights = len(targets_B) / (present.sum() * counts.clamp(min=1))
        return torch.where(present, weights, torch.zeros_like(weights))

    def row_weights(self, targets_N: Tensor) -> Tensor:
        """Return the weight of the class of each row."""
        return self.class_weights(targets_N)[targets_N]

    def constant_logits(self, targets_N: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return the logarithm of the share of each class, with half a row more, around their mean."""
        counts_K = torch.bincount(targets_N, minlength=self.num_logits).to(torch.float32)
        logits_K = ((counts_K if weights is None else counts_K * weights) + 0.5).log()
        return logits_K - logits_K.mean()

    def solver(self, *, balanced: bool) -> Solver:
        """Return that of a logistic regression."""
        return logistic(self.num_logits, balanced=balanced)

    def explained(self, logits_BK: Tensor, chosen_B: Tensor) -> Tensor:
        """Return the log odds of the chosen class."""
        chosen_B1 = chosen_B[:, None]
        rest_BK = logits_BK.scatter(1, chosen_B1, -torch.inf)
        return logits_BK.gather(1, chosen_B1)[:, 0] - rest_BK.logsumexp(dim=1)

    def residuals(self, logits_NMK: Tensor, targets_N: Tensor) -> Tensor:
        """Return probabilities minus the one-hot class."""
        return torch.softmax(logits_NMK, dim=2) - nn.functional.one_hot(targets_N, logits_NMK.shape[2])[:, None]

    def certainty(self, logits_BK: Tensor, targets_B: Tensor) -> tuple[Tensor, Tensor]:
        """Return the probability of the true class and the cross-entropy."""
        log_probability_B = torch.log_softmax(logits_BK, dim=1).gather(1, targets_B[:, None]).squeeze(1)
        return torch.exp(log_probability_B), -log_probability_B

    def alike(self, targets_B: Tensor) -> Tensor:
        """Return 1 for two samples of a class, else 0."""
        return (targets_B[:, None] == targets_B[None]).to(torch.get_default_dtype())
