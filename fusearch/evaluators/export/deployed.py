"""The network that leaves the house: raw values in, predictions out, everything fitted inside. Axis letters: B batch, O outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from fusearch.data.preprocessing import Statistics
from fusearch.evaluators.export.preparation import Preparations
from fusearch.evaluators.tasks import TaskLayer

__all__ = ["DeployedModel", "DeployedTeam", "as_one", "predict_raw"]

#: Rows that are predicted at once.
_BATCH = 256


class DeployedModel(nn.Module):
    """Prepares raw values, runs every network and averages what they say.

    Args:
        networks: Networks of one design, trained with different seeds.
        statistics: What was fitted for each modality that the design reads.
        task: What is predicted, fitted on the rows that the networks were trained on; one, or one for each network where they are settled.

    Attributes:
        modalities: Names of the modalities, in the order of `statistics`.
    """

    def __init__(self, networks: Sequence[nn.Module], statistics: Sequence[Statistics], *, task: TaskLayer | Sequence[TaskLayer]) -> None:
        super().__init__()
        self.preparations = Preparations(statistics)
        self.modalities = self.preparations.modalities
        self.networks = nn.ModuleList(networks)
        self.tasks = nn.ModuleList([task] * len(networks) if isinstance(task, TaskLayer) else task)
        self.task: TaskLayer = self.tasks[0]  # type: ignore[assignment]  # a ModuleList holds modules
        self.eval()

    def forward(self, raw: dict[str, Tensor]) -> Tensor:
        """Predict.

        Args:
            raw: Modality -> (B, *raw shape) float32. A table holds its numeric columns, then one level code a categorical column (-1: an
                unknown level). NaN is a missing value; a sample whose values are all NaN lacks the modality.

        Returns:
            (B, O) outputs in the units of the target, such as class probabilities, averaged over the networks; of a dense task
            (B, C, *grid).
        """
        inputs, present = self.preparations(raw)
        said = [task(network(inputs, present)) for task, network in zip(self.tasks, self.networks, strict=True)]
        mean = self.task.average(torch.stack(said))
        return torch.unflatten(mean, 1, (-1, *self.task.grid)) if self.task.grid else mean


class DeployedTeam(nn.Module):
    """The mean of what several deployed designs say.

    Args:
        models: One for each design, fitted on the same rows.
    """

    def __init__(self, models: Sequence[DeployedModel]) -> None:
        super().__init__()
        self.models = nn.ModuleList(models)
        self.task = models[0].task
        self.eval()

    def forward(self, raw: dict[str, Tensor]) -> Tensor:
        """Predict, as each of them does; each takes the modalities that it reads."""
        return self.task.average(torch.stack([model(raw) for model in self.models]))


def as_one(models: Sequence[DeployedModel]) -> DeployedModel | DeployedTeam:
    """Return one model as it is, and the mean of several."""
    return models[0] if len(models) == 1 else DeployedTeam(models)


def predict_raw(model: DeployedModel | DeployedTeam, raw: Mapping[str, npt.NDArray[np.float32]]) -> npt.NDArray[np.float64]:
    """Return what a model says of samples, (N, O); of a dense task (N, C, *grid).

    Args:
        model: The model.
        raw: Modality -> (N, *raw shape), as the model reads it.
    """
    count = len(next(iter(raw.values())))
    with torch.inference_mode():
        parts = [
            model({name: torch.from_numpy(values[start : start + _BATCH]) for name, values in raw.items()})
            for start in range(0, count, _BATCH)
        ]
    return torch.cat(parts).double().numpy()
