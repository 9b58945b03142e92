"""Looks for what a loaded data set may hide: leaks, duplicates, constant columns, rare classes, gaps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from fusearch.data.check.duplicates import crossing_duplicates, identical_rows
from fusearch.data.check.leaks import identifier_columns, label_columns
from fusearch.data.check.odd_cells import odd_cells, odd_classes
from fusearch.data.check.odd_symbols import odd_symbols
from fusearch.data.check.problem import Problem
from fusearch.data.dataset import Dataset
from fusearch.data.files.far_values import amounts, far_off, range_of
from fusearch.data.files.notations import holds_dates
from fusearch.errors import DataError

__all__ = ["find_problems"]

#: Share of missing rows or values from which a gap is worth a warning.
_HIGH_MISSING = 0.5
#: Rows of one modality that agree in fewer values than this may agree by chance.
_MIN_VALUES = 10
#: So many test rows have a median worth comparing.
_MIN_TEST = 5
#: What follows where rows to learn from, and rows to score, lack what the task needs.
_LACKING = ("nothing can be learned there", "metrics are undefined there")
#: At most so many names stand in one message.
_MAX_NAMES = 5


def find_problems(data: Dataset) -> list[Problem]:
    """Return what is worth telling about a data set that can be loaded."""
    return [
        *data.notes,
        *_duplicates(data),
        *_folds(data),
        *_targets(data),
        *_rare_classes(data),
        *(problem for modality in data.modalities for problem in _modality(data, modality.name)),
        *(problem for modality in data.columns for problem in _columns(data, modality)),
        *odd_classes(data),
        *(problem for modality in data.columns for problem in odd_cells(data, modality)),
        *(problem for modality in data.symbols for problem in odd_symbols(data, modality)),
        *(problem for modality in data.modalities for problem in _test_values(data, modality.name)),
    ]


def _duplicates(data: Dataset) -> Iterator[Problem]:
    arrays = list(data.raw.values())
    crossing = crossing_duplicates(arrays, data.split_of)
    owners = identical_rows(arrays)
    inside = int((owners != np.arange(len(owners))).sum()) - len(crossing)
    if crossing:
        pairs = _few(
            [f"{data.ids[first]} in {data.split_of[first]} and {data.ids[row]} in {data.split_of[row]}" for first, row in crossing]
        )
        advice = "name their group under `splits.group`, or drop the copies"
        yield Problem("warning", f"{len(crossing)} identical rows in two splits ({pairs}); {advice}", "splits")
    if inside:
        yield Problem("info", f"{inside} rows repeat an earlier row of the same split, identical in every modality", "splits")
    differ = (data.targets != data.targets[owners]) & ~(np.isnan(data.targets) | np.isnan(data.targets[owners]))
    contradicting = int(differ.reshape(len(data), -1).any(axis=1).sum())
    if contradicting:
        yield Problem("warning", f"{contradicting} rows are identical to another row in every modality but have another target", "task")
    for name, array in data.raw.items():
        if len(arrays) == 1 or array[0].size < _MIN_VALUES:
            continue
        alone = [pair for pair in crossing_duplicates([array], data.split_of) if pair not in crossing]
        if alone:
            pairs = _few([f"{data.ids[first]} and {data.ids[row]}" for first, row in alone])
            held = f"{len(alone)} pair{'s' if len(alone) > 1 else ''} of samples in two splits"
            yield Problem("warning", f"{held} with identical values in modality {name!r} ({pairs})", f"modalities.{name}")


def _folds(data: Dataset) -> Iterator[Problem]:
    try:
        folds = data.folds()
    except DataError as error:
        yield Problem("warning", f"train and val cannot be divided into folds: {error}", "splits")
        return
    if data.num_folds != "groups" or data.groups is None:
        return
    counts = [list(data.task.class_counts(data.targets[fold.val]).values()) for fold in folds]
    single = [str(data.groups[fold.val[0]]) for fold, found in zip(folds, counts, strict=True) if sum(map(bool, found)) == 1]
    if single:
        what = f"{len(single)} of {len(folds)} groups hold one class only ({_few(single)})"
        yield Problem("warning", f"{what}: metrics such as AUROC are undefined on their folds", "splits.group")


def _targets(data: Dataset) -> Iterator[Problem]:
    """Tell what the task says of its targets: nothing to learn from in train, nothing to score in val, test or a fold."""
    task, search = data.task, data.targets[data.rows("search")]
    in_split = {split: task.lacks(data.targets[data.split_of == split]) for split in ("train", "val", "test") if split in data.split_of}
    lacking = task.lacks(search)
    if lacking:
        yield Problem("error", f"{lacking} in train and val: nothing can be learned", "task")
        return
    yield from (Problem("warning", doubt, "task") for doubt in task.doubts(search))
    for split, lack in in_split.items():
        if lack:
            yield Problem("warning", f"{lack} in {split}: {_LACKING[split != 'train']}", "splits")
    try:
        folds = data.folds()
    except DataError:
        return  # `_folds` tells
    for held, side in enumerate(("train", "val")):
        which = [lack for lack in (task.lacks(data.targets[getattr(fold, side)]) for fold in folds) if lack]
        if which and len(folds) > 1:
            rows = ("training", "held-out")[held]
            what = f"{which[0]} among the {rows} rows of {len(which)} of {len(folds)} folds: {_LACKING[held]}"
            yield Problem("warning", what, "splits")


def _rare_classes(data: Dataset) -> Iterator[Problem]:
    search, test, needed = data.rows("search"), data.split_of == "test", 2 if data.num_folds == "groups" else max(data.default_num_folds, 2)
    tested = data.task.class_counts(data.targets[test])
    counts = data.task.class_counts(data.targets[search])
    rare = {label: count for label, count in counts.items() if count < needed}
    if len(rare) > _MAX_NAMES:
        what = f"{len(rare)} classes have fewer rows in train and val than the {needed} folds or sides ({_few(list(rare))})"
        yield Problem("warning", what, "task")
    else:
        for label, count in rare.items():
            if not count and data.task.doubts(data.targets[search]):
                continue  # told there
            yield Problem("warning", f"class {label!r} has {count} rows in train and val, fewer than the {needed} folds or sides", "task")
    untested = [label for label in counts if test.any() and not tested[label]]
    if len(untested) > _MAX_NAMES:
        yield Problem("warning", f"{len(untested)} classes have no row in test ({_few(untested)})", "task")
    else:
        for label in untested:
            yield Problem("warning", f"class {label!r} has no row in test", "task")


def _modality(data: Dataset, name: str) -> Iterator[Problem]:
    present, where = data.present[name], f"modalities.{name}"
    absent = 1 - present.mean()
    if absent >= _HIGH_MISSING:
        yield Problem("warning", f"modality {name!r} is missing for {absent:.0%} of the samples", where)
    elif absent:
        yield Problem("info", f"modality {name!r} is missing for {int((~present).sum())} of {len(data)} samples", where)
    if not present[data.rows("train")].any():
        yield Problem("warning", f"no row of train has modality {name!r}: nothing can be learned from it", where)


def _columns(data: Dataset, name: str) -> Iterator[Problem]:
    schema, where = data.columns[name], f"modalities.{name}"
    search = data.rows("search")
    values = data.raw[name][search[data.present[name][search]]]
    if not len(values):
        return
    for column in identifier_columns(values, schema):
        yield Problem(
            "warning", f"column {column!r} looks like an identifier: it tells samples, not properties; leave it out", f"{where}.{column}"
        )
    for column, score in label_columns(data, name):
        what = f"column {column!r} alone gives the target ({score:.1%} on train); leave it out if it is known only afterwards"
        yield Problem("warning", what, f"{where}.{column}")
    for number, column in enumerate(schema.numeric):
        dates = holds_dates(values[:, number])
        if dates is not None:
            what = f"column {column!r} looks like dates ({dates}), and is read as numbers; give days from one date on, or leave it out"
            yield Problem("warning", what, f"{where}.{column}")
    missing = np.isnan(values)
    share_missing = np.asarray(missing.mean(axis=0))
    empty = [column for column, gone in zip(schema.columns, share_missing == 1, strict=True) if gone]
    gaps = [column for column, share in zip(schema.columns, share_missing, strict=True) if _HIGH_MISSING <= share < 1]
    low, high = np.where(missing, np.inf, values).min(axis=0), np.where(missing, -np.inf, values).max(axis=0)
    constant = [column for column, same in zip(schema.columns, low == high, strict=True) if same]
    for columns, what in ((empty, "no value in train and val"), (constant, "one value throughout train and val")):
        if columns:
            verb = "has" if len(columns) == 1 else "have"
            yield Problem("warning", f"{_columns_of(columns, name)} {verb} {what}: {_few(columns)}", where)
    if gaps:
        verb = "lacks half of its" if len(gaps) == 1 else "lack half of their"
        yield Problem("warning", f"{_columns_of(gaps, name)} {verb} values or more: {_few(gaps)}", where)


def _test_values(data: Dataset, name: str) -> Iterator[Problem]:
    """Tell columns whose test rows say nothing of what train and val say: another unit, or no value at all. Of an image, its mean."""
    present, test = data.present[name], data.split_of == "test"
    if data.modality(name).layout.channel is None:
        return  # codes are no amounts
    theirs, ours = data.raw[name][test & present], data.raw[name][~test & present]
    if len(theirs) < _MIN_TEST or not len(ours):
        return
    names: Sequence[str] = data.columns[name].numeric if name in data.columns else ["mean of a sample"]
    num_columns = len(names) if name in data.columns else None
    theirs, ours = amounts(theirs, num_columns), amounts(ours, num_columns)
    gone = [names[column] for column in np.flatnonzero(np.isnan(theirs).all(axis=0) & ~np.isnan(ours).all(axis=0)).tolist()]
    if gone:
        verb = "has" if len(gone) == 1 else "have"
        yield Problem("warning", f"{_columns_of(gone, name)} {verb} no value in test: {_few(gone)}", f"modalities.{name}")
    low, high = range_of(ours)
    far = far_off(theirs, low, high)
    if far:
        column, middle = far[0]
        shown = f"{names[column]!r}: median {middle:g}, and {low[column]:g} to {high[column]:g} in train and val"
        verb = "lies" if len(far) == 1 else "lie"
        what = f"{_columns_of(far, name)} {verb} far off the values of train and val in half of the test rows ({shown})"
        yield Problem("warning", f"{what}; the same unit?", f"modalities.{name}")


def _columns_of(columns: Sequence[object], name: str) -> str:
    return f"{len(columns)} column{'s' if len(columns) > 1 else ''} of {name!r}"


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:_MAX_NAMES]) + (", ..." if len(names) > _MAX_NAMES else "")
