"""The labels file: who the samples are, what is predicted, who stands in which split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fusearch.data.arrays import check_split_names, text_array
from fusearch.data.files import read_table
from fusearch.data.manifest import Manifest
from fusearch.data.splits import SplitPlan
from fusearch.data.targets import encode_targets
from fusearch.errors import DataError, ManifestError, suggestion
from fusearch.tasks import Task

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Labels", "need_column", "read_ids", "read_labels"]

Array = npt.NDArray[Any]
StrArray = npt.NDArray[np.str_]


@dataclass(frozen=True)
class Labels:
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


def read_labels(manifest: Manifest, class_names: Sequence[str] | None = None) -> Labels:
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
    ids = read_ids(manifest, frame, path, "id")
    for key, column in task.columns.items():
        need_column(manifest, frame, column, f"task.{key}", path)
        if column == manifest.id:
            raise ManifestError(f"{manifest.path.name}: task.{key}: {column!r} is the id, expected the column of the target")
    columns = {key: (column, frame[column]) for key, column in task.columns.items()}
    names = class_names if class_names is not None else task.class_names
    targets, found = encode_targets(columns, task.kind, ids=ids.tolist(), place=path.name, labels=names)
    given = groups = None
    if splits.column is not None:
        need_column(manifest, frame, splits.column, "splits.column", path)
        given = check_split_names(text_array(frame[splits.column], "split", path.name), path.name)
    if splits.group is not None:
        need_column(manifest, frame, splits.group, "splits.group", path)
        groups = text_array(frame[splits.group], "group", path.name)
    return Labels(ids, targets, found, SplitPlan(splits.shares, splits.folds, splits.seed, given), groups, path.name)


def read_ids(manifest: Manifest, frame: pd.DataFrame, path: Path, key: str) -> StrArray:
    """Return the id of each row as text; the row numbers where the manifest names no id.

    Raises:
        ManifestError: There is no such column.
        DataError: An id is missing or stands there twice.
    """
    if manifest.id is None:
        return np.arange(len(frame)).astype(np.str_)
    need_column(manifest, frame, manifest.id, key, path)
    ids = text_array(frame[manifest.id], "id", path.name)
    first: dict[str, int] = {}
    for row, identity in enumerate(ids.tolist()):
        if identity in first:
            raise DataError(f"{path.name}: id {identity!r} stands in rows {first[identity] + 1} and {row + 1}, expected each id once")
        first[identity] = row
    return ids


def need_column(manifest: Manifest, frame: pd.DataFrame, column: str, key: str, path: Path) -> None:
    """Refuse a column that a file lacks; `key` is the place in the manifest that names it.

    Raises:
        ManifestError: There is no such column.
    """
    if column not in frame.columns:
        raise ManifestError(
            f"{manifest.path.name}: {key}: no column {column!r} in {path.name}, {_column_hint(column, list(frame.columns))}"
        )


def _column_hint(column: str, columns: list[str]) -> str:
    hint = suggestion(column, columns)
    return hint if len(hint) <= 200 else f"expected one of its {len(columns)} columns ({', '.join(columns[:5])}, ...)"
