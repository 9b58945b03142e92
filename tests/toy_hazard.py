"""A toy task as a user's file: two label columns, and a loss that only a whole batch has (the partial likelihood of Cox 1972)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import fusearch as fs
from fusearch.evaluators import TaskLayer
from fusearch.tasks.columns import LabelColumn
from fusearch.tasks.strata import quantile_strata


class Hazard(fs.Task):
    """When something happens, and whether it did."""

    kind: ClassVar[str] = "hazard"
    columns: ClassVar[Mapping[str, str]] = {"time": "Column of the time of the event, or of the last look.", "event": "Column of 1 and 0."}
    headline: ClassVar[str] = "hazard_concordance"
    says: ClassVar[str] = "relative hazards"

    @classmethod
    def encode(cls, columns: Mapping[str, LabelColumn], labels: Sequence[str] | None = None) -> tuple[fs.Task, NDArray[Any]]:
        times, events = (columns[key].numbers() for key in ("time", "event"))
        for row in np.flatnonzero(~np.isin(events, (0, 1))):
            raise columns["event"].wrong(int(row), "0 or 1")
        return cls(columns["time"].name), np.stack([times, events], axis=1)

    def strata(self, targets: NDArray[Any]) -> NDArray[np.int64]:
        return 2 * quantile_strata(targets[:, 0]) + targets[:, 1].astype(np.int64)

    @property
    def predicts(self) -> str:
        return "a relative hazard"

    def summary(self, targets: NDArray[Any]) -> dict[str, Any]:
        return {"events": int(targets[:, 1].sum()), "median time": float(np.median(targets[:, 0]))}


@fs.prediction_task(Hazard)
class HazardLayer(TaskLayer):
    """One log hazard; the mean over events of log sum of hazards at risk, minus that of who had it."""

    @property
    def num_logits(self) -> int:
        return 1

    def loss(self, logits_BK: Tensor, targets_B: Tensor, weights: Tensor | None = None) -> Tensor:
        hazards_B, (times_B, events_B) = logits_BK[:, 0].float(), targets_B.unbind(dim=1)
        at_risk_BB = times_B[None] >= times_B[:, None]
        totals_B = torch.where(at_risk_BB, hazards_B[None], -torch.inf).logsumexp(dim=1)
        return ((totals_B - hazards_B) * events_B).sum() / events_B.sum().clamp(min=1)

    def forward(self, logits_BK: Tensor) -> Tensor:
        return logits_BK.exp()


@fs.metric("hazard_concordance", direction="maximize", kinds="hazard")
def concordance(targets: NDArray[Any], outputs: NDArray[np.floating]) -> float:
    """Share of comparable pairs in which who had the event first has the larger hazard."""
    times, events = targets.T
    pairs = (times[:, None] < times[None]) & (events[:, None] == 1)
    right = (outputs[:, None] > outputs[None]) + 0.5 * (outputs[:, None] == outputs[None])
    return float(right[pairs].mean()) if pairs.any() else float("nan")
