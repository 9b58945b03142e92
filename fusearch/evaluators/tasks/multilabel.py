"""The torch half of multilabel. Axis letters: B batch, L labels, M voters, N rows."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fusearch.evaluators.tasks.convex import Solver, one_each
from fusearch.evaluators.tasks.task_layer import TaskLayer, at_least_float32, task_layer

__all__ = ["MultilabelLayer"]


@task_layer("multilabel")
class MultilabelLayer(TaskLayer):
    """One logit a label; the mean binary cross-entropy; sigmoid. A vote is the mean of logits: labels do not exclude each other."""

    @property
    def num_logits(self) -> int:
        """One a label."""
        return len(self.task.labels)

    def loss(self, logits_BK: Tensor, targets_B: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return the mean binary cross-entropy; with weights w of either side of a label sum(w l) / sum(w)."""
        logits_BL = at_least_float32(logits_BK)
        targets_BL = targets_B.to(logits_BL.dtype)
        return _mean(nn.functional.binary_cross_entropy_with_logits(logits_BL, targets_BL, reduction="none"), targets_BL, weights)

    def focal_loss(self, logits_BK: Tensor, targets_B: Tensor, gamma: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return the same with each label of each sample weighed by (1 - p)^gamma, p the probability of what is true."""
        logits_BL = at_least_float32(logits_BK)
        targets_BL = targets_B.to(logits_BL.dtype)
        each_BL = nn.functional.binary_cross_entropy_with_logits(logits_BL, targets_BL, reduction="none")
        rest_BL = nn.functional.logsigmoid(torch.where(targets_BL > 0.5, -logits_BL, logits_BL))  # the logarithm of 1 - p
        return _mean((gamma * rest_BL).exp() * each_BL, targets_BL, weights)

    def loss_of_known(self, logits_BK: Tensor, targets_B: Tensor, known_B: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return the same of the rows that have labels."""
        logits_BL = at_least_float32(logits_BK)
        targets_BL = targets_B.to(logits_BL.dtype)
        each_BL = nn.functional.binary_cross_entropy_with_logits(logits_BL, targets_BL, reduction="none")
        weights_BL = known_B[:, None].to(logits_BL.dtype).expand_as(each_BL)
        if weights is not None:
            without_L, with_L = weights.to(logits_BL.dtype)
            weights_BL = weights_BL * (targets_BL * with_L + (1 - targets_BL) * without_L)
        weighted: Tensor = (weights_BL * each_BL).sum() / weights_BL.sum().clamp(min=torch.finfo(logits_BL.dtype).tiny)
        return weighted

    def forward(self, logits_BK: Tensor) -> Tensor:
        """Return the probability of each label."""
        return logits_BK.sigmoid()

    def class_weights(self, targets_B: Tensor) -> Tensor:
        """Return 'balanced' weights of the rows without and with each label, N / (2 n), (2, L); a side without rows weighs nothing."""
        with_L = targets_B.sum(dim=0).to(torch.float32)
        counts_2L = torch.stack([len(targets_B) - with_L, with_L])
        return torch.where(counts_2L > 0, len(targets_B) / (2 * counts_2L.clamp(min=1)), 0.0)

    def constant_logits(self, targets_N: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return the log odds of each label, with half a row on either side."""
        with_L = targets_N.sum(dim=0).to(torch.float32)
        sides_2L = torch.stack([len(targets_N) - with_L, with_L])
        odds_2L = ((sides_2L if weights is None else sides_2L * weights) + 0.5).log()
        return odds_2L[1] - odds_2L[0]

    def solver(self, *, balanced: bool) -> Solver:
        """Return that of a logistic regression for each label."""
        return one_each(self.num_logits, balanced=balanced)

    def row_weights(self, targets_N: Tensor) -> Tensor:
        """Return the mean over labels of the weight of its side: rows with rare labels are drawn more often, no label exactly in halves."""
        without_L, with_L = self.class_weights(targets_N)
        return torch.where(targets_N > 0.5, with_L, without_L).mean(dim=1)

    def explained(self, logits_BK: Tensor, chosen_B: Tensor) -> Tensor:
        """Return the log odds of the chosen label."""
        return logits_BK.gather(1, chosen_B[:, None])[:, 0]

    def residuals(self, logits_NMK: Tensor, targets_N: Tensor) -> Tensor:
        """Return probabilities minus targets."""
        return logits_NMK.sigmoid() - targets_N[:, None]

    def certainty(self, logits_BK: Tensor, targets_B: Tensor) -> tuple[Tensor, Tensor]:
        """Return exp(-error) and the mean cross-entropy over labels: the geometric mean of the probabilities of what is true."""
        logits_BL = logits_BK[:, : targets_B.shape[1]]
        error_B = nn.functional.binary_cross_entropy_with_logits(logits_BL, targets_B.to(logits_BL.dtype), reduction="none").mean(dim=1)
        return torch.exp(-error_B), error_B

    def alike(self, targets_B: Tensor) -> Tensor:
        """Return the share of labels in which two samples agree."""
        return (targets_B[:, None] == targets_B[None]).to(torch.get_default_dtype()).mean(dim=2)


def _mean(each_BL: Tensor, targets_BL: Tensor, weights: Tensor | None) -> Tensor:
    """Return the mean over samples and labels, with the weights of either side of each label where there are some."""
    if weights is None:
        mean: Tensor = each_BL.mean()
        return mean
    without_L, with_L = weights.to(each_BL.dtype)
    weights_BL = targets_BL * with_L + (1 - targets_BL) * without_L
    weighted: Tensor = (weights_BL * each_BL).sum() / weights_BL.sum()
    return weighted
