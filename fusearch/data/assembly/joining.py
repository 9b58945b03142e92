"""Which row of a file belongs to which sample: by id; by position only where nothing in the files speaks against it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from fusearch.data.files.ids import loosely, near_miss
from fusearch.data.files.text import as_text
from fusearch.errors import DataError, ManifestError

__all__ = ["columns_of_names", "join_by_id", "refuse_other_order"]

IntArray = npt.NDArray[np.int64]


def columns_of_names(columns: Iterable[tuple[str, Any]]) -> dict[str, list[str]]:
    """Return the columns that may say who a row is: texts or whole numbers, each once."""
    found = {}
    for name, values in columns:
        kind = getattr(getattr(values, "dtype", None), "kind", "O")
        if kind in "fbM" or (kind in "iu" and len(np.unique(values)) < len(values)):
            continue
        texts = [text for text in as_text(values) if text is not None]
        if len(set(texts)) == len(texts) == len(values):
            found[str(name)] = texts
    return found


def refuse_other_order(place: str, columns: Mapping[str, Any], named: Mapping[str, tuple[str, list[str]]], manifest: str) -> None:
    """Refuse to join by position where two files name their rows, and not in the same order.

    Args:
        place: Name of the file.
        columns: What it holds.
        named: What other files name their rows by: name of the column -> file, and texts.
        manifest: Name of the manifest, for messages.

    Raises:
        ManifestError: They do.
    """
    for name, theirs in columns_of_names(columns.items()).items():
        for other, (file, ours) in named.items():
            mine, their = [loosely(text) for text in ours], [loosely(text) for text in theirs]
            same = set(their) == set(mine) and not _counts(ours)
            sure = name == other or not any(text.isdecimal() for text in theirs)
            if their == mine or not (same or (sure and _overlap(mine, their) >= 0.5)):
                continue
            if name == other:
                what = f"{file} and {place} both have {name!r}, and not in the same order"
                raise ManifestError(f"{manifest}: {what}, so rows would be joined wrongly by position; did you mean `id: {name}`?")
            what = f"{other!r} of {file} and {name!r} of {place} name the same rows, and not in the same order"
            raise ManifestError(f"{manifest}: {what}; give both one name and say `id: {other}`")


def join_by_id(ours: list[str], theirs: list[str], our_place: str, place: str) -> tuple[IntArray, tuple[str, ...]]:
    """Return the row in the file of each sample (-1: none), and what is strange about it.

    Args:
        ours: Ids of the samples.
        theirs: Ids of the rows of the file.
        our_place: Name of the labels file.
        place: Name of the file.

    Raises:
        DataError: No sample has a row.
    """
    row_of = {identity: row for row, identity in enumerate(theirs)}
    positions = np.array([row_of.get(identity, -1) for identity in ours], np.int64)
    missing = int((positions < 0).sum())
    hint = near_miss(ours, theirs) if missing and missing + len(theirs) > len(ours) else None
    if missing == len(ours):
        what = f"none of its {len(theirs)} ids is in {our_place} (its first is {theirs[0]!r}), expected ids such as {ours[0]!r}"
        raise DataError(f"{place}: {what}" + (f"; {hint}" if hint else ""))
    if hint is None:
        return positions, ()
    return positions, (f"{place} has a row for {len(ours) - missing} of {len(ours)} samples; {hint}",)


def _overlap(ours: list[str], theirs: list[str]) -> float:
    return len(set(ours) & set(theirs)) / len(ours)


def _counts(texts: list[str]) -> bool:
    """Whether texts number rows: two such columns hold the same and mean nothing by it."""
    return set(texts) <= {str(number) for number in range(len(texts) + 1)}
