"""Rows of several members, of which each takes its own. Axis letters: M members, B rows of a step."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor

from fusearch.evaluators.training.samples import Samples

__all__ = ["StackedRows"]


class StackedRows:
    """Rows of several members, one after the other, each table once: members of a fold share it.

    Attributes:
        lengths: Number of rows of each member.
    """

    def __init__(self, samples: Sequence[Samples]) -> None:
        self.lengths = [len(each) for each in samples]
        first = samples[0]
        self.inputs = {name: Column([each.inputs[name] for each in samples]) for name in first.inputs}
        self.present = {name: Column([each.present[name] for each in samples]) for name in first.present}
        self.targets = Column([each.targets for each in samples])
        self.device = first.targets.device

    def take(self, span: slice, rows_MB: Tensor) -> Samples:
        """Return the rows of those numbers of some members, each of its own: (M, B, ...)."""
        inputs = {name: column.take(span, rows_MB) for name, column in self.inputs.items()}
        present = {name: column.take(span, rows_MB) for name, column in self.present.items()}
        return Samples(inputs, present, self.targets.take(span, rows_MB))

    def whole(self, span: slice) -> Samples:
        """Return all rows of some members of equally many rows, (M, N, ...): of one member, and of several of a fold, without a copy."""
        inputs = {name: column.whole(span, self.lengths[span.start]) for name, column in self.inputs.items()}
        present = {name: column.whole(span, self.lengths[span.start]) for name, column in self.present.items()}
        return Samples(inputs, present, self.targets.whole(span, self.lengths[span.start]))

    def only(self, places: Sequence[int]) -> StackedRows:
        """Return the same for some members."""
        kept = copy.copy(self)
        kept.lengths = [self.lengths[place] for place in places]
        kept.inputs = {name: column.only(places) for name, column in self.inputs.items()}
        kept.present = {name: column.only(places) for name, column in self.present.items()}
        kept.targets = self.targets.only(places)
        return kept


class Column:
    """One table of several members: the values of all, and where those of each member begin (M, 1)."""

    def __init__(self, tables: Sequence[Tensor]) -> None:
        different = {id(table): table for table in tables}
        begins, total = {}, 0
        for key, table in different.items():
            begins[key] = total
            total += len(table)
        self.values = torch.cat(list(different.values())) if len(different) > 1 else tables[0]
        self.starts = [begins[id(table)] for table in tables]
        self.begins = torch.tensor(self.starts, device=tables[0].device)[:, None]

    def take(self, span: slice, rows_MB: Tensor) -> Tensor:
        at_MB = rows_MB + self.begins[span]
        return self.values.index_select(0, at_MB.flatten()).reshape(*at_MB.shape, *self.values.shape[1:])

    def whole(self, span: slice, length: int) -> Tensor:
        starts = self.starts[span]
        parts = [self.values[start : start + length] for start in starts]
        return parts[0].expand(len(starts), *parts[0].shape) if len(set(starts)) == 1 else torch.stack(parts)

    def only(self, places: Sequence[int]) -> Column:
        kept = copy.copy(self)
        kept.starts = [self.starts[place] for place in places]
        kept.begins = self.begins[list(places)]
        return kept
