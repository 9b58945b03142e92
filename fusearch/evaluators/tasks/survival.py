"""The torch halves of survival. Axis letters: B batch, N rows, K times, O outputs."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, ClassVar, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fusearch.evaluators.tasks.convex import Solver, minimized
from fusearch.evaluators.tasks.task_layer import TaskLayer, at_least_float32, task_layer
from fusearch.tasks import Task
from fusearch.tasks.survival import Survival

__all__ = ["DiscreteSurvivalLayer", "SurvivalLayer"]

#: Logarithm of a cumulative hazard of 0: before the first event.
_NEVER = -1e4


@task_layer("survival")
class SurvivalLayer(TaskLayer):
    """One log hazard; the partial likelihood of Cox (1972) over a batch, with Efron's ties; survival from the baseline of Breslow (1974).

    Attributes:
        baseline: Logarithm of the cumulative baseline hazard at each time, (K,): of the training rows as if all had the same hazard, until
            the layer is settled.
    """

    #: Whether a constant added to all logits says something: not of a hazard that is relative to a baseline.
    biased: ClassVar[bool] = False

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.times = tuple(cast("Survival", task).times.tolist())
        self.baseline = (_NEVER,) * len(self.times)

    @property
    def num_logits(self) -> int:
        """One."""
        return 1

    def fit(self, targets: NDArray[Any]) -> SurvivalLayer:
        """Take the cumulative hazard of rows that do not differ."""
        self.baseline = _breslow(np.zeros(len(targets)), targets, self.times)
        return self

    def settled(self, logits: Callable[[], Tensor], targets_N: Tensor) -> TaskLayer:
        """Return the layer with the baseline hazard of a network."""
        found = copy.copy(self)
        found.baseline = _breslow(logits()[:, 0].double().cpu().numpy(), targets_N.cpu().numpy(), self.times)
        return found

    def loss(self, logits_BK: Tensor, targets_B: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return the mean over events of the logarithm of the hazards at risk, minus that of who had it; 0 without an event."""
        del weights
        hazards_B = at_least_float32(logits_BK[:, 0])
        times_B, events_B = targets_B.unbind(dim=1)
        same_BB, rows = times_B[:, None] == times_B[None], torch.ones(len(times_B), len(times_B), device=times_B.device)
        tied_BB = same_BB * events_B[:, None] * events_B[None]
        earlier_B = (tied_BB * rows.tril(-1)).sum(dim=1)  # of tied events, those counted already
        alone_BB = torch.eye(len(times_B), device=times_B.device)
        at_risk_B = torch.where(times_B[None] >= times_B[:, None], hazards_B[None], -torch.inf).logsumexp(dim=1)
        with_it_B = torch.where(tied_BB + alone_BB > 0, hazards_B[None], -torch.inf).logsumexp(dim=1)
        share_B = earlier_B / tied_BB.sum(dim=1).clamp(min=1)
        totals_B = at_risk_B + torch.log1p(-share_B * (with_it_B - at_risk_B).exp())
        events_B = events_B.to(hazards_B.dtype)
        return ((totals_B - hazards_B) * events_B).sum() / events_B.sum().clamp(min=1)

    def solver(self, *, balanced: bool) -> Solver:
        """Return that of a ridge regression of proportional hazards; the logits of intervals have a bias each."""
        del balanced
        return minimized(self.loss, self.num_logits, biased=self.biased)

    def loss_of_known(self, logits_BK: Tensor, targets_B: Tensor, known_B: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return that of the rows that were followed: the others are at risk at no time and have no event."""
        followed_B = torch.where(known_B[:, None], targets_B, targets_B.new_tensor([-1.0, 0.0]))
        return self.loss(logits_BK, followed_B, weights)

    def forward(self, logits_BK: Tensor) -> Tensor:
        """Return risk and survival at each time."""
        baseline_K = torch.tensor(self.baseline, dtype=logits_BK.dtype, device=logits_BK.device)
        return _with_risk((-(baseline_K + logits_BK[:, :1]).exp()).exp())

    def alike(self, targets_B: Tensor) -> Tensor:
        """Return exp(-|r_i - r_j|), r the time as a share of the last one that is told; events are like events alone."""
        times_B = targets_B[:, 0] / self.times[-1]
        return torch.exp(-(times_B[:, None] - times_B[None]).abs()) * (targets_B[:, None, 1] == targets_B[None, :, 1])


@task_layer("discrete_survival")
class DiscreteSurvivalLayer(SurvivalLayer):
    """One logit for each interval between the times: the probability of the event there, of those who came so far; their likelihood.

    A logit of 0 is the share of the training rows that came so far and had the event there, not one half (decision 0113).

    Attributes:
        start: The logits of these shares, (K,), a buffer: members of a fold each have their own.
    """

    biased: ClassVar[bool] = True
    start: Tensor

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.register_buffer("start", torch.zeros(len(self.times)), persistent=False)

    @property
    def num_logits(self) -> int:
        """One an interval."""
        return len(self.times)

    def fit(self, targets: NDArray[Any]) -> DiscreteSurvivalLayer:
        """Take the share of the rows in each interval that had the event there: (events + 1/2) / (rows that came so far + 1)."""
        failed_NK, passed_NK = self._seen(torch.as_tensor(np.asarray(targets, np.float64)))
        failed_K, passed_K = failed_NK.sum(dim=0).double(), passed_NK.sum(dim=0).double()
        self.start = ((failed_K + 0.5) / (passed_K + 0.5)).log().float()
        return self

    def settled(self, logits: Callable[[], Tensor], targets_N: Tensor) -> TaskLayer:
        """Return itself: hazards are complete."""
        del logits, targets_N
        return self

    def loss(self, logits_BK: Tensor, targets_B: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return the mean over rows of the negative logarithm of their likelihood; an interval that was not seen to its end is left out."""
        del weights
        logits_BK = at_least_float32(logits_BK) + self.start.to(logits_BK.device)
        failed_BK, passed_BK = self._seen(targets_B)
        each_BK = nn.functional.binary_cross_entropy_with_logits(logits_BK, failed_BK.to(logits_BK.dtype), reduction="none")
        return (each_BK * (failed_BK + passed_BK)).sum(dim=1).mean()

    def _seen(self, targets_B: Tensor) -> tuple[Tensor, Tensor]:
        """Return in which intervals a row had its event, and which it came through, (B, K) each."""
        ends_K = torch.tensor(self.times, dtype=targets_B.dtype, device=targets_B.device)
        starts_K = torch.cat([ends_K.new_zeros(1), ends_K[:-1]])
        times_B1, events_B1 = targets_B[:, :1], targets_B[:, 1:]
        failed_BK = events_B1 * (times_B1 > starts_K) * (times_B1 <= ends_K)
        return failed_BK, torch.where(events_B1 > 0, times_B1 > ends_K, times_B1 >= ends_K)

    def loss_of_known(self, logits_BK: Tensor, targets_B: Tensor, known_B: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return that of the rows that were followed: no interval of the others was seen, so their likelihood is 1."""
        followed_B = torch.where(known_B[:, None], targets_B, 0.0)
        return self.loss(logits_BK, followed_B, weights) * len(known_B) / known_B.sum().clamp(min=1)

    def forward(self, logits_BK: Tensor) -> Tensor:
        """Return risk and survival at each time."""
        return _with_risk(nn.functional.logsigmoid(-logits_BK - self.start.to(logits_BK)).cumsum(dim=1).exp())

    def explained(self, logits_BK: Tensor, chosen_B: Tensor) -> Tensor:
        """Return the mean logit."""
        del chosen_B
        return (logits_BK + self.start.to(logits_BK)).mean(dim=1)


def _with_risk(survival_BK: Tensor) -> Tensor:
    return torch.cat([1 - survival_BK.mean(dim=1, keepdim=True), survival_BK], dim=1)


def _breslow(hazards_N: NDArray[np.float64], targets_N: NDArray[Any], times: tuple[float, ...]) -> tuple[float, ...]:
    """Return the logarithm of the cumulative baseline hazard at each time, from log hazards of the training rows (Breslow 1974)."""
    order = np.argsort(-targets_N[:, 0], kind="stable")
    latest_N = -targets_N[order, 0]  # rising: the last one first
    at_risk_N = np.logaddexp.accumulate(hazards_N[order])[np.searchsorted(latest_N, latest_N, side="right") - 1]
    happened_N = targets_N[order, 1] == 1
    found = []
    for time in times:
        steps = -at_risk_N[happened_N & (-latest_N <= time)]
        found.append(float(np.logaddexp.reduce(steps)) if len(steps) else _NEVER)
    return tuple(found)
