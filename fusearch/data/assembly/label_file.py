"""The labels file: who the samples are, what is predicted, who stands in which split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fusearch.data.assembly.arrays import check_split_names, text_array
from fusearch.data.assembly.targets import encode_targets
from fusearch.data.manifest.manifest import Manifest
from fusearch.data.readers.table_file import need_column, read_ids, read_table
from fusearch.data.splits import SplitPlan
from fusearch.errors import ManifestError
from fusearch.tasks import Task

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
    """

    ids: StrArray
    targets: Array
    task: Task
    plan: SplitPlan
    groups: StrArray | None
    place: str


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
    text_columns = tuple(name for name in (manifest.id, splits.group) if name is not None)
    frame = read_table(path, text_columns)
    ids = read_ids(frame, manifest.id, path, f"{manifest.path.name}: id")
    for key, column in task.columns.items():
        need_column(frame, column, path, f"{manifest.path.name}: task.{key}")
        if column == manifest.id:
            raise ManifestError(f"{manifest.path.name}: task.{key}: {column!r} is the id, expected the column of the target")
    columns = {key: (column, frame[column]) for key, column in task.columns.items()}
    names = class_names if class_names is not None else task.class_names
    targets, found = encode_targets(columns, task.kind, ids=ids.tolist(), place=path.name, labels=names)
    given = groups = None
    if splits.column is not None:
        need_column(frame, splits.column, path, f"{manifest.path.name}: splits.column")
        given = check_split_names(text_array(frame[splits.column], "split", path.name), path.name)
    if splits.group is not None:
        need_column(frame, splits.group, path, f"{manifest.path.name}: splits.group")
        groups = text_array(frame[splits.group], "group", path.name)
    return LabelFile(ids, targets, found, SplitPlan(splits.shares, splits.folds, splits.seed, given), groups, path.name)
