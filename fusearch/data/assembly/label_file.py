"""The labels file: who the samples are, what is predicted, who stands in which split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from fusearch.data.assembly.arrays import check_split_names, text_array
from fusearch.data.assembly.targets import encode_targets
from fusearch.data.files.frames import read_table
from fusearch.data.files.ids import columns_of_names
from fusearch.data.files.npz import read_entries
from fusearch.data.manifest.manifest import Manifest
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
    """

    ids: StrArray
    targets: Array
    task: Task
    plan: SplitPlan
    groups: StrArray | None
    place: str
    named: dict[str, tuple[str, list[str]]] = field(default_factory=dict)


def read_labels(manifest: Manifest, class_names: Sequence[str] | None = None) -> LabelFile:
    """Read the labels file: ids, targets, splits, groups.

    Args:
        manifest: The manifest.
        class_names: Class names in the order of their codes, where another cohort gives them.

    Raises:
        ManifestError: The file or a column is missing.
        DataError: A duplicate id, a missing label, labels of one class.
    """
    task, splits = manifest.task, manifest.splits
    path = manifest.resolve(task.file, "task.file")
    texts = {manifest.id, splits.group, splits.column, *(task.label_columns.values() if TASKS[task.kind].named_classes else ())}
    form = manifest.form_of(task)
    place = form.name_of(path)
    first = next(iter(task.label_columns.values()))
    if path.suffix.lower() == ".npz":
        frame = pd.DataFrame(read_entries(path, first))
    else:
        frame = read_table(path, lambda names: texts & set(names), form)
    ids = np.array(read_ids(frame, manifest.id, path, f"{manifest.path.name}: id"), np.str_)
    for key, column in task.label_columns.items():
        need_column(frame, column, path, f"{manifest.path.name}: {task.place_of(key)}")
        if column == manifest.id:
            raise ManifestError(f"{manifest.path.name}: {task.place_of(key)}: {column!r} is the id, expected the column of the target")
    columns = {key: (column, frame[column]) for key, column in task.label_columns.items()}
    names = class_names if class_names is not None else task.class_names
    targets, found = encode_targets(
        columns, task.kind, ids=ids.tolist(), place=place, labels=names, index=frame.index, missing=form.missing
    )
    given = groups = None
    if splits.column is not None:
        need_column(frame, splits.column, path, f"{manifest.path.name}: splits.column")
        given = check_split_names(text_array(frame[splits.column], "split", path.name, frame.index), path.name, frame.index)
    if splits.group is not None:
        need_column(frame, splits.group, path, f"{manifest.path.name}: splits.group")
        groups = text_array(frame[splits.group], "group", path.name, frame.index)
    plan = SplitPlan(splits.shares, splits.folds, splits.seed, given)
    named = {}
    if manifest.id is None:
        named = {name: (place, texts) for name, texts in columns_of_names((str(name), cells) for name, cells in frame.items()).items()}
    return LabelFile(ids, targets, found, plan, groups, place, named)
