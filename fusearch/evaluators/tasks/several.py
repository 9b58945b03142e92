"""The torch half of several tasks. Axis letters: B batch, N rows, K logits, O outputs, W numbers of a target, M members or voters."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fusearch.evaluators.tasks.task_layer import TaskLayer, at_least_float32, bind_task, task_layer
from fusearch.tasks import SeveralTasks, Task, TaskPart

__all__ = ["SeveralTasksLayer"]


@task_layer(SeveralTasks.kind)
class SeveralTasksLayer(TaskLayer):
    """The logits of all tasks side by side; the sum of their losses, each times its weight, over the rows that have a label for it.

    Targets are float32, (B, W), those of each task as it encodes them, NaN where the label is missing.

    Args:
        task: The tasks.

    Attributes:
        layers: The torch half of each task, in order.
    """

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.several = cast("SeveralTasks", task)
        self.layers = nn.ModuleList(bind_task(part.task) for part in self.several.parts)

    @property
    def num_logits(self) -> int:
        """Those of all tasks."""
        return sum(layer.num_logits for layer in self._layers())

    @property
    def logit_columns(self) -> Mapping[str, slice]:
        """Where the logits of each task stand."""
        widths = dict(zip((part.name for part in self.several.parts), (layer.num_logits for layer in self._layers()), strict=True))
        return self.several.columns_of(lambda part: widths[part.name])

    def fit(self, targets: NDArray[Any]) -> SeveralTasksLayer:
        """Let each task take from the rows that have a label for it what it needs."""
        for layer, (_, rows, own) in zip(self._layers(), self.several.known(targets), strict=True):
            if rows.any():
                layer.fit(own)
        self.unit = max(layer.unit for layer in self._layers())
        return self

    def settled(self, logits: Callable[[], Tensor], targets_N: Tensor) -> TaskLayer:
        """Return the layer with each task settled on the rows that have a label for it."""
        once = cache(logits)
        found = copy.copy(self)
        found._modules = {**self._modules, "layers": nn.ModuleList()}
        for part, layer, columns, own_NV, known_N in self._parts(targets_N):
            rows = known_N.nonzero()[:, 0]
            said = (lambda rows=rows, columns=columns: once()[rows.to(once().device)][:, columns]) if len(rows) else None
            targets = _as_encoded(part, own_NV[rows], rows >= 0)
            found.layers.append(layer if said is None else layer.settled(said, targets))
        return found

    def encode(self, targets: NDArray[Any]) -> Tensor:
        """Return the targets of each task as its loss reads them, side by side."""
        blocks = []
        for layer, (part, rows, own) in zip(self._layers(), self.several.known(targets), strict=True):
            blocks.append(part.spread(layer.encode(own).cpu().numpy() if rows.any() else own, rows))
        return torch.as_tensor(np.concatenate(blocks, axis=1))

    def loss(self, logits_BK: Tensor, targets_B: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return the sum of the losses of the tasks, each times its weight; `weights` are those of `loss_weights`."""
        terms = []
        places = self._weight_places()
        for part, layer, columns, own_BV, known_B in self._parts(targets_B):
            own = None
            if weights is not None and part.name in places:
                place, shape = places[part.name]
                own = weights[place].reshape(shape)
            terms.append(part.weight * layer.loss_of_known(logits_BK[:, columns], _as_encoded(part, own_BV, known_B), known_B, own))
        return torch.stack([at_least_float32(term) for term in terms]).sum()

    def forward(self, logits_BK: Tensor) -> Tensor:
        """Return the outputs of all tasks side by side."""
        return torch.cat([layer(logits_BK[:, columns]) for layer, columns in self._by_columns()], dim=1)

    def average(self, outputs_MBO: Tensor) -> Tensor:
        """Return what each task makes of its outputs."""
        places = self.several.output_columns.values()
        return torch.cat([layer.average(outputs_MBO[..., place]) for layer, place in zip(self._layers(), places, strict=True)], dim=1)

    def loss_weights(self, targets_B: Tensor, *, balanced: bool) -> Tensor | None:
        """Return the weights of the classes of all tasks in a row, 1 for tasks that are not balanced; None where none is."""
        wanted = {part.name: balanced if part.balanced is None else part.balanced for part in self.several.parts}
        places = self._weight_places()
        if not any(wanted[name] for name in places):
            return None
        found = []
        for part, layer, _, own_BV, known_B in self._parts(targets_B):
            if part.name in places:
                rows = known_B.nonzero()[:, 0]
                own = layer.class_weights(_as_encoded(part, own_BV[rows], rows >= 0)) if wanted[part.name] else None
                shape = places[part.name][1]
                found.append((own if own is not None else torch.ones(shape, device=targets_B.device)).flatten())
        return torch.cat(found)

    def constant_logits(self, targets_N: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return those of all tasks side by side, each from the rows that have a label for it; 0 of a task that has none."""
        found, places = [], self._weight_places()
        for part, layer, _, own_NV, known_N in self._parts(targets_N):
            rows, own = known_N.nonzero()[:, 0], None
            if weights is not None and part.name in places:
                place, shape = places[part.name]
                own = weights[place].reshape(shape)
            said = layer.constant_logits(_as_encoded(part, own_NV[rows], rows >= 0), own)
            found.append(torch.zeros(layer.num_logits, device=targets_N.device) if said is None else said)
        return torch.cat(found)

    def chosen(self, logits_BK: Tensor) -> Tensor:
        """Return the position of the largest logit of the first task."""
        return logits_BK[:, next(iter(self.logit_columns.values()))].argmax(dim=1)

    def explained(self, logits_BK: Tensor, chosen_B: Tensor) -> Tensor:
        """Return what the first task explains."""
        layer, columns = next(self._by_columns())
        return layer.explained(logits_BK[:, columns], chosen_B)

    def residuals(self, logits_NMK: Tensor, targets_N: Tensor) -> Tensor:
        """Return the errors of voters in each task side by side; none in rows without its label."""
        found = []
        for part, layer, columns, own_NV, known_N in self._parts(targets_N):
            errors = layer.residuals(logits_NMK[..., columns], _as_encoded(part, own_NV, known_N))
            found.append(torch.where(known_N[:, None, None], errors, 0.0))
        return torch.cat(found, dim=2)

    def certainty(self, logits_BK: Tensor, targets_B: Tensor) -> tuple[Tensor, Tensor]:
        """Return exp(-error), and the mean over the tasks, each times its weight, of the error; none in rows without a label."""
        errors = []
        for part, layer, columns, own_BV, known_B in self._parts(targets_B):
            _, error_B = layer.certainty(logits_BK[:, columns], _as_encoded(part, own_BV, known_B))
            errors.append(part.weight * torch.where(known_B, error_B, 0.0))
        error_B = torch.stack(errors).mean(dim=0)
        return torch.exp(-error_B), error_B

    def alike(self, targets_B: Tensor) -> Tensor:
        """Return the mean over the tasks that both samples have a label for; 0 where there is none."""
        total, count = torch.zeros((), device=targets_B.device), torch.zeros((), device=targets_B.device)
        for part, layer, _, own_BV, known_B in self._parts(targets_B):
            both_BB = (known_B[:, None] & known_B[None]).to(torch.get_default_dtype())
            total = total + both_BB * layer.alike(_as_encoded(part, own_BV, known_B))
            count = count + both_BB
        return total / count.clamp(min=1)

    def _layers(self) -> Iterator[TaskLayer]:
        yield from self.layers  # type: ignore[misc]  # a ModuleList holds modules

    def _by_columns(self) -> Iterator[tuple[TaskLayer, slice]]:
        yield from zip(self._layers(), self.logit_columns.values(), strict=True)

    def _parts(self, targets_B: Tensor) -> Iterator[tuple[TaskPart, TaskLayer, slice, Tensor, Tensor]]:
        """Give each task, its layer, the place of its logits, its targets (B, numbers), and which rows have a label for it."""
        for part, place, (layer, columns) in zip(self.several.parts, self.several.target_columns.values(), self._by_columns(), strict=True):
            own_BV = targets_B[:, place]
            yield part, layer, columns, own_BV, ~own_BV.isnan().any(dim=1)

    def _weight_places(self) -> dict[str, tuple[slice, tuple[int, ...]]]:
        """Return where the weights of the classes of each task that has some stand, and their shape."""
        found, start = {}, 0
        for part, layer in zip(self.several.parts, self._layers(), strict=True):
            empty = torch.zeros((0, part.width) if part.width > 1 else 0, dtype=torch.int64 if part.codes else torch.float32)
            weights = layer.class_weights(empty)
            if weights is not None:
                found[part.name] = slice(start, start + weights.numel()), tuple(weights.shape)
                start += weights.numel()
        return found


def _as_encoded(part: TaskPart, own_BV: Tensor, known_B: Tensor) -> Tensor:
    """Return the targets of a task as its layer encodes them, (B,) or (B, numbers); 0 where the label is missing."""
    values = torch.where(known_B[:, None], own_BV, 0.0)
    values = values.to(torch.int64) if part.codes else values
    return values[:, 0] if part.width == 1 else values
