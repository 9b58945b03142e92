"""What single cells may hide: values that stand for a missing one, one level or class written in two ways, levels of few rows."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import numpy.typing as npt

from fusearch.data.check.problem import Problem
from fusearch.data.dataset import Dataset
from fusearch.data.files.text import NUMERIC_GAPS, plain

__all__ = ["odd_cells", "odd_classes"]

FloatArray = npt.NDArray[np.float32]

#: Numbers that people write for a missing value: nines alone, and a minus before few of them.
_SENTINEL = re.compile(r"-9+|9{3,}|-1|-8+|-7+|8{3,}|7{3,}")
#: Texts that people write for a missing value, beside those of a column of numbers.
_GAPS = NUMERIC_GAPS | {"?", "-", "--", ".", "missing", "Missing", "MISSING"}
#: A level of fewer rows may name a patient.
_RARE = 5
#: At most so many names stand in one message.
_FEW = 5


def odd_classes(data: Dataset) -> Iterator[Problem]:
    """Tell classes and groups that may be a missing value, or one written in two ways; and numbers of the target like that."""
    yield from _odd_names(data.task.class_counts(data.targets), "class", "task")
    if data.groups is not None:
        yield from _odd_names(Counter(data.groups.tolist()), "group", "splits.group")
    if data.targets.ndim == 1 and data.targets.dtype.kind == "f":
        found = _sentinel(data.targets[data.rows("search")].astype(np.float32))
        if found is not None:
            what = f"the target is {found[0]} in {found[1]} rows, far from its other values"
            yield Problem("warning", f"{what}; if it is a missing value, leave those rows out", "task")


def odd_cells(data: Dataset, name: str) -> Iterator[Problem]:
    """Tell columns of a table whose values or levels may not be what they seem, on the rows of train and val."""
    schema, search = data.columns[name], data.rows("search")
    values = data.raw[name][search[data.present[name][search]]]
    spoilt: dict[str, list[tuple[str, int]]] = {}
    for column, numeric in enumerate(schema.numeric):
        found = _sentinel(values[:, column])
        if found is not None:
            spoilt.setdefault(found[0], []).append((numeric, found[1]))
    for number, columns in spoilt.items():
        (first, count), others = columns[0], [each for each, _ in columns[1:]]
        if others:
            more = f"{first!r} and {len(others)} more columns ({_few(others)})"
            what = f"column {more} hold {number} in up to {max(rows for _, rows in columns)} rows, far from their other values"
        else:
            what = f"column {first!r} holds {number} in {count} rows, far from its other values"
        where = f"modalities.{name}" + ("" if others else f".{first}")
        yield Problem("warning", f"{what}; if it is a missing value, list it under `missing`", where)
    for column, (categorical, levels) in enumerate(schema.categorical.items(), start=len(schema.numeric)):
        where = f"modalities.{name}.{categorical}"
        counts = {level: int((values[:, column] == code).sum()) for code, level in enumerate(levels)}
        yield from _odd_names(counts, f"column {categorical!r}: level", where)
        rare = [level for level, count in counts.items() if count < _RARE]
        if rare:
            what = f"column {categorical!r} has {len(rare)} levels of fewer than {_RARE} rows ({_few(rare)})"
            yield Problem("warning", f"{what}: they may name patients, and levels travel in a bundle", where)


def _odd_names(counts: Mapping[str, int], what: str, where: str) -> Iterator[Problem]:
    for name, count in counts.items():
        if name in _GAPS or _SENTINEL.fullmatch(name):
            yield Problem(
                "warning", f"{what} {name!r} ({count} rows) is taken as it stands; if it is a missing value, list it under `missing`", where
            )
    alike: dict[str, list[str]] = {}
    for name in counts:
        alike.setdefault("".join(unicodedata.normalize("NFKC", name).casefold().split()), []).append(name)
    for names in alike.values():
        if len(names) > 1:
            told = " and ".join(f"{name!r} ({counts[name]} rows)" for name in names)
            yield Problem("warning", f"{what} {told} differ by case or spaces alone, and are told apart", where)


def _sentinel(values: FloatArray) -> tuple[str, int] | None:
    """Return a number that stands far off the others, more than once, and is one that people write for a missing value."""
    known = values[~np.isnan(values)].astype(np.float64)
    if len(known) < _RARE:
        return None
    for end, sign in ((known.min(), 1), (known.max(), -1)):
        count = int((known == end).sum())
        others = known[known != end]
        if count < 2 or not len(others) or not float(end).is_integer() or not _SENTINEL.fullmatch(plain(str(end))):
            continue
        nearest, spread = (others.min() if sign > 0 else others.max()), others.max() - others.min()
        if sign * (nearest - end) > spread or (sign > 0 > end and others.min() >= 0):
            return plain(str(end)), count
    return None


def _few(names: Iterable[str]) -> str:
    texts = [repr(name) for name in names]
    return ", ".join(texts[:_FEW]) + (", ..." if len(texts) > _FEW else "")
