"""Puts a data set together from aligned modalities: groups, splits, levels, and the rules that every data set must keep."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Sized
from typing import Any

import numpy as np
import numpy.typing as npt

from fusearch.amounts import counted
from fusearch.data.assembly.arrays import RawModality, row_blocks
from fusearch.data.check.duplicates import crossing_duplicates, merge_duplicates
from fusearch.data.check.problem import Problem
from fusearch.data.content import Content
from fusearch.data.modality import Modality
from fusearch.data.splits import SplitPlan, crossing_groups
from fusearch.data.symbol_schema import restrict_symbols
from fusearch.data.table_schema import TableSchema, restrict_levels
from fusearch.errors import DataError
from fusearch.tasks import Task

__all__ = ["assemble", "divide", "find_faults", "join_parts"]

Array = npt.NDArray[Any]
StrArray = npt.NDArray[np.str_]

#: Share of samples from which it is a warning that they are cut.
_MANY_CUT = 0.1


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
    notes: Sequence[Problem] = (),
) -> Content:
    """Make the data set: join groups that share identical rows, assign splits, keep the levels of train + val rows.

    Raises:
        DataError: Duplicate ids, a group on two sides, no row to train on, or a modality that is constant.
    """
    if not modalities:
        raise DataError(f"data set {name!r}: no modality, expected one or more")
    split_of, joined = divide(modalities, targets, task, plan, groups)
    faults = find_faults(modalities, ids, split_of, groups)
    if faults:
        raise DataError(f"data set {name!r}: {faults[0].what}")
    return join_parts(name, modalities, targets, task, ids=ids, split_of=split_of, plan=plan, groups=joined, source=source, notes=notes)


def divide(
    modalities: Mapping[str, RawModality], targets: Array, task: Task, plan: SplitPlan, groups: StrArray | None
) -> tuple[StrArray, StrArray | None]:
    """Return the split of each row, and the groups, joined where rows of two groups have identical content."""
    if groups is not None:
        groups = merge_duplicates(groups, [modality.values for modality in modalities.values()])
    return plan.assign(targets, task, groups=groups), groups


def find_faults(modalities: Mapping[str, RawModality], ids: StrArray, split_of: StrArray, groups: StrArray | None) -> list[Problem]:
    """Return every rule of a data set that is broken; each is an error."""
    faults = []
    values, counts = np.unique(ids, return_counts=True)
    if (counts > 1).any():
        twice = str(values[counts > 1][0])
        rows = " and ".join(str(row + 1) for row in np.flatnonzero(ids == twice)[:2])
        faults.append(Problem("error", f"id {twice!r} stands in rows {rows}{_more(counts > 1)}, expected each id once", "id"))
    if groups is not None:
        crossing = crossing_groups(split_of, groups)
        for group, found in list(crossing.items())[:1]:
            what = f"group {group!r} stands in {' and '.join(found)}{_more(crossing)}, expected each group in one split"
            faults.append(Problem("error", what, "splits.group"))
        pairs = crossing_duplicates([modality.values for modality in modalities.values()], split_of)
        for first, row in pairs[:1]:
            rows, sides = f"{ids[first]!s} and {ids[row]!s}", f"{split_of[first]!s} and {split_of[row]!s}"
            what = f"rows {rows} are identical and stand in {sides}{_more(pairs)}, expected them in one split"
            faults.append(Problem("error", what, "splits"))
    if not (split_of == "train").any():
        faults.append(Problem("error", "no row is in the split 'train', expected at least one", "splits"))
    search = split_of != "test"
    for key, modality in modalities.items():
        useless = _constant(modality, search)
        if useless is not None:
            faults.append(Problem("error", f"modality {key!r}: {useless}", f"modalities.{key}"))
    return faults


def join_parts(
    name: str,
    modalities: Mapping[str, RawModality],
    targets: Array,
    task: Task,
    *,
    ids: StrArray,
    split_of: StrArray,
    plan: SplitPlan,
    groups: StrArray | None = None,
    source: str = "",
    notes: Sequence[Problem] = (),
) -> Content:
    """Make the data set without looking for faults; levels that no train or val row has leave the schema, `notes` come first."""
    search = np.flatnonzero(split_of != "test")
    raw, columns, symbols, shaped = {}, {}, {}, []
    told = list(notes)
    for key, modality in modalities.items():
        where = f"modalities.{key}"
        raw[key], shape = modality.values, modality.values.shape[1:]
        told += [Problem("warning", note, where) for note in modality.notes]
        if modality.num_unlabelled:
            verb = "belongs to no labelled sample and is" if modality.num_unlabelled == 1 else "belong to no labelled sample and are"
            what = f"{counted(modality.num_unlabelled, 'row')} of modality {key!r} {verb} left out"
            told.append(Problem("info", what, where))
        if modality.schema is not None:
            raw[key], columns[key] = restrict_levels(modality.values, modality.schema, search)
            shape = (columns[key].width,)
            told += _unknown_levels(modality, columns[key], np.flatnonzero(split_of == "test"), where)
        if modality.symbols is not None:
            raw[key], symbols[key], cut = restrict_symbols(modality.values, modality.symbols, search)
            shape = raw[key].shape[1:]
            told += _cut(cut, len(ids), shape[0], where)
        shaped.append(Modality(key, modality.kind, shape))
    return Content(
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
        symbols=symbols,
        groups=groups,
        num_folds=plan.folds,
        fold_seed=plan.fold_seed,
        notes=tuple(told),
    )


def _cut(cut: int, rows: int, length: int, where: str) -> list[Problem]:
    """Tell samples that are longer than what is read of them: of a few it is worth knowing, of many a warning."""
    if not cut:
        return []
    what = f"{cut} of {rows} samples are longer than {length} and cut there; `length` in the manifest reads more"
    return [Problem("warning" if cut > _MANY_CUT * rows else "info", what, where)]


def _unknown_levels(modality: RawModality, known: TableSchema, test: npt.NDArray[np.int64], where: str) -> list[Problem]:
    """Tell the levels of test rows that no train or val row has: a model takes them for unknown."""
    problems = []
    schema = modality.schema or known
    for column, (name, levels) in enumerate(schema.categorical.items(), start=len(schema.numeric)):
        codes = modality.values[test, column]
        counts = {level: int((codes == code).sum()) for code, level in enumerate(levels) if level not in known.categorical[name]}
        counts = {level: count for level, count in counts.items() if count}
        if counts:
            what = f"column {name!r}: {sum(counts.values())} of {len(test)} rows of test have a level that train and val lack"
            sides = f"{_names(counts)}; known: {_names(known.categorical[name])}"
            problems.append(Problem("warning", f"{what} ({sides})", f"{where}.{name}"))
    return problems


def _names(names: Iterable[str]) -> str:
    texts = [repr(name) for name in names]
    return ", ".join(texts[:5]) + (", ..." if len(texts) > 5 else "")


def _constant(modality: RawModality, search: npt.NDArray[np.bool_]) -> str | None:
    """Say so where a modality tells no samples apart: every column is constant over the search rows."""
    if not modality.present.any():
        return "no sample has it, expected values for at least one"
    flat = modality.values.reshape(len(modality.values), -1)
    if modality.symbols is not None:
        flat = flat[search]
        flat = flat[~np.isnan(flat).all(axis=1)]
        flat = np.nan_to_num(flat, nan=-2)  # codes are -1 or more; along an axis, unique takes NaN for different
        same = len(np.unique(flat, axis=0)) < 2
        return "all of its samples are the same, expected ones that differ" if same else None
    low, high = np.full(flat.shape[1], np.inf), np.full(flat.shape[1], -np.inf)
    for rows in row_blocks(flat):
        known = flat[rows][search[rows]]  # fmin and fmax leave NaN out
        low, high = np.fmin(low, np.fmin.reduce(known, initial=np.inf)), np.fmax(high, np.fmax.reduce(known, initial=-np.inf))
    if (low < high).any():
        return None
    if modality.schema is not None and len(modality.schema.columns) == 1:
        return f"its one column {modality.schema.columns[0]!r} is constant, expected a column that varies"
    return f"all of its {flat.shape[1]} columns are constant, expected at least one that varies"


def _more(things: Sized | npt.NDArray[np.bool_]) -> str:
    count = int(things.sum()) if isinstance(things, np.ndarray) else len(things)
    return f" (and {count - 1} more)" if count > 1 else ""
