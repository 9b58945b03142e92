"""Preprocessing as layers, so that a model file takes raw values. Axis letters: B batch, C raw columns, D prepared columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from fusearch.data.preprocessing import FAR, Statistics

__all__ = ["ArrayPreparation", "CodePreparation", "Preparations", "TablePreparation", "has_modality", "make_preparation"]


def has_modality(raw: Tensor) -> Tensor:
    """Return whether each sample has the modality, (B,) bool: a sample whose values are all NaN lacks it."""
    return ~torch.isnan(raw).flatten(1).all(dim=1)


class TablePreparation(nn.Module):
    """Imputes and scales the numeric columns and one-hot encodes the level codes: `Statistics.transform` of a table, in float32.

    Args:
        statistics: What was fitted for the table.
    """

    fill: Tensor
    mean: Tensor
    scale: Tensor
    column_of: Tensor
    code_of: Tensor

    def __init__(self, statistics: Statistics) -> None:
        super().__init__()
        self.num_numeric, self.bound = len(statistics.numeric), statistics.bound
        if self.num_numeric:  # torch.export cannot save what numpy leaves of no columns: an empty tensor with stride 0
            _register_numbers(self, statistics, (-1,))
        columns, codes = [], []
        for column, name in enumerate(statistics.categorical, start=self.num_numeric):
            seen = statistics.seen[name]
            columns += [column] * len(seen)
            # NaN equals nothing: a level that no training row has is encoded as all zeros.
            codes.append(np.where(seen, np.arange(len(seen)), np.nan))
        self.register_buffer("column_of", torch.tensor(columns, dtype=torch.int64))
        self.register_buffer("code_of", torch.as_tensor(np.concatenate([np.empty(0), *codes]), dtype=torch.float32))

    def forward(self, raw_BC: Tensor) -> Tensor:
        """Map numeric columns, then one level code a categorical column, to (B, D); NaN is a missing value, -1 an unknown level."""
        blocks = []
        if self.num_numeric:
            numeric = raw_BC[:, : self.num_numeric]
            scaled = (torch.where(torch.isnan(numeric), self.fill, numeric) - self.mean) / self.scale
            if self.bound is not None:
                scaled = scaled.clamp(-FAR, FAR)
                share = scaled * (1 / self.bound)
                scaled = scaled / torch.sqrt(1 + share * share)
            blocks.append(scaled)
        if len(self.column_of):
            blocks.append((raw_BC[:, self.column_of] == self.code_of).to(torch.float32))
        return torch.cat(blocks, dim=1)


class ArrayPreparation(nn.Module):
    """Imputes and scales an image or a series channel by channel.

    Args:
        statistics: What was fitted for the modality.
    """

    fill: Tensor
    mean: Tensor
    scale: Tensor

    def __init__(self, statistics: Statistics) -> None:
        super().__init__()
        _register_numbers(self, statistics, statistics.number_shape)
        self.ragged_axis = statistics.modality.layout.ragged_axis

    def forward(self, raw: Tensor) -> Tensor:
        """Map (B, *modality.shape) with NaN for missing values to the same shape without."""
        scaled = (torch.where(torch.isnan(raw), self.fill, raw) - self.mean) / self.scale
        if self.ragged_axis is None:
            return scaled
        there_BT = ~torch.isnan(raw).movedim(1 + self.ragged_axis, 1).flatten(2).all(dim=2)
        shape = [-1 if axis == self.ragged_axis else 1 for axis in range(raw.ndim - 1)]
        return torch.where(there_BT.reshape(raw.shape[0], *shape), scaled, 0.0)


class CodePreparation(nn.Module):
    """Looks the codes of symbols up: `Statistics.transform` of a text or a sequence.

    Args:
        statistics: What was fitted for the modality.
    """

    table: Tensor

    def __init__(self, statistics: Statistics) -> None:
        super().__init__()
        self.register_buffer("table", torch.as_tensor(statistics.code_table, dtype=torch.float32))

    def forward(self, raw_BT: Tensor) -> Tensor:
        """Map positions of symbols, -1 of an unknown one, NaN behind the end, to codes, (B, T)."""
        result: Tensor = self.table[torch.where(torch.isnan(raw_BT), 0.0, raw_BT + 2).long()]
        return result


def make_preparation(statistics: Statistics) -> nn.Module:
    """Return the layer that prepares a modality."""
    if statistics.code_table is not None:
        return CodePreparation(statistics)
    return TablePreparation(statistics) if statistics.modality.entry.columns else ArrayPreparation(statistics)


class Preparations(nn.ModuleList):
    """The layers that prepare each modality of a design, in order.

    Args:
        statistics: What was fitted for each modality that the design reads.

    Attributes:
        modalities: Their names, in the order of `statistics`.
    """

    def __init__(self, statistics: Sequence[Statistics]) -> None:
        super().__init__(make_preparation(part) for part in statistics)  # a ModuleDict refuses names such as `values` or `type`
        self.modalities = tuple(part.modality.name for part in statistics)

    def forward(self, raw: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Map raw values, (B, *raw shape) a modality, to what a network reads: inputs, and whether each sample has the modality."""
        inputs, present = {}, {}
        for name, prepare in zip(self.modalities, self, strict=True):
            values = prepare(raw[name])
            present[name] = has_modality(raw[name])
            inputs[name] = torch.where(present[name].reshape(-1, *[1] * (values.ndim - 1)), values, 0.0)
        return inputs, present


def _register_numbers(module: nn.Module, statistics: Statistics, shape: tuple[int, ...]) -> None:
    for name in ("fill", "mean", "scale"):
        module.register_buffer(name, torch.as_tensor(getattr(statistics, name), dtype=torch.float32).reshape(shape))
