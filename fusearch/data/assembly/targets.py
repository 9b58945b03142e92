"""Label columns as targets: no cell may be empty, the rest is what the task says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy.typing as npt

from fusearch.data.table_schema import as_text
from fusearch.errors import DataError, suggestion
from fusearch.metrics import metrics_of
from fusearch.tasks import TASKS, Task
from fusearch.tasks.columns import LabelColumn

__all__ = ["encode_targets"]


def encode_targets(
    columns: Mapping[str, tuple[str, Any]], kind: str, *, ids: Sequence[str], place: str, labels: Sequence[str] | None = None
) -> tuple[npt.NDArray[Any], Task]:
    """Turn the label columns into targets, (N,) or (N, numbers of a sample), and say what the task is.

    Args:
        columns: Key of the task -> name of the column that it names, and its values, (N,).
        kind: Name of the task.
        ids: Id of each row, for messages.
        place: Where the columns come from, for messages.
        labels: Class names in the order of their codes; left out, the names that occur, sorted.

    Raises:
        UnknownNameError: There is no such task.
        DataError: An empty cell, or what the task refuses.
    """
    entry = TASKS[kind]
    if entry.headline not in (known := [metric.name for metric in metrics_of(kind)]):
        raise DataError(f"task {kind!r}: its headline {entry.headline!r} is no metric of it, {suggestion(entry.headline, known)}")
    read = {}
    for key, (name, values) in columns.items():
        texts: list[str] = []
        for row, text in enumerate(as_text(values)):
            if text is None or text == "":
                what = f"column {name!r} is empty in row {row + 1} (id {ids[row]!r})"
                raise DataError(f"{place}: {what}, expected a {entry.holds} in every row")
            texts.append(text)
        read[key] = LabelColumn(name, texts, ids, place)
    task, targets = entry.encode(read, labels)
    return targets, task
