"""The labels file: who the samples are, what is predicted, who stands in which split."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from fusearch.data.assembly.arrays import check_split_names, text_array
from fusearch.data.assembly.mask_targets import is_dense, masks_of_labels
from fusearch.data.assembly.targets import AskedTask, RowsOfLabels, encode_several, encode_targets
from fusearch.data.check.problem import Problem
from fusearch.data.files.frames import read_table
from fusearch.data.files.ids import columns_of_names, twin_ids
from fusearch.data.files.npz import read_entries
from fusearch.data.manifest.manifest import Manifest
from fusearch.data.manifest.task_keys import PartKeys, TaskKeys
from fusearch.data.readers.table_file import need_column, read_ids
from fusearch.data.splits import SplitPlan
from fusearch.errors import ManifestError
from fusearch.tasks import TASKS, Task

__all__ = ["LabelFile", "read_labels"]

Array = npt.NDArray[Any]
StrArray = npt.NDArray[np.str_]


@dataclass(frozen=True)
class LabelFile:
    """The labels file: who the samples are, in the order of the data set.

    Attributes:
        ids: Id of each sample, (N,); the row numbers where the manifest names no id.
        targets: Of each sample, as the task encodes them, (N,) or (N, numbers of a sample).
        task: What is predicted.
        plan: How the rows are divided.
        groups: Group of each row, (N,), or None.
        place: Name of the file, for messages.
        named: Where rows join by position, columns of this file and of those read since that may say who a row is: name -> the file and
            the texts of its rows.
        notes: What is strange about the ids.
    """

    ids: StrArray
    targets: Array
    task: Task
    plan: SplitPlan
    groups: StrArray | None
    place: str
    named: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    notes: tuple[Problem, ...] = ()


def read_labels(manifest: Manifest, like: Task | None = None) -> LabelFile:
    """Read the labels file: ids, targets, splits, groups.

    Args:
        manifest: The manifest.
        like: The task of another cohort, which gives the class names in the order of their codes.

    Raises:
        ManifestError: The file or a column is missing.
        DataError: A duplicate id, a missing label, labels of one class.
    """
    splits, tasks = manifest.splits, manifest.all_tasks
    path = manifest.resolve(*manifest.label_file)
    named_classes = [keys for keys in tasks.values() if TASKS[keys.kind].named_classes]
    read_as_text = {manifest.id, splits.group, splits.column, *(column for keys in named_classes for column in keys.label_columns.values())}
    texts = {column for column in read_as_text if column is not None}
    form = manifest.label_form
    name = form.name_of(path)
    if path.suffix.lower() == ".npz":
        frame = pd.DataFrame(read_entries(path, manifest.label_columns[0]))
    else:
        frame = read_table(path, lambda names: texts & set(names), form)
    ids = np.array(read_ids(frame, manifest.id, path, f"{manifest.path.name}: id"), np.str_)
    for place, keys in tasks.items():
        for key, column in keys.label_columns.items():
            need_column(frame, column, path, f"{manifest.path.name}: {place}.{keys.written(key)}")
            if column == manifest.id:
                where = f"{manifest.path.name}: {place}.{keys.written(key)}"
                raise ManifestError(f"{where}: {column!r} is the id, expected the column of the target")
    asked = {place.removeprefix("tasks."): _asked(keys, frame) for place, keys in tasks.items()}
    rows: RowsOfLabels = {"ids": ids.tolist(), "place": name, "index": frame.index, "missing": form.missing}
    found: Task
    targets: Array
    if manifest.tasks is None and is_dense(manifest.all_tasks["task"].kind):
        targets, found = masks_of_labels(manifest, manifest.all_tasks["task"], frame, ids.tolist(), place=name, like=like)
    elif manifest.tasks is not None:
        targets, found = encode_several(asked, like=like, **rows)
    else:
        one = asked["task"]
        targets, found = encode_targets(one.columns, one.kind, labels=(like.labels or None) if like is not None else one.labels, **rows)
    given = groups = None
    if splits.column is not None:
        need_column(frame, splits.column, path, f"{manifest.path.name}: splits.column")
        given = check_split_names(text_array(frame[splits.column], "split", name, frame.index), name, frame.index)
    if splits.group is not None:
        need_column(frame, splits.group, path, f"{manifest.path.name}: splits.group")
        groups = text_array(frame[splits.group], "group", name, frame.index)
    plan = SplitPlan(splits.shares, splits.folds, splits.seed, given)
    named = {}
    if manifest.id is None:
        found_names = columns_of_names((str(column), cells) for column, cells in frame.items())
        named = {column: (name, texts) for column, texts in found_names.items()}
    return LabelFile(ids, targets, found, plan, groups, name, named, _twins(ids.tolist(), name))


def _twins(ids: list[str], place: str) -> tuple[Problem, ...]:
    pairs = twin_ids(ids)
    if not pairs:
        return ()
    first, second = pairs[0]
    more = f" (and {len(pairs) - 1} more)" if len(pairs) > 1 else ""
    what = f"ids {first!a} and {second!a}{more} differ by case, leading zeros or spaces alone, and are told apart; one patient twice?"
    return (Problem("warning", f"{place}: {what}", "id"),)


def _asked(keys: TaskKeys, frame: pd.DataFrame) -> AskedTask:
    columns = {key: (column, frame[column]) for key, column in keys.label_columns.items()}
    if isinstance(keys, PartKeys):
        return AskedTask(keys.kind, columns, keys.class_names, keys.weight, keys.balanced)
    return AskedTask(keys.kind, columns, keys.class_names)
