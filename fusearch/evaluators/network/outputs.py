"""Which output of a design gives which numbers: all of the one task, or those of the task that it is named for.

Axis letters: B batch, K numbers of all tasks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fusearch.errors import DesignError, suggestion
from fusearch.search_space import FusionGraph
from fusearch.tasks.several import AUXILIARY

__all__ = ["OutputBinding", "bind_outputs"]


@dataclass(frozen=True)
class OutputBinding:
    """What each output of a design gives.

    Attributes:
        columns: Of each output, which of the K numbers it gives, in order.
        places: For each of the K numbers, the output that gives it.
        auxiliary: The outputs that give all of them once more, and whose loss is added.
    """

    columns: tuple[tuple[int, ...], ...]
    places: tuple[int, ...]
    auxiliary: tuple[int, ...]

    def width_of(self, output: int) -> int:
        """Return how many numbers an output gives."""
        return len(self.columns[output])

    def taken_from(self, output: int, every_BK: Tensor) -> Tensor:
        """Return the numbers of an output from all of them, as the class scores of a stream and votes have all."""
        columns = self.columns[output]
        return every_BK if len(columns) == every_BK.shape[1] else every_BK[:, list(columns)]

    def main_of(self, outputs: Sequence[Tensor]) -> Tensor:
        """Return all numbers, (B, K), each from the output that gives it."""
        if len(set(self.places)) == 1:
            return outputs[self.places[0]]
        parts = []
        for column, output in enumerate(self.places):
            at = self.columns[output].index(column)
            parts.append(outputs[output][:, at : at + 1])
        return torch.cat(parts, dim=1)


def bind_outputs(graph: FusionGraph, num_numbers: int, tasks: Mapping[str, slice]) -> OutputBinding:
    """Say which output gives which numbers (decision 0077).

    With one task the main output gives all, the others are auxiliary. Of several tasks an output `-> name` gives those of its task, and the
    main output, where it has no name, those of every task without an output of its own; `-> aux` is auxiliary.

    Args:
        graph: The design.
        num_numbers: K.
        tasks: Of several tasks, where the numbers of each stand; empty: there is one.

    Raises:
        DesignError: A task has two outputs or none, or an output names no task.
    """
    main, every = graph.outputs.index(graph.main_output), tuple(range(num_numbers))
    own: dict[str, int] = {}
    for index, output in enumerate(graph.outputs):
        if not tasks or output.task in (None, AUXILIARY):
            continue
        if output.task not in tasks:
            raise DesignError(f"output {output.source} -> {output.task}: {suggestion(str(output.task), [*tasks, AUXILIARY])}")
        if output.task in own:
            raise DesignError(f"output {output.source} -> {output.task}: the task has an output already, expected one of each task")
        own[str(output.task)] = index
    rest = tuple(column for name, where in tasks.items() if name not in own for column in every[where]) if tasks else every
    gives_rest = bool(rest) and graph.outputs[main].task in (None, AUXILIARY) if tasks else True
    if rest and not gives_rest:
        lacking = ", ".join(name for name in tasks if name not in own)
        raise DesignError(f"no output gives {lacking}: expected `-> NAME` for each task, or one output `->` for those without their own")
    columns = [every] * len(graph.outputs)
    places = [main] * num_numbers
    for name, index in own.items():
        columns[index] = every[tasks[name]]
        for column in columns[index]:
            places[column] = index
    if gives_rest:
        columns[main] = rest
    auxiliary = [index for index in range(len(graph.outputs)) if index not in own.values() and not (gives_rest and index == main)]
    return OutputBinding(tuple(columns), tuple(places), tuple(auxiliary))
