"""Label columns as targets: no cell may be empty, the rest is what the task says."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy.typing as npt

from fusearch.data.files.text import as_text, where
from fusearch.errors import DataError, suggestion
from fusearch.metrics import metrics_of
from fusearch.tasks import TASKS, Task
from fusearch.tasks.columns import LabelColumn

__all__ = ["encode_targets"]


def encode_targets(
    columns: Mapping[str, tuple[str, Any]],
    kind: str,
    *,
    ids: Sequence[str],
    place: str,
    labels: Sequence[str] | None = None,
    index: Any = None,
    missing: Collection[str] = (),
) -> tuple[npt.NDArray[Any], Task]:
    """Turn the label columns into targets, (N,) or (N, numbers of a sample), and say what the task is.

    Args:
        columns: Key of the task -> name of the column that it names, and its values, (N,).
        kind: Name of the task.
        ids: Id of each row, for messages.
        place: Where the columns come from, for messages.
        labels: Class names in the order of their codes; left out, the names that occur, sorted.
        index: Where each row stands, as `read_table` gives it.
        missing: Texts that stand for a missing value.

    Raises:
        UnknownNameError: There is no such task.
        DataError: An empty cell, or what the task refuses.
    """
    entry = TASKS[kind]
    if entry.headline not in (known := [metric.name for metric in metrics_of(kind)]):
        raise DataError(f"task {kind!r}: its headline {entry.headline!r} is no metric of it, {suggestion(entry.headline, known)}")
    read = {}
    for key, (name, values) in columns.items():
        texts = as_text(values, missing)
        gaps = [row for row, text in enumerate(texts) if text is None]
        if gaps:
            more = f" and {len(gaps) - 1} more" if len(gaps) > 1 else ""
            what = f"column {name!r} is empty in {where(index, gaps[0])}{more} (id {ids[gaps[0]]!r})"
            raise DataError(f"{place}: {what}, expected a {entry.holds} in every row")
        rows = [where(index, row) for row in range(len(texts))]
        read[key] = LabelColumn(name, [text for text in texts if text is not None], ids, place, rows)
    task, targets = entry.encode(read, labels)
    return targets, task
