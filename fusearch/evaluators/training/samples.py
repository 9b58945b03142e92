"""Some samples of a data set as tensors on a device. Axis letters: N samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fusearch.data import Dataset
from fusearch.data.splits import make_folds
from fusearch.errors import DataError

__all__ = ["PARTS", "PORTION", "PORTION_VALUES", "Samples", "deal_parts", "make_samples"]

#: Parts that training rows are dealt into where something is fitted on scores of rows that were not trained on.
PARTS = 3

#: Most rows of one forward pass without gradients.
PORTION = 4096
#: Most values of the inputs of one such pass, or one row (128 images of 64 x 64): an encoder of width 32 makes 32 times as many of them at
#: once, several times.
PORTION_VALUES = 2**19


@dataclass(frozen=True)
class Samples:
    """Inputs, presence masks and targets of N samples.

    Attributes:
        inputs: One (N, *modality shape) float tensor a modality; or, of streams that are fixed, one tensor a state.
        present: One (N,) boolean tensor a modality.
        targets: (N,) or (N, numbers of a sample), as the task encodes them.
        parts: Which of the `PARTS` each sample is in, (N,); None: they were not dealt out.
        keys: What the changes of each sample hang on, (N,); None: they are not changed.
    """

    inputs: Mapping[Any, Tensor]
    present: Mapping[str, Tensor]
    targets: Tensor
    parts: Tensor | None = None
    keys: Tensor | None = None

    def __len__(self) -> int:
        return len(self.targets)

    def take(self, index: Tensor) -> Samples:
        """Return the samples at those positions."""
        inputs = {name: values[index] for name, values in self.inputs.items()}
        return Samples(inputs, self.masks(index), self.targets[index], None if self.parts is None else self.parts[index])

    def masks(self, index: Tensor) -> dict[str, Tensor]:
        """Return the masks at those (different) positions; where nothing is missing any part of a mask is as good."""
        return {name: mask[: len(index)] if name in self.complete else mask[index] for name, mask in self.present.items()}

    @cached_property
    def complete(self) -> frozenset[str]:
        """Names of the modalities that every sample has."""
        return frozenset(name for name, mask in self.present.items() if bool(mask.all()))

    def portions(self, size: int | None = None) -> Iterator[Samples]:
        """Give the samples in order, at most `size` at a time (None: `PORTION`, and of large samples no more than `PORTION_VALUES`)."""
        values = sum(each[:1].numel() for each in self.inputs.values())
        size = size or max(1, min(PORTION, PORTION_VALUES // max(1, values)))
        if len(self) <= size:
            yield self
            return
        for start in range(0, len(self), size):
            part = slice(start, start + size)  # no list of rows: those of several members at once have no values to look at
            inputs, present = ({name: values[part] for name, values in each.items()} for each in (self.inputs, self.present))
            yield Samples(inputs, present, self.targets[part], None if self.parts is None else self.parts[part])

    def sides(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Give, for each part, which samples are in the others and which in it, (N,) each; nothing where they were not dealt out."""
        if self.parts is None:
            return
        for part in range(PARTS):
            yield self.parts.ne(part), self.parts.eq(part)

    def only(self, modalities: set[str]) -> Samples:
        """Return the same samples with those modalities alone, so that a design copies nothing that it does not read."""
        return replace(
            self,
            inputs={name: values for name, values in self.inputs.items() if name in modalities},
            present={name: mask for name, mask in self.present.items() if name in modalities},
        )

    def without(self, modality: str) -> Samples:
        """Return the same samples with one modality absent everywhere."""
        return replace(self, present={**self.present, modality: torch.zeros_like(self.present[modality])})


def deal_parts(data: Dataset, rows: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Deal rows into `PARTS`, by strata and whole groups, (N,); None where they are too few."""
    groups = None if data.groups is None else data.groups[rows]
    try:
        folds = make_folds(data.task.strata(data.targets[rows]), np.arange(len(rows)), PARTS, groups=groups)
    except DataError:
        return None
    parts = np.empty(len(rows), np.int64)
    for fold in folds:
        parts[fold.val] = fold.index
    return parts


def make_samples(
    inputs: Mapping[str, NDArray[np.floating]],
    present: Mapping[str, NDArray[np.bool_]],
    targets: Tensor,
    *,
    parts: NDArray[np.int64] | None = None,
    device: torch.device | str = "cpu",
) -> Samples:
    """Bring arrays, and targets as their task encodes them, onto a device."""
    return Samples(
        {name: torch.as_tensor(np.ascontiguousarray(values, dtype=np.float32), device=device) for name, values in inputs.items()},
        {name: torch.as_tensor(np.ascontiguousarray(mask, dtype=bool), device=device) for name, mask in present.items()},
        targets.to(device),
        None if parts is None else torch.as_tensor(parts, device=device),
    )
