"""Label columns as targets: no cell may be empty, the rest is what the task says."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Required, TypedDict

import numpy as np
import numpy.typing as npt

from fusearch.data.files.text import as_text, where
from fusearch.errors import DataError, suggestion
from fusearch.metrics import metrics_of
from fusearch.tasks import TASKS, SeveralTasks, Task, TaskPart
from fusearch.tasks.columns import LabelColumn

__all__ = ["AskedTask", "RowsOfLabels", "encode_several", "encode_targets"]


@dataclass(frozen=True)
class AskedTask:
    """One task, as it is asked for.

    Attributes:
        kind: Name of the task.
        columns: Key of the task -> name of the column that it names, and its values, (N,).
        labels: Class names in the order of their codes; None: the names that occur, sorted.
        weight: Of its loss, beside other tasks.
        balanced: Whether rare classes weigh as much as frequent ones; None: as the recipe says.
    """

    kind: str
    columns: Mapping[str, tuple[str, Any]]
    labels: Sequence[str] | None = None
    weight: float = 1.0
    balanced: bool | None = None


class RowsOfLabels(TypedDict, total=False):
    """What is known of the rows of the label columns.

    Attributes:
        ids: Id of each row, for messages.
        place: Where the columns come from, for messages.
        index: Where each row stands, as `read_table` gives it.
        missing: Texts that stand for a missing value.
    """

    ids: Required[Sequence[str]]
    place: Required[str]
    index: Any
    missing: Collection[str]


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


def encode_several(
    asked: Mapping[str, AskedTask],
    *,
    ids: Sequence[str],
    place: str,
    like: Task | None = None,
    index: Any = None,
    missing: Collection[str] = (),
) -> tuple[npt.NDArray[np.float32], SeveralTasks]:
    """Turn the label columns of several tasks into targets side by side, NaN where a row has no label for a task.

    A row lacks the label of a task where any of its columns is empty; it has that of one task at least.

    Args:
        asked: Name -> task.
        ids: As for `encode_targets`.
        place: As for `encode_targets`.
        like: The tasks of another cohort, which give the class names in the order of their codes.
        index: As for `encode_targets`.
        missing: As for `encode_targets`.

    Raises:
        UnknownNameError: There is no such task.
        DataError: A mask among them, a row without any label, a task without any row, or what a task refuses.
    """
    dense = next((name for name, one in asked.items() if one.kind in TASKS and TASKS[one.kind].dense), None)
    if dense is not None:
        told = f"a {asked[dense].kind}, whose masks no other target stands beside"
        raise DataError(f"{place}: task {dense!r} is {told}; expected it alone, as the one `task`, or the other tasks without it")
    parts: list[TaskPart] = []
    blocks = []
    for name, one in asked.items():
        texts = {key: as_text(values, missing) for key, (_, values) in one.columns.items()}
        known = np.array([all(text is not None for text in row) for row in zip(*texts.values(), strict=True)], np.bool_)
        rows = np.flatnonzero(known).tolist()
        if not rows:
            raise DataError(f"{place}: no row has a label for task {name!r}, expected some")
        columns = {key: (column, [texts[key][row] for row in rows]) for key, (column, _) in one.columns.items()}
        same = like.part(name).task if isinstance(like, SeveralTasks) else None
        targets, task = encode_targets(
            columns,
            one.kind,
            ids=[ids[row] for row in rows],
            place=place,
            labels=one.labels if same is None else same.labels or None,
            index=None if index is None else index[rows],
        )
        parts.append(TaskPart.of(name, task, targets, weight=one.weight, balanced=one.balanced))
        blocks.append(parts[-1].spread(targets, known))
    joined = np.concatenate(blocks, axis=1)
    for row in np.flatnonzero(np.isnan(joined).all(axis=1)).tolist():
        what = f"no label of any task in {where(index, row)} (id {ids[row]!r})"
        raise DataError(f"{place}: {what}, expected one at least")
    return joined, SeveralTasks.of(parts)
