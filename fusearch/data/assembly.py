"""Puts a data set together from aligned modalities: groups, splits, levels, and the rules that every data set must keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from fusearch.data.arrays import RawModality
from fusearch.data.dataset import Dataset
from fusearch.data.duplicates import crossing_duplicates, merge_duplicates
from fusearch.data.modality import Modality
from fusearch.data.splits import SplitPlan, crossing_groups
from fusearch.data.tables import restrict_levels
from fusearch.data.task import Task
from fusearch.errors import DataError

__all__ = ["assemble", "divide", "find_faults", "join_parts"]

Array = npt.NDArray[Any]
StrArray = npt.NDArray[np.str_]


def assemble(
    name: str,
    modalities: Mapping[str, RawModality],
    targets: Array,
    task: Task,
    *,
    ids: StrArray,
    plan: SplitPlan,
    groups: StrArray | None = None,
    source: str = "",
) -> Dataset:
    """Make the data set: join groups that share identical rows, assign splits, keep the levels of train + val rows.

    Raises:
        DataError: Duplicate ids, a group on two sides, no row to train on, or a modality that is constant.
    """
    split_of, joined = divide(modalities, targets, task, plan, groups)
    faults = find_faults(name, modalities, ids, split_of, groups)
    if faults:
        raise DataError(faults[0])
    return join_parts(name, modalities, targets, task, ids=ids, split_of=split_of, groups=joined, num_folds=plan.folds, source=source)


def divide(
    modalities: Mapping[str, RawModality], targets: Array, task: Task, plan: SplitPlan, groups: StrArray | None
) -> tuple[StrArray, StrArray | None]:
    """Return the split of each row, and the groups, joined where rows of two groups have identical content."""
    if groups is not None:
        groups = merge_duplicates(groups, [modality.values for modality in modalities.values()])
    return plan.assign(targets, groups=groups, labels=task.labels), groups


def find_faults(name: str, modalities: Mapping[str, RawModality], ids: StrArray, split_of: StrArray, groups: StrArray | None) -> list[str]:
    """Return every broken rule of a data set, one line each."""
    faults = []
    values, counts = np.unique(ids, return_counts=True)
    for twice in values[counts > 1].tolist():
        rows = " and ".join(str(row + 1) for row in np.flatnonzero(ids == twice)[:2])
        faults.append(f"data set {name!r}: id {twice!r} stands in rows {rows}, expected each id once")
    if groups is not None:
        for group, sides in crossing_groups(split_of, groups).items():
            faults.append(f"data set {name!r}: group {group!r} stands in {' and '.join(sides)}, expected each group in one split")
        for first, row in crossing_duplicates([modality.values for modality in modalities.values()], split_of):
            rows, sides = f"{ids[first]!s} and {ids[row]!s}", f"{split_of[first]!s} and {split_of[row]!s}"
            faults.append(f"data set {name!r}: the rows {rows} are identical and stand in {sides}, expected them in one split")
    if not (split_of == "train").any():
        faults.append(f"data set {name!r}: no row is in the split 'train', expected at least one")
    search = split_of != "test"
    constant = (_constant(key, modality, modality.values[search]) for key, modality in modalities.items())
    return faults + [fault for fault in constant if fault is not None]


def join_parts(
    name: str,
    modalities: Mapping[str, RawModality],
    targets: Array,
    task: Task,
    *,
    ids: StrArray,
    split_of: StrArray,
    groups: StrArray | None = None,
    num_folds: int | None = None,
    source: str = "",
) -> Dataset:
    """Make the data set without looking for faults; levels that no train or val row has leave the schema."""
    search = np.flatnonzero(split_of != "test")
    raw, columns, shaped = {}, {}, []
    for key, modality in modalities.items():
        raw[key], shape = modality.values, modality.values.shape[1:]
        if modality.schema is not None:
            raw[key], columns[key] = restrict_levels(modality.values, modality.schema, search)
            shape = (columns[key].width,)
        shaped.append(Modality(key, modality.kind, shape))
    return Dataset(
        name=name,
        source=source,
        task=task,
        modalities=tuple(shaped),
        ids=ids,
        targets=targets,
        raw=raw,
        present={key: modality.present for key, modality in modalities.items()},
        split_of=split_of,
        columns=columns,
        groups=groups,
        num_folds=num_folds,
    )


def _constant(key: str, modality: RawModality, values: npt.NDArray[np.float32]) -> str | None:
    """Say so where a modality tells no samples apart: every column is constant over the search rows."""
    if not modality.present.any():
        return f"modality {key!r}: no sample has it, expected values for at least one"
    flat = values.reshape(len(values), -1)
    known = ~np.isnan(flat)
    low = np.where(known, flat, np.inf).min(axis=0, initial=np.inf)
    high = np.where(known, flat, -np.inf).max(axis=0, initial=-np.inf)
    if (low < high).any():
        return None
    if modality.schema is not None and len(modality.schema.columns) == 1:
        return f"modality {key!r}: its one column {modality.schema.columns[0]!r} is constant, expected a column that varies"
    return f"modality {key!r}: all of its {flat.shape[1]} columns are constant, expected at least one that varies"
